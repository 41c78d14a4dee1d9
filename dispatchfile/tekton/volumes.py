"""Volumes of a task and where its steps mount them."""

from __future__ import annotations

from posixpath import normpath

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.tekton import names
from dispatchfile.tekton.fields import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from dispatchfile.model.pipeline import Task, VolumeMount
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object
    from dispatchfile.value import Value

RESERVED = "tekton-internal-"
"""How the names of Tekton's own volumes begin; it refuses others of this kind."""

_FILLED = {
    "configMap": ("name", "items"),
    "csi": ("nodePublishSecretRef", "volumeAttributes"),
    "persistentVolumeClaim": ("claimName",),
    "projected": ("sources",),
    "secret": ("secretName", "items"),
}
"""The fields of volumes in which Tekton replaces variables (tektoncd/pipeline, docs/variables.md)."""


def volume_names(task: Task, taken: Iterable[str]) -> dict[str, str]:
    """Return what the volumes of a task are called on the cluster; `taken` are the names of the emitter's own."""
    given = {volume.name: _free(volume.name) for volume in task.volumes}
    made = names.labels(given.values(), taken=taken)
    return {name: made[free] for name, free in given.items()}


def volumes(draft: Draft, task: Task, called: Mapping[str, str]) -> list[Object]:
    """Return the volumes of a task; a variable where Tekton replaces none is in `draft.found` afterwards."""
    made = []
    for index, volume in enumerate(task.volumes):
        fields = Fields(draft, task, f"task.{task.name}.volumes[{index}]")
        source = volume.value.at(volume.kind)
        written = {}
        for name, value in (
            source.data.items() if source is not None and isinstance(source.data, dict) else ()
        ):
            below = fields.below(volume.kind)
            is_filled = name in _FILLED.get(volume.kind, ())
            written[name] = below.filled(value, name) if is_filled else below.unfilled(value, name)
        settings = {name: item for name, item in written.items() if item is not None}
        made.append({"name": called[volume.name], volume.kind: settings})
    return made


def mount(fields: Fields, one: VolumeMount, called: Mapping[str, str]) -> Object:
    """Return a mount of a step."""
    value = one.value
    made: Object = {
        "name": called.get(one.name, one.name),
        "mountPath": fields.text(one.mount_path, value.at("mountPath"), "mountPath"),
    }
    if _of_tekton(made["mountPath"]):
        fields.draft.found.append(_not_there(one, f"{fields.path}.mountPath"))
    if one.sub_path:
        made["subPath"] = fields.text(one.sub_path, value.at("subPath"), "subPath")
    if one.read_only:
        made["readOnly"] = True
    for name in ("mountPropagation", "subPathExpr"):
        if given := fields.unfilled(value.at(name), name):
            made[name] = given
    return made


def over_workspaces(draft: Draft, task: Task, places: Container[str]) -> None:
    """Report mounts of a task where it has an input or output on the run's volume: Tekton takes no such task (DF803)."""
    for index, step in enumerate(task.steps):
        for at, one in enumerate(step.volume_mounts):
            if normpath(one.mount_path) in places:
                path = f"task.{task.name}.steps[{index}].volumeMounts[{at}].mountPath"
                draft.found.append(_on_the_volume(one, path))


def _of_tekton(place: str) -> bool:
    """Return whether a place in a container is one that Tekton has for itself, where nothing else may be mounted."""
    parts = normpath(place).strip("/").split("/")
    return parts[0] == "tekton" and parts[1:2] != ["home"]


def devices(fields: Fields, value: Value | None, called: Mapping[str, str]) -> list[Object]:
    """Return the block devices of a step; a variable in them is in `draft.found` afterwards."""
    given: list[Object] = fields.unfilled(value, "volumeDevices") or []
    return [{**one, "name": called.get(one.get("name", ""), "")} for one in given if isinstance(one, dict)]


def _not_there(one: VolumeMount, path: str) -> Diagnostic:
    place = one.value.at("mountPath") or one.value
    return Diagnostic(
        "DF803",
        Severity.ERROR,
        f"Tekton lets nothing be mounted at {one.mount_path}: what is below /tekton is its own, but for /tekton/home",
        place.span,
        help="mount the volume elsewhere",
        path=path,
    )


def _on_the_volume(one: VolumeMount, path: str) -> Diagnostic:
    place = one.value.at("mountPath") or one.value
    return Diagnostic(
        "DF803",
        Severity.ERROR,
        f"{one.mount_path} is an input or output that passes between tasks on a volume, and Tekton lets no other be mounted there",
        place.span,
        help="mount the volume elsewhere; inputs that are cloned are on no volume with --workspace emptydir",
        path=path,
    )


def _free(name: str) -> str:
    """Return a volume's name without the beginning that Tekton keeps for itself."""
    is_reserved = names.plain(name).startswith(RESERVED)
    return names.hashed(f"volume {name}") if is_reserved else name
