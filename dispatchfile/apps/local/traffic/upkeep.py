"""Bring a proxy's container to what it is to be: made, started, changed while it runs, or left alone."""

from __future__ import annotations

import hashlib
import itertools
import threading
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import APP, HASH, OBJECT, PROXY, ROLE, network_name
from dispatchfile.apps.local.owned import remove_own
from dispatchfile.apps.local.traffic import haproxy, proxy, publish
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.run.connect import asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from docker import APIClient

    from dispatchfile.apps.local.traffic.haproxy import Config
    from dispatchfile.apps.local.traffic.kept import Kept
    from dispatchfile.apps.local.traffic.publish import Wish

IMAGE = "dispatchfile.image"
"""The id of the image that a proxy was made of."""
PUBLISHED = "dispatchfile.published"
_VERSION = 1
"""Of how a container is made; another one makes all of them anew."""
_LEAVING = ".old"
_GOODBYE_S = 5
"""Seconds for which the connections of a proxy that gave way to another may go on."""


class Want(Record):
    """A proxy as it is to be: of which object, by which names it is found, which ports of the machine are its own."""

    name: str
    object: str
    config: Config
    aliases: tuple[str, ...]
    wishes: tuple[Wish, ...] = ()

    @property
    def shape(self) -> str:
        """Return a fingerprint of all that only another container could have."""
        return _digest((_VERSION, self.object, self.aliases, self.wishes))

    @property
    def orders(self) -> str:
        """Return a fingerprint of what it is to do."""
        return _digest(self.config)


class Maker:
    """Makes and changes the proxies of an application; each by one thread at a time."""

    def __init__(self, client: APIClient, app: str, kept: Kept, image: str) -> None:
        self._client = client
        self._app = app
        self._kept = kept
        self._chosen = image
        self._image: tuple[str, str] | None = None
        self._publishing = threading.Lock()  # or two would choose one port
        self._looking = threading.Lock()
        self._texts: dict[str, str] = {}
        """The files of proxies, as far as they are known: nobody else writes them while the application is locked."""
        self._leaving: dict[str, set[tuple[str, int]]] = {}
        """Places, by proxy, that pods have left and whose connections still last."""

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return the proxies that are there, by name. Raises EnvironmentProblem."""
        labels = [f"{APP}={self._app}", f"{ROLE}={PROXY}"]
        with asking("list the proxies of the application"):
            found = self._client.containers(all=True, filters={"label": labels})
        return {item["Names"][0].lstrip("/"): item for item in found}

    def bring(self, want: Want, item: Mapping[str, Any] | None) -> bool:
        """Let a proxy be what it is to be; `item` is what is there of it. Return whether anything was done.

        Raises EnvironmentProblem.
        """
        if item is None or faults(item, want.shape):
            self._make(want, item)
        elif item["State"] != "running":
            with asking(f"start the proxy {want.name}"):
                (self._client.unpause if item["State"] == "paused" else self._client.start)(want.name)
            proxy.wait_for(self._client, want.name, self._text(want.name))
            self.order(want)
        elif self._kept.given(want.name) != want.orders:
            self.order(want)
        else:
            return False
        return True

    def order(self, want: Want) -> None:
        """Let a proxy that runs do what it is to do. Raises EnvironmentProblem."""
        busy: dict[str, set[int]] = {}
        for backend, number in self._leaving.get(want.name, ()):
            busy.setdefault(backend, set()).add(number)
        old = self._text(want.name)
        self._texts.pop(want.name, None)  # until it is known again
        self._texts[want.name] = proxy.update(self._client, want.name, old, want.config, busy)
        self._kept.give(want.name, want.orders)

    def places(self, name: str, host: str) -> set[tuple[str, int]]:
        """Return the places of a pod in a proxy: backend, and number from 0."""
        return {
            (backend, number)
            for backend, places in haproxy.places_in(self._text(name)).items()
            for number, server in enumerate(places)
            if server is not None and server.host == host
        }

    def leave(self, name: str, places: set[tuple[str, int]]) -> None:
        """Give nobody these places until they are `freed`."""
        self._leaving.setdefault(name, set()).update(places)

    def freed(self, name: str, places: set[tuple[str, int]]) -> None:
        """Let others have these places."""
        self._leaving.get(name, set()).difference_update(places)

    def remove(self, name: str) -> None:
        """Remove a proxy, at once."""
        self._discard(name)
        self._texts.pop(name, None)
        self._kept.give(name, None)

    def _text(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = proxy.read(self._client, name)
        return self._texts[name]

    def _make(self, want: Want, item: Mapping[str, Any] | None) -> None:
        image, image_id = self._known_image()
        places = {backend.name: haproxy.seat(backend, ()) for backend in want.config.backends}
        text = haproxy.text_of(want.config, places)
        labels = {APP: self._app, ROLE: PROXY, OBJECT: want.object, HASH: want.shape, IMAGE: image_id}
        with self._publishing if want.wishes else nullcontext():
            choices = self._choices(want, item)
            first = next(choices)  # who cannot have its port takes nothing away
            self._step_aside(want, item)
            for chosen in itertools.chain([first], choices):
                given = {**labels, PUBLISHED: spelled(chosen)}
                plan = proxy.Plan(want.name, image, network_name(self._app), want.aliases, given, chosen)
                try:
                    proxy.create(self._client, plan, text)
                except proxy.PortTaken:
                    continue
                break
        self._texts[want.name] = text
        self._kept.publish(want.name, chosen)
        self._kept.give(want.name, want.orders)
        if item is not None:
            self._discard(want.name + _LEAVING, patience=_GOODBYE_S)

    def _step_aside(self, want: Want, item: Mapping[str, Any] | None) -> None:
        """Let a proxy that is to be replaced serve on beside the new one, or make room where both need a port."""
        if item is None:
            return
        self._discard(want.name + _LEAVING)
        if want.wishes and publish.published_in(item):
            self._discard(want.name)
        else:
            with asking(f"rename the proxy {want.name}"):
                self._client.rename(want.name, want.name + _LEAVING)

    def _choices(self, want: Want, item: Mapping[str, Any] | None) -> Iterator[tuple[tuple[int, int], ...]]:
        """Yield ports to publish until they are taken by nobody. Raises EnvironmentProblem when there are none."""
        if not want.wishes:
            yield ()
            return
        holders = publish.Holders(self._client, item)
        before = self._kept.published(want.name)
        refused: set[int] = set()
        while True:
            chosen: list[tuple[int, int]] = []
            for wish in want.wishes:
                for port in publish.candidates(wish, before.get(wish.inside, 0), want.name):
                    holder = "another program" if port in refused else holders.of(port)
                    if not holder and all(port != other for _, other in chosen):
                        chosen.append((wish.inside, port))
                        break
                    if wish.fixed:
                        raise EnvironmentProblem(
                            f"port {port} of this machine is held by {holder or 'this Service already'}",
                            help="free it, or name another nodePort, or none",
                        )
                else:
                    raise EnvironmentProblem(
                        f"no port from {publish.RANGE.start} to {publish.RANGE.stop - 1} is free on this machine"
                    )
            yield tuple(chosen)
            refused.update(port for _, port in chosen)

    def _known_image(self) -> tuple[str, str]:
        from dispatchfile.run.images import inspect_image

        with self._looking:
            if self._image is None:
                ref = proxy.image_of(self._client, self._chosen)
                found = inspect_image(self._client, ref)
                self._image = ref, str((found or {}).get("Id", ""))
            return self._image

    def _discard(self, name: str, patience: int = 0) -> None:
        import docker

        with asking(f"remove the proxy {name}"):
            if patience:
                with suppress(docker.errors.NotFound):
                    self._client.stop(name, timeout=patience)
            remove_own(self._client, name, self._app)


def faults(item: Mapping[str, Any], shape: str) -> list[str]:
    """Return what is not so in a listed proxy that only another container can mend."""
    labels = item.get("Labels") or {}
    found = []
    if labels.get(HASH) != shape:
        found.append("its proxy is another")
    if labels.get(IMAGE) != item.get("ImageID"):
        found.append("its proxy has another image")
    state = item.get("State")
    if state in ("created", "dead", "removing"):
        found.append(f"its proxy is {state}")
    if state == "running" and spelled(publish.published_in(item)) != labels.get(PUBLISHED):
        found.append("its proxy has other ports")
    return found


def spelled(ports: Iterable[tuple[int, int]]) -> str:
    """Return published ports as text: INSIDE:OUTSIDE, separated by commas."""
    return ",".join(f"{inside}:{outside}" for inside, outside in sorted(ports))


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
