"""Which kinds of objects an application has had, and where: a small ConfigMap beside them, `dispatchfile-NAME`.

It is written before the objects are, so that one who is killed in between leaves nothing that is not found again, and
whoever looks from another machine sees the same. Without it all kinds of the cluster are looked through.
"""

from __future__ import annotations

from dispatchfile.apps.kube import marks
from dispatchfile.kube.client import CONFIG_MAPS
from dispatchfile.kube.problems import Refused
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Object
    from dispatchfile.kube.client import Cluster
    from dispatchfile.kube.discovery import Discovery, Served

_KINDS, _NAMESPACES = "kinds", "namespaces"
# These are made by controllers, with the labels of the Service that they are made for.
_COPIES = {("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")}


class Memory(Record):
    """The kinds, as (group, kind), and the namespaces of an application's objects."""

    kinds: frozenset[tuple[str, str]]
    namespaces: frozenset[str]


def name_of(app: App) -> str:
    """Return the name of an application's ConfigMap."""
    return f"dispatchfile-{app.name}"


def read(cluster: Cluster, app: App) -> Memory | None:
    """Return what is remembered of an application, None when nothing is. Raises Refused."""
    found = cluster.look(CONFIG_MAPS, name_of(app), app.namespace)
    if found is None or marks.owner(found) != app.name:
        return None
    data = found.get("data") or {}
    pairs = (line.partition("/") for line in str(data.get(_KINDS) or "").split())
    return Memory(
        frozenset((group, kind) for group, _, kind in pairs),
        frozenset(str(data.get(_NAMESPACES) or "").split()),
    )


def write(cluster: Cluster, app: App, memory: Memory) -> None:
    """Remember the kinds and namespaces of an application. Raises Refused."""
    cluster.apply(
        CONFIG_MAPS,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name_of(app), "namespace": app.namespace, "labels": {marks.APP: app.name}},
            "data": {
                _KINDS: "\n".join(sorted(f"{group}/{kind}" for group, kind in memory.kinds)),
                _NAMESPACES: "\n".join(sorted(memory.namespaces)),
            },
        },
    )


def tracked(
    cluster: Cluster, discovery: Discovery, app: App, memory: Memory | None
) -> Iterator[tuple[Served, Object]]:
    """Yield all objects with an application's label and their kinds; `memory` says where to look, None: everywhere.

    Raises Refused when objects of a kind that the application has had may not be listed.
    """
    for served in discovery.preferred():
        key = (served.group, served.name)
        if "list" not in served.verbs or (memory is not None and key not in memory.kinds):
            continue
        try:
            found = list(_labelled(cluster, served, app, memory))
        except Refused as problem:
            if memory is None and problem.code in (403, 404, 405):
                continue
            raise
        for one in found:
            is_record = key == ("", "ConfigMap") and one["metadata"]["name"] == name_of(app)
            if not marks.owned(one) and key not in _COPIES and not is_record:
                yield served, one


def _labelled(cluster: Cluster, served: Served, app: App, memory: Memory | None) -> Iterable[Object]:
    selector = f"{marks.APP}={app.name}"
    try:
        return cluster.every(served.kind, labelSelector=selector)
    except Refused as problem:
        if problem.code != 403 or memory is None or not served.kind.namespaced:
            raise
    # Who may not look at the whole cluster may look into the application's own namespaces.
    return [
        one
        for namespace in sorted(memory.namespaces)
        for one in cluster.every(served.kind, namespace, labelSelector=selector)
    ]
