"""Telling what happens."""

from __future__ import annotations

import pytest

from dispatchfile.run.progress import Board, Happening, as_plain, duration, jobs_by_default, rfc3339


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (3600, "1h00m"),
        (7384, "2h03m"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_times() -> None:
    assert rfc3339(1769846400.25) == "2026-01-31T08:00:00.250Z"


def test_as_plain() -> None:
    event = Happening("step.log", 0.0, "t", "s", {"line": "x"})
    assert as_plain(event) == {
        "event": "step.log",
        "time": "1970-01-01T00:00:00.000Z",
        "task": "t",
        "step": "s",
        "line": "x",
    }
    assert "task" not in as_plain(Happening("run.note", 0.0, "", "", {}))


def test_a_listener_whose_reader_is_gone_is_dropped_and_the_others_go_on() -> None:
    heard: list[str] = []

    def gone(_: Happening) -> None:
        raise BrokenPipeError

    board = Board([gone, lambda event: heard.append(event.kind)])
    board.tell("a")
    board.tell("b")
    assert heard == ["a", "b"]
    assert board.problem is None


def test_a_full_disk_is_remembered() -> None:
    def full(_: Happening) -> None:
        raise OSError(28, "No space left on device")

    board = Board([full])
    board.tell("a")
    board.tell("b")
    assert board.problem is not None


def test_at_least_two_jobs() -> None:
    assert jobs_by_default() >= 8
    assert jobs_by_default() % 4 == 0
