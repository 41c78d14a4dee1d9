"""What runs on this machine and on a cluster have in common: who is told what happens, and how the end is kept."""

from __future__ import annotations

import contextlib
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import Any

    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.engine import Ending
    from dispatchfile.run.history import RunFolder
    from dispatchfile.run.progress import Board, View


def board(args: argparse.Namespace, plan: Plan, folder: RunFolder, view: View) -> Board:
    """Return the board that tells the run's folder, its view, and the report that --junit asks for."""
    from dispatchfile.run.progress import Board

    listeners: list[Any] = [folder, view]
    if args.junit:
        from dispatchfile.cli.progress.junit import JUnitReport

        listeners.append(JUnitReport(Path(args.junit), plan.tasks))
    return Board(listeners)


def followed(run: Callable[[], Ending], view: View) -> Ending:
    """Return how a run ended; its view is closed whatever comes."""
    try:
        return run()
    finally:
        with contextlib.suppress(OSError):  # a reader that went away is no reason to lose the run
            view.close()


def concluded(
    ending: Ending, folder: RunFolder, fingerprints: Mapping[str, str], board: Board, tell: Callable[[], None]
) -> Exception | None:
    """Keep and tell how a run ended, and return the error that the command ends with: the run's own comes first.

    `fingerprints` say which of its tasks a rerun may keep.
    """
    error = ending.error
    try:
        folder.finish(ending.outcomes, fingerprints)
    except EnvironmentProblem as unkept:
        error = error or unkept
    with contextlib.suppress(OSError):  # a closed terminal; how the run ended stands in its folder
        tell()
    if error is None and (lost := board.problem):
        what = f"{lost.strerror or lost}{f': {lost.filename}' if lost.filename else ''}"
        error = EnvironmentProblem(f"the run could not be kept or shown whole: {what}")
    return error
