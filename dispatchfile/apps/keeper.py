"""The verbs of `gitops app` on one application, whoever does the work: this program, or Argo CD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.status import Deployment, View

    Say = Callable[[str], None]


class SyncRequest(Record):
    """What a sync is asked to do. `revision` is another than the application's for this once.

    `only` are the objects to sync, as KIND/NAME or GROUP:KIND:NAME; all when empty.
    """

    revision: str = ""
    prune: bool | None = None
    dry_run: bool = False
    strict: bool | None = None
    only: tuple[str, ...] = ()
    by: str = "user"
    timeout: float = 600.0


class Keeper(Protocol):
    """The verbs. Every method raises EnvironmentProblem, and UsageError for what it is asked."""

    def create(self, app: App, *, upsert: bool) -> None:
        """Begin to keep an application; `upsert` lets one of that name be changed."""

    def view(self, name: str) -> View:
        """Return how it stands by what is known, looking at what runs, but asking no repository."""

    def refresh(self, name: str, *, hard: bool = False) -> View:
        """Ask the repository anew, compare, and return how it stands; `hard` forgets what was rendered before."""

    def sync(self, name: str, request: SyncRequest, say: Say) -> View:
        """Bring about what the repository wants."""

    def history(self, name: str) -> Sequence[Deployment]:
        """Return what was deployed, the oldest first."""

    def rollback(self, name: str, number: int, say: Say, *, prune: bool) -> View:
        """Bring about what a deployment of the history was. Raises UsageError while auto-sync is on, as Argo CD does."""

    def change(self, app: App, say: Say) -> View:
        """Keep the application as it is given now; auto-sync that was off and is on brings the repository's state back."""

    def delete(self, name: str, say: Say, *, cascade: bool, data: bool) -> None:
        """Forget the application; `cascade` removes what runs of it, `data` also what its volumes hold."""
