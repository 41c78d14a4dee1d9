"""The volumes of tasks, made ahead of need: where the files of a task lie, and the container that reaches them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dispatchfile.run.archive import Archive
from dispatchfile.run.connect import asking
from dispatchfile.run.pause import PAUSE_IMAGE
from dispatchfile.run.workspace import SCRATCH, WORKSPACE, Scratch, base_layout, volume

if TYPE_CHECKING:
    from docker import APIClient


class Seats:
    """A few seats ahead: the volume of a task that is still to come, on its way."""

    def __init__(
        self, client: APIClient, workers: ThreadPoolExecutor, labels: Mapping[str, str], tasks: int
    ) -> None:
        self._client = client
        self._workers = workers
        self._labels = dict(labels)
        self._to_come = tasks
        self._made = 0
        self._copied: bool | None = None
        self._lock = threading.Lock()
        self._ready: list[Future[Scratch]] = []

    def prepare(self, ahead: int) -> None:
        """Begin making seats until so many are ahead, or no task is left that could want one."""
        with self._lock:
            while self._to_come > 0 and len(self._ready) < ahead:
                self._ready.append(self._begin())

    def take(self) -> Future[Scratch]:
        """Return a seat, which may still be in the making."""
        with self._lock:
            return self._ready.pop(0) if self._ready else self._begin()

    def rest(self) -> list[Scratch]:
        """Return the seats that nobody took, for removal; those that could not be made hold nothing to remove."""
        with self._lock:
            self._to_come = 0
            ready, self._ready = self._ready, []
        return [seat.result() for seat in ready if seat.exception() is None]

    def _begin(self) -> Future[Scratch]:
        self._to_come -= 1
        self._made += 1
        return self._workers.submit(self._make, self._made)

    def _make(self, number: int) -> Scratch:
        name = f"dispatchfile-{self._labels['dispatchfile.run']}-{number}"
        with asking("make the workspace of a task"):
            mountpoint = self._client.create_volume(f"{name}-volume", labels=self._labels)["Mountpoint"]
            mounts = [volume(f"{name}-volume", SCRATCH, copy=True)]
            holder = make_holder(self._client, f"{name}-holder", self._labels, mounts)
            self._lay(holder)
        return Scratch(volume=f"{name}-volume", mountpoint=mountpoint, holder=holder)

    def _lay(self, holder: str) -> None:
        """Lay what every task has, where the engine did not copy it from the image into the new volume."""
        if self._copied is None:
            self._copied = path_exists(self._client, holder, f"{SCRATCH}{WORKSPACE}")
        if not self._copied:
            archive = Archive()
            base_layout(archive)
            self._client.put_archive(holder, SCRATCH, archive.bytes())


def make_holder(
    client: APIClient, name: str | None, labels: Mapping[str, str], mounts: list[dict[str, Any]]
) -> str:
    """Return a new container that is never started: files go in and out of what it mounts."""
    config = {
        "Image": PAUSE_IMAGE,
        "Labels": dict(labels),
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}, "Mounts": mounts},
    }
    return str(client.create_container_from_config(config, name)["Id"])


def path_exists(client: APIClient, container: str, path: str) -> bool:
    """Return whether a container, or a volume in it, has something at a path."""
    return bool(path_stat(client, container, path))


def path_stat(client: APIClient, container: str, path: str) -> str:
    """Return name, size, mode and time of change of a path in a container, as the engine words it; "" without one."""
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/archive"
    answer = client.head(url, params={"path": path}, timeout=60)
    if answer.status_code not in (200, 404):
        answer.raise_for_status()
    return str(answer.headers.get("X-Docker-Container-Path-Stat", "{}")) if answer.status_code == 200 else ""
