"""Networks and volumes for tasks, made ahead of need: starting a network takes longer than anything else in a task."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dispatchfile.record import Record
from dispatchfile.run.archive import Archive
from dispatchfile.run.connect import asking
from dispatchfile.run.pause import PAUSE_IMAGE
from dispatchfile.run.workspace import SCRATCH, Scratch, base_layout, volume

if TYPE_CHECKING:
    from docker import APIClient


class Seat(Record):
    """What a task needs before it has any content, on its way: the container of its network beside its volume.

    `laid` tells whether the volume holds what every task has; the first seat's is left to its task, which comes at
    once and then needs one upload instead of two.
    """

    network: Future[str]
    scratch: Future[Scratch]
    laid: bool


class Seats:
    """A few seats ahead, at most as many as tasks are still to come and processors are there."""

    def __init__(
        self,
        client: APIClient,
        workers: ThreadPoolExecutor,
        labels: Mapping[str, str],
        network: str,
        tasks: int,
    ) -> None:
        self._client = client
        self._workers = workers
        self._labels = dict(labels)
        self._network = network
        self._to_come = tasks
        self._made = 0
        self._lock = threading.Lock()
        self._ready: list[Seat] = []

    def prepare(self) -> None:
        """Begin making seats, as far ahead as is useful."""
        with self._lock:
            while self._to_come > 0 and len(self._ready) < (os.cpu_count() or 1):
                self._ready.append(self._begin())

    def take(self) -> Seat:
        """Return a seat, which may still be in the making, and begin the next."""
        with self._lock:
            seat = self._ready.pop(0) if self._ready else self._begin()
        self.prepare()
        return seat

    def rest(self) -> list[Seat]:
        """Return the seats that nobody took, for removal; those that could not be made hold nothing to remove."""
        with self._lock:
            self._to_come = 0
            ready, self._ready = self._ready, []
        return [seat for seat in ready if seat.scratch.exception() is None]

    def _begin(self) -> Seat:
        self._to_come -= 1
        self._made += 1
        number = self._made
        return Seat(
            network=self._workers.submit(self._make_network, number),
            scratch=self._workers.submit(self._make_scratch, number, lay=number > 1),
            laid=number > 1,
        )

    def _name(self, number: int, part: str) -> str:
        return f"dispatchfile-{self._labels['dispatchfile.run']}-{number}-{part}"

    def _make_network(self, number: int) -> str:
        config: dict[str, Any] = {"Image": PAUSE_IMAGE, "Labels": self._labels, "Hostname": "task"}
        config["HostConfig"] = {"NetworkMode": self._network or "default", "LogConfig": {"Type": "none"}}
        with asking("start the network of a task"):
            container = str(
                self._client.create_container_from_config(config, self._name(number, "network"))["Id"]
            )
            self._client.start(container)
        return container

    def _make_scratch(self, number: int, *, lay: bool) -> Scratch:
        name = self._name(number, "volume")
        with asking("make the workspace of a task"):
            mountpoint = self._client.create_volume(name, labels=self._labels)["Mountpoint"]
            holder = make_holder(
                self._client, self._name(number, "holder"), self._labels, [volume(name, SCRATCH)]
            )
            if lay:
                archive = Archive()
                base_layout(archive)
                self._client.put_archive(holder, SCRATCH, archive.bytes())
        return Scratch(volume=name, mountpoint=mountpoint, holder=holder)


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
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/archive"
    answer = client.head(url, params={"path": path}, timeout=60)
    if answer.status_code not in (200, 404):
        answer.raise_for_status()
    return answer.status_code == 200
