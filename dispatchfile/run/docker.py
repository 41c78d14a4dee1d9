"""Tasks and steps on a container engine: the `Backend` that runs for real (runner/README.md is the steps' side of it).

A task has a seat (seats.py): a container that holds its network, and a volume that holds its files. Each step is a
container that joins the network and mounts the parts of the volume. Git inputs are overlays (views.py). What is no
longer needed is removed by a few workers beside the run, and `close` waits for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.archive import Archive, read_single, unpack
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
from dispatchfile.run.connect import asking, connect, last_line
from dispatchfile.run.containers import RunningStep, step_config
from dispatchfile.run.images import Images, ensure_pause_image
from dispatchfile.run.labels import STEP, TASK, labels_of_run
from dispatchfile.run.oci import digest_of_index
from dispatchfile.run.seats import Seat, Seats
from dispatchfile.run.sweep import discard, sweep
from dispatchfile.run.workspace import (
    SCRATCH,
    MountConfig,
    merged,
    path_part,
    shared_mounts,
    task_layout,
    volume_mounts,
)

if TYPE_CHECKING:
    from docker import APIClient

WORKERS = 6
LARGEST_INDEX = 4 << 20


class DockerTask:
    """An open task: its seat, what its steps mount, and what is to be removed at its end."""

    def __init__(self, spec: TaskSpec, seat: Seat, mounts: list[MountConfig]) -> None:
        self.spec = spec
        self.seat = seat
        self.mounts = mounts
        self.containers: list[str] = [seat.network, seat.scratch.holder]
        self.volumes: list[str] = [seat.scratch.volume]
        self.images: list[str] = []
        self.closed = False


class DockerStep:
    """A created step; `refusal` is set when the engine would not even create it."""

    def __init__(
        self, task: DockerTask, spec: StepSpec, running: RunningStep | None, refusal: StepResult | None
    ) -> None:
        self.task = task
        self.spec = spec
        self.running = running
        self.refusal = refusal
        self.container = ""
        self.mounts: list[MountConfig] = []


class DockerBackend:
    """Runs tasks on the engine that `connect` finds. One object is one run."""

    def __init__(self, notice: Callable[[str], None] | None = None) -> None:
        self._notice = notice or (lambda _text: None)
        self._lock = threading.Lock()
        self._tasks: list[DockerTask] = []
        self._running: set[RunningStep] = set()
        self._removals: list[Future[None]] = []
        self._stopping = False
        self._closed = False
        self._run: RunSpec | None = None
        self._client: APIClient | None = None

    # --- the run ---

    def open(self, run: RunSpec) -> None:
        """Connect, sweep what dead runs left, and begin to make the first tasks' networks."""
        self._client = connect(run.docker_host)
        self._run = run
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="engine")
        self._labels = labels_of_run(run.run_id, keep=run.keep)
        self._images = Images(self._client, offline=run.offline, platform=run.platform)
        ensure_pause_image(self._client)
        self._seats = Seats(self._client, self._workers, self._labels, run.network, run.tasks)
        self._seats.prepare()
        sweep(self._client)

    def ensure_image(self, ref: str, pull: Pull) -> None:
        """Make the image of a step usable; one that this run built already is."""
        self._images.ensure(ref, pull)

    def stop(self, *, kill: bool) -> None:
        """End all running steps, and let none begin."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for step in running:
            threading.Thread(target=step.end, args=("stopped",), kwargs={"kill": kill}, daemon=True).start()

    def close(self) -> None:
        """Remove everything the run still holds, and wait until it is gone."""
        if self._client is None or self._closed:
            return
        self._closed = True
        for task in self._tasks:
            self.close_task(task)
        for seat in self._seats.rest():
            self._remove_later([seat.network, seat.scratch.holder], [seat.scratch.volume], [])
        try:
            for removal in self._removals:
                removal.result()
        finally:
            self._workers.shutdown()
            self._client.close()

    # --- a task ---

    def open_task(self, spec: TaskSpec) -> DockerTask:
        """Lay out the workspace and the network of a task."""
        seat = self._seats.take()
        task = DockerTask(spec, seat, shared_mounts(seat.scratch))
        with self._lock:
            self._tasks.append(task)
        archive = Archive()
        task_layout(archive, spec)
        if not archive.empty:
            with asking(f'lay out the workspace of task "{spec.name}"'):
                self._engine.put_archive(seat.scratch.holder, SCRATCH, archive.bytes())
        return task

    def image_digest(self, task: TaskHandle, resource: str) -> str | None:
        """Return the digest that a task left for an image output, from either place; None when it left none."""
        assert isinstance(task, DockerTask)
        name = path_part(resource, "resource")
        for place in (f"workspace/output/{name}", f"home/image-outputs/{name}"):
            index = self._read(task, f"{place}/index.json")
            if index is not None:
                return digest_of_index(index, f"/{place}/index.json")
        return None

    def save_output(self, task: TaskHandle, resource: str, target: Path) -> None:
        """Copy /workspace/output/RESOURCE to a new directory on this machine, owned by the user."""
        assert isinstance(task, DockerTask)
        path = f"{SCRATCH}/workspace/output/{path_part(resource, 'resource')}"
        with asking(f'save the output "{resource}" of task "{task.spec.name}"'):
            chunks, _ = self._engine.get_archive(task.seat.scratch.holder, path)
            unpack(chunks, target)

    def close_task(self, task: TaskHandle) -> None:
        """Remove the containers and volumes of a task, beside what runs next."""
        assert isinstance(task, DockerTask)
        with self._lock:
            if task.closed:
                return
            task.closed = True
        self._remove_later(task.containers, task.volumes, task.images)

    # --- a step ---

    def create_step(self, task: TaskHandle, spec: StepSpec) -> DockerStep:
        """Create the container of a step without starting it; a step that cannot be is told of when it is run."""
        import docker

        assert isinstance(task, DockerTask)
        step = DockerStep(task, spec, None, None)
        step.mounts = merged(task.mounts, volume_mounts(task.seat.scratch, task.spec.volumes, spec.mounts))
        labels = {**task.spec.labels, **self._labels, TASK: task.spec.name, STEP: spec.name}
        image = self._images.resolve(spec.image)
        config = step_config(spec, image, task.seat.network, step.mounts, labels)
        with asking(f'create the step "{spec.name}" of task "{task.spec.name}"'):
            try:
                made = self._engine.create_container_from_config(config, None, self._spec.platform or None)
            except docker.errors.APIError as error:
                step.refusal = _refused_step(spec, error)
                if step.refusal is None:
                    raise
                return step
        step.container = str(made["Id"])
        task.containers.append(step.container)
        step.running = RunningStep(self._engine, step.container)
        return step

    def run_step(self, step: StepHandle, sink: Sink, timeout: float | None) -> StepResult:
        """Start a step and wait for its end."""
        assert isinstance(step, DockerStep)
        if step.running is None:
            assert step.refusal is not None
            return step.refusal
        with self._lock:
            if self._stopping:
                return StepResult(1, "stopped", "the run was stopped before the step began")
            self._running.add(step.running)
        try:
            return step.running.run(sink, timeout)
        finally:
            with self._lock:
                self._running.discard(step.running)

    def shell(self, step: StepHandle) -> int:
        """Open a shell on the user's terminal where the step ran; return its exit code."""
        from dispatchfile.run.terminal import shell_beside

        assert isinstance(step, DockerStep)
        return shell_beside(self._engine, step)

    # --- within ---

    @property
    def _engine(self) -> APIClient:
        if self._client is None:
            raise EnvironmentProblem("the engine is not connected yet")
        return self._client

    @property
    def _spec(self) -> RunSpec:
        assert self._run is not None
        return self._run

    def _read(self, task: DockerTask, path: str) -> bytes | None:
        import docker

        with asking(f'read {path} of task "{task.spec.name}"'):
            try:
                chunks, _ = self._engine.get_archive(task.seat.scratch.holder, f"{SCRATCH}/{path}")
            except docker.errors.NotFound:
                return None
            return read_single(chunks, LARGEST_INDEX)

    def _remove_later(self, containers: list[str], volumes: list[str], images: list[str]) -> None:
        if not self._spec.keep:
            removal = self._workers.submit(self._remove, containers, volumes, images)
            self._removals.append(removal)

    def _remove(self, containers: list[str], volumes: list[str], images: list[str]) -> None:
        with asking("remove what a task used"):
            # The newest first: the network's container is the oldest, and the others live in it.
            for container in reversed(containers):
                discard(
                    lambda container=container: self._engine.remove_container(container, force=True, v=True)
                )
            for name in volumes:
                discard(lambda name=name: self._engine.remove_volume(name, force=True))
            for image in images:
                discard(lambda image=image: self._engine.remove_image(image, force=True))


def _refused_step(spec: StepSpec, error: Any) -> StepResult | None:
    """Return the refusal of a container that is the step's own fault; None for trouble of the engine."""
    text = last_line(error)
    lower = text.lower()
    if "no command specified" in lower:
        return StepResult(
            127, "not-started", f"the step gives no command, and the image {spec.image} has none either"
        )
    if error.status_code == 404 and "no such image" in lower:
        return StepResult(127, "not-started", f"the image {spec.image} is not on the engine any more")
    if error.status_code == 400:
        return StepResult(127, "not-started", f"the engine refuses the step: {text}")
    return None
