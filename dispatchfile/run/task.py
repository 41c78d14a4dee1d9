"""One task from its start to its outcome, in a thread of its own: the part of the scheduler that waits for work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.mask import Masker
from dispatchfile.plan.plan import PlannedTask
from dispatchfile.record import replace
from dispatchfile.run.backend import Backend, Pull, StepHandle, StepResult, StepSpec, TaskHandle
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.places import Known
from dispatchfile.run.progress import Board, duration
from dispatchfile.run.resolve import Resolver
from dispatchfile.run.standin import ensure
from dispatchfile.run.steplog import StepLog


class _Stopped(Exception):
    """The run is over before the task is."""


class _StepFailed(Exception):
    """A step ended otherwise than well."""

    def __init__(self, step: str, result: StepResult, tail: tuple[str, ...]) -> None:
        super().__init__(step)
        self.step, self.result, self.tail = step, result, tail


class TaskRunner:
    """Runs tasks on a backend; `over` tells all of them to begin nothing more.

    `logs` is the directory for the output of the steps; `on_failure` gets the step that failed, one at a time.
    """

    def __init__(
        self,
        backend: Backend,
        resolver: Resolver,
        board: Board,
        masker: Masker,
        logs: Path,
        *,
        known: Known | None = None,
        pull: Pull = "missing",
        on_failure: Callable[[StepHandle], None] | None = None,
    ) -> None:
        self.backend, self.resolver, self.board, self.masker = backend, resolver, board, masker
        self.over = threading.Event()
        self._known = known or Known()
        self._logs, self._pull, self._on_failure = logs, pull, on_failure
        self._shell = threading.Lock()

    def run(self, planned: PlannedTask, meet: Callable[[Exception], None]) -> Outcome:
        """Return how a task ended; `meet` is told of what the environment refused."""
        began = time.monotonic()
        outcome = Outcome(planned.name, "succeeded")
        try:
            outcome = self._run_steps(planned, began, meet)
        except _Stopped:
            outcome = replace(outcome, status="stopped", message="the run was stopped")
        except _StepFailed as failed:
            message = _explained(failed, planned.task.timeout)
            code, tail = failed.result.exit_code, failed.tail
            outcome = Outcome(planned.name, "failed", message, failed.step, code, tail=tail)
        except EnvironmentProblem as problem:
            outcome = replace(outcome, status="failed", message=problem.message)
            meet(problem)
        except DispatchfileError as error:
            outcome = replace(outcome, status="failed", message=error.message)
        return replace(outcome, duration=time.monotonic() - began)

    def _run_steps(self, planned: PlannedTask, began: float, meet: Callable[[Exception], None]) -> Outcome:
        spec = self.resolver.task_spec(planned.task, self._known)
        steps = self.resolver.step_specs(planned.task, self._known)
        early = self.resolver.images()
        for ref in dict.fromkeys(step.image for step in steps if step.image not in early):
            self._go_on()
            ensure(self.backend, ref, self._pull)
        self._go_on()
        task = self.backend.open_task(spec)
        results: dict[str, str] = {}
        ahead = _Ahead(self.backend, task, steps[0])
        try:
            for at, step in enumerate(steps):
                handle = ahead.result()
                self._go_on()
                if at + 1 < len(steps):
                    ahead = _Ahead(self.backend, task, steps[at + 1])
                result = self._run_step(planned, step, handle, began, meet)
                if result is not None:
                    results[step.name] = result
            digests, outputs = self._take_outputs(planned, task)
        finally:
            ahead.wait()  # a container that is still being made would be missed
            self.backend.close_task(task)
        outcome = Outcome(planned.name, "succeeded", digests=digests, results=results, outputs=outputs)
        self._known.add(outcome)
        return outcome

    def _go_on(self) -> None:
        if self.over.is_set():
            raise _Stopped

    def _run_step(
        self, planned: PlannedTask, step: StepSpec, handle: StepHandle, began: float,
        meet: Callable[[Exception], None],
    ) -> str | None:  # fmt: skip
        """Run a step and return its result; None when nobody asks for it, or when it is too large."""
        self.board.tell("step.started", planned.name, step.name, image=step.image)
        start, limit = time.monotonic(), planned.task.timeout
        wanted = (planned.name, step.name) in self.resolver.results
        path = self._logs / planned.name / f"{step.name}.log"
        with StepLog(self.board, self.masker, path, planned.name, step.name, result=wanted, meet=meet) as log:
            left = None if limit is None else max(0.001, limit - (start - began))
            result = self.backend.run_step(handle, log.sink, left)
        self.board.tell(
            "step.finished",
            planned.name,
            step.name,
            exit_code=result.exit_code,
            reason=result.reason,
            message=self.masker.text(result.message),
            duration=round(time.monotonic() - start, 3),
        )
        log.check()
        if result.reason == "stopped":
            raise _Stopped
        if result.exit_code != 0 or result.reason != "exited":
            if self._on_failure is not None and not self.over.is_set():
                with self._shell:
                    self._on_failure(handle)
            raise _StepFailed(step.name, result, tuple(log.tail))
        return log.result()

    def _take_outputs(self, planned: PlannedTask, task: TaskHandle) -> tuple[dict[str, str], dict[str, Path]]:
        digests: dict[str, str] = {}
        outputs: dict[str, Path] = {}
        places = self.resolver.places
        for resource in (self.resolver.plan.pipeline.resources[name] for name in planned.task.outputs):
            if resource.type == "image":
                digest = self.backend.image_digest(task, resource.name)
                if digest is not None:
                    digests[resource.name] = digest
            else:
                target = places.output_folder(resource)
                self.backend.save_output(task, resource.name, target)
                outputs[resource.name] = places.publish_output(resource, target)
        return digests, outputs


class _Ahead:
    """A step's container, made in a thread of its own while the step before runs."""

    def __init__(self, backend: Backend, task: TaskHandle, spec: StepSpec) -> None:
        self._made: StepHandle | Exception | None = None

        def make() -> None:
            try:
                self._made = backend.create_step(task, spec)
            except Exception as error:  # noqa: BLE001 it is raised in the thread that asks for the result
                self._made = error

        self._thread = threading.Thread(target=make, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the step is made, or could not be."""
        self._thread.join()

    def result(self) -> StepHandle:
        """Return the step; raises what making it raised."""
        self.wait()
        if isinstance(self._made, Exception):
            raise self._made
        assert self._made is not None  # noqa: S101 the thread has ended
        return self._made


def _explained(failed: _StepFailed, limit: float | None) -> str:
    """Return in a line why a step failed."""
    result = failed.result
    if result.reason == "exited":
        return f"step {failed.step}: exit code {result.exit_code}"
    if result.reason == "timeout":
        return f"step {failed.step}: the task took longer than its timeout of {duration(limit or 0)}"
    if result.reason == "out-of-memory":
        return f"step {failed.step}: out of memory{f' ({result.message})' if result.message else ''}"
    return f"step {failed.step}: {result.message or result.reason}"
