"""`dispatchfile clean`: remove what killed runs left on the engine, and old folders of runs."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands

EXAMPLES = examples(
    "dispatchfile clean                 containers, volumes and images of dead runs, and what --keep left",
    "dispatchfile clean --all-runs      the folders (logs, outputs) of all finished runs too",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "clean",
        description="Remove the containers, volumes and images of runs that are over. Runs that go on are left alone.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--all-runs", action="store_true", help="remove the folders of all runs that are over too"
    )
    parser.add_argument(
        "--docker-host", metavar="URL", help="the engine (default: DOCKER_HOST, the docker context, podman)"
    )


def main(args: argparse.Namespace) -> int:
    """Remove and tell what was removed; return 0."""
    from dispatchfile.run.connect import connect
    from dispatchfile.run.history import prune
    from dispatchfile.run.sweep import sweep

    out = Terminal.of(sys.stdout, args.color)
    if args.all_runs:
        out.print(f"removed {_count(len(prune(0)), 'folder')} of runs")
    client = connect(args.docker_host or "")
    try:
        swept = sweep(client, kept=True)
    finally:
        client.close()
    parts = [
        _count(swept.containers, "container"),
        _count(swept.volumes, "volume"),
        _count(swept.images, "image"),
    ]
    runs = f" of {_count(len(swept.runs), 'run')}" if swept.runs else ""
    out.print(f"removed {', '.join(parts)}{runs}")
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
