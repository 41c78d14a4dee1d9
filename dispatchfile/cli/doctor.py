"""`dispatchfile doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal
from dispatchfile.record import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands
    from dispatchfile.doctor import Check

COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_parser(commands: Commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "doctor",
        description="Say what works on this machine (engine, git, registry, cluster, disk, settings), and what to do about "
        "what does not.\nExits with 4 when something fails that a run needs.",
        epilog=examples(
            "dispatchfile doctor                  all of it",
            "dispatchfile doctor --json           for programs: a list of {name, status, message, help}",
            "DOCKER_HOST=ssh://build dispatchfile doctor",
        ),
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--docker-host", metavar="URL", help="the engine to ask (default: DOCKER_HOST, context, sockets)"
    )


def main(args: argparse.Namespace) -> int:
    """Print the findings; return 4 when one of them is a failure, else 0."""
    from dispatchfile.doctor import examine

    images, problem = _step_images(args)
    checks = examine(args.settings, images, args.docker_host or "")
    checks += [problem] if problem else []
    if args.json:
        import json

        print(json.dumps(plain(checks), indent=2))
    else:
        _tell(checks, Terminal.of(sys.stdout, args.color))
    return 4 if any(check.status == "fail" for check in checks) else 0


def _tell(checks: list[Check], out: Terminal) -> None:
    signs = {"ok": out.sign("yes"), "warn": "!", "fail": out.sign("no")}
    width = max(len(check.name) for check in checks)
    for check in checks:
        color = COLORS[check.status]
        out.print(f"{out.style(signs[check.status], color, 'bold')} {check.name:{width}}  {check.message}")
        if check.help:
            out.print(f"  {'':{width}}  {out.style('help:', color)} {check.help}")


def _step_images(args: argparse.Namespace) -> tuple[list[str], Check | None]:
    """Return the images of all steps, as far as they are fixed; and a finding when the Dispatchfile does not hold."""
    from dispatchfile.cli.options import pipeline_from
    from dispatchfile.doctor import Check
    from dispatchfile.errors import EvaluationError, UsageError

    try:
        pipeline = pipeline_from(args)
    except UsageError:
        if args.file:
            raise
        return [], Check("Dispatchfile", "ok", "none here")
    except EvaluationError as error:
        return [], Check("Dispatchfile", "warn", error.message, "`dispatchfile plan` shows its errors")
    steps = [step for task in pipeline.tasks.values() for step in task.steps]
    return [step.image for step in steps if "$(" not in step.image], None
