"""Objects taken out of a cluster again: never one of somebody else's, and never one that asks to stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dispatchfile.apps import waves
from dispatchfile.apps.kube import marks, memory
from dispatchfile.apps.status import Result
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube.client import CONFIG_MAPS, Kind
from dispatchfile.kube.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Key, Object
    from dispatchfile.apps.status import Resource
    from dispatchfile.kube.client import Cluster
    from dispatchfile.kube.discovery import Discovery, Served

    Say = Callable[[str], None]

CLAIMS = Kind("", "v1", "persistentvolumeclaims")
_LAST = ("CustomResourceDefinition", "Namespace")


def prune(
    cluster: Cluster, discovery: Discovery, app: App, gone: Sequence[Resource], say: Say
) -> list[Result]:
    """Remove objects; return what was done with each, those first that nothing else depends on."""
    results = []
    for resource in sorted(gone, key=lambda one: _turn(one.key.kind)):
        try:
            result = _pruned(cluster, discovery, app, resource.key)
        except Refused as problem:
            result = Result(resource.key, "SyncFailed", problem.message)
        results.append(result)
        say(f"{result.key}: {result.message or result.done}")
    return results


def delete(
    cluster: Cluster, app: App, found: Sequence[tuple[Served, Object]], say: Say, *, data: bool
) -> None:
    """Remove all objects of an application, and what is remembered of it. Raises EnvironmentProblem for what stays.

    Claims of volumes stay but for `data`, and with them the namespace that they are in.
    """
    failed = []
    claims = list(_grown(cluster, found)) if data else []
    for served, live in sorted(found, key=lambda pair: _turn(pair[0].name)):
        metadata = live["metadata"]
        where = f"{served.name} {metadata.get('namespace') or ''}/{metadata['name']}".replace(" /", " ")
        if reason := _stays(cluster, served, live, data=data):
            say(f"{where} stays: {reason}")
            continue
        try:
            _remove(cluster, served.kind, live)
            say(f"{where}: deleted")
        except Refused as problem:
            failed.append(f"{where}: {problem.message}")
    for claim in claims:
        _remove(cluster, CLAIMS, claim)
        say(f"PersistentVolumeClaim {claim['metadata']['namespace']}/{claim['metadata']['name']}: deleted")
    if failed:
        raise EnvironmentProblem(f"not everything could be deleted: {'; '.join(failed)}")
    cluster.delete(CONFIG_MAPS, memory.name_of(app), app.namespace)


def _pruned(cluster: Cluster, discovery: Discovery, app: App, key: Key) -> Result:
    served = discovery.named(key.group, key.kind)
    live = cluster.look(served.kind, key.name, key.namespace) if served else None
    if served is None or live is None:
        return Result(key, "Pruned", "it is gone already")
    if marks.owner(live) != app.name:
        return Result(
            key,
            "PruneSkipped",
            marks.taken(live, app.name) or "it does not belong to this application any more",
        )
    asked = waves.option(live, "Prune")
    if asked in ("false", "confirm"):
        return Result(key, "PruneSkipped", f"it has the sync option Prune={asked}")
    _remove(cluster, served.kind, live)
    return Result(key, "Pruned")


def _remove(cluster: Cluster, kind: Kind, live: Object) -> None:
    metadata = live["metadata"]
    # Foreground, as Argo CD does it: an object is gone when what it owns is gone.
    cluster.delete(
        kind, metadata["name"], str(metadata.get("namespace") or ""), uid=str(metadata.get("uid") or ""),
        propagation="Foreground",
    )  # fmt: skip


def _stays(cluster: Cluster, served: Served, live: Object, *, data: bool) -> str:
    """Return why an object is not deleted with its application, "" when it is."""
    if (asked := waves.option(live, "Delete")) in ("false", "confirm"):
        return f"it has the sync option Delete={asked}"
    if data or served.group:
        return ""
    if served.name == "PersistentVolumeClaim":
        return "what it holds would be lost; --data deletes it too"
    if served.name == "Namespace" and cluster.every(CLAIMS, live["metadata"]["name"]):
        return "it holds claims of volumes; --data deletes them too"
    return ""


def _grown(cluster: Cluster, found: Sequence[tuple[Served, Object]]) -> Iterator[Object]:
    """Yield the claims that StatefulSets have made; a cluster keeps them when their StatefulSet goes."""
    for served, live in found:
        if (served.group, served.name) != ("apps", "StatefulSet"):
            continue
        metadata = live["metadata"]
        templates = live.get("spec", {}).get("volumeClaimTemplates") or ()
        names = "|".join(re.escape(str(one["metadata"]["name"])) for one in templates)
        its = re.compile(rf"(?:{names})-{re.escape(metadata['name'])}-\d+")
        if names:
            claims = cluster.every(CLAIMS, metadata["namespace"])
            yield from (one for one in claims if its.fullmatch(one["metadata"]["name"]))


def _turn(kind: str) -> int:
    return _LAST.index(kind) + 1 if kind in _LAST else 0
