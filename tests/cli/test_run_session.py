"""The end of a run, on this machine or on a cluster: kept and told, and which error the command ends with."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from dispatchfile.cli import run_session
from dispatchfile.errors import EnvironmentProblem, TimedOut
from dispatchfile.run.engine import Ending
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import Board

if TYPE_CHECKING:
    from dispatchfile.run.history import RunFolder
    from dispatchfile.run.progress import View

LATE = TimedOut("the run took longer than 1s")
FULL = OSError(errno.ENOSPC, "No space left on device", "/state/run.json")


class Folder:
    """A folder of a run, on a disk that is full or not."""

    def __init__(self, *, full: bool = False) -> None:
        self.full, self.kept = full, ""

    def finish(self, outcomes: Mapping[str, Outcome], _fingerprints: Mapping[str, str]) -> None:
        if self.full:
            raise EnvironmentProblem("the disk is full")
        self.kept = ", ".join(outcomes)


def concluded(
    folder: Folder, error: Exception | None = None, lost: OSError | None = None
) -> tuple[str, list[str]]:
    """Return what the command ends with, and what it told before."""
    board = Board([])
    board.problem = lost
    told: list[str] = []
    ending = Ending({"unit": Outcome("unit", "succeeded")}, error)
    found = run_session.concluded(
        ending, cast("RunFolder", folder), {}, board, lambda: told.append("summary")
    )
    return str(found), told


def test_a_run_that_is_kept_and_shown_has_no_error() -> None:
    folder = Folder()
    assert concluded(folder) == ("None", ["summary"])
    assert folder.kept == "unit"


@pytest.mark.parametrize(
    ("folder", "error", "lost", "said"),
    [
        (Folder(full=True), None, None, "the disk is full"),
        (Folder(full=True), LATE, FULL, LATE.message),
        (Folder(full=True), None, FULL, "the disk is full"),
        (Folder(), LATE, FULL, LATE.message),
        (Folder(), None, FULL, "the run could not be kept or shown whole: No space left on device: /state/run.json"),
    ],
)  # fmt: skip
def test_the_error_of_the_run_itself_comes_first_and_the_end_is_told(
    folder: Folder, error: Exception | None, lost: OSError | None, said: str
) -> None:
    assert concluded(folder, error, lost) == (said, ["summary"])


def test_a_closed_terminal_hides_no_error() -> None:
    def closed() -> None:
        raise BrokenPipeError

    ending = Ending({}, LATE)
    assert run_session.concluded(ending, cast("RunFolder", Folder()), {}, Board([]), closed) is LATE


@pytest.mark.parametrize("error", [RuntimeError("a bug"), None])
def test_the_view_is_closed_whatever_comes(error: Exception | None) -> None:
    closed: list[str] = []

    class Closing:
        def close(self) -> None:
            closed.append("closed")
            raise BrokenPipeError

    def run() -> Any:
        if error:
            raise error
        return "ended"

    if error:
        with pytest.raises(RuntimeError, match="a bug"):
            run_session.followed(run, cast("View", Closing()))
    else:
        assert run_session.followed(run, cast("View", Closing())) == "ended"
    assert closed == ["closed"]
