"""`dispatchfile logs`: print what the steps of a run wrote."""

from __future__ import annotations

import sys
import time

from dispatchfile.cli.parser import examples
from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from dispatchfile.cli.parser import Commands
    from dispatchfile.run.history import PastRun

EXAMPLES = examples(
    "dispatchfile logs                        all logs of the last run",
    "dispatchfile logs test                   one task of it",
    "dispatchfile logs 20260131-080000 test/unit",
    "dispatchfile logs --follow               while the run goes on",
)

POLL = 0.2
"""Seconds between two looks at a log that is still written."""


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "logs",
        description="Print what the steps of a run wrote, in the order in which the plan has them.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "run", nargs="?", default="last", metavar="RUN", help='a run\'s id or its start (default: "last")'
    )
    parser.add_argument("only", nargs="?", metavar="TASK[/STEP]", help="only this task, or this step of it")
    parser.add_argument("--follow", action="store_true", help="go on while the run does")


def main(args: argparse.Namespace) -> int:
    """Print the logs; return 0. Raises UsageError for what is not there."""
    from pathlib import Path

    from dispatchfile.event.checkout import read
    from dispatchfile.run.history import find, looks_like_a_run

    name, only = args.run, args.only
    if name != "last" and only is None and not looks_like_a_run(name):
        name, only = "last", name  # `logs test` is of the last run
    run = find(name, Path(read(".").root) if name == "last" else None)
    if args.follow:
        _follow(run, only)
        return 0
    files = _chosen(run, only)
    if not files:
        raise UsageError(f"run {run.id} has no log{f' of {only}' if only else ''}", help=_known(run))
    for task, step, path in files:
        _print(task, step, path, 0, title=len(files) > 1)
    return 0


def _chosen(run: PastRun, only: str | None) -> list[tuple[str, str, Path]]:
    from dispatchfile.run.history import log_files

    return [found for found in log_files(run) if only in (None, found[0], f"{found[0]}/{found[1]}")]


def _known(run: PastRun) -> str:
    names = ", ".join(f"{task}/{step}" for task, step, _ in _chosen(run, None))
    return f"it has logs of {names}" if names else "no step of it was started"


def _print(task: str, step: str, path: Path, offset: int, *, title: bool) -> int:
    """Print a log from a byte on, and return where it ends now."""
    with path.open("rb") as log:
        log.seek(offset)
        data = log.read()
    if data:
        if title:
            print(f"==> {task}/{step} <==")
        sys.stdout.write(data.decode("utf-8", "replace"))
        if not data.endswith(b"\n") and title:
            print()
        sys.stdout.flush()
    return offset + len(data)


def _follow(run: PastRun, only: str | None) -> None:
    from dispatchfile.run.history import find

    read: dict[tuple[str, str], int] = {}
    last: tuple[str, str] | None = None
    while True:
        going_on = find(run.id).status == "running"
        for task, step, path in _chosen(run, only):
            before = read.get((task, step), 0)
            if path.stat().st_size > before:
                read[task, step] = _print(
                    task, step, path, before, title=only is None and last != (task, step)
                )
                last = task, step
        if not going_on:
            return
        time.sleep(POLL)
