from __future__ import annotations

import pytest

from dispatchfile.model import quantities


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
    quantities.schedule(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@dauly", "expected one of"),
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
        quantities.schedule(text)
