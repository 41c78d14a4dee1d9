"""In what objects differ that Argo CD calls OutOfSync; its Applications keep only the word.

The commit that Argo CD compares with is rendered here, and a dry run of an apply, as the manager that Argo CD is, tells
what would change: nothing is written. That needs the repository, the right to patch the objects, and that Argo CD
deploys to the cluster that it runs in; where one of these lacks, the object's message says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatchfile.apps import compare as rendering
from dispatchfile.apps import diff
from dispatchfile.apps.argocd.secrets import encoded
from dispatchfile.apps.kube import compare
from dispatchfile.apps.kube.marks import TRACKING
from dispatchfile.errors import DispatchfileError
from dispatchfile.kube.discovery import Discovery
from dispatchfile.record import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.apps.manifest import Key, Object
    from dispatchfile.apps.status import Resource, View
    from dispatchfile.kube.client import Cluster

MANAGER = "argocd-controller"
"""Who Argo CD is to a cluster when it applies."""


def told(cluster: Cluster, view: View) -> View:
    """Return a view in which the objects that are OutOfSync say in what, as far as that can be seen."""
    due = [one for one in view.resources if one.sync == "OutOfSync"]
    if not due:
        return view
    if view.app.server:
        return _without(view, f"it is in another cluster ({view.app.server}); argocd app diff shows in what")
    try:
        wanted, _ = rendering.at(view.app, view.revision, None)
        discovery = Discovery(cluster)
    except DispatchfileError as problem:
        return _without(view, f"the repository cannot be read here: {problem.message}")
    objects = {_place(one.key): one.object for one in wanted.manifests}
    resources = tuple(
        _compared(cluster, discovery, one, objects) if one.sync == "OutOfSync" else one
        for one in view.resources
    )
    return replace(view, resources=resources)


def _compared(
    cluster: Cluster,
    discovery: Discovery,
    resource: Resource,
    objects: Mapping[tuple[str, ...], Object],
) -> Resource:
    key = resource.key
    try:
        served = discovery.named(key.group, key.kind)
        live = cluster.look(served.kind, key.name, key.namespace) if served else None
        there = diff.hidden(compare.told(live)) if live else None
        if resource.to_prune:
            return replace(resource, live=there)
        given = objects.get(_place(key))
        if given is None:
            return replace(
                resource, message="Argo CD wants it, and the repository as it is read here does not hold it"
            )
        if served is None or live is None:
            return replace(resource, wanted=diff.hidden(given), live=None)
        would = cluster.apply(served.kind, _tracked(given, live, key), dry_run=True, manager=MANAGER)
    except DispatchfileError as problem:
        return replace(resource, message=f"{resource.message}; in what, cannot be seen: {problem.message}")
    return replace(resource, wanted=diff.hidden(compare.told(would)), live=there)


def _tracked(given: Object, live: Object, key: Key) -> Object:
    """Return an object with the mark that Argo CD puts on it."""
    mark = (live["metadata"].get("annotations") or {}).get(TRACKING)
    metadata = {**given["metadata"], **({"namespace": key.namespace} if key.namespace else {})}
    if mark:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: mark}
    return encoded({**given, "metadata": metadata})


def _place(key: Key) -> tuple[str, ...]:
    return key.group, key.kind, key.namespace, key.name


def _without(view: View, reason: str) -> View:
    resources = tuple(
        replace(one, message=f"{one.message}; {reason}") if one.sync == "OutOfSync" else one
        for one in view.resources
    )
    return replace(view, resources=resources)
