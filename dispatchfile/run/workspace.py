"""Where everything of a task lies: one volume of the engine, laid out here, of which each step sees the parts.

    SCRATCH/workspace/           /workspace, with output/N for each output
    SCRATCH/home/                /tekton/home and /builder/home; .docker and image-outputs in it
    SCRATCH/volumes/I/           the task's own volumes
    SCRATCH/views/I/{upper,work} what the task changed in its I-th input, and the overlay's work directory

What every task has comes from the image of a container that is never started, the holder: the engine copies it into
the new volume. The rest is written by one upload through the holder; results are read the same way. So nothing here needs to share a file system with the engine, and no file of it belongs to the user's tree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.run.archive import Archive
from dispatchfile.run.backend import Mount, TaskSpec, VolumeSpec

HOME = "/tekton/home"
WORKSPACE = "/workspace"
SCRATCH = "/scratch"
# Where tools look for the registry's credentials: HOME/.docker, and places that images fix themselves.
DOCKER_CONFIGS = ("/workspace/output/.docker", "/root/.docker", "/kaniko/.docker")

MountConfig = dict[str, Any]

_ONE_PART = re.compile(r"[^/\x00]+")


class Scratch(Record):
    """A task's volume: its name, where the engine keeps it, and the holder container that reaches it."""

    volume: str
    mountpoint: str
    holder: str

    def bind(self, inner: str, target: str, *, read_only: bool = False) -> MountConfig:
        """Return the mount of a directory of the volume at `target`."""
        return bind(f"{self.mountpoint}/{inner}", target, read_only=read_only)


def bind(source: str, target: str, *, read_only: bool = False) -> MountConfig:
    """Return a bind mount of a path on the engine's machine."""
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def volume(name: str, target: str, *, read_only: bool = False, copy: bool = False) -> MountConfig:
    """Return a mount of a named volume; what the image holds there is copied into an empty one only when asked."""
    options = {"NoCopy": not copy}
    return {
        "Type": "volume",
        "Source": name,
        "Target": target,
        "ReadOnly": read_only,
        "VolumeOptions": options,
    }


def base_layout(archive: Archive, below: str = "") -> None:
    """Add what every task has."""
    for path in ("workspace/output/.docker", "home/image-outputs", "volumes", "views"):
        archive.directory(f"{below}{path}")
    archive.file(f"{below}home/.docker/config.json", b"{}\n")


def task_layout(archive: Archive, spec: TaskSpec) -> None:
    """Add what this task has: a directory for each input, output and volume."""
    for resource in spec.inputs:
        archive.directory(f"workspace/{path_part(resource.name, 'resource')}")
    for output in spec.outputs:
        name = path_part(output.name, "resource")
        archive.directory(f"workspace/output/{name}")
        archive.directory(f"home/image-outputs/{name}")
    for index, item in enumerate(spec.volumes):
        archive.directory(f"volumes/{index}")
        for name, content in item.files.items():
            archive.file(f"volumes/{index}/{path_part(name, 'secret key')}", content, 0o644)


def shared_mounts(scratch: Scratch) -> list[MountConfig]:
    """Return the mounts that every step has: the workspace and the home directory under all its names."""
    return [
        scratch.bind("workspace", WORKSPACE),
        scratch.bind("home", HOME),
        scratch.bind("home", "/builder/home"),
        *(scratch.bind("home/.docker", place) for place in DOCKER_CONFIGS),
    ]


def volume_mounts(
    scratch: Scratch, volumes: Sequence[VolumeSpec], mounts: Sequence[Mount]
) -> list[MountConfig]:
    """Return the mounts of a step's own volumeMounts. Raises UsageError for one that names no volume of the task."""
    places = {item.name: index for index, item in enumerate(volumes)}
    made: list[MountConfig] = []
    for mount in mounts:
        if mount.volume not in places:
            known = ", ".join(places) or "none"
            raise UsageError(
                f'the step mounts the volume "{mount.volume}", which its task does not have (it has {known})'
            )
        index = places[mount.volume]
        item = volumes[index]
        below = inner_path(mount.sub_path)
        source = item.host_path if item.kind == "host" else f"{scratch.mountpoint}/volumes/{index}"
        target = str(PurePosixPath(WORKSPACE, mount.path))
        read_only = mount.read_only or item.kind == "files"
        made.append(bind(f"{source.rstrip('/')}/{below}".rstrip("/") or "/", target, read_only=read_only))
    return made


def inner_directories(volumes: Sequence[VolumeSpec], mounts: Sequence[Mount]) -> Archive:
    """Return an upload with the sub paths that a step mounts, which need not be there yet.

    The engine puts a directory in the place of a link of that name: no step can lead the next one out of the volume.
    """
    places = {item.name: index for index, item in enumerate(volumes) if item.kind == "empty"}
    archive = Archive()
    for mount in mounts:
        if mount.sub_path and mount.volume in places:
            archive.directory(f"volumes/{places[mount.volume]}/{inner_path(mount.sub_path)}")
    return archive


def merged(shared: Sequence[MountConfig], own: Sequence[MountConfig]) -> list[MountConfig]:
    """Return all mounts; a step's own one at a path takes the place of the shared one."""
    by_target: Mapping[str, MountConfig] = {mount["Target"]: mount for mount in (*shared, *own)}
    return list(by_target.values())


def path_part(name: str, what: str) -> str:
    """Return a name that is to be one part of a path. Raises UsageError when it is more, or leaves its directory."""
    if name in (".", "..") or not _ONE_PART.fullmatch(name):
        raise UsageError(
            f'the {what} name "{name}" cannot be a directory name', help="use letters, digits, - and ."
        )
    return name


def inner_path(path: str) -> str:
    """Return a relative path that stays below where it starts. Raises UsageError when it does not."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts:
        raise UsageError(f'the subPath "{path}" must be relative and must not contain ".."')
    return "/".join(parts)
