"""Cron schedules, as the CronJobs of Kubernetes read them."""

from __future__ import annotations

import re
from itertools import pairwise

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.model.pipeline import Action, Condition
from dispatchfile.model.quantities import duration
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _WEEKDAYS),
)
_ITEM = r"(\*|\?|[0-9a-z]{1,9})(?:-([0-9a-z]{1,9}))?(?:/([0-9]{1,4}))?"

_CLOSEST = 5  # minutes between two runs
_HOUR = 60


def check(found: Condition, action: Action, path: str) -> Iterator[Diagnostic]:
    """Yield what is wrong with the schedule of a cron condition."""
    place = found.value.at("schedule")
    if found.schedule is None or place is None:
        return
    try:
        minutes = interval(found.schedule)
    except ValueError as error:
        yield Diagnostic(
            "DF305", Severity.ERROR, f'the schedule "{found.schedule}" is not valid', place.span or place.key,
            help=str(error), path=f"{path}.schedule",
        )  # fmt: skip
        return
    if minutes < _CLOSEST:
        every = "every minute" if minutes == 1 else f"every {minutes:g} minutes"
        every = every if minutes >= 1 else "more often than every minute"
        yield Diagnostic(
            "DF305", Severity.WARNING, f"{action.title} fires {every}", place.span or place.key, "very often",
            help='each time runs the whole pipeline; such as "*/5 * * * *" or "@hourly"', path=f"{path}.schedule",
        )  # fmt: skip


def interval(text: str) -> float:
    """Return the fewest minutes between two times of a schedule: five fields, a macro such as @daily, or @every 2h.

    Only times within one hour count: `*/7` is every seven minutes, though it starts anew on the hour. Raises ValueError, with a message that completes "…: ", for what Kubernetes refuses and for what never fires.
    """
    if text.startswith("@every "):
        seconds = duration(text[7:].strip())
        if seconds < 1:
            raise ValueError("@every needs at least a second")
        return seconds / 60
    if text.startswith("@"):
        if text not in MACROS:
            meant = nearest(text, MACROS)
            known = f"expected one of {', '.join(MACROS)}, or @every with a duration"
            raise ValueError(f'did you mean "{meant}"?' if meant else known)
        return _HOUR
    minutes, _, days, months, _ = fields(text)
    if text.split()[4] in ("*", "?") and min(days) > max(
        29 if m == 2 else 30 if m in (4, 6, 9, 11) else 31 for m in months
    ):
        raise ValueError("no such day in the months given: it never fires")
    times = sorted(minutes)
    return min((later - sooner for sooner, later in pairwise(times)), default=_HOUR)


def fields(text: str) -> tuple[set[int], ...]:
    """Return the minutes, hours, days of the month, months and days of the week (0 is Sunday) of five fields. Raises ValueError."""
    found = text.split()
    if len(found) != len(_FIELDS):
        hint = "; Kubernetes has no field for seconds" if len(found) == len(_FIELDS) + 1 else ""
        raise ValueError(
            f"expected 5 fields (minute hour day month weekday) or a macro such as @daily, found {len(found)}{hint}"
        )
    return tuple(_field(field, *rule) for field, rule in zip(found, _FIELDS, strict=True))


def _field(text: str, name: str, low: int, high: int, names: list[str]) -> set[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        found = re.fullmatch(_ITEM, item)
        if found is None:
            raise ValueError(f'"{item}" is no {name}')
        first, last, step = found.groups()
        start, end = low, high
        if first not in ("*", "?"):
            start = _number(first, name, low, high, names)
            end = _number(last, name, low, high, names) if last else high if step else start
        elif last:
            raise ValueError(f'"{item}" is no {name}')
        if start > end:
            raise ValueError(f'the range "{item}" of the {name} runs backwards')
        if step is not None and int(step) == 0:
            raise ValueError(f'the step of "{item}" is 0')
        values.update(range(start, end + 1, int(step or 1)))
    return values


def _number(text: str, name: str, low: int, high: int, names: list[str]) -> int:
    number = names.index(text) + low if text in names else int(text) if text.isdigit() else -1
    if not low <= number <= high:
        raise ValueError(f'"{text}" is no {name} ({low} to {high})')
    return number
