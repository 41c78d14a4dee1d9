"""`dispatchfile run`: run what an event would run, in containers on this machine or on a cluster."""

from __future__ import annotations

import functools
import os
import sys
import time
from pathlib import Path

from dispatchfile.cli import options
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from dispatchfile.cli.parser import Commands
    from dispatchfile.event.checkout import Checkout
    from dispatchfile.mask import Masker
    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.backend import Backend, StepHandle
    from dispatchfile.run.engine import Ending, Engine
    from dispatchfile.run.history import RunFolder
    from dispatchfile.run.outcome import Outcome
    from dispatchfile.run.progress import Board, View
    from dispatchfile.run.resolve import Resolver, Supplies


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    from dispatchfile.cli import run_options

    run_options.add_parser(commands)


def main(args: argparse.Namespace) -> int:
    """Run the plan; return 0 when all tasks succeeded, 1 when one failed. Other ends are raised."""
    from tempfile import TemporaryDirectory

    from dispatchfile.cli import rerun, run_engines
    from dispatchfile.run import setup
    from dispatchfile.run.history import RunFolder, prune, state_home

    past = rerun.past(args)
    look = functools.cache(_checkout)
    plan = rerun.plan_again(args, past) if past else options.plan_from(args, look=look)
    err = Terminal.of(sys.stderr, args.color)
    run_engines.check(args)
    if not plan.tasks:
        from dispatchfile.cli.plan import nothing_to

        err.print(nothing_to("run", plan))
        return 0
    _check(args)
    if args.engine == "tekton":
        from dispatchfile.cli import run_tekton

        return run_tekton.main(args, plan, past, look, err, _view)
    _warn_unhonoured(plan, err)
    checkout, kept = look(), rerun.kept(plan, past, args)
    if past and plan.event.commit != checkout.commit:
        options.note(args, f"HEAD has moved since; this is again of {plan.event.commit[:10]}, as committed")
    supplies = _supplies(args, plan, kept)
    with TemporaryDirectory() as scratch:  # a dry run leaves nothing behind
        home = Path(scratch) if args.dry_run else state_home()
        logs = Path(args.log_dir) if args.log_dir else None
        with RunFolder(rerun.record(args, plan, checkout, past), home=home, logs=logs) as folder:
            prune(spare=past.path if past else None)
            storage = Path(args.artifacts).absolute() if args.artifacts else home / "storage"
            revision, untracked = args.revision or "", bool(args.untracked)
            resolver = setup.resolver(
                plan, checkout, folder.path, storage, supplies, kept, revision=revision, untracked=untracked
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
        from secrets import token_urlsafe

        from dispatchfile.cli import run_session
        from dispatchfile.mask import Masker
        from dispatchfile.run.exposure import exposures
        from dispatchfile.run.setup import fingerprints

        # `git remote -v` in a step shows the gateway's URL, and with it the token that lets one in.
        self.token = token_urlsafe(24)
        values = (value for keys in self.supplies.secrets.values() for value in keys.values())
        masker = Masker((*values, self.token))
        self.view = _view(self.args, self.plan, err)
        board = run_session.board(self.args, self.plan, self.folder, self.view)
        if masker.too_short:
            board.tell(
                "run.note", message=f"{masker.too_short} secret(s) of less than 4 characters cannot be masked"
            )
        for text in exposures(self.plan, self.kept):
            board.tell("run.note", message=text)
        began = time.monotonic()
        ending = run_session.followed(lambda: self._engine(board, masker).run(), self.view)
        error = run_session.concluded(
            ending, self.folder, fingerprints(self.plan), board,
            lambda: self._tell(ending, time.monotonic() - began, err),
        )  # fmt: skip
        if isinstance(error, DispatchfileError):
            error.message, error.help = masker.text(error.message), masker.text(error.help)
        if error is not None:
            raise error
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
        jobs = args.jobs or jobs_by_default()
        schedule = Schedule(jobs, args.fail_fast, options.seconds(args.timeout) or None, self.kept)
        spec = setup.run_spec(
            self.folder, Path(self.checkout.root), self.resolver, self.kept, jobs,
            publish=args.publish, offline=bool(args.offline), pull=args.pull or "missing", kaniko=args.kaniko or "engine",
            platform=args.platform or "", network=args.network or "", docker_host=args.docker_host or "", keep=args.keep,
            token=self.token,
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
        if ending.error is not None and all(
            outcome.status == "skipped" for outcome in ending.outcomes.values()
        ):
            return  # nothing began: the error alone says it
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
    if args.junit and not os.access(Path(args.junit).absolute().parent, os.W_OK):
        raise UsageError(f"--junit {args.junit}: its directory is not there, or you may not write in it")
    options.seconds(args.timeout)


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
    from dispatchfile.run.resolve import Supplies
    from dispatchfile.run.secrets import collect, needs

    wanted = needs(planned.task for planned in plan.tasks if planned.name not in kept)
    given = given_secrets(args.secret or (), args.secret_file or ())
    if args.dry_run:
        found: Mapping[str, Mapping[str, str]] = {
            need.name: {need.key: f"<secret {need}>"} for need in wanted
        }
    else:
        found = collect(wanted, given, ask=prompt())
    return Supplies(
        environment(args.env or (), args.env_file or ()), found, image_overrides(args.image or ())
    )
