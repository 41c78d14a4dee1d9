"""`dispatchfile tekton`: the plan of an event as objects for a cluster, or all actions as what waits for events."""

from __future__ import annotations

import contextlib
import sys

from dispatchfile.cli import manifests, options, targets
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import UsageError
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from dispatchfile.cli.parser import Commands
    from dispatchfile.plan.plan import Plan
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options

LARGE = 2**20
"""Bytes of an object from which on it is told: etcd takes 1.5 MiB by default, and a cluster adds its own to each."""


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    from dispatchfile.cli import tekton_options

    tekton_options.add_parser(commands)


def main(args: argparse.Namespace) -> int:
    """Print the objects, or write them; return 0, or 1 where --check finds other files.

    Raises EvaluationError for what no cluster can run.
    """
    from dispatchfile.cli.tekton_options import options_from, target_of

    target = target_of(args)
    _check(args, target)
    chosen = options_from(args, "")  # what is wrong with them is told first
    if args.all or target != "tekton":
        emission = _of_actions(args, target, chosen)
    else:
        plan = _plan(args)
        if not plan.tasks:
            err = Terminal.of(sys.stderr, args.color)
            from dispatchfile.cli.plan import nothing_to

            err.print(nothing_to("emit", plan))
            return 0
        emission = _of_plan(args, plan)
        for text in _unreached(args, plan, emission):
            options.note(args, text)
    for text in _large(emission, args.workspace):
        options.note(args, text)
    for text in (*manifests.exposed(emission.objects), *manifests.unused(emission.objects, chosen.images)):
        options.note(args, text)
    options.tell(args, emission.found)
    if not emission.files:
        Terminal.of(sys.stderr, args.color).print("nothing to emit: no action is left")
    if args.out is not None:
        return _to_files(args, emission, alone=target != "tekton")
    if emission.files:
        from dispatchfile.cli.files import put
        from dispatchfile.tekton import manifest

        put(manifest.text(emission.objects, emission.how))
    return 0


def _to_files(args: argparse.Namespace, emission: Emission, *, alone: bool) -> int:
    """Write the files, or with --check name those that differ and return 1.

    Where they stand `alone` in their folder, others made here are of actions that are gone; the objects of one event may
    well stand beside those of another.
    """
    from pathlib import Path

    from dispatchfile.cli.manifests import different, left, write
    from dispatchfile.spelling import counted

    wrong: list[Path] = []
    if args.check:
        wrong = different(emission.files, args.out, emission.how)
    else:
        for path in write(emission.files, args.out, emission.how, force=args.force):
            if not args.quiet:
                print(f"wrote {path}", file=sys.stderr)
    for path in left(args.out, [Path(args.out, name) for name in emission.files]) if alone else ():
        options.note(args, f"{path} was written by dispatchfile too, and no action gives it now: remove it?")
        wrong += [path] * args.check
    for path in wrong:
        print(path)
    if wrong and not args.quiet:
        print(
            f"{counted(len(wrong), 'file')} not as the Dispatchfile has it; --check wrote nothing",
            file=sys.stderr,
        )
    return 1 if wrong else 0


def _check(args: argparse.Namespace, target: str) -> None:
    """Raise UsageError for options that contradict each other."""
    targets.check(args, target)
    given = {
        "a task": options.tasks_from(args),
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
    if args.from_run and set(named) & {"a task", "an event"}:
        raise UsageError(f"--from-run takes tasks and event from that run; {named[0]} does not go with it")
    if args.out == "":
        raise UsageError("--out is empty", help="--out . is the folder you are in")
    for option in ("force", "check"):
        if getattr(args, option) and args.out is None:
            raise UsageError(f"--{option} goes with --out DIR")


def _plan(args: argparse.Namespace) -> Plan:
    if args.from_run is None:
        return options.plan_from(args)
    from dispatchfile.cli import rerun

    return rerun.plan_again(args, rerun.named(args.from_run))


def _of_plan(args: argparse.Namespace, plan: Plan) -> Emission:
    from dispatchfile.cli.tekton_options import options_from
    from dispatchfile.tekton import emit, runs

    name = emit.prefix(runs.owner_and_name(plan.event.url)[1])
    return emit.emit(plan, options_from(args, name), args.kind or "all")  # an earlier run has options too


def _of_actions(args: argparse.Namespace, target: str, chosen: Options) -> Emission:
    from dispatchfile.late import module
    from dispatchfile.plan.graph import check
    from dispatchfile.tekton import emit, runs

    pipeline = options.pipeline_from(args)
    check(pipeline)
    name = chosen.name or emit.prefix(runs.owner_and_name(_url())[1])
    chosen = replace(chosen, name=name)
    if target == "tekton":
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


def _unreached(args: argparse.Namespace, plan: Plan, emission: Emission) -> Iterator[str]:
    """Yield what a cluster will not get of this repository."""
    from pathlib import Path

    from dispatchfile import front
    from dispatchfile.cluster import reach
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.event import checkout

    here = None
    with contextlib.suppress(EnvironmentProblem):  # the event came from elsewhere
        here = checkout.read()
    yield from reach.notes(plan.event, here, reach.params(emission.objects), Path(args.file or front.find()))


def _large(emission: Emission, workspace: str | None) -> Iterator[str]:
    """Yield objects that clusters may not keep; Tekton puts the Pipeline of a run into it once more."""
    import json

    for made in emission.objects:
        text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode("utf-8", "replace")) * (2 if "pipelineSpec" in made.get("spec", {}) else 1)
        if size > LARGE:
            what = f"{made['kind']} {made['metadata'].get('name', '')}".strip()
            clones = workspace != "pvc" and '"CLONE_TO"' in text
            less = "let tasks share their clones with --workspace pvc, or " if clones else ""
            yield f"{what} becomes {size / 2**20:.1f} MiB large, and clusters usually keep 1.5: {less}run fewer tasks at once"
