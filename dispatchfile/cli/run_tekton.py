"""`dispatchfile run --engine tekton`: the same run on a cluster, followed from here."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

from dispatchfile.cli import options
from dispatchfile.errors import EnvironmentProblem

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
    from dispatchfile.run.progress import View
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
    from dispatchfile.report.text import render
    from dispatchfile.tekton import emit, runs

    chosen: Any = SimpleNamespace(**{**vars(args), "name": None})
    made = options_from(chosen, emit.prefix(runs.owner_and_name(plan.event.url)[1]))
    emission = emit.emit(plan, made, "run")
    if emission.found and not args.quiet:
        from dispatchfile.cli.terminal import Terminal

        color = Terminal.of(sys.stderr, args.color).color
        print(render(emission.found, color=color).rstrip("\n"), file=sys.stderr)
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
        from dispatchfile.cluster.submit import submit
        from dispatchfile.run.progress import Board

        self.view = view
        listeners: list[Any] = [self.folder, view]
        if self.args.junit:
            from dispatchfile.cli.progress.junit import JUnitReport

            listeners.append(JUnitReport(Path(self.args.junit), self.plan.tasks))
        made = submit(self.cluster, run)
        target, name = self.cluster.target, made["metadata"]["name"]
        self.folder.record["cluster"] = {
            "context": target.context, "namespace": target.namespace, "pipelineRun": name
        }  # fmt: skip
        board = Board(listeners)
        began = time.monotonic()
        try:
            board.tell(
                "run.started",
                run=self.folder.id,
                on=self.plan.event.kind,
                commit=self.plan.event.commit,
                tasks=[{"name": task.name, "needs": list(task.waits_for)} for task in self.plan.tasks],
            )
            commit = f" of commit {self.plan.event.commit[:10]}" if self.plan.event.commit else ""
            where = f'in namespace {target.namespace} of context "{target.context}"'
            board.tell("run.note", message=f"PipelineRun {name}{commit} runs {where}")
            ending = self._follow(run, made, board)
        finally:
            with contextlib.suppress(OSError):  # a reader that went away is no reason to lose the run
                view.close()
        self.folder.finish(ending.outcomes, {})  # nothing of it can be kept for a run on this machine
        with contextlib.suppress(OSError):
            self._tell(ending, time.monotonic() - began, err)
        error = ending.error
        if error is None and (lost := board.problem):
            error = EnvironmentProblem(f"the run could not be kept or shown whole: {lost.strerror or lost}")
        if error is not None:
            raise error
        return ending.exit_code

    def _follow(self, run: Object, made: Object, board: Any) -> Ending:
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
        self.view.pause()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            while True:
                print("\ncancel the run on the cluster? [y: cancel, n: leave it running, Enter: go on] ", end="",
                      file=sys.stderr, flush=True)  # fmt: skip
                line = sys.stdin.readline()
                answer = line.strip().lower()
                if not line or answer in ("n", "no"):
                    return "leave"
                if answer in ("y", "yes"):
                    return "cancel"
                if not answer:
                    return ""
        except KeyboardInterrupt:
            print(file=sys.stderr)
            return "leave"
        finally:
            signal.signal(signal.SIGINT, before)
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
