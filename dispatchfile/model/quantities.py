"""Texts with a syntax of their own: Go durations and Kubernetes quantities.

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


_SPELLINGS = (("h", "hours?|hrs?"), ("m", "minutes?|mins?"), ("s", "seconds?|secs?"))


def meant_duration(text: str) -> str | None:
    """Return the duration that a text probably means ("10 min" is 10m, "1 day" 24h), or None."""
    meant = re.sub(r",?\s+|\band\b", "", text.strip().lower())
    for unit, words in _SPELLINGS:
        meant = re.sub(rf"(?<=\d)(?:{words})(?=\d|$)", unit, meant)
    days = re.match(r"(\d{1,6})(?:days?|d)", meant)
    if days is not None:
        hours = re.match(r"(\d{1,6})h", meant[days.end() :])
        rest = meant[days.end() + (hours.end() if hours is not None else 0) :]
        meant = f"{int(days[1]) * 24 + int(hours[1] if hours is not None else 0)}h{rest}"
    try:
        return meant if duration(meant) > 0 else None
    except ValueError:
        return None
