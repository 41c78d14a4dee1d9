"""`dispatchfile tekton`: the plan of an event as objects for a cluster, or all actions as what waits for events."""

from __future__ import annotations

import sys

from dispatchfile.cli import options
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from dispatchfile.cli.parser import Commands
    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.plan.plan import Plan
    from dispatchfile.tekton.emit import Emission


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    from dispatchfile.cli import tekton_options

    tekton_options.add_parser(commands)


def main(args: argparse.Namespace) -> int:
    """Print the objects, or write them; return 0. Raises EvaluationError for what no cluster can run."""
    from dispatchfile.cli.tekton_options import target_of

    target = target_of(args)
    _check(args, target)
    if args.all or target != "tekton":
        emission = _of_actions(args, target)
    else:
        plan = _plan(args)
        if not plan.tasks:
            err = Terminal.of(sys.stderr, args.color)
            err.print("nothing to emit: no action fires; `dispatchfile plan` says why")
            return 0
        emission = _of_plan(args, plan)
    _tell(args, emission.found)
    if args.out is None:
        from dispatchfile.cli.files import put
        from dispatchfile.tekton import manifest

        put(manifest.text(emission.objects, emission.how))
        return 0
    from dispatchfile.cli.manifests import write

    for path in write(emission.files, args.out, emission.how, force=args.force):
        if not args.quiet:
            print(f"wrote {path}", file=sys.stderr)
    return 0


def _check(args: argparse.Namespace, target: str) -> None:
    """Raise UsageError for options that contradict each other."""
    given = {
        "tasks": options.tasks_from(args),
        "an event": options.gives_event(args),
        "--from-run": args.from_run,
        "--kind": args.kind,
        "--all": args.all,
    }
    named = [what for what, is_given in given.items() if is_given]
    if target != "tekton" and named:
        raise UsageError(
            f"--target {target} emits what waits for the events of all actions; {named[0]} does not go with it",
            help="--target tekton emits the run of one event",
        )
    if args.all and (set(named) - {"--all", "--kind"} or args.kind in ("run", "all")):
        raise UsageError(
            f"--all emits the Pipelines of all actions; {named[0]} does not go with it",
            help="leave out one of them",
        )
    if args.from_run and set(named) & {"tasks", "an event"}:
        raise UsageError(f"--from-run takes tasks and event from that run; {named[0]} does not go with it")
    if args.force and args.out is None:
        raise UsageError("--force goes with --out DIR")


def _plan(args: argparse.Namespace) -> Plan:
    if args.from_run is None:
        return options.plan_from(args)
    from dispatchfile.cli import rerun

    return rerun.plan_again(args, rerun.named(args.from_run))


def _of_plan(args: argparse.Namespace, plan: Plan) -> Emission:
    from dispatchfile.cli.tekton_options import options_from
    from dispatchfile.tekton import emit, runs

    name = runs.owner_and_name(plan.event.url)[1]
    return emit.emit(plan, options_from(args, emit.prefix(name)), args.kind or "all")


def _of_actions(args: argparse.Namespace, target: str) -> Emission:
    from dispatchfile.cli.tekton_options import options_from
    from dispatchfile.late import module
    from dispatchfile.plan.graph import check
    from dispatchfile.tekton import emit, runs

    pipeline = options.pipeline_from(args)
    check(pipeline)
    name = "" if args.name else runs.owner_and_name(_url())[1]
    chosen = options_from(args, emit.prefix(name))
    if args.all:
        return emit.emit_all(pipeline, chosen)
    made: Emission = module(f"dispatchfile.cli.targets.{target}").emission(args, pipeline, chosen)
    return made


def _url() -> str:
    """Return the URL of the repository; raises UsageError where there is none to name objects after."""
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.event import checkout

    try:
        return checkout.read().url
    except EnvironmentProblem as problem:
        raise UsageError(
            f"nothing to name the objects after: {problem.message}", help="give --name NAME"
        ) from problem


def _tell(args: argparse.Namespace, found: Iterable[Diagnostic]) -> None:
    found = list(found)
    if found and not args.quiet:
        from dispatchfile.report.text import render

        color = Terminal.of(sys.stderr, args.color).color
        print(render(found, color=color).rstrip("\n"), file=sys.stderr)
