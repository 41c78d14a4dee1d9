"""What an engine does for an application that this program itself brings about (local, kube)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Manifest
    from dispatchfile.apps.status import Resource, Result

    Say = Callable[[str], None]


class Engine(Protocol):
    """A place where applications run. Every method raises EnvironmentProblem when it cannot be reached or refuses all.

    `wanted` is always the whole of what the repository holds; objects refer to each other.
    """

    def observe(self, app: App, wanted: Sequence[Manifest]) -> Sequence[Resource]:
        """Return how each wanted object stands, in their order, and then what is there of `app` and not wanted."""

    def apply(
        self,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Sequence[Manifest],
        say: Say,
        until: float = float("inf"),
    ) -> Sequence[Result]:
        """Bring `chosen` about, in their order; return what was done with each.

        Nothing is waited for beyond `until` (time.monotonic).

        Rolling replacement is part of it: it returns when what it changed serves, or cannot. What is as wanted is not
        touched. It can be called again after it was killed at any moment. One object's failure ends no other's.
        """

    def prune(self, app: App, gone: Sequence[Resource], say: Say) -> Sequence[Result]:
        """Remove objects that are not wanted any more."""

    def tend(self, app: App, wanted: Sequence[Manifest], say: Say) -> float:
        """Do what has to be done between syncs (schedules, liveness); return the seconds until it is to be called again.

        An engine that has a controller of its own for that has nothing to do and returns infinity.
        """

    def delete(self, app: App, say: Say, *, data: bool) -> None:
        """Remove all that is there of `app`; what its volumes hold only with `data`."""

    def urls(self, app: App) -> Sequence[str]:
        """Return the addresses at which the application answers from this machine."""

    def close(self) -> None:
        """Let go of connections."""
