"""What passes between the modules that write a task: objects of Kubernetes as plain data, and what a resource adds."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from dispatchfile.tekton.options import Options

    Object: TypeAlias = dict[str, Any]
    """An object of Kubernetes, or a part of one, keys in the order in which they are written."""


MANAGED_BY = {"app.kubernetes.io/managed-by": "dispatchfile"}
"""The label of all objects that this program writes."""
WORKSPACE = "dispatch"
"""The one workspace of a Pipeline that needs any: the volume that its tasks share."""
DEFAULT_TIMEOUT_S = 3600
"""What Tekton gives a run, and each task that asks for nothing else."""


class Binding(Record):
    """A workspace of a task: its name there, where it is mounted, and which folder of the shared volume it is."""

    name: str
    mount_path: str
    sub_path: str
    read_only: bool = False


class Result(Record):
    """A result of a task, and what it is."""

    name: str
    description: str


class Parts(Record):
    """What resources add to a task: steps before and behind those of the user, and what these steps need.

    `mounts` are volumes that every step of the task mounts (`stepTemplate.volumeMounts`).
    """

    before: tuple[Object, ...] = ()
    after: tuple[Object, ...] = ()
    results: tuple[Result, ...] = ()
    volumes: tuple[Object, ...] = ()
    mounts: tuple[Object, ...] = ()
    workspaces: tuple[Binding, ...] = ()


def metadata(name: str, options: Options) -> Object:
    """Return the metadata of an object in the namespace of the options."""
    namespace = {"namespace": options.namespace} if options.namespace else {}
    return {"name": name, **namespace, "labels": dict(MANAGED_BY)}


def step_template(mounts: Sequence[Object] = ()) -> Object:
    """Return what all steps of a task have: what Tekton gave them when Dispatch ran on it (up to v0.32), and mounts."""
    made: Object = {"workingDir": "/workspace", "env": [{"name": "HOME", "value": "/tekton/home"}]}
    return {**made, "volumeMounts": list(mounts)} if mounts else made


def duration(seconds: float) -> str:
    """Return a time as Go writes and Kubernetes reads durations, such as `1h30m`; "0" is none."""
    left, parts = max(round(seconds * 1000), 1 if seconds > 0 else 0), []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts) or "0"
