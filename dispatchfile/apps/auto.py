"""When a sync is due that nobody asked for, by Argo CD's rules (3.6, "Automated Sync Policy")."""

from __future__ import annotations

from dispatchfile.apps.compare import FAILED
from dispatchfile.apps.keeper import SyncRequest
from dispatchfile.apps.waves import may_be_pruned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.keeper import Keeper
    from dispatchfile.apps.status import Resource, View

    Say = Callable[[str], None]


def reconcile(keeper: Keeper, app: App, say: Say, *, hard: bool = False, by: str = "agent") -> View:
    """Do what a controller does: look at the repository and at what runs, and sync when that is due.

    Argo CD has a controller of its own, which does it by itself. Raises what the keeper's methods do.
    """
    view = keeper.refresh(app.name, hard=hard)
    why = "" if app.engine == "argocd" else due(view)
    if not why:
        return view
    say(why)
    return keeper.sync(app.name, SyncRequest(by=by), say)


def due(view: View) -> str:
    """Return why a sync is due, "" when none is.

    A commit is synced once: when it failed, the next one may do better. What was changed by hand is corrected with
    self-heal alone. What ended for reasons outside of it (an Error) is tried again.
    """
    app, operation = view.app, view.operation
    if not app.auto_sync or any(one.type == FAILED for one in view.conditions):
        return ""
    if view.running:
        return ""
    if operation is not None and operation.phase == "Error":
        return f"the last sync ended early ({operation.message})"
    if empties(app, view.resources):
        return ""
    if view.sync != "OutOfSync" or not any(_is_to_do(app, one) for one in view.resources):
        return ""
    if operation is None or operation.revision != view.revision:
        return f"new commit {view.revision[:10]}"
    if operation.phase == "Succeeded" and app.self_heal:
        return "what runs was changed"
    return ""


def empties(app: App, resources: Sequence[Resource]) -> bool:
    """Return whether a sync that nobody asked for would remove all there is.

    A commit that wants nothing is more often a mistake than meant; Argo CD refuses it too, but with `allowEmpty`.
    """
    return app.auto_sync and app.prune and bool(resources) and all(one.to_prune for one in resources)


def _is_to_do(app: App, resource: Resource) -> bool:
    if resource.sync != "OutOfSync" or resource.unknown:
        return False
    return not resource.to_prune or (app.prune and may_be_pruned(resource.live))
