"""What is laid into volumes, as the archive that the engine takes."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatchfile.apps.local.volumes import Volume


def archive(volumes: list[tuple[str, Volume]]) -> bytes:
    """Return the folders and files of volumes, each below its place; all may read them, as the kubelet lays them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for place, volume in volumes:
            known = {""}
            _directory(tar, place, 0o755 if volume.files is not None else 0o777, volume.group)
            for path, file in sorted((volume.files or {}).items()):
                parents = path.split("/")[:-1]
                for depth in range(1, len(parents) + 1):
                    if (parent := "/".join(parents[:depth])) not in known:
                        known.add(parent)
                        _directory(tar, f"{place}/{parent}", 0o755, volume.group)
                member = tarfile.TarInfo(f"{place}/{path}")
                # Kubernetes: the group of fsGroup may read what the owner may.
                member.mode = file.mode | ((file.mode & 0o500) >> 3 if volume.group else 0)
                member.size, member.gid = len(file.data), volume.group
                tar.addfile(member, io.BytesIO(file.data))
    return buffer.getvalue()


def _directory(tar: tarfile.TarFile, path: str, mode: int, group: int) -> None:
    member = tarfile.TarInfo(path)
    member.type, member.gid = tarfile.DIRTYPE, group
    member.mode = mode | (0o2000 if group else 0)
    tar.addfile(member)
