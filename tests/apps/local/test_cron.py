"""The times of schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dispatchfile.apps.local.cron import Schedule
from dispatchfile.errors import UsageError


def at(text: str, zone=UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param("*/15 * * * *", "2026-01-01T10:07", "2026-01-01T10:15", id="step"),
        pytest.param("*/15 * * * *", "2026-01-01T10:15", "2026-01-01T10:30", id="not the moment itself"),
        pytest.param("0 3 * * mon-fri", "2026-01-02T03:00", "2026-01-05T03:00", id="weekdays"),
        pytest.param("0 0 13 * fri", "2026-01-01T00:00", "2026-01-02T00:00", id="day of month or of week"),
        pytest.param("0 0 29 2 *", "2026-03-01T00:00", "2028-02-29T00:00", id="leap day"),
        pytest.param("@daily", "2026-01-01T10:07", "2026-01-02T00:00", id="macro"),
        pytest.param("@every 90m", "2026-01-01T10:00", "2026-01-01T11:30", id="every"),
    ],
)
def test_the_next_time(schedule, after, expected):
    assert Schedule(schedule, "", "CronJob a/b").after(at(after)) == at(expected)


def test_a_zone_counts_and_what_its_clocks_skip_is_skipped():
    berlin = ZoneInfo("Europe/Berlin")
    schedule = Schedule("30 2 * * *", "Europe/Berlin", "")
    assert schedule.after(at("2026-03-28T03:00", berlin)) == at("2026-03-30T02:30", berlin)


def test_the_latest_of_many():
    schedule = Schedule("0 * * * *", "", "")
    assert schedule.latest(at("2026-01-01T10:07"), at("2026-01-01T15:01")) == at("2026-01-01T15:00")
    assert schedule.latest(at("2026-01-01T10:07"), at("2026-01-01T10:59")) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "message"),
    [
        (
            "60 * * * *",
            "",
            'CronJob a/b: the schedule "60 * * * *" is not valid: "60" is no minute (0 to 59)',
        ),
        ("0 0 * * *", "Mars/Base", 'CronJob a/b: "Mars/Base" is no time zone of this machine'),
    ],
)
def test_what_is_refused(schedule, zone, message):
    with pytest.raises(UsageError) as refused:
        Schedule(schedule, zone, "CronJob a/b")
    assert refused.value.message == message
