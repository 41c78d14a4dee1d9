"""An engine in memory, scripted: it does what engines do, and fails or lags where it is told to."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dispatchfile.apps.app import App
from dispatchfile.apps.diff import hidden
from dispatchfile.apps.manifest import Key, Manifest
from dispatchfile.apps.status import Resource, Result
from dispatchfile.errors import EnvironmentProblem

if TYPE_CHECKING:
    from dispatchfile.apps.manifest import Object
    from dispatchfile.apps.status import Health, Sync

Say = Callable[[str], None]
HEALTHLESS = {"ConfigMap", "Secret", "Service", "Namespace"}


class DummyEngine:
    """Objects live in `live`. `health` overrides what an object's health is, `refused` are names that cannot be applied.

    `calls` tells what was asked, as "apply Deployment/web"; `unknown` are kinds that it does not know.
    """

    def __init__(self) -> None:
        self.live: dict[Key, Object] = {}
        self.health: dict[str, Health] = {}
        self.refused: set[str] = set()
        self.unknown: set[str] = set()
        self.calls: list[str] = []
        self.down = ""
        self.during: Callable[[Manifest], None] = lambda _manifest: None
        self.data_removed = False
        self.closed = 0

    def observe(self, app: App, wanted: Sequence[Manifest]) -> list[Resource]:
        """Compare by equality."""
        self._answer()
        found = [self._resource(manifest) for manifest in wanted]
        keys = {manifest.key for manifest in wanted}
        extra = [
            Resource(key, "OutOfSync", self._health(key), live=hidden(copy.deepcopy(live)))
            for key, live in self.live.items()
            if key not in keys
        ]
        return found + extra

    def apply(
        self,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Sequence[Manifest],
        say: Say,
        until: float = math.inf,
    ) -> list[Result]:
        """Put the chosen objects in place."""
        self._answer()
        return [self._put(manifest, say) for manifest in chosen]

    def prune(self, app: App, gone: Sequence[Resource], say: Say) -> list[Result]:
        """Remove objects."""
        self._answer()
        for resource in gone:
            self.calls.append(f"prune {resource.key.kind}/{resource.key.name}")
            self.live.pop(resource.key, None)
        return [Result(resource.key, "Pruned", "pruned") for resource in gone]

    def tend(self, app: App, wanted: Sequence[Manifest], say: Say) -> float:
        """Return infinity."""
        self.calls.append("tend")
        return math.inf

    def delete(self, app: App, say: Say, *, data: bool) -> None:
        """Remove everything."""
        self._answer()
        self.live.clear()
        self.data_removed = data
        self.calls.append("delete")

    def urls(self, app: App) -> list[str]:
        """Return one address while anything lives."""
        return ["http://127.0.0.1:8080/"] if self.live else []

    def close(self) -> None:
        """Count."""
        self.closed += 1

    def _answer(self) -> None:
        if self.down:
            raise EnvironmentProblem(self.down, help="start it")

    def _health(self, key: Key) -> Health | None:
        return self.health.get(key.name, None if key.kind in HEALTHLESS else "Healthy")

    def _resource(self, manifest: Manifest) -> Resource:
        key, live = manifest.key, self.live.get(manifest.key)
        wanted = hidden(manifest.object)
        if key.kind in self.unknown:
            return Resource(
                key,
                "Unknown",
                message=f"{key.kind} is not known",
                wanted=wanted,
                unknown=True,
                place=manifest.place,
            )
        if live is None:
            return Resource(key, "OutOfSync", "Missing", wanted=wanted, place=manifest.place)
        sync: Sync = "Synced" if live == manifest.object else "OutOfSync"
        shown = hidden(copy.deepcopy(live))
        return Resource(key, sync, self._health(key), wanted=wanted, live=shown, place=manifest.place)

    def _put(self, manifest: Manifest, say: Say) -> Result:
        self._answer()
        key = manifest.key
        if key.kind in self.unknown:
            return Result(key, "SyncFailed", f"{key.kind} is not known")
        if key.name in self.refused:
            return Result(key, "SyncFailed", "the engine refused it")
        if self.live.get(key) == manifest.object:
            return Result(key, "Synced", "unchanged")
        self.calls.append(f"apply {key.kind}/{key.name}")
        self.live[key] = copy.deepcopy(manifest.object)
        self.during(manifest)
        say(f"{key}: applied")
        return Result(key, "Synced", "applied")
