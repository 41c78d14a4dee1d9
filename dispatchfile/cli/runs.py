"""`dispatchfile runs`: list the runs that left a folder."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from dispatchfile.cli.parser import Commands
    from dispatchfile.run.history import PastRun

EXAMPLES = examples(
    "dispatchfile runs                  the runs of this repository, newest first",
    "dispatchfile runs --all --json     all runs, for a program",
    "dispatchfile logs last             what the newest wrote",
)

COLORS = {
    "succeeded": "green",
    "failed": "red",
    "error": "red",
    "died": "red",
    "stopped": "yellow",
    "running": "cyan",
}


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "runs", description="List the runs of this repository, newest first.", epilog=EXAMPLES
    )
    parser.add_argument("--all", action="store_true", help="also the runs of other repositories")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")


def main(args: argparse.Namespace) -> int:
    """Print the runs; return 0."""
    from pathlib import Path

    from dispatchfile.event.checkout import read
    from dispatchfile.run.history import past_runs

    runs = past_runs(None if args.all else Path(read(".").root))
    if args.json:
        import json

        print(json.dumps([_data(run) for run in runs], indent=2, ensure_ascii=False))
        return 0
    out = Terminal.of(sys.stdout, args.color)
    if not runs:
        Terminal.of(sys.stderr, args.color).print("no run yet")
    for run in runs:
        out.print(_row(run, out, everywhere=args.all))
    return 0


def _row(run: PastRun, out: Terminal, *, everywhere: bool) -> str:
    from dispatchfile.run.progress import duration

    event = run.record.get("event", {})
    about = " ".join(
        filter(
            None, (event.get("kind"), event.get("tag") or event.get("branch"), event.get("commit", "")[:10])
        )
    )
    took = duration(run.record["duration"]) if "duration" in run.record else ""
    status = out.style(f"{run.status:9}", COLORS.get(run.status, "bold"))
    bad = [name for name, task in run.record.get("tasks", {}).items() if task.get("status") == "failed"]
    where = f"  {run.record.get('repository', '')}" if everywhere else ""
    return f"{run.id}  {status}  {took:>6}  {about}{where}{f'  failed: {chr(44).join(bad)}' if bad else ''}"


def _data(run: PastRun) -> dict[str, Any]:
    shown = (
        "repository",
        "started",
        "finished",
        "duration",
        "exit_code",
        "event",
        "asked",
        "tasks",
        "rerun_of",
        "cluster",
    )
    found = {name: run.record.get(name) for name in shown}
    return {"run": run.id, "status": run.status, "path": str(run.path), "logs": str(run.logs), **found}
