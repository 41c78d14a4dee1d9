"""The decoded pipeline: resources, tasks, steps, actions (Dispatch 1.4, "Pipeline Configuration Reference").

Every object keeps the value it was decoded from in `value`, so that any later stage can point into the source:
`task.value.at("steps", 0, "image").span`. Strings still hold their `$(…)` variables.
"""

from __future__ import annotations

from dispatchfile.record import Record
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from dispatchfile.value import Plain

    ConditionKind = Literal["push", "tag", "pull_request", "release", "cron", "image"]


class SecretKey(Record):
    """A key of a named secret."""

    name: str
    key: str
    optional: bool = False


class Resource(Record, uncompared=("value",)):
    """Something that tasks take in or put out."""

    name: str
    type: str
    param: Mapping[str, str]
    secret: Mapping[str, SecretKey]
    value: Value


class EnvVar(Record, uncompared=("place",)):
    """An environment variable of a step: a literal value, or a key of a secret."""

    name: str
    value: str | None
    secret: SecretKey | None
    place: Value


class VolumeMount(Record, uncompared=("value",)):
    """Where a step sees a volume of its task."""

    name: str
    mount_path: str
    sub_path: str
    read_only: bool
    value: Value


class Limits(Record):
    """Memory in bytes and processors as a fraction (0.25 is a quarter); None is no limit."""

    memory: int | None = None
    cpu: float | None = None


class Step(Record, uncompared=("value",)):
    """A container of a task (Kubernetes core/v1 Container). None for command or args: the image's own."""

    name: str
    image: str
    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    working_dir: str | None
    env: tuple[EnvVar, ...]
    volume_mounts: tuple[VolumeMount, ...]
    limits: Limits
    privileged: bool
    run_as_user: int | None
    run_as_group: int | None
    script: str | None
    value: Value


class Volume(Record, uncompared=("value",)):
    """A volume of a task: `kind` is the Kubernetes source (emptyDir, secret, hostPath, …), `settings` what stands in it."""

    name: str
    kind: str
    settings: Mapping[str, Plain]
    value: Value


class Task(Record, uncompared=("value",)):
    """Steps that run in order, what they need and what they make. `timeout` is in seconds; None is the run's own."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    deps: tuple[str, ...]
    steps: tuple[Step, ...]
    volumes: tuple[Volume, ...]
    timeout: float | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: Value


class Condition(Record, uncompared=("value",)):
    """The one condition of an action, in the 1.4 sense: `git.push` and the older `push` come out the same.

    None is "not given"; an empty tuple is "given, and empty". `targets` also holds the older `branches` of a
    pull request. `push_tags` is the undocumented `on push tags` that real files hold.
    `path` is where the condition stands below `on`, as written: ("git", "push") or ("push",).
    """

    kind: ConditionKind
    path: tuple[str, ...]
    branches: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    chatops: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    push_tags: tuple[str, ...] | None = None
    schedule: str | None = None
    revision: str | None = None
    value: Value = Value(None)


class Action(Record, uncompared=("value",)):
    """Which tasks run on which condition; `index` counts from 0, as the original's messages do."""

    index: int
    name: str | None
    tasks: tuple[str, ...]
    on: Condition | None
    value: Value

    @property
    def title(self) -> str:
        """Return how messages call the action: its name, or its number."""
        return f'action "{self.name}"' if self.name else f"action #{self.index}"


class Pipeline(Record, uncompared=("value",)):
    """A whole Dispatchfile, decoded; names keep the order of the file."""

    resources: Mapping[str, Resource]
    tasks: Mapping[str, Task]
    actions: tuple[Action, ...]
    value: Value
