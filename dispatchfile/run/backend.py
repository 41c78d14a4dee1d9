"""The contract between the scheduler (`engine.py`) and what runs containers (`docker.py`, `dummy.py`).

A task runs as a pod does: one network namespace, one `/workspace`, one HOME, shared by its steps (runner/README.md).

Order of calls, as the scheduler makes them:

    open(run)                          once; the engine answers
    ensure_image(ref, pull)            for every image of the plan, before anything starts; in parallel
    open_task(spec) -> TaskHandle      network, volumes, inputs; from a thread per task
      create_step(task, step) -> StepHandle    the next step is created while the one before still runs
      run_step(handle, sink, timeout) -> StepResult
      shell(handle) -> int             interactively, in the state the failed step left
      image_digest(task, resource), read_output(…), save_output(…)     after the last step
    close_task(task)                   always, also after a failure; idempotent
    close()                            once, always; idempotent; leftovers of dead runs are gone then, too

`stop(kill)` may come at any time from another thread: running steps end, `run_step` returns with reason "stopped".
All methods but `open` and `close` may be called from several threads at once, for one task only from one at a time
(`create_step` of the next step runs beside `run_step` of the one before).
Everything that the environment refuses is an EnvironmentProblem that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from dispatchfile.model.pipeline import Limits
from dispatchfile.record import Record

Pull = Literal["missing", "always", "never"]
Stream = Literal["stdout", "stderr"]
Sink = Callable[[Stream, bytes], None]


class WorkingTree(Record):
    """The user's own repository as a git input: the tree as it stands at `path`, seen through a writable view.

    `commit` is checked out (detached) in the view's own depth-1 `.git`; changes of tracked files show as changes.
    `untracked` brings files in that git does not track, never those it ignores.
    """

    path: Path
    commit: str
    untracked: bool = False


class Commit(Record):
    """A commit of the user's own repository at `path`, without any change of the working tree."""

    path: Path
    commit: str


class Remote(Record):
    """A repository to fetch from its own URL; an empty revision is the remote's default branch."""

    revision: str = ""
    depth: int = 1
    submodules: bool = True


class Produced(Record):
    """The output of a task that ran before, as `save_output` kept it."""

    path: Path


class GitInput(Record):
    """A git resource, to be at /workspace/NAME with `url` as its remote `origin`."""

    name: str
    url: str
    origin: WorkingTree | Commit | Remote | Produced


class StorageInput(Record):
    """A storage resource: the content of a local directory, to be at /workspace/NAME."""

    name: str
    path: Path


class ImageInput(Record):
    """An image resource; nothing is laid into the workspace, the digest says what `url` stands for."""

    name: str
    url: str
    digest: str


Input = GitInput | StorageInput | ImageInput


class Output(Record):
    """A resource that a task makes; /workspace/output/NAME exists, empty and writable, when its steps start."""

    name: str
    type: str
    url: str = ""


class VolumeSpec(Record, hidden=("files",)):
    """A volume shared by the steps of a task: empty, a host path, or files made of a secret's keys (name to content)."""

    name: str
    kind: Literal["empty", "host", "files"]
    host_path: str = ""
    files: Mapping[str, bytes] = {}


class Mount(Record):
    """Where a step sees a volume."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False


class TaskSpec(Record):
    """A task with every variable of its resources known.

    `alone` when it has one step and no task comes after it: nobody else could use a network made for it.
    """

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    volumes: tuple[VolumeSpec, ...]
    labels: Mapping[str, str] = {}
    alone: bool = False


class StepSpec(Record, hidden=("env",)):
    """A step ready to run. None for command or args: the image's ENTRYPOINT or CMD, by the rules of Kubernetes."""

    task: str
    name: str
    image: str
    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    env: Mapping[str, str]
    working_dir: str
    mounts: tuple[Mount, ...]
    limits: Limits
    privileged: bool = False
    user: str = ""


class StepResult(Record):
    """How a step ended. `exit_code` is the program's own; `message` explains every reason but "exited"."""

    exit_code: int
    reason: Literal["exited", "out-of-memory", "timeout", "stopped", "not-started"] = "exited"
    message: str = ""


class RunSpec(Record, hidden=("token",)):
    """What the whole run shares. `folder` is the run's own directory, `repository` the user's, `project` its name.

    `token` opens the way out for git that steps are given; it is masked like a secret.

    Nothing goes beyond this machine unless `publish`; `offline` asks no registry and no remote at all.
    `tasks` is how many the plan holds; `first` of them start at once, and `networks` of these are not `alone`.
    """

    run_id: str
    folder: Path
    repository: Path
    project: str
    publish: bool = False
    offline: bool = False
    pull: Pull = "missing"
    kaniko: Literal["engine", "container"] = "engine"
    platform: str = ""
    network: str = ""
    docker_host: str = ""
    keep: bool = False
    token: str = ""
    tasks: int = 1
    first: int = 1
    networks: int = 1


class TaskHandle(Protocol):
    """A task that is open in the backend."""

    spec: TaskSpec


class StepHandle(Protocol):
    """A step that is created in the backend."""

    spec: StepSpec


class Backend(Protocol):
    """What the scheduler needs; the module's text says in which order and from which threads."""

    def open(self, run: RunSpec) -> None:
        """Connect, and begin to make what the first tasks need. Raises EnvironmentProblem."""

    def ensure_image(self, ref: str, pull: Pull) -> None:
        """Make the image of a step usable: nothing when it is here, else pull. Raises EnvironmentProblem."""

    def open_task(self, spec: TaskSpec) -> TaskHandle:
        """Lay out the workspace and the network of a task. Raises EnvironmentProblem."""

    def create_step(self, task: TaskHandle, spec: StepSpec) -> StepHandle:
        """Create the container of a step without starting it. Raises EnvironmentProblem."""

    def run_step(self, step: StepHandle, sink: Sink, timeout: float | None) -> StepResult:
        """Start a step and wait for its end; `sink` gets its output as it comes, `timeout` is in seconds."""

    def image_digest(self, task: TaskHandle, resource: str) -> str | None:
        """Return the digest (sha256:…) that a task left for an image output, or None when it left none."""

    def save_output(self, task: TaskHandle, resource: str, target: Path) -> None:
        """Copy /workspace/output/RESOURCE to a new directory on this machine, owned by the user."""

    def shell(self, step: StepHandle) -> int:
        """Open a shell on the user's terminal where the step ran; return its exit code."""

    def close_task(self, task: TaskHandle) -> None:
        """Remove the containers and volumes of a task."""

    def stop(self, *, kill: bool) -> None:
        """End all running steps: ask them first, or kill at once."""

    def close(self) -> None:
        """Remove everything the run still holds."""
