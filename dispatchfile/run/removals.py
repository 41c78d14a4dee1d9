"""What a run no longer needs is removed beside what it does next; only its end waits until all of it is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from dispatchfile.run.connect import asking
from dispatchfile.run.networks import Network
from dispatchfile.run.sweep import discard

if TYPE_CHECKING:
    from docker import APIClient


class Removals:
    """The removals of a run, each begun at once and done by a worker."""

    def __init__(self, client: APIClient, workers: ThreadPoolExecutor) -> None:
        self._client = client
        self._workers = workers
        self._begun: list[Future[None]] = []
        self._held_back: SimpleQueue[tuple[Sequence[str], ...]] = SimpleQueue()

    def begin(self, remove: Callable[..., None], *what: object) -> Future[None]:
        """Begin some work of this kind."""
        removal = self._workers.submit(remove, *what)
        self._begun.append(removal)
        return removal

    def container(self, container: str) -> Future[None]:
        """Begin to remove a container, running or not."""
        return self.begin(self._container, container)

    def network(self, network: Network) -> None:
        """Begin to remove a network that no step is in any more; one that could not be made holds nothing."""
        self.begin(self._network, network)

    def all(self, containers: Sequence[str], volumes: Sequence[str], images: Sequence[str]) -> None:
        """Begin to remove containers, and what they held once they are gone, in this order."""
        removals = [self.container(container) for container in containers]
        self.begin(self._held, removals, volumes, images)

    def hold_back(self, *what: Sequence[str]) -> None:
        """Remember what `all` takes, so that it is not in the way of the task that starts now."""
        self._held_back.put(what)

    def begin_held_back(self) -> None:
        """Begin what was held back."""
        while True:
            try:
                what = self._held_back.get_nowait()
            except Empty:
                return
            self.all(*what)

    def failed(self) -> bool:
        """Return, once all are done, whether any could not do its work."""
        wait(self._begun)
        return any(removal.exception() for removal in self._begun)

    def _container(self, container: str) -> None:
        with asking("remove a container"):
            discard(self._client.remove_container, container, force=True, v=True)

    def _network(self, network: Network) -> None:
        if network.container.exception() is None:
            self._container(network.container.result())

    def _held(self, removals: Sequence[Future[None]], volumes: Sequence[str], images: Sequence[str]) -> None:
        wait(removals)  # they were begun before, so that workers are on them
        with asking("remove what a task used"):
            for name in volumes:
                discard(self._client.remove_volume, name, force=True)
            for image in images:
                discard(self._client.remove_image, image, force=True)
