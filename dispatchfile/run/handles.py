"""What the backend holds of a task that is open, and of a step that is created."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from dispatchfile.run.backend import StepHandle, StepResult, StepSpec, TaskHandle, TaskSpec
from dispatchfile.run.containers import RunningStep
from dispatchfile.run.networks import Network
from dispatchfile.run.workspace import MountConfig, Scratch

if TYPE_CHECKING:
    from dispatchfile.run.builder import Build


class DockerTask:
    """An open task: its seat, its network, what its steps mount, and what is to be removed at its end.

    `harmless` tells of each step that it ended by itself, and had no rights to change the network.
    """

    def __init__(self, spec: TaskSpec, seat: Future[Scratch], network: Network | None) -> None:
        self.spec = spec
        self.seat = seat
        self.network = network
        self.harmless: list[bool] = []
        self.mounts: list[MountConfig] = []
        self.containers: list[str] = []
        self.volumes: list[str] = []
        self.images: list[str] = []
        self.closed = False

    @property
    def scratch(self) -> Scratch:
        """Return the task's volume, waiting until it is there."""
        return self.seat.result()


class DockerStep:
    """A created step: a container, or a build; with neither, `refusal` says why the engine would not create it."""

    def __init__(self, task: DockerTask, spec: StepSpec, mounts: list[MountConfig]) -> None:
        self.task = task
        self.spec = spec
        self.mounts = mounts
        self.container = ""
        self.running: RunningStep | Build | None = None
        self.refusal = StepResult(1, "not-started", "the step was not created")


def opened_task(task: TaskHandle) -> DockerTask:
    """Return a task that this backend opened."""
    if not isinstance(task, DockerTask):
        raise TypeError("a task of another backend")
    return task


def created_step(step: StepHandle) -> DockerStep:
    """Return a step that this backend created."""
    if not isinstance(step, DockerStep):
        raise TypeError("a step of another backend")
    return step
