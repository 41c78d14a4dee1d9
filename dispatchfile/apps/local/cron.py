"""The times of a schedule, as CronJobs have them: UTC unless a time zone is named (Kubernetes batch/v1 CronJob)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dispatchfile.errors import UsageError
from dispatchfile.model.quantities import duration
from dispatchfile.model.schedules import fields, interval

if TYPE_CHECKING:
    from datetime import tzinfo

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FARTHEST = 366 * 8 + 2
"""Days to look ahead: 29 February comes after eight years at the latest."""


class Schedule:
    """A schedule. Raises UsageError for one that Kubernetes would refuse."""

    def __init__(self, text: str, zone: str, where: str) -> None:
        try:
            interval(text)
        except ValueError as error:
            raise UsageError(f'{where}: the schedule "{text}" is not valid: {error}') from None
        self._zone = _zone(zone, where)
        self._every = duration(text[7:].strip()) if text.startswith("@every ") else 0.0
        if not self._every:
            text = _MACROS.get(text, text)
            self._minutes, self._hours, self._days, self._months, self._weekdays = fields(text)
            _, _, day, _, weekday = text.split()
            # robfig/cron: with both given, either will do.
            self._either = day[0] not in "*?" and weekday[0] not in "*?"

    def after(self, moment: float) -> float | None:
        """Return the first time after a moment, both in seconds since 1970; None when none comes."""
        if self._every:
            return moment + self._every
        local = datetime.fromtimestamp(moment, self._zone)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for _ in range(_FARTHEST):
            if self._is_day(day):
                for hour in sorted(self._hours):
                    for minute in sorted(self._minutes):
                        found = self._moment(day.replace(hour=hour, minute=minute))
                        if found is not None and found > moment:
                            return found
            day += timedelta(days=1)
        return None

    def latest(self, since: float, until: float) -> float | None:
        """Return the last time after `since` that is not after `until`, None when there is none."""
        last = None
        found = self.after(since)
        while found is not None and found <= until:
            last = found
            found = self.after(found)
        return last

    def _is_day(self, day: datetime) -> bool:
        if day.month not in self._months:
            return False
        of_month, of_week = day.day in self._days, day.isoweekday() % 7 in self._weekdays
        return (of_month or of_week) if self._either else (of_month and of_week)

    def _moment(self, local: datetime) -> float | None:
        """Return when a clock of the zone shows a time; None when it skips it, as in spring."""
        aware = local.replace(tzinfo=self._zone)
        moment = aware.timestamp()
        shown = datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None)
        return moment if shown == local else None


def _zone(name: str, where: str) -> tzinfo:
    if not name:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f'{where}: "{name}" is no time zone of this machine') from None
