"""How an application stands: its objects, what was found wrong, and what was done. The words are Argo CD's (3.6)."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, TypeAlias

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Key, Object

    Sync: TypeAlias = Literal["Synced", "OutOfSync", "Unknown"]
    Health: TypeAlias = Literal["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"]
    Phase: TypeAlias = Literal["Running", "Succeeded", "Failed", "Error"]
    Done: TypeAlias = Literal["Synced", "SyncFailed", "Pruned", "PruneSkipped"]

# Of many, the one that stands last here tells how the whole is (Argo CD 3.6, "Resource Health").
_WORSE: tuple[Health, ...] = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")


class Resource(Record):
    """An object of an application.

    `wanted` is what the repository says, None for what it does not hold any more; `live` is what there is, told as the
    same kind of object, None when it is missing. `unknown` says that the engine does not know this kind. A Secret's
    values are in neither: `diff.hidden` has put fingerprints in their place. `health` is None for kinds without one.
    """

    key: Key
    sync: Sync
    health: Health | None = None
    message: str = ""
    wanted: Object | None = None
    live: Object | None = None
    unknown: bool = False
    place: str = ""

    @property
    def to_prune(self) -> bool:
        """Return whether it is there and not wanted any more."""
        return self.wanted is None


class Result(Record):
    """What a sync did with an object."""

    key: Key
    done: Done
    message: str = ""


class Condition(Record):
    """Something wrong with the application as a whole, such as ComparisonError, SyncError, OrphanedResourceWarning."""

    type: str
    message: str


class Operation(Record):
    """The last sync, or the one that is going on. Times are seconds since 1970; `by` is "user" or "agent"."""

    phase: Phase
    revision: str
    started: float
    by: str = "user"
    finished: float | None = None
    message: str = ""
    results: tuple[Result, ...] = ()

    @property
    def running(self) -> bool:
        """Return whether it is going on."""
        return self.phase == "Running"

    @property
    def failed(self) -> bool:
        """Return whether it ended otherwise than it should have."""
        return self.phase in ("Failed", "Error")


class Deployment(Record):
    """An entry of the history: a sync that succeeded. `number` counts from 0 and is what `rollback` takes."""

    number: int
    revision: str
    deployed: float
    by: str = "user"
    subject: str = ""
    images: tuple[str, ...] = ()


class View(Record):
    """All that is known of an application at one moment.

    `revision` is the commit that its revision means now, `subject` the first line of its message, `synced` the commit
    that was synced last; "" is not known.
    """

    app: App
    sync: Sync
    health: Health
    revision: str = ""
    synced: str = ""
    resources: tuple[Resource, ...] = ()
    conditions: tuple[Condition, ...] = ()
    operation: Operation | None = None
    urls: tuple[str, ...] = ()
    subject: str = ""

    @property
    def running(self) -> bool:
        """Return whether a sync is going on."""
        return self.operation is not None and self.operation.running

    @property
    def failed(self) -> bool:
        """Return whether it is degraded, or its last sync ended otherwise than it should have."""
        return self.health == "Degraded" or (self.operation is not None and self.operation.failed)


def overall_sync(resources: Iterable[Resource]) -> Sync:
    """Return how the whole stands beside the repository; kinds that the engine does not know do not count."""
    words = {resource.sync for resource in resources if not resource.unknown}
    return "Unknown" if "Unknown" in words else "OutOfSync" if "OutOfSync" in words else "Synced"


def overall_health(resources: Iterable[Resource]) -> Health:
    """Return the worst health of what is wanted and does not ask to be left out (argocd.argoproj.io/ignore-healthcheck).

    What is missing counts, though Argo CD 3.6 calls an application Healthy for as long as one object of it is there.
    """
    words = (one.health for one in resources if not one.to_prune and not _is_left_out(one.live))
    return max((word for word in words if word), key=_WORSE.index, default="Healthy")


def _is_left_out(live: Object | None) -> bool:
    metadata = live.get("metadata") if live else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return (
        isinstance(annotations, dict) and annotations.get("argocd.argoproj.io/ignore-healthcheck") == "true"
    )
