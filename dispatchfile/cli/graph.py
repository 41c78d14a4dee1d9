"""`dispatchfile graph`: the tasks and what waits for what, as text or as a picture."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dispatchfile import atomic
from dispatchfile.cli import options
from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands
    from dispatchfile.plan.draw import Graph
    from dispatchfile.plan.plan import PlannedTask

FORMATS = ("tree", "dot", "mermaid", "json", "svg")
SUFFIXES = {
    "": "tree",
    ".txt": "tree",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".json": "json",
    ".svg": "svg",
}

EXAMPLES = examples(
    "dispatchfile graph                              every task, as a tree of what each waits for",
    "dispatchfile graph deploy                       deploy, and what it needs",
    "dispatchfile graph --event push --branch main   what a push to main runs",
    "dispatchfile graph --out tasks.svg              a picture; the name says the format",
    "dispatchfile graph --format mermaid             to paste into Markdown",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "graph",
        description="Draw the tasks: all of the file, those named, or those an event runs.",
        epilog=EXAMPLES,
    )
    options.add_task_options(parser)
    parser.add_argument("--format", choices=FORMATS, help="how (default: by the name of --out, else tree)")
    parser.add_argument("--out", metavar="FILE", help="write to FILE instead of standard output")
    parser.add_argument("--reduce", action="store_true", help="leave out waits that other waits imply")
    options.add_event_options(parser)


def main(args: argparse.Namespace) -> int:
    """Draw the graph."""
    from dispatchfile.plan import draw

    graph = draw.graph(_tasks(args), reduce=args.reduce)
    how = args.format or _format_of(args.out)
    text = _drawn(graph, how, unicode=args.out is not None or Terminal.of(sys.stdout, args.color).unicode)
    if args.out is None:
        sys.stdout.write(text)
    else:
        _write(args.out, text)
    return 0


def _format_of(out: str | None) -> str:
    """Return the format that the name of the output asks for; raises UsageError for one that is not drawn here."""
    suffix = Path(out or "").suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(text for text in SUFFIXES if text)
        raise UsageError(
            f'--out: no format is known by the name "{suffix}"',
            help=f"end it with one of {known}, or name --format",
        )
    return SUFFIXES[suffix]


def _tasks(args: argparse.Namespace) -> tuple[PlannedTask, ...]:
    """Return the tasks to draw; without an event or names these are all, and those that an action lists
    count as asked for; no repository is needed.
    """
    from dispatchfile.plan.graph import arrange, check, named

    if options.gives_event(args):
        return options.plan_from(args).tasks
    pipeline = options.pipeline_from(args)
    check(pipeline)
    names = named(pipeline, options.tasks_from(args))
    if names:
        return arrange(pipeline, names)
    listed = {name for action in pipeline.actions for name in action.tasks}
    return tuple(replace(task, asked=task.name in listed) for task in arrange(pipeline, pipeline.tasks))


def _drawn(graph: Graph, how: str, *, unicode: bool) -> str:
    from dispatchfile.plan import draw

    if how == "json":
        import json

        return json.dumps(draw.data(graph), indent=2, ensure_ascii=False) + "\n"
    if how == "svg":
        from dispatchfile.plan.svg import svg

        return svg(graph, title="Tasks and what they wait for")
    if how == "tree":
        return draw.tree(graph, unicode=unicode)
    return draw.dot(graph) if how == "dot" else draw.mermaid(graph)


def _write(out: str, text: str) -> None:
    """Write a file whole or not at all, and what is no file (a pipe, /dev/stdout) as it is; raises EnvironmentProblem."""
    try:
        path = Path(os.path.realpath(out))
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        atomic.write(path, text.encode(), atomic.usual_mode())
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {out}: {error.strerror}") from error
