"""Tasks and steps on a container engine: the `Backend` that runs for real (runner/README.md is the steps' side of it).

A task has a seat (seats.py), a volume that holds its files, and a container that holds its network (networks.py); the
only step of a task that nothing follows holds it by itself. Each step is a container that joins the network and mounts
the parts of the volume. Git inputs are overlays (views.py). What is no
longer needed is removed by a few workers beside the run, and `close` waits for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.model.images import is_kaniko
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
from dispatchfile.run.checkouts import cache_folder, prune
from dispatchfile.run.connect import address_of_this_machine, asking, connect
from dispatchfile.run.containers import RunningStep, refused_create, step_config
from dispatchfile.run.handles import DockerStep, DockerTask, created_step, opened_task
from dispatchfile.run.images import Images, ensure_pause_image
from dispatchfile.run.inputs import Inputs
from dispatchfile.run.kaniko import is_executor_call
from dispatchfile.run.labels import RUN, STEP, TASK, labels_of_run
from dispatchfile.run.networks import HOSTNAME, Networks
from dispatchfile.run.oci import digest_of_index
from dispatchfile.run.removals import Removals
from dispatchfile.run.seats import Seats
from dispatchfile.run.sweep import remove_labelled, sweep
from dispatchfile.run.views import borrow_here
from dispatchfile.run.workspace import (
    SCRATCH,
    inner_directories,
    merged,
    path_part,
    shared_mounts,
    task_layout,
    volume_mounts,
)

if TYPE_CHECKING:
    from docker import APIClient

    from dispatchfile.run.builder import Build
    from dispatchfile.run.gateway import Gateway

WORKERS = 6
AHEAD = 2
"""Volumes made ahead of tasks that are still to come."""
LARGEST_INDEX = 4 << 20


class DockerBackend:
    """Runs tasks on the engine that `connect` finds. One object is one run."""

    def __init__(self, notice: Callable[[str], None] | None = None) -> None:
        self._notice = notice or (lambda _text: None)
        self._lock = threading.Lock()
        self._tasks: list[DockerTask] = []
        self._running: set[RunningStep | Build] = set()
        self._gateway: Gateway | None = None
        self._gateway_refused = False
        self._stopping = False
        self._swept = False
        self._closed = False
        self._to_open = 0
        self._run: RunSpec | None = None
        self._client: APIClient | None = None

    # --- the run ---

    def open(self, run: RunSpec) -> None:
        """Connect, and begin to make the first tasks' networks and volumes."""
        self._client = connect(run.docker_host)
        self._run = run
        self._to_open = run.tasks
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="engine")
        self._labels = labels_of_run(run.run_id, keep=run.keep)
        self._images = Images(self._client, offline=run.offline, platform=run.platform)
        self._removals = Removals(self._client, self._workers)
        self._networks = Networks(self._client, self._workers, self._labels, run.network)
        self._seats = Seats(self._client, self._workers, self._labels, run.tasks)
        self._inputs = Inputs(self._client, run, self._labels, self._notice, self._gateway_if_reachable)
        ensure_pause_image(self._client)
        self._networks.prepare(run.networks)
        self._seats.prepare(run.first)

    def ensure_image(self, ref: str, pull: Pull) -> None:
        """Make the image of a step usable; one that this run built is, and kaniko's is not needed for its builds."""
        if not self._is_build(ref):
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
        self._sweep_once()
        for task in self._tasks:
            self.close_task(task)
        self._removals.begin_held_back()
        for network in self._networks.rest():
            self._removals.network(network)
        for scratch in self._seats.rest():
            self._removals.all([scratch.holder], [scratch.volume], [])
        try:
            if self._removals.failed():
                # What one removal stumbled over is tried once more, by label.
                remove_labelled(self._client, lambda labels: labels.get(RUN) == self._spec.run_id)
        finally:
            self._workers.shutdown()
            if self._gateway:
                self._gateway.close()
            self._client.close()

    # --- a task ---

    def open_task(self, spec: TaskSpec) -> DockerTask:
        """Lay out the workspace and the network of a task."""
        with self._lock:
            self._to_open -= 1
        task = DockerTask(spec, self._seats.take(), self._networks.take(alone=spec.alone))
        with self._lock:
            self._tasks.append(task)
        task.mounts += shared_mounts(task.scratch)
        archive = Archive()
        task_layout(archive, spec)
        laid = self._inputs.lay(archive, spec, task.scratch)
        task.mounts += laid.mounts
        with asking(f'lay out the workspace of task "{spec.name}"'):
            if not archive.empty:
                self._engine.put_archive(task.scratch.holder, SCRATCH, archive.bytes())
            for name, options in laid.volumes.items():
                # The views are removed before the volume that they lie on.
                task.volumes.insert(0, name)
                self._engine.create_volume(name, "local", dict(options), {**self._labels, TASK: spec.name})
        return task

    def image_digest(self, task: TaskHandle, resource: str) -> str | None:
        """Return the digest that a task left for an image output, from either place; None when it left none."""
        name = path_part(resource, "resource")
        for place in (f"workspace/output/{name}", f"home/image-outputs/{name}"):
            index = self._read(opened_task(task), f"{place}/index.json")
            if index is not None:
                return digest_of_index(index, f"/{place}/index.json")
        return None

    def save_output(self, task: TaskHandle, resource: str, target: Path) -> None:
        """Copy /workspace/output/RESOURCE to a new directory on this machine, owned by the user."""
        path = f"{SCRATCH}/workspace/output/{path_part(resource, 'resource')}"
        with asking(f'save the output "{resource}" of task "{task.spec.name}"'):
            chunks, _ = self._engine.get_archive(opened_task(task).scratch.holder, path)
            unpack(chunks, target)
        borrow_here(target, opened_task(task).mounts)

    def close_task(self, task: TaskHandle) -> None:
        """Remove the containers and volumes of a task, beside what runs next."""
        opened = opened_task(task)
        with self._lock:
            if opened.closed:
                return
            opened.closed = True
        if self._spec.keep:
            return
        if opened.network is not None:
            if self._to_open > 0 and opened.harmless and all(opened.harmless):
                self._networks.give_back(opened.network)
            else:
                # The network takes longest to remove; containers that ended do not miss it.
                self._removals.network(opened.network)
        if opened.seat.exception() is None:
            scratch = opened.scratch
            containers, volumes = [*opened.containers, scratch.holder], [*opened.volumes, scratch.volume]
            remove = self._removals.hold_back if self._to_open else self._removals.all
            remove(containers, volumes, opened.images)

    # --- a step ---

    def create_step(self, task: TaskHandle, spec: StepSpec) -> DockerStep:
        """Create the container of a step without starting it; a step that cannot be is told of when it is run."""
        opened = opened_task(task)
        mounts = merged(opened.mounts, volume_mounts(opened.scratch, opened.spec.volumes, spec.mounts))
        step = DockerStep(opened, spec, mounts)
        inner = inner_directories(opened.spec.volumes, spec.mounts)
        if not inner.empty:
            with asking(f'make the sub paths that the step "{spec.name}" mounts'):
                self._engine.put_archive(opened.scratch.holder, SCRATCH, inner.bytes())
        if self._is_build(spec.image):
            if is_executor_call(spec):
                from dispatchfile.run.builder import Build

                network = partial(self._network_of, opened)
                step.running = Build(
                    self._engine, self._spec, self._images, spec, mounts, network, self._labels
                )
                return step
            self._images.ensure(spec.image, self._spec.pull)
        labels = {**opened.spec.labels, **self._labels, TASK: opened.spec.name, STEP: spec.name}
        config = step_config(spec, self._images.resolve(spec.image), self._mode(opened), mounts, labels)
        # The update task asks this when it decides whether it may push (runner/images/update-gitops-repo/README.md).
        config["Env"].append(f"DISPATCHFILE_PUBLISH={int(self._spec.publish)}")
        if opened.network is None:
            config["Hostname"] = HOSTNAME
        made = self._create(step, config)
        if made and opened.network is not None and not opened.network.is_fresh():
            self._removals.container(made)
            self._renew_network(opened)
            config["HostConfig"]["NetworkMode"] = self._mode(opened)
            made = self._create(step, config)
        if made:
            step.container = made
            opened.containers.append(made)
            step.running = RunningStep(self._engine, made)
        return step

    def _create(self, step: DockerStep, config: dict[str, Any]) -> str:
        """Return the new container of a step; "" when the step is to blame that there is none, and knows why."""
        import docker

        with asking(f'create the step "{step.spec.name}" of task "{step.task.spec.name}"'):
            try:
                made = self._engine.create_container_from_config(config, None, self._spec.platform or None)
            except docker.errors.APIError as error:
                if refusal := refused_create(step.spec.image, error):
                    step.refusal = refusal
                    return ""
                raise
        return str(made["Id"])

    def run_step(self, step: StepHandle, sink: Sink, timeout: float | None) -> StepResult:
        """Start a step and wait for its end."""
        created = created_step(step)
        if created.running is None:
            return created.refusal
        with self._lock:
            if self._stopping:
                return StepResult(1, "stopped", "the run was stopped before the step began")
            self._running.add(created.running)
        self._sweep_once()
        # The engine is busy with little else while it starts a container.
        self._seats.prepare(AHEAD)
        self._removals.begin_held_back()
        harmless = created.task.harmless
        harmless.append(False)
        try:
            result = created.running.run(sink, timeout)
        finally:
            with self._lock:
                self._running.discard(created.running)
        harmless[-1] = result.reason == "exited" and not created.spec.privileged
        return result

    def shell(self, step: StepHandle) -> int:
        """Open a shell on the user's terminal where the step ran; return its exit code."""
        from dispatchfile.run.shell import shell_after

        created = created_step(step)
        if not created.container:
            raise EnvironmentProblem(
                f'the step "{created.spec.name}" ran in no container that a shell could open in',
                help="for kaniko steps: --kaniko=container runs the real image",
            )
        code, containers, images = shell_after(self._engine, created.container, self._labels)
        created.task.containers += containers
        created.task.images += images
        return code

    # --- within ---

    @property
    def _engine(self) -> APIClient:
        if self._client is None:
            raise EnvironmentProblem("the engine is not connected yet")
        return self._client

    @property
    def _spec(self) -> RunSpec:
        if self._run is None:
            raise EnvironmentProblem("the engine is not connected yet")
        return self._run

    def _is_build(self, ref: str) -> bool:
        return self._spec.kaniko == "engine" and is_kaniko(ref)

    def _sweep_once(self) -> None:
        """Begin to remove what dead runs left, beside the first step: nothing waits for it but the run's end."""
        with self._lock:
            begun, self._swept = self._swept, True
        if not begun:
            self._removals.begin(self._sweep)

    def _sweep(self) -> None:
        try:
            sweep(self._engine)
            prune(cache_folder())
        except (EnvironmentProblem, OSError) as problem:
            # Not this run's own trouble, as long as its own calls are answered.
            self._notice(f"leftovers of earlier runs stay: {problem}")

    def _gateway_if_reachable(self) -> Gateway | None:
        """Return the gateway for git, started when first asked for; None where containers cannot reach this machine."""
        from dispatchfile.run.gateway import Gateway

        with self._lock:
            if self._gateway is None and not self._gateway_refused:
                mirrors = cache_folder().parent / "mirrors"
                run = self._spec
                try:
                    address = address_of_this_machine(self._engine, run.network)
                    self._gateway = Gateway(
                        address, mirrors, publish=run.publish, offline=run.offline, token=run.token
                    )
                except EnvironmentProblem as problem:
                    self._gateway_refused = True
                    self._notice(
                        f"steps reach their git remotes directly, without your credentials: {problem.message}"
                    )
            return self._gateway

    def _read(self, task: DockerTask, path: str) -> bytes | None:
        import docker

        with asking(f'read {path} of task "{task.spec.name}"'):
            try:
                chunks, _ = self._engine.get_archive(task.scratch.holder, f"{SCRATCH}/{path}")
            except docker.errors.NotFound:
                return None
            return read_single(chunks, LARGEST_INDEX)

    def _network_of(self, task: DockerTask) -> str:
        """Return the container that holds a task's network, made now for a task that had none."""
        if task.network is None:
            task.network = self._networks.begin()
        elif not task.network.is_fresh():
            self._renew_network(task)
        return task.network.container.result()

    def _renew_network(self, task: DockerTask) -> None:
        if task.network is not None:
            self._removals.network(task.network)
        task.network = self._networks.begin()

    def _mode(self, task: DockerTask) -> str:
        """Return the engine's network mode for the steps of a task."""
        if task.network is None:
            return self._spec.network or "default"
        return f"container:{task.network.container.result()}"
