"""The options that `run`, `plan`, `graph` and the cluster emitters share: which event, which tasks."""

from __future__ import annotations

import sys

from dispatchfile.cli.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from dispatchfile.cli.parser import Parser
    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.event.checkout import Checkout
    from dispatchfile.event.event import Event
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.plan.plan import Plan

EVENTS = ("push", "tag", "pull-request", "release", "cron", "image")

EVENT_OPTIONS = (
    "event", "event_file", "branch", "tag", "commit", "base", "path", "source", "target", "number", "label",
    "chatop", "action", "build_name",
)  # fmt: skip


def add_task_options(parser: Parser) -> None:
    """Add the selection of tasks by name: TASK… and the original's --task."""
    parser.add_argument("task_names", nargs="*", metavar="TASK", help="run these tasks and what they need")
    parser.add_argument("--task", action="append", default=[], metavar="TASK", help="the same as TASK")


def add_event_options(parser: Parser) -> None:
    """Add the options that describe an event; what is not given comes from the repository."""
    group = parser.add_argument_group("event", "What is not given comes from the repository you are in.")
    add = group.add_argument
    add("--event", choices=EVENTS, help="what happened (default: guessed from the other options, else HEAD)")
    add("--event-file", metavar="JSON", help="a webhook's body, of GitHub, GitLab or Bitbucket (- is stdin)")
    add("--branch", metavar="NAME", help="the pushed branch; its local head is the commit")
    add("--tag", metavar="NAME", help="the pushed, released or image tag")
    add(
        "--commit", metavar="REV", help="the commit the event is about (default: what branch or tag point at)"
    )
    add("--base", metavar="REV", help="changed paths are those between REV and the commit")
    add("--path", action="append", metavar="PATH", help="a changed path; may be repeated, instead of --base")
    add("--source", metavar="BRANCH", help="the source branch of a pull request")
    add("--target", metavar="BRANCH", help="the branch a pull request is to be merged into")
    add("--number", type=positive, metavar="N", help="the number of a pull request")
    add("--label", action="append", metavar="NAME", help="a label of a pull request; may be repeated")
    add("--chatop", metavar="COMMENT", help='a comment on a pull request: "/test these words"')
    add("--action", metavar="NAME", help="the cron action that is due")
    add("--build-name", metavar="NAME", help="context.build.name (default: branch, tag, pr-N, or the user)")


def gives_event(args: argparse.Namespace) -> bool:
    """Return whether any option describes an event."""
    return any(getattr(args, name) is not None for name in EVENT_OPTIONS)


def tasks_from(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the tasks asked for by name, each once, in the order given."""
    return tuple(dict.fromkeys((*args.task_names, *args.task)))


def pipeline_from(args: argparse.Namespace) -> Pipeline:
    """Return the decoded Dispatchfile; its warnings go to stderr. Raises what `front.load` and `front.find` raise."""
    from dispatchfile import front

    pipeline, found = front.load(args.file or front.find(), args.flavour)
    tell(args, found)
    return pipeline


def tell(args: argparse.Namespace, found: Sequence[Diagnostic]) -> None:
    """Print findings on stderr, unless `--quiet`."""
    if found and not args.quiet:
        from dispatchfile.report.text import render

        color = Terminal.of(sys.stderr, args.color).color
        print(render(found, color=color).rstrip("\n"), file=sys.stderr)


def event_from(
    args: argparse.Namespace,
    tell: Callable[[str], None] | None = None,
    look: Callable[[], Checkout] | None = None,
) -> Event:
    """Return the event that the options describe, the rest from the repository, at which `look` looks.

    What was guessed goes to `tell`, else as a note to stderr.

    Raises UsageError for options that contradict each other or the event, EnvironmentProblem without a repository.
    """
    from dispatchfile.cli.simulate import simulate

    return simulate(args, tell or (lambda text: note(args, text)), look)


def plan_from(
    args: argparse.Namespace,
    tell: Callable[[str], None] | None = None,
    look: Callable[[], Checkout] | None = None,
) -> Plan:
    """Return the plan of the Dispatchfile for the event and the tasks that the options name; `tell`, `look` as above.

    Raises EvaluationError, UsageError and EnvironmentProblem as the parts do.
    """
    from dispatchfile.plan.graph import make

    pipeline = pipeline_from(args)
    return make(pipeline, event_from(args, tell, look), tasks_from(args))


def note(args: argparse.Namespace, text: str) -> None:
    """Print a remark on stderr, unless `--quiet`."""
    if not args.quiet:
        from dispatchfile.report.text import flat

        err = Terminal.of(sys.stderr, args.color)
        err.print(f"{err.style('note:', 'cyan', 'bold')} {flat(text)}")


def seconds(text: str) -> float:
    """Return the seconds of --timeout, 0 for no limit; raises UsageError."""
    from dispatchfile.errors import UsageError
    from dispatchfile.model.quantities import duration

    try:
        found = float(text) if text.isascii() and text.isdecimal() else duration(text)
    except ValueError:
        found = -1
    if found < 0:
        raise UsageError(f'--timeout "{text}" is not a duration', help="write 90s, 10m, 1h30m, or 0 for none")
    return found


def positive(text: str) -> int:
    """Return the number of an option; raises ArgumentTypeError unless it is at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError(f"{text!r} is not a positive number")
    return number
