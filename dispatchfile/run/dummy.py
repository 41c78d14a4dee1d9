"""A backend without containers: for `--dry-run`, which shows each step's command, and for tests of the scheduler."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.run.backend import (
    Pull,
    RunSpec,
    Sink,
    StepHandle,
    StepResult,
    StepSpec,
    TaskHandle,
    TaskSpec,
)


class Act(Record):
    """What a step does: its output, how long it takes in seconds, and how it ends."""

    exit_code: int = 0
    stdout: tuple[bytes, ...] = ()
    stderr: tuple[bytes, ...] = ()
    seconds: float = 0.0
    problem: str = ""


class DummyTask:
    """An open task."""

    def __init__(self, spec: TaskSpec) -> None:
        self.spec = spec


class DummyStep:
    """A created step."""

    def __init__(self, spec: StepSpec) -> None:
        self.spec = spec


class DummyBackend:
    """Acts a script by (task, step); keeps every call in `calls`, in order, and the steps it was given in `steps`."""

    def __init__(
        self,
        script: Mapping[tuple[str, str], Act] | None = None,
        digests: Mapping[str, str | None] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> None:
        self._script = script or {}
        self._digests = digests or {}
        self._problems = problems or {}
        self._stopped = threading.Event()
        self.calls: list[tuple[str, ...]] = []
        self.steps: dict[tuple[str, str], StepSpec] = {}
        self.tasks: dict[str, TaskSpec] = {}

    def _call(self, *call: str) -> None:
        self.calls.append(call)
        if message := self._problems.get(" ".join(call)):
            raise EnvironmentProblem(message)

    def open(self, run: RunSpec) -> None:
        """Note the call."""
        self._call("open", run.run_id)

    def ensure_image(self, ref: str, pull: Pull) -> None:
        """Note the call."""
        self._call("ensure_image", ref, pull)

    def open_task(self, spec: TaskSpec) -> DummyTask:
        """Note the call."""
        self.tasks[spec.name] = spec
        self._call("open_task", spec.name)
        return DummyTask(spec)

    def create_step(self, task: TaskHandle, spec: StepSpec) -> DummyStep:
        """Note the call."""
        self._call("create_step", task.spec.name, spec.name)
        return DummyStep(spec)

    def run_step(self, step: StepHandle, sink: Sink, timeout: float | None) -> StepResult:
        """Act the step's script."""
        spec = step.spec
        self.steps[spec.task, spec.name] = spec
        self._call("run_step", spec.task, spec.name)
        act = self._script.get((spec.task, spec.name), Act())
        for chunk in act.stdout:
            sink("stdout", chunk)
        for chunk in act.stderr:
            sink("stderr", chunk)
        seconds = act.seconds if timeout is None else min(act.seconds, timeout)
        if self._stopped.wait(seconds):
            return StepResult(137, "stopped")
        self.calls.append(("step_ended", spec.task, spec.name))
        if act.problem:
            raise EnvironmentProblem(act.problem)
        if seconds < act.seconds:
            return StepResult(137, "timeout", f"the step did not end within {timeout:.1f}s")
        return StepResult(act.exit_code)

    def image_digest(self, task: TaskHandle, resource: str) -> str | None:
        """Return the scripted digest of an image output."""
        self._call("image_digest", task.spec.name, resource)
        return self._digests.get(resource)

    def save_output(self, task: TaskHandle, resource: str, target: Path) -> None:
        """Make an empty directory."""
        self._call("save_output", task.spec.name, resource)
        target.mkdir(parents=True)

    def shell(self, step: StepHandle) -> int:
        """Note the call."""
        self._call("shell", step.spec.task, step.spec.name)
        return 0

    def close_task(self, task: TaskHandle) -> None:
        """Note the call."""
        self._call("close_task", task.spec.name)

    def stop(self, *, kill: bool) -> None:
        """End all steps that still take time."""
        self._call("stop", "kill" if kill else "ask")
        self._stopped.set()

    def close(self) -> None:
        """Note the call."""
        self._call("close")


class DryRun(DummyBackend):
    """Runs nothing: each step writes the command it would run, digests and results say what they stand for.

    `results` are the steps, as (task, step), whose output is the value of a variable.
    """

    def __init__(self, results: Collection[tuple[str, str]]) -> None:
        super().__init__()
        self._results = results

    def run_step(self, step: StepHandle, sink: Sink, timeout: float | None) -> StepResult:  # noqa: ARG002 the contract
        """Write what would run."""
        spec = step.spec
        words = [*(spec.command or ("<ENTRYPOINT>",)), *(spec.args or ())]
        names = "".join(f" -e {name}" for name in spec.env)
        command = " ".join(word if word == "<ENTRYPOINT>" else shlex.quote(word) for word in words)
        sink("stderr", f"would run {spec.image} in {spec.working_dir}{names}: {command}\n".encode())
        if (spec.task, spec.name) in self._results:
            sink("stdout", f"<output of {spec.task}/{spec.name}>\n".encode())
        return StepResult(0)

    def image_digest(self, task: TaskHandle, resource: str) -> str | None:  # noqa: ARG002 the contract
        """Return a text that says what would stand there."""
        return f"<digest of {resource}>"

    def save_output(self, task: TaskHandle, resource: str, target: Path) -> None:
        """Save nothing."""
