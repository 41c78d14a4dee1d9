"""What passes between the modules that write a task: objects of Kubernetes as plain data, and what a resource adds."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Object: TypeAlias = dict[str, Any]
    """An object of Kubernetes, or a part of one, keys in the order in which they are written."""


WORKSPACE = "dispatch"
"""The one workspace of a Pipeline that needs any: the volume that its tasks share."""


class Param(Record):
    """A parameter of a task: its name there, and the text that the pipeline gives it, such as `$(params.git-url)`."""

    name: str
    value: str


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

    `params` are those that the texts of the steps refer to besides the ones of the context; `mounts` are volumes that
    every step of the task mounts (`stepTemplate.volumeMounts`).
    """

    before: tuple[Object, ...] = ()
    after: tuple[Object, ...] = ()
    params: tuple[Param, ...] = ()
    results: tuple[Result, ...] = ()
    volumes: tuple[Object, ...] = ()
    mounts: tuple[Object, ...] = ()
    workspaces: tuple[Binding, ...] = ()


def duration(seconds: float) -> str:
    """Return a time as Go writes and Kubernetes reads durations, such as `1h30m`; "0" is none."""
    whole, parts = int(seconds), []
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if whole >= size:
            parts.append(f"{whole // size}{unit}")
            whole %= size
    if rest := round((seconds - int(seconds)) * 1000):
        parts.append(f"{rest}ms")
    return "".join(parts) or "0"
