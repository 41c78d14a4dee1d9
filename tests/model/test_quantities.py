from __future__ import annotations

import pytest

from dispatchfile.model import quantities, schedules


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("0", 0), (".5s", 0.5), ("1us", 1e-6), ("1µs", 1e-6), ("-2m", -120), ("+1m", 60), ("100ms", 0.1)],
)  # fmt: skip
def test_durations(text, seconds):
    assert quantities.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "10 min", "1d", "h", "1h 2m", "--1s", ".", "1.s.", "9999999h", "9" * 5000 + "h", "٣s"]
)
def test_bad_durations(text):
    with pytest.raises(ValueError):
        quantities.duration(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", 1), ("500m", 0.5), ("1Gi", 2**30), ("1.5Gi", 1.5 * 2**30), ("1e3", 1000), ("1E3", 1000), ("2E", 2e18), (".5", 0.5), ("5.", 5), ("100k", 1e5), ("12e-2", 0.12)],
)  # fmt: skip
def test_amounts(text, amount):
    above, under = quantities.quantity(text)
    assert above / under == pytest.approx(amount)


@pytest.mark.parametrize("text", ["", ".", "1Gx", "1 Gi", "Gi", "1KI", "1e", "1e999999999", "0x10"])
def test_bad_amounts(text):
    with pytest.raises(ValueError):
        quantities.quantity(text)


@pytest.mark.parametrize(
    "text",
    ["0 3 * * *", "*/5 * * * *", "0/5 * * * *", "0 0 1,15 * mon-fri", "0 4 8-14 * ?", "@daily", "@every 1h30m", "0 0 29 2 *", "59 23 31 12 6", "0 0 30 feb mon"],
)  # fmt: skip
def test_schedules(text):
    schedules.interval(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@dauly", 'did you mean "@daily"'),
        ("@soon", "expected one of"),
        ("* * * *", "found 4"),
        ("* * * * * *", "found 6"),
        ("60 * * * *", "no minute"),
        ("* 24 * * *", "no hour"),
        ("* * 0 * *", "no day of the month"),
        ("* * * 13 *", "no month"),
        ("* * * * 7", "no day of the week"),
        ("30-10 * * * *", "backwards"),
        ("*/0 * * * *", "is 0"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6 *", "never fires"),
        ("0 4 8-14 * * test $(date +%u) -eq 6", "found 10"),
        ("@every soon", "expected numbers"),
        ("", "found 0"),
    ],
)
def test_bad_schedules(text, why):
    with pytest.raises(ValueError, match=why):
        schedules.interval(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("* * * * *", 1), ("*/5 * * * *", 5), ("*/7 * * * *", 7), ("0,58 3 * * *", 58), ("0 */2 * * *", 60), ("@every 90s", 1.5), ("@hourly", 60)],
)  # fmt: skip
def test_the_least_time_between_runs(text, minutes):
    assert schedules.interval(text) == minutes


@pytest.mark.parametrize(
    ("written", "meant"),
    [("10 min", "10m"), ("1 hour 30 minutes", "1h30m"), ("2hrs", "2h"), ("90 secs", "90s"), ("1 day", "24h0m"), ("2d 3h", "51h"),
     ("1 hour, 5 minutes and 3 seconds", "1h5m3s"), ("1.5 Hours", "1.5h"), ("30", None), ("soon", None), ("", None), ("-5 min", None), ("9" * 5000 + " days", None)],
)  # fmt: skip
def test_what_a_duration_was_meant_as(written, meant):
    found = quantities.meant_duration(written)
    assert (found and quantities.duration(found)) == (meant and quantities.duration(meant))
