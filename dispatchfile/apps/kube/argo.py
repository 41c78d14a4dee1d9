"""Argo CD in the same cluster: what it looks after is not applied by us, as two who apply would undo each other's work.

An Application covers an object when its status lists it, when it has the same repository and path as ours, or when it
deploys to the object's namespace in this very cluster. Where Applications may not be listed, what Argo CD has written
onto the objects themselves still tells (`marks.argo_application`).
"""

from __future__ import annotations

from dispatchfile import remote
from dispatchfile.apps.manifest import mapping
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.kube.problems import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Key, Object
    from dispatchfile.kube.client import Cluster
    from dispatchfile.kube.discovery import Discovery

_HERE = ("https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "in-cluster")
_HELP = "let Argo CD deploy it (--engine argocd), or choose another namespace"


def applications(cluster: Cluster, discovery: Discovery) -> list[Object]:
    """Return the Applications of Argo CD, none where it is not installed or they may not be listed."""
    served = discovery.named("argoproj.io", "Application")
    if served is None:
        return []
    try:
        return list(cluster.every(served.kind))
    except Refused as problem:
        if problem.code == 403:
            return []
        raise


def refuse_twin(app: App, found: list[Object]) -> None:
    """Raise EnvironmentProblem when Argo CD deploys the same path of the same repository."""
    own = (_repository(app.repository), app.path.strip("/") or ".")
    for one in found:
        for source in _sources(one):
            its = (_repository(str(source.get("repoURL"))), str(source.get("path") or ".").strip("/") or ".")
            if its == own and _is_here(one):
                raise EnvironmentProblem(
                    f'Argo CD\'s application "{one["metadata"]["name"]}" deploys the same repository and path',
                    help="let it do so: --engine argocd",
                )


def cover(key: Key, namespace: str, found: list[Object]) -> str:
    """Return why Argo CD is to deal with an object, "" when it is not its business."""
    for one in found:
        if not _is_here(one):
            continue
        name = one["metadata"]["name"]
        for listed in _dicts(mapping(one.get("status")).get("resources")):
            its = (
                listed.get("group") or "",
                listed.get("kind"),
                listed.get("namespace") or "",
                listed.get("name"),
            )
            if its == (key.group, key.kind, namespace, key.name):
                return f'it belongs to Argo CD\'s application "{name}": {_HELP}'
        if namespace and _destination(one).get("namespace") == namespace:
            return f'Argo CD\'s application "{name}" deploys to its namespace: {_HELP}'
    return ""


def _is_here(application: Object) -> bool:
    destination = _destination(application)
    return destination.get("server") in _HERE or destination.get("name") in _HERE


def _destination(application: Object) -> dict[str, Any]:
    return mapping(mapping(application.get("spec")).get("destination"))


def _sources(application: Object) -> Iterator[dict[str, Any]]:
    spec = mapping(application.get("spec"))
    yield from filter(None, [mapping(spec.get("source"))])
    yield from _dicts(spec.get("sources"))


def _repository(url: str) -> str:
    """Return what two URLs of one repository have in common, however it is reached."""
    try:
        parsed = remote.parse(url)
    except UsageError:
        return url
    return f"{parsed.host}/{parsed.repository}".lower()


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
