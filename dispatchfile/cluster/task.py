"""One task of a run from its start to its outcome, in a thread of its own that waits for what its TaskRun tells.

All containers of a TaskRun start together and wait for their turn inside, so that a step has begun when it runs and
those before it have ended.
"""

from __future__ import annotations

import threading
import time

from dispatchfile.cluster import logs, status
from dispatchfile.mask import Masker
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import duration
from dispatchfile.run.steplog import StepLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dispatchfile.cluster.named import Step, Task
    from dispatchfile.cluster.status import StepState
    from dispatchfile.kube.client import Cluster, Object
    from dispatchfile.run.progress import Board

STOPPED = "the run was stopped"
KILLED = 137
"""The exit code of what the kubelet killed, for steps of which nothing else is told."""


class TaskFollower:
    """Tells what happens in a task. `see` it is given by whoever watches; `run` is the thread."""

    def __init__(
        self, cluster: Cluster, task: Task, limit: float | None, board: Board, folder: Path, *, verbose: bool,
        meet: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self.task, self.name = task, task.name or task.on_cluster
        self._cluster, self._limit, self._board, self._folder = cluster, limit, board, folder
        self._verbose, self._meet = verbose, meet
        self._changed = threading.Condition()
        self._task_run: Object = {}
        self._given_up = False
        self.heard = time.monotonic()
        """When something of it was last shown."""

    @property
    def task_run(self) -> Object:
        """Return the TaskRun as it was last seen."""
        return self._task_run

    def see(self, task_run: Object) -> None:
        """Learn what the TaskRun is now."""
        with self._changed:
            self._task_run = task_run
            self._changed.notify_all()

    def give_up(self) -> None:
        """End with what is known."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def known(self) -> Outcome:
        """Return how the task ended as far as its TaskRun alone says."""
        return self._outcome(None, None, ())

    def run(self) -> Outcome:
        """Follow the task and return how it ended."""
        began = time.monotonic()
        failed: Step | None = None
        end: StepState | None = None
        tail: tuple[str, ...] = ()
        for step in self.task.steps:
            if not self._until(lambda step=step: self._has_begun(step)):  # type: ignore[misc] # bound at once
                break
            end, tail = self._follow(step)
            if end is None or _is_bad(end):
                failed = step
                break
        self._until(lambda: False)
        outcome = self._outcome(failed, end, tail)
        seconds = status.took(self._task_run) or time.monotonic() - began
        return Outcome(
            outcome.task, outcome.status, outcome.message, outcome.step, outcome.exit_code, seconds,
            self._named(self.task.digests), self._named(self.task.results), tail=outcome.tail,
        )  # fmt: skip

    # Waiting.

    def _until(self, comes: Callable[[], bool], patience: float | None = None) -> bool:
        """Wait until something has come, and return True; False when the task is over before, or patience is."""
        deadline = None if patience is None else time.monotonic() + patience
        with self._changed:
            while not comes():
                left = None if deadline is None else deadline - time.monotonic()
                if (
                    self._given_up
                    or status.succeeded(self._task_run).is_over
                    or (left is not None and left <= 0)
                ):
                    return False
                self._changed.wait(left)
            return True

    def _state(self, step: Step) -> StepState | None:
        return status.steps(self._task_run).get(step.on_cluster)

    def _has_begun(self, step: Step) -> bool:
        state = self._state(step)
        return state is not None and (state.running or state.exit_code is not None)

    def _has_ended(self, step: Step) -> bool:
        state = self._state(step)
        return state is not None and state.exit_code is not None

    def _ended_within(self, step: Step, patience: float) -> bool:
        return self._until(lambda: self._has_ended(step), patience) or self._is_over()

    def _is_over(self) -> bool:
        return self._given_up or status.succeeded(self._task_run).is_over

    # Telling.

    def _follow(self, step: Step) -> tuple[StepState | None, tuple[str, ...]]:
        """Follow a step to its end; one of the emitter's own is shown when it fails."""
        if not (step.name or self._verbose):
            self._until(lambda: self._has_ended(step))
            end = self._state(step)
            if end is None or end.exit_code is None or not _is_bad(end):
                return end, ()
        return self._show(step)

    def _show(self, step: Step) -> tuple[StepState | None, tuple[str, ...]]:
        name = step.name or step.on_cluster
        self.heard = time.monotonic()
        self._board.tell("step.started", self.name, name, image=step.image)
        state = self._state(step)
        pod = str((self._task_run.get("status") or {}).get("podName") or "")
        path = self._folder / self.name / f"{name}.log"
        lost = ""
        with StepLog(self._board, Masker(), path, self.name, name, result=False, meet=self._meet) as log:
            if pod and state is not None:

                def sink(data: bytes) -> None:
                    self.heard = time.monotonic()
                    log.sink("stdout", data)

                lost = logs.follow(
                    self._cluster,
                    pod,
                    state.container,
                    sink,
                    lambda patience: self._ended_within(step, patience),
                )
        self._until(lambda: self._has_ended(step))
        end = self._state(step)
        if lost and not self._given_up:
            self._board.tell("run.note", message=f"{self.name}/{name}: {lost}")
        late = status.succeeded(self._task_run).reason in status.TIMED_OUT
        code, reason = KILLED, "timeout" if late else "stopped"
        if end and end.exit_code is not None:
            code, reason = end.exit_code, end.reason
        seconds = end.seconds if end else 0.0
        self._board.tell(
            "step.finished",
            self.name,
            name,
            exit_code=code,
            reason=reason,
            message="",
            duration=round(seconds, 3),
        )
        return end, tuple(log.tail)

    def _outcome(self, step: Step | None, end: StepState | None, tail: tuple[str, ...]) -> Outcome:
        told = status.succeeded(self._task_run)
        if told.status == "True":
            return Outcome(self.name, "succeeded")
        if not told.is_over or told.reason in status.CANCELLED:
            return Outcome(self.name, "stopped", STOPPED)
        name = step.name or step.on_cluster if step else ""
        at = f"step {name}: " if name else ""
        if told.reason in status.TIMED_OUT:
            limit = f" of {duration(self._limit)}" if self._limit else ""
            why = f"{at}the task took longer than its timeout{limit}"
            return Outcome(self.name, "failed", why, name, end.exit_code if end else None, tail=tail)
        if step is None or end is None or end.exit_code is None:
            return Outcome(self.name, "failed", ": ".join(filter(None, (told.reason, told.message))))
        why = "out of memory" if end.reason == "out-of-memory" else f"exit code {end.exit_code}"
        return Outcome(self.name, "failed", f"{at}{why}", name, end.exit_code, tail=tail)

    def _named(self, names: Mapping[str, str]) -> dict[str, str]:
        found = status.results(self._task_run)
        return {name: found[result] for result, name in names.items() if found.get(result)}


def _is_bad(end: StepState) -> bool:
    return not end.goes_on and (end.exit_code != 0 or end.reason != "exited")
