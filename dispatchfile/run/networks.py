"""The networks of tasks: each a container that does nothing but hold a namespace, which the steps of a task join.

Starting one takes longer than anything else in a task. So those of the first tasks are begun with the run, and a task
hands its network on to one that comes after it. What is handed on is as it was made: nothing runs in it any more, no
privileged step was in it, and the files that all containers in it share are untouched.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dispatchfile.run.connect import asking
from dispatchfile.run.pause import PAUSE_IMAGE
from dispatchfile.run.seats import path_stat

if TYPE_CHECKING:
    from docker import APIClient

HOSTNAME = "task"
# A container that joins another's network has the same three files as that one.
SHARED_FILES = ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname")

Stats = tuple[str, ...]
TOUCHED: Stats = ()
"""What is known of a network that cannot be handed on, after all."""


class Network:
    """A network on its way: its container, and what the shared files were before any step ran in it.

    A container can be created in a network before all is known of it, but nothing may start there unless `is_fresh`.
    """

    def __init__(self) -> None:
        self.container: Future[str] = Future()
        self.fresh: Future[Stats] = Future()

    def is_fresh(self) -> bool:
        """Return, as soon as that is known, whether the network is as it was made. Raises EnvironmentProblem."""
        return self.fresh.result() != TOUCHED


class Networks:
    """The networks of a run, each of one task at a time."""

    def __init__(
        self,
        client: APIClient,
        workers: ThreadPoolExecutor,
        labels: Mapping[str, str],
        driver: str,
    ) -> None:
        self._client = client
        self._workers = workers
        self._labels = dict(labels)
        self._driver = driver
        self._lock = threading.Lock()
        self._made = 0
        self._ready: list[Network] = []
        self._used: list[Network] = []

    def prepare(self, ahead: int) -> None:
        """Begin some networks ahead of need."""
        for _ in range(ahead):
            network = self.begin()
            with self._lock:
                self._ready.append(network)

    def take(self, *, alone: bool) -> Network | None:
        """Return a network for a task; None when the task can do without one and none is there."""
        with self._lock:
            if self._ready:
                return self._ready.pop(0)
            used = self._used.pop(0) if self._used else None
        if used is not None:
            network = Network()
            self._workers.submit(self._hand_on, used, network)
            return network
        return None if alone else self.begin()

    def give_back(self, network: Network) -> None:
        """Take a network from a task all of whose steps have ended by themselves."""
        with self._lock:
            self._used.append(network)

    def rest(self) -> list[Network]:
        """Return the networks that no task holds, for removal."""
        with self._lock:
            rest = [*self._ready, *self._used]
            self._ready, self._used = [], []
        return rest

    def begin(self) -> Network:
        """Return a new network, which is being made."""
        network = Network()
        self._workers.submit(self._make, network)
        return network

    def _stats(self, container: str) -> Stats:
        return tuple(path_stat(self._client, container, path) for path in SHARED_FILES)

    def _hand_on(self, used: Network, network: Network) -> None:
        """Let `network` be the used one, and see meanwhile whether that is still as it was."""
        try:
            network.container.set_result(container := used.container.result())
            with asking("look at the network of a task"):
                same = self._stats(container) == used.fresh.result()
            network.fresh.set_result(used.fresh.result() if same else TOUCHED)
        except Exception as error:  # noqa: BLE001 it is raised where the network is waited for
            _fail(network, error)

    def _make(self, network: Network) -> None:
        try:
            container = self._start()
            network.container.set_result(container)
            with asking("look at the network of a task"):
                network.fresh.set_result(self._stats(container))
        except Exception as error:  # noqa: BLE001 it is raised where the network is waited for
            _fail(network, error)

    def _start(self) -> str:
        with self._lock:
            self._made += 1
            name = f"dispatchfile-{self._labels['dispatchfile.run']}-{self._made}-network"
        config: dict[str, Any] = {"Image": PAUSE_IMAGE, "Labels": self._labels, "Hostname": HOSTNAME}
        config["HostConfig"] = {"NetworkMode": self._driver or "default", "LogConfig": {"Type": "none"}}
        with asking("start the network of a task"):
            container = str(self._client.create_container_from_config(config, name)["Id"])
            self._client.start(container)
        return container


def _fail(network: Network, error: Exception) -> None:
    for future in (network.container, network.fresh):
        if not future.done():
            future.set_exception(error)
