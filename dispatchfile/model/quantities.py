"""Texts with a syntax of their own: Go durations, Kubernetes quantities, cron schedules.

Each function raises ValueError with a message that completes "…: ".
"""

from __future__ import annotations

import re

_DURATION_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
# Compiled where they are used: most files hold none of these.
_DURATION_PART = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_LONGEST = 2**63 / 1e9

_SCALES = {
    "": (1, 1), "n": (1, 10**9), "u": (1, 10**6), "m": (1, 1000), "k": (10**3, 1), "M": (10**6, 1), "G": (10**9, 1),
    "T": (10**12, 1), "P": (10**15, 1), "E": (10**18, 1), "Ki": (2**10, 1), "Mi": (2**20, 1), "Gi": (2**30, 1),
    "Ti": (2**40, 1), "Pi": (2**50, 1), "Ei": (2**60, 1),
}  # fmt: skip
_QUANTITY = r"([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?"

_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_CRON_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _WEEKDAYS),
)
_CRON_ITEM = r"(\*|\?|[0-9a-z]{1,9})(?:-([0-9a-z]{1,9}))?(?:/([0-9]{1,4}))?"


def duration(text: str) -> float:
    """Return the seconds of a duration as Go's ParseDuration reads it, such as "1h30m" or "90s"; "0" needs no unit."""
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    pattern = re.compile(_DURATION_PART, re.ASCII)
    seconds, at = 0.0, 0
    while at < len(rest):
        part = pattern.match(rest, at)
        if part is None:
            break
        seconds += float(part[1]) * _DURATION_UNITS[part[2]]
        at = part.end()
    if not rest or at < len(rest):
        raise ValueError('expected numbers with units h, m, s, or ms, such as "1h30m" or "90s"')
    if seconds >= _LONGEST:
        raise ValueError("longer than 292 years")
    return sign * seconds


def quantity(text: str) -> tuple[int, int]:
    """Return a Kubernetes quantity ("500m", "1.5Gi", "1e3") as numerator and denominator."""
    found = re.fullmatch(_QUANTITY, text, re.ASCII)
    if found is None or not (found[2] or found[3]):
        raise ValueError('expected a number with a unit such as m, k, M, G, Ki, Mi, Gi: "500m", "1.5Gi"')
    digits, fraction, suffix = found[2] or "", found[3] or "", found[4] or ""
    if suffix[:1] in ("e", "E") and suffix[1:]:
        power = int(suffix[1:])
        above, under = (10**power, 1) if power >= 0 else (1, 10**-power)
    else:
        above, under = _SCALES[suffix]
    number = int(digits + fraction) * above * (-1 if found[1] == "-" else 1)
    return number, under * 10 ** len(fraction)


def schedule(text: str) -> None:
    """Check a cron schedule as Kubernetes CronJobs read it: five fields, a macro such as @daily, or @every DURATION."""
    if text.startswith("@every "):
        if duration(text[7:].strip()) < 1:
            raise ValueError("@every needs at least a second")
        return
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise ValueError(f"expected one of {', '.join(_DESCRIPTORS)}, or @every with a duration")
        return
    fields = text.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(
            f"expected 5 fields (minute hour day month weekday) or a macro such as @daily, found {len(fields)}"
        )
    _, _, days, months, _ = (
        _cron_field(field, *rule) for field, rule in zip(fields, _CRON_FIELDS, strict=True)
    )
    if fields[4] in ("*", "?") and min(days) > max(
        29 if m == 2 else 30 if m in (4, 6, 9, 11) else 31 for m in months
    ):
        raise ValueError("no such day in the months given: it never fires")


def _cron_field(text: str, name: str, low: int, high: int, names: list[str]) -> set[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        found = re.fullmatch(_CRON_ITEM, item)
        if found is None:
            raise ValueError(f'"{item}" is no {name}')
        first, last, step = found.groups()
        start, end = low, high
        if first not in ("*", "?"):
            start = _cron_number(first, name, low, high, names)
            end = _cron_number(last, name, low, high, names) if last else high if step else start
        elif last:
            raise ValueError(f'"{item}" is no {name}')
        if start > end:
            raise ValueError(f'the range "{item}" of the {name} runs backwards')
        if step is not None and int(step) == 0:
            raise ValueError(f'the step of "{item}" is 0')
        values.update(range(start, end + 1, int(step or 1)))
    return values


def _cron_number(text: str, name: str, low: int, high: int, names: list[str]) -> int:
    number = names.index(text) + low if text in names else int(text) if text.isdigit() else -1
    if not low <= number <= high:
        raise ValueError(f'"{text}" is no {name} ({low} to {high})')
    return number
