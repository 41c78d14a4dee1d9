"""The home directory of a task under the names that it had in Dispatch's earlier releases (runner/README.md).

Tekton mounts a volume of its own at /tekton/home, which no step may mount elsewhere. Where a task names another path
of it, one of the emitter's takes its place, mounted at all of these paths in all of its steps.
"""

from __future__ import annotations

from dispatchfile.model.images import is_kaniko

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.model.pipeline import Step, Task
    from dispatchfile.tekton.parts import Object

HOME = "/tekton/home"
OLDEST = "/builder/home"
VOLUME = "dispatch-home"

_KANIKO = "/kaniko/.docker"
_ALIASES = {
    OLDEST: "",
    "/workspace/output/.docker": ".docker",
    "/root/.docker": ".docker",
    _KANIKO: ".docker",
}
"""Other names, with the folder of the home directory that each stands for."""


def aliases(task: Task) -> tuple[str, ...]:
    """Return the other names of the home directory and its folders that a task uses.

    Kaniko's image looks for credentials in a folder of its own, whatever HOME is; where a task names that folder, it
    means what the image has there. A place where a step mounts a volume of the task's own is none: of two mounts at a
    path, Tekton would make one that has the name of the one and the subPath of the other.
    """
    texts = [str(value.data) for value in task.value.texts()]
    mounted = {mount.mount_path.rstrip("/") for step in task.steps for mount in step.volume_mounts}
    named = {path for path in _ALIASES if any(path in text for text in texts)} ^ {_KANIKO}
    if not any(map(_looks_in_its_own, task.steps)):
        named.discard(_KANIKO)
    return tuple(path for path in _ALIASES if path in named - mounted and HOME not in mounted)


def volumes(paths: Iterable[str]) -> tuple[Object, ...]:
    """Return the volume that takes the place of Tekton's, if there are other names."""
    return ({"name": VOLUME, "emptyDir": {}},) if tuple(paths) else ()


def mounts(paths: Iterable[str]) -> tuple[Object, ...]:
    """Return where each step of the task mounts that volume."""
    made = [_mount(path, _ALIASES[path]) for path in paths]
    return (_mount(HOME, ""), *made) if made else ()


def _looks_in_its_own(step: Step) -> bool:
    return is_kaniko(step.image) and all(variable.name != "DOCKER_CONFIG" for variable in step.env)


def _mount(path: str, folder: str) -> Object:
    return {"name": VOLUME, "mountPath": path, **({"subPath": folder} if folder else {})}
