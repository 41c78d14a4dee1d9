"""Operations of Argo CD: what is asked for in an Application's `operation`, and its way in `status.operationState`.

An operation is asked for with `operationState` taken away, as Argo CD's own server does it, so that what stands there
afterwards is of this one (util/argo/argo.go, SetAppOperation).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.apps.argocd import status
from dispatchfile.apps.argocd.application import is_automated
from dispatchfile.apps.manifest import mapping
from dispatchfile.apps.sync import check_only, selects
from dispatchfile.errors import EnvironmentProblem, TimedOut, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.apps.keeper import SyncRequest
    from dispatchfile.apps.manifest import Object

    Say = Callable[[str], None]

PATIENCE_S = 600.0
"""Seconds that a rollback gets."""
BEGIN_S = 30.0
"""Seconds that a controller gets to begin; it needs one."""
LOOK_S = 0.3


def sync(found: Object, request: SyncRequest) -> Object:
    """Return the operation of a sync. Raises UsageError for what Argo CD does not do."""
    view = status.view(found, "")
    wanted = request.revision
    if wanted and wanted != view.app.revision and is_automated(found):
        raise UsageError(
            f"{view.app.name} cannot be synced to {wanted}: auto-sync follows {view.app.revision}",
            help=f"dispatchfile gitops app set {view.app.name} --auto-sync off, or --revision {wanted}",
        )
    keys = [one.key for one in view.resources]
    check_only(request.only, keys)
    only = [key for key in keys if any(selects(text, key) for text in request.only)]
    asked: Object = {
        "revision": wanted or view.app.revision,
        "prune": view.app.prune if request.prune is None else request.prune,
        "syncStrategy": {"hook": {}},
    }
    if request.dry_run:
        asked["dryRun"] = True
    if only:
        asked["resources"] = [
            {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
            for key in only
        ]
    return _operation(found, asked, request.by)


def rollback(found: Object, number: int, *, prune: bool) -> Object:
    """Return the operation that goes back to a deployment, by Argo CD's rules. Raises UsageError."""
    name = found["metadata"]["name"]
    if is_automated(found):
        raise UsageError(
            f"{name} cannot be rolled back: auto-sync would undo it",
            help=f"dispatchfile gitops app set {name} --auto-sync off",
        )
    history = [one for one in mapping(found.get("status")).get("history") or () if isinstance(one, dict)]
    deployed = next((one for one in history if one.get("id", 0) == number), None)
    if deployed is None:
        numbers = ", ".join(str(one.get("id", 0)) for one in history) or "it is empty"
        raise UsageError(f"the history of {name} has no deployment {number}", help=f"it has: {numbers}")
    kept = {key: deployed[key] for key in ("revision", "revisions", "source", "sources") if deployed.get(key)}
    if not {"source", "sources"} & kept.keys():
        raise UsageError(
            f"deployment {number} of {name} does not tell its source", help="sync to its revision instead"
        )
    return _operation(found, {**kept, "prune": prune, "syncStrategy": {"apply": {}}}, "user")


def refuse_second(found: Object) -> None:
    """Raise EnvironmentProblem while an operation is going on or asked for, or the Application is being deleted."""
    name = found["metadata"]["name"]
    if found["metadata"].get("deletionTimestamp"):
        raise EnvironmentProblem(f'Argo CD is deleting the application "{name}"')
    state = mapping(mapping(found.get("status")).get("operationState"))
    if not found.get("operation") and (not state or state.get("finishedAt")):
        return
    since = f" since {state['startedAt']}" if state.get("startedAt") else ""
    raise EnvironmentProblem(
        f'Argo CD syncs "{name}" already{since}',
        help=f"wait for it: dispatchfile gitops app wait {name} --operation",
    )


def follow(get: Callable[[], Object], patch: Callable[[Object], Object], timeout: float, say: Say) -> None:
    """Return when the operation that was asked for has ended. Raises TimedOut, and EnvironmentProblem when none begins.

    One that nobody has begun is taken back, so that it does not happen when nobody expects it any more.
    """
    began = time.monotonic()
    told = ""
    while True:
        found = get()
        operation = status.operation(found)
        state = mapping(mapping(found.get("status")).get("operationState"))
        if operation is None or (state and operation.phase != "Running" and not found.get("operation")):
            if operation:
                _say_results(operation.results, say)
            return
        if operation.message and operation.message != told:
            told = operation.message
            say(told)
        waited = time.monotonic() - began
        if not state and waited > min(BEGIN_S, timeout):
            version = found["metadata"]["resourceVersion"]
            patch({"metadata": {"resourceVersion": version}, "operation": None})
            control = found["metadata"].get("namespace", "argocd")
            raise EnvironmentProblem(
                f"Argo CD has not begun to sync after {waited:.0f} s; the request is taken back",
                help=f"does argocd-application-controller run? kubectl get pods -n {control}",
            )
        if waited > timeout:
            name = found["metadata"]["name"]
            raise TimedOut(
                f"Argo CD still syncs {name} after {timeout:g} s: {told}",
                help=f"it goes on; dispatchfile gitops app wait {name} --operation waits for it",
            )
        time.sleep(LOOK_S)


def _say_results(results: Any, say: Say) -> None:
    for result in results:
        say(f"{result.key}: {result.message or result.done}")


def _operation(found: Object, asked: Object, by: str) -> Object:
    """Return an operation with what Argo CD's server adds: the Application's own sync options and retries."""
    policy = mapping(mapping(found.get("spec")).get("syncPolicy"))
    options = {"syncOptions": policy["syncOptions"]} if policy.get("syncOptions") else {}
    retry = {"retry": policy["retry"]} if policy.get("retry") else {}
    who = "dispatchfile" if by == "user" else f"dispatchfile {by}"
    return {"initiatedBy": {"username": who}, "sync": {**asked, **options}, **retry}
