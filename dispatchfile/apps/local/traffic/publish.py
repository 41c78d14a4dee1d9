"""Which ports of this machine's loopback are published: those asked for, and stable ones where any will do."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING

from dispatchfile.apps.local.labels import APP
from dispatchfile.record import Record
from dispatchfile.run.connect import asking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from docker import APIClient

RANGE = range(30000, 32768)
"""Kubernetes core/v1: where node ports are taken from."""


class Wish(Record):
    """A port of a proxy that is to be published. `fixed` is the one asked for; else `first`, or any other."""

    inside: int
    fixed: int = 0
    first: int = 0


class Holders:
    """Who holds ports of the engine's machine, of what one listing of all containers tells.

    Those of `giving_way`, a listed container that is about to go, are held by nobody.
    """

    def __init__(self, client: APIClient, giving_way: Mapping[str, Any] | None = None) -> None:
        with asking("list the published ports"):
            listed = client.containers()
        self._given = {port for _, port in published_in(giving_way or {})}
        self._names: dict[int, str] = {}
        for item in listed:
            for _, port in published_in(item):
                self._names.setdefault(port, _who(item))
        # An engine elsewhere has ports that cannot be tried from here; it says itself when one is taken.
        self._here = str(client.base_url).startswith("http+docker://")

    def of(self, port: int) -> str:
        """Return who holds a port, "" when it seems free."""
        if port in self._given:
            return ""
        if port in self._names:
            return self._names[port]
        return "another program of this machine" if self._here and not _can_be_bound(port) else ""


def candidates(wish: Wish, before: int, seed: str) -> Iterator[int]:
    """Yield ports for a wish, the best first: the fixed one alone, or what it was, the first choice, and stable others."""
    if wish.fixed:
        yield wish.fixed
        return
    yield from dict.fromkeys(port for port in (before, wish.first) if port)
    start = int.from_bytes(hashlib.sha256(f"{seed}:{wish.inside}".encode()).digest()[:4])
    yield from (RANGE[(start + step) % len(RANGE)] for step in range(len(RANGE)))


def fits(wishes: Sequence[Wish], published: Sequence[tuple[int, int]]) -> bool:
    """Return whether what is published is what is wished for."""
    return len(wishes) == len(published) and all(
        wish.inside == inside and wish.fixed in (0, outside)
        for wish, (inside, outside) in zip(wishes, published, strict=True)
    )


def published_in(item: Mapping[str, Any]) -> set[tuple[int, int]]:
    """Return the published ports of a listed container: the port inside, and the machine's."""
    ports = item.get("Ports") or ()
    return {(port["PrivatePort"], port["PublicPort"]) for port in ports if port.get("PublicPort")}


def _who(item: Mapping[str, Any]) -> str:
    name = (item.get("Names") or ["?"])[0].lstrip("/")
    app = (item.get("Labels") or {}).get(APP)
    return f"the container {name}" + (f" (application {app})" if app else "")


def _can_be_bound(port: int) -> bool:
    with socket.socket() as trying:
        # What a closed connection left behind is no holder.
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind(("127.0.0.1", port))
        except PermissionError:
            return True  # the engine may where this user may not
        except OSError:
            return False
    return True
