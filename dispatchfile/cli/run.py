"""`dispatchfile run`: run what an event would run, in containers on this machine."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from dispatchfile.cli import options
from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.cli.parser import Commands, Parser
    from dispatchfile.event.checkout import Checkout
    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.backend import Backend, StepHandle
    from dispatchfile.run.engine import Ending, Engine
    from dispatchfile.run.history import PastRun, RunFolder
    from dispatchfile.run.mask import Masker
    from dispatchfile.run.outcome import Outcome
    from dispatchfile.run.progress import Board, View
    from dispatchfile.run.resolve import Resolver, Supplies

EXAMPLES = examples(
    "dispatchfile run                                         what the commit you are on would run",
    "dispatchfile run --event push --branch main -j 4",
    "dispatchfile run test build                              two tasks, and what they need",
    "dispatchfile run --secret-file secrets.yaml deploy       with secrets: {name: {key: value}}",
    "dispatchfile run --shell-on-failure test                 look around where a step failed",
    "dispatchfile run --rerun last                            only what failed or was skipped",
    "dispatchfile run -n --event tag --tag v1.0               show the commands, run nothing",
)

REMEMBERED = (
    "revision", "untracked", "env", "env_file", "platform", "network", "kaniko", "artifacts", "image", "docker_host",
    "pull", "offline",
)  # fmt: skip
"""Options that a rerun takes from the run it repeats, unless they are given anew."""


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "run",
        description="Run the tasks of the actions that an event fires, or TASK and what it needs, in containers.\n"
        "Nothing is published beyond this machine without --publish.",
        epilog=EXAMPLES,
    )
    options.add_task_options(parser)
    _add_run_options(parser)
    _add_supply_options(parser)
    _add_engine_options(parser)
    _add_output_options(parser)
    options.add_event_options(parser)


def _add_run_options(parser: Parser) -> None:
    add = parser.add_argument_group("what runs").add_argument
    add("--revision", metavar="REV", help="this commit of the repository, not the working tree")
    add(
        "--untracked",
        action="store_true",
        default=None,
        help="with files that git does not track (never ignored ones)",
    )
    add("--rerun", metavar="RUN", help='what failed or was skipped in an earlier run: its id, or "last"')
    add("-n", "--dry-run", action="store_true", help="walk the plan and show the commands; run nothing")
    add(
        "-j",
        "--jobs",
        type=options._positive,
        metavar="N",
        help="tasks at once (default: processors, at least 2)",
    )
    add("--fail-fast", action=argparse_boolean(), default=False, help="stop everything at the first failure")
    add(
        "--timeout",
        metavar="TIME",
        default="1h",
        help="limit of the whole run, such as 90s, 1h30m or 0 (default: 1h)",
    )
    add("--shell-on-failure", action="store_true", help="open a shell where a step failed")
    add("--publish", action="store_true", help="let images and pull requests go beyond this machine")


def _add_supply_options(parser: Parser) -> None:
    add = parser.add_argument_group("variables and secrets").add_argument
    add(
        "--env",
        action="append",
        metavar="NAME[=VALUE]",
        help="a variable for every step; without a value: yours",
    )
    add("--env-file", action="append", metavar="FILE", help="variables, one NAME=VALUE a line")
    add("--secret", action="append", metavar="NAME/KEY[=VALUE]", help="a secret; without a value: from "
        "DISPATCHFILE_SECRET_<NAME>_<KEY> or KEY, else asked for")  # fmt: skip
    add(
        "--secret-file",
        action="append",
        metavar="FILE",
        help="secrets, YAML or NAME/KEY=VALUE lines, for you alone",
    )


def _add_engine_options(parser: Parser) -> None:
    add = parser.add_argument_group("engine").add_argument
    add("--pull", choices=("missing", "always", "never"), help="when to pull images (default: missing)")
    add("--offline", action="store_true", default=None, help="ask no registry and no remote at all")
    add(
        "--kaniko",
        choices=("engine", "container"),
        help="how kaniko steps build (default: the engine's own builder)",
    )
    add("--image", action="append", metavar="NAME=REF", help="run the image REF where a step says NAME")
    add("--platform", metavar="OS/ARCH", help="platform of the images, such as linux/amd64")
    add("--network", metavar="NAME", help="network of the engine that tasks join")
    add("--docker-host", metavar="URL", help="the engine (default: DOCKER_HOST, the docker context, podman)")
    add("--artifacts", metavar="DIR", help="where storage resources are kept")
    add("--keep", action="store_true", help="leave containers and volumes; `dispatchfile clean` removes them")


def _add_output_options(parser: Parser) -> None:
    add = parser.add_argument_group("output").add_argument
    add(
        "--progress",
        choices=("auto", "live", "plain", "json", "quiet"),
        help="how to show the run (default: auto)",
    )
    add("--timestamps", action="store_true", help="begin plain lines with the time of day")
    add("--log-dir", metavar="DIR", help="keep the logs in DIR/RUN/TASK/STEP.log")
    add("--junit", metavar="FILE", help="write a JUnit report: a suite a task, a case a step")


def argparse_boolean() -> type[argparse.Action]:
    """Return the action of options that have a --no- form."""
    import argparse

    return argparse.BooleanOptionalAction


def main(args: argparse.Namespace) -> int:
    """Run the plan; return 0 when all tasks succeeded, 1 when one failed. Other ends are raised."""
    from dispatchfile.run import setup
    from dispatchfile.run.history import RunFolder, prune, state_home

    past = _past(args)
    plan = _plan_again(args, past) if past else options.plan_from(args)
    err = Terminal.of(sys.stderr, args.color)
    if not plan.tasks:
        err.print("nothing to run: no action fires; `dispatchfile plan` says why")
        return 0
    _check(args)
    _warn_unhonoured(plan, err)
    checkout, kept = _checkout(), _kept(plan, past, args)
    supplies = _supplies(args, plan, kept)
    folder = RunFolder(_record(args, plan, checkout, past), logs=Path(args.log_dir) if args.log_dir else None)
    prune(spare=past.path if past else None)
    storage = Path(args.artifacts).absolute() if args.artifacts else state_home() / "storage"
    resolver = setup.resolver(
        plan,
        checkout,
        folder.path,
        storage,
        supplies,
        kept,
        revision=args.revision or "",
        untracked=bool(args.untracked),
    )
    return _Session(args, plan, checkout, folder, resolver, supplies, kept).run(err)


class _Session:
    """A run that is ready to start, with the view that shows it."""

    def __init__(
        self, args: argparse.Namespace, plan: Plan, checkout: Checkout, folder: RunFolder, resolver: Resolver,
        supplies: Supplies, kept: dict[str, Outcome],
    ) -> None:  # fmt: skip
        self.args, self.plan, self.checkout, self.folder = args, plan, checkout, folder
        self.resolver, self.supplies, self.kept = resolver, supplies, kept

    def run(self, err: Terminal) -> int:
        """Run, show, keep, and return the exit code; raises what ended the run early."""
        from dispatchfile.run.mask import Masker
        from dispatchfile.run.progress import Board
        from dispatchfile.run.setup import fingerprints

        masker = Masker(value for keys in self.supplies.secrets.values() for value in keys.values())
        listeners: list[Any] = [self.folder]
        self.view = _view(self.args, self.plan, err)
        listeners.append(self.view)
        if self.args.junit:
            from dispatchfile.cli.progress.junit import JUnitReport

            listeners.append(JUnitReport(Path(self.args.junit), self.plan.tasks))
        board = Board(listeners)
        if masker.too_short:
            board.tell(
                "run.note", message=f"{masker.too_short} secret(s) of less than 4 characters cannot be masked"
            )
        began = time.monotonic()
        try:
            ending = self._engine(board, masker).run()
        finally:
            self.view.close()
        self.folder.finish(ending.outcomes, fingerprints(self.plan))
        self._tell(ending, time.monotonic() - began, err)
        if board.problem is not None:
            from dispatchfile.errors import EnvironmentProblem

            raise EnvironmentProblem(f"the run could not be kept or shown whole: {board.problem}")
        if ending.error is not None:
            if isinstance(ending.error, DispatchfileError):
                ending.error.message = masker.text(ending.error.message)
            raise ending.error
        return ending.exit_code

    def _engine(self, board: Board, masker: Masker) -> Engine:
        from dispatchfile.run import setup
        from dispatchfile.run.engine import Engine, Schedule
        from dispatchfile.run.places import Known
        from dispatchfile.run.progress import jobs_by_default
        from dispatchfile.run.task import TaskRunner

        args = self.args
        backend = _backend(args, self.resolver, board, masker)
        shell = self._shell(backend) if args.shell_on_failure else None
        tasks = TaskRunner(
            backend, self.resolver, board, masker, self.folder.logs, known=Known.of(self.kept.values()),
            pull=args.pull or "missing", on_failure=shell,
        )  # fmt: skip
        schedule = Schedule(args.jobs or jobs_by_default(), args.fail_fast, _seconds(args.timeout), self.kept)
        spec = setup.run_spec(
            self.folder, Path(self.checkout.root), len(self.plan.tasks) - len(self.kept),
            publish=args.publish, offline=bool(args.offline), pull=args.pull or "missing", kaniko=args.kaniko or "engine",
            platform=args.platform or "", network=args.network or "", docker_host=args.docker_host or "", keep=args.keep,
        )  # fmt: skip
        return Engine(tasks, spec, schedule)

    def _shell(self, backend: Backend) -> Callable[[StepHandle], None]:
        def open_shell(step: StepHandle) -> None:
            self.view.pause()
            print(
                f"a shell where {step.spec.task}/{step.spec.name} failed; leave it to go on", file=sys.stderr
            )
            try:
                backend.shell(step)
            finally:
                self.view.resume()

        return open_shell

    def _tell(self, ending: Ending, took: float, err: Terminal) -> None:
        args = self.args
        if args.progress == "json" or args.dry_run or (args.quiet and ending.exit_code == 0):
            return
        from dispatchfile.cli.progress.summary import print_summary

        again = f"dispatchfile run --rerun {self.folder.id}{' --publish' if self.args.publish else ''}"
        print_summary(ending, took, self.folder.logs, again, err)


def _backend(args: argparse.Namespace, resolver: Resolver, board: Board, masker: Masker) -> Backend:
    if args.dry_run:
        from dispatchfile.run.dummy import DryRun

        return DryRun(resolver.results)
    from dispatchfile.run.docker import DockerBackend

    return DockerBackend(lambda text: board.tell("run.note", message=masker.text(text)))


def _view(args: argparse.Namespace, plan: Plan, err: Terminal) -> View:
    progress = args.progress or "auto"
    if progress == "auto":
        drawable = sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        progress = "live" if drawable and not args.quiet and not args.dry_run else "plain"
    if progress == "json":
        from dispatchfile.cli.progress.ndjson import JsonView

        return JsonView(sys.stdout)
    if progress == "live":
        from dispatchfile.cli.progress.live import LiveView

        return LiveView(err, [planned.name for planned in plan.tasks])
    from dispatchfile.cli.progress.plain import PlainView

    steps = {planned.name: [step.name for step in planned.task.steps] for planned in plan.tasks}
    quiet = args.quiet or progress == "quiet"
    return PlainView(Terminal.of(sys.stdout, args.color), err, steps, quiet=quiet, timestamps=args.timestamps)


def _check(args: argparse.Namespace) -> None:
    if args.shell_on_failure and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--shell-on-failure needs a terminal")
    _seconds(args.timeout)


def _seconds(text: str) -> float | None:
    from dispatchfile.model.quantities import duration

    try:
        seconds = float(text) if text.isdecimal() else duration(text)
    except ValueError as error:
        raise UsageError(
            f'--timeout "{text}" is not a duration', help="write 90s, 10m, 1h30m, or 0 for none"
        ) from error
    return seconds if seconds > 0 else None


def _warn_unhonoured(plan: Plan, err: Terminal) -> None:
    from dispatchfile.run.unhonoured import unhonoured

    found = unhonoured(plan)
    if found:
        from dispatchfile.report.text import render

        err.print(render(found, color=err.color).rstrip("\n"))


def _checkout() -> Checkout:
    from dispatchfile.event.checkout import read

    return read(".")


def _supplies(args: argparse.Namespace, plan: Plan, kept: dict[str, Outcome]) -> Supplies:
    from dispatchfile.cli.supplies import environment, given_secrets, image_overrides, prompt
    from dispatchfile.run import secrets
    from dispatchfile.run.resolve import Supplies

    wanted = secrets.needs(planned.task for planned in plan.tasks if planned.name not in kept)
    given = given_secrets(args.secret or (), args.secret_file or ())
    if args.dry_run:
        found: secrets.Secrets = {need.name: {need.key: f"<secret {need}>"} for need in wanted}
    else:
        found = secrets.collect(wanted, given, ask=prompt())
    return Supplies(
        environment(args.env or (), args.env_file or ()), found, image_overrides(args.image or ())
    )


# Runs again.


def _past(args: argparse.Namespace) -> PastRun | None:
    if args.rerun is None:
        return None
    from dispatchfile.run.history import find

    if options.tasks_from(args) or args.event or args.event_file:
        raise UsageError("--rerun takes tasks and event from the run it repeats")
    past = find(args.rerun, Path(_checkout().root) if args.rerun == "last" else None)
    if past.status == "running":
        raise UsageError(f"run {past.id} is still running")
    return past


def _plan_again(args: argparse.Namespace, past: PastRun) -> Plan:
    """Return the plan of a past run, by the Dispatchfile as it is now; go to where that run was started."""
    from dispatchfile.event.event import Event
    from dispatchfile.plan.graph import make

    record = past.record
    try:
        os.chdir(record["directory"])
    except OSError as error:
        raise UsageError(f"run {past.id} was of {record['directory']}: {error.strerror}") from error
    for name, value in record["options"].items():
        if getattr(args, name, None) is None:
            setattr(args, name, value)
    args.file = args.file or record["file"]
    facts = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record["event"].items()
    }
    return make(options.pipeline_from(args), Event(**facts), record["asked"])


def _kept(plan: Plan, past: PastRun | None, args: argparse.Namespace) -> dict[str, Outcome]:
    if past is None:
        return {}
    from dispatchfile.run.history import kept_outcomes
    from dispatchfile.run.setup import fingerprints

    kept = kept_outcomes(
        past, fingerprints(plan), {planned.name: planned.waits_for for planned in plan.tasks}
    )
    again = [planned.name for planned in plan.tasks if planned.name not in kept]
    options.note(
        args, f"run {past.id} again: {', '.join(again) or 'nothing'}; kept: {', '.join(kept) or 'nothing'}"
    )
    return kept


def _record(args: argparse.Namespace, plan: Plan, checkout: Checkout, past: PastRun | None) -> dict[str, Any]:
    """Return what `run.json` says about a run before it starts; no secrets."""
    return {
        "repository": checkout.root,
        "directory": str(Path.cwd()),
        "file": str(Path(args.file).absolute()) if args.file else None,
        "event": {name: getattr(plan.event, name) for name in plan.event._fields},
        "asked": [planned.name for planned in plan.tasks if planned.asked],
        "plan": [{"name": planned.name, "needs": list(planned.waits_for)} for planned in plan.tasks],
        "steps": [[planned.name, step.name] for planned in plan.tasks for step in planned.task.steps],
        "options": {name: value for name in REMEMBERED if (value := getattr(args, name)) is not None},
        "rerun_of": past.id if past else None,
        "dry_run": args.dry_run,
    }
