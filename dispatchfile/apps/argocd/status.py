"""What an Application's status says, in the words of this program, which are Argo CD's own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dispatchfile.apps.argocd.application import app_of
from dispatchfile.apps.manifest import Key, mapping
from dispatchfile.apps.status import Condition, Deployment, Operation, Resource, Result, View
from dispatchfile.kube.problems import one_line

if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.apps.manifest import Object
    from dispatchfile.apps.status import Done, Health, Phase, Sync

_SYNC: tuple[Sync, ...] = ("Synced", "OutOfSync", "Unknown")
_HEALTH: tuple[Health, ...] = ("Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown")
_PHASES: tuple[Phase, ...] = ("Running", "Succeeded", "Failed", "Error")
_DONE: tuple[Done, ...] = ("Synced", "SyncFailed", "Pruned", "PruneSkipped")
DIFFERS = "Argo CD says that it differs"


def view(found: Object, context: str) -> View:
    """Return how an Application stands. Objects are told by their identity alone: Argo CD keeps no manifests there."""
    status = mapping(found.get("status"))
    sync, health = mapping(status.get("sync")), mapping(status.get("health"))
    history = deployments(found)
    urls = mapping(status.get("summary")).get("externalURLs")
    return View(
        app_of(found, context),
        _sync(sync.get("status")),
        _health(health.get("status")) or "Unknown",
        revision=_text(sync.get("revision")),
        synced=history[-1].revision if history else "",
        resources=tuple(_resource(one) for one in _dicts(status.get("resources")) if not one.get("hook")),
        conditions=tuple(
            Condition(_text(one.get("type")), one_line(one.get("message")))
            for one in _dicts(status.get("conditions"))
        ),
        operation=operation(found),
        urls=tuple(map(str, urls)) if isinstance(urls, list) else (),
    )


def operation(found: Object) -> Operation | None:
    """Return the operation that is going on, or asked for, or the last one."""
    state = mapping(mapping(found.get("status")).get("operationState"))
    if not state:
        asked = found.get("operation")
        if not isinstance(asked, dict):
            return None
        sync = mapping(asked.get("sync"))
        return Operation(
            "Running", _text(sync.get("revision")), 0.0, _by(asked), message="Argo CD has not begun yet"
        )
    result = mapping(state.get("syncResult"))
    phase: Phase = next((word for word in _PHASES if word == state.get("phase")), _PHASES[0])
    sync = mapping(mapping(state.get("operation")).get("sync"))
    return Operation(
        phase,
        _text(result.get("revision")) or _text(sync.get("revision")),
        moment(state.get("startedAt")),
        _by(mapping(state.get("operation"))),
        moment(state.get("finishedAt")) if state.get("finishedAt") else None,
        one_line(state.get("message")),
        tuple(map(_result, _dicts(result.get("resources")))),
    )


def deployments(found: Object) -> list[Deployment]:
    """Return what was deployed, the oldest first."""
    listed = [
        Deployment(
            number, _text(one.get("revision")) or ", ".join(map(str, one.get("revisions") or ())),
            moment(one.get("deployedAt")), _by(one),
        )
        for one in _dicts(mapping(found.get("status")).get("history"))
        if isinstance(number := one.get("id", 0), int)
    ]  # fmt: skip
    return sorted(listed, key=lambda one: one.number)


def key_of(one: Object) -> Key:
    """Return the key of an object in a status."""
    return Key(*(_text(one.get(name)) for name in ("group", "kind", "namespace", "name")))


def moment(text: Any) -> float:
    """Return a time of RFC 3339 in seconds since 1970, 0 for none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _resource(one: Object) -> Resource:
    health = mapping(one.get("health"))
    group, version = _text(one.get("group")), _text(one.get("version"))
    key = key_of(one)
    itself: Object = {
        "apiVersion": f"{group}/{version}" if group else version,
        "kind": key.kind,
        "metadata": {"name": key.name, **({"namespace": key.namespace} if key.namespace else {})},
    }
    sync, word = _sync(one.get("status")), _health(health.get("status"))
    said = one_line(health.get("message"))
    return Resource(
        key, sync, word, said or (DIFFERS if sync == "OutOfSync" else ""),
        wanted=None if one.get("requiresPruning") is True else itself, live=None if word == "Missing" else itself,
    )  # fmt: skip


def _result(one: Object) -> Result:
    done = next((word for word in _DONE if word == one.get("status")), None)
    failed = one.get("hookPhase") in ("Failed", "Error")
    return Result(key_of(one), done or ("SyncFailed" if failed else "Synced"), one_line(one.get("message")))


def _by(found: Object) -> str:
    return "agent" if mapping(found.get("initiatedBy")).get("automated") is True else "user"


def _sync(word: Any) -> Sync:
    return next((one for one in _SYNC if one == word), "Unknown")


def _health(word: Any) -> Health | None:
    return next((one for one in _HEALTH if one == word), None)


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(found: Any) -> str:
    return one_line(found) if isinstance(found, str) else ""
