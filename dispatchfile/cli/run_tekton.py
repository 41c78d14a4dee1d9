"""`dispatchfile run --engine tekton`: the same run on a cluster, followed from here."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

from dispatchfile.cli import manifests, options

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.cli.terminal import Terminal
    from dispatchfile.event.checkout import Checkout
    from dispatchfile.kube.client import Cluster, Object
    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.engine import Ending
    from dispatchfile.run.history import PastRun, RunFolder
    from dispatchfile.run.progress import Board, View
    from dispatchfile.tekton.draft import Draft


def main(
    args: argparse.Namespace, plan: Plan, past: PastRun | None, look: Callable[[], Checkout], err: Terminal,
    view_of: Callable[[argparse.Namespace, Plan, Terminal], View],
) -> int:  # fmt: skip
    """Run the plan on a cluster and return the exit code; raises what ended the run early."""
    from dispatchfile import front
    from dispatchfile.cli import rerun
    from dispatchfile.cluster import reach
    from dispatchfile.cluster.submit import check_tekton
    from dispatchfile.run.history import RunFolder, prune

    draft, run = _objects(args, plan)
    if args.dry_run:
        from dispatchfile.cli.files import put
        from dispatchfile.tekton import manifest

        put(manifest.text([run]))
        return 0
    cluster = _connect(args)
    try:
        here = look()
        if past:
            options.note(args, f"run {past.id} again, all of it: nothing of a task is kept for a cluster")
        file = Path(args.file or front.find())
        reach.require(plan.event, here, run, from_here=args.event_file is None)
        for text in reach.notes(plan.event, here, reach.params([run]), file):
            options.note(args, text)
        check_tekton(cluster)
        record = {**rerun.record(args, plan, here, past), "engine": "tekton"}
        logs = Path(args.log_dir) if args.log_dir else None
        with RunFolder(record, logs=logs) as folder:
            prune(spare=past.path if past else None)
            return _Session(args, plan, draft, cluster, folder).run(run, err, view_of(args, plan, err))
    finally:
        cluster.close()


def _objects(args: argparse.Namespace, plan: Plan) -> tuple[Draft, Object]:
    """Return the draft of the plan, and the PipelineRun that carries all of it; its warnings are told."""
    from types import SimpleNamespace

    from dispatchfile.cli.tekton_options import options_from
    from dispatchfile.tekton import emit, runs

    chosen: Any = SimpleNamespace(**{**vars(args), "name": None})
    made = options_from(chosen, emit.prefix(runs.owner_and_name(plan.event.url)[1]))
    emission = emit.emit(plan, made, "run")
    for text in manifests.exposed(emission.objects):
        options.note(args, text)
    options.tell(args, emission.found)
    return emit.of_plan(plan, made), emission.objects[0]


def _connect(args: argparse.Namespace) -> Cluster:
    from dispatchfile.kube.client import Cluster
    from dispatchfile.kube.kubeconfig import find

    return Cluster(find(args.context or "", args.namespace or ""))


class _Session:
    """A run that is ready to be submitted."""

    def __init__(
        self, args: argparse.Namespace, plan: Plan, draft: Draft, cluster: Cluster, folder: RunFolder
    ) -> None:
        self.args, self.plan, self.draft, self.cluster, self.folder = args, plan, draft, cluster, folder

    def run(self, run: Object, err: Terminal, view: View) -> int:
        """Submit, follow, keep, and return the exit code; raises what ended the run early."""
        from dispatchfile.cli import run_session

        self.view = view
        board = run_session.board(self.args, self.plan, self.folder, view)
        began = time.monotonic()
        ending = run_session.followed(lambda: self._submitted(run, board), view)
        error = run_session.concluded(
            ending, self.folder, {}, board,  # nothing of it can be kept for a run on this machine
            lambda: self._tell(ending, time.monotonic() - began, err),
        )  # fmt: skip
        if error is not None:
            raise error
        return ending.exit_code

    def _submitted(self, run: Object, board: Board) -> Ending:
        """Submit the run and follow it to its end; raises Interrupted for a signal before it is followed."""
        from dispatchfile.cluster.ending import Leaving
        from dispatchfile.cluster.submit import submit, unsure
        from dispatchfile.run.signals import caught

        target, name = self.cluster.target, ""
        with caught(_break_off):
            try:
                made = submit(self.cluster, run)
                name = made["metadata"]["name"]
                cluster = {"context": target.context, "namespace": target.namespace, "pipelineRun": name}
                with contextlib.suppress(OSError):  # a disk that takes no more is told of by the board
                    self.folder.keep(cluster=cluster)
                self._announce(name, board)
                return self._follow(run, made, board)
            except _Heard as heard:
                raise (
                    Leaving(target, name, heard.number) if name else unsure(target, heard.number)
                ) from None

    def _announce(self, name: str, board: Board) -> None:
        event, target = self.plan.event, self.cluster.target
        board.tell(
            "run.started",
            run=self.folder.id,
            on=event.kind,
            commit=event.commit,
            tasks=[{"name": task.name, "needs": list(task.waits_for)} for task in self.plan.tasks],
        )
        commit = f" of commit {event.commit[:10]}" if event.commit else ""
        where = f'in namespace {target.namespace} of context "{target.context}"'
        board.tell("run.note", message=f"PipelineRun {name}{commit} runs {where}")

    def _follow(self, run: Object, made: Object, board: Board) -> Ending:
        """Follow a run; what its tasks are called is as it was sent, whatever the cluster made of it."""
        from dispatchfile.cluster import named
        from dispatchfile.cluster.follow import Follower

        asks = sys.stdin.isatty() and sys.stderr.isatty()
        return Follower(
            self.cluster, made, self.plan, named.tasks(self.draft, run), board, self.folder.logs,
            verbose=bool(self.args.verbose), ask=self._ask if asks else None,
        ).follow()  # fmt: skip

    def _ask(self) -> str:
        """Ask what is to become of the run: cancel, leave, or "" for going on; another Ctrl-C leaves it."""
        from dispatchfile.run.signals import caught

        self.view.pause()
        try:
            with caught(_break_off):
                return _answer()
        except _Heard as heard:
            if heard.number == signal.SIGINT:
                print(file=sys.stderr)
                return "leave"
            signal.raise_signal(heard.number)  # who follows the run knows what that means
            return ""
        except OSError:  # the terminal is gone
            return "leave"
        finally:
            with contextlib.suppress(OSError):  # as above
                self.view.resume()

    def _tell(self, ending: Ending, took: float, err: Terminal) -> None:
        args = self.args
        if args.progress == "json" or (args.quiet and ending.exit_code == 0):
            return
        if ending.error is not None and all(task.status == "skipped" for task in ending.outcomes.values()):
            return  # nothing began: the error alone says it
        from dispatchfile.cli.progress.summary import print_summary
        from dispatchfile.cluster.ending import Leaving
        from dispatchfile.report.text import harmless

        print_summary(ending, took, self.folder.logs, "", err)
        for task in ending.outcomes.values():
            for resource, digest in task.digests.items():
                err.print(f"{resource}: {harmless(digest)}")
            for step, text in task.results.items():
                err.print(f"{task.task}/{step}: {harmless(text)}")
        if ending.exit_code != 0 and not isinstance(ending.error, Leaving):
            err.print(f"run it again: {err.style(f'dispatchfile run --rerun {self.folder.id}', 'bold')}")


class _Heard(Exception):
    """A signal that breaks off what waits."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _break_off(number: int) -> None:
    raise _Heard(number)


def _answer() -> str:
    while True:
        print("\ncancel the run on the cluster? [y: cancel, n: leave it running, Enter: go on] ", end="",
              file=sys.stderr, flush=True)  # fmt: skip
        line = sys.stdin.buffer.readline()
        answer = line.strip().lower()
        if not line or answer in (b"n", b"no"):
            return "leave"
        if answer in (b"y", b"yes"):
            return "cancel"
        if not answer:
            return ""
