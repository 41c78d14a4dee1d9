"""Which kinds of objects a cluster serves, asked once for a connection.

Kubernetes 1.27 and later tell all in two answers (aggregated discovery); older ones are asked group by group. A group
whose own server is down (an APIService) is left out, and remembered for what is said of its kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube.client import Kind
from dispatchfile.kube.problems import Refused, one_line
from dispatchfile.record import Record
from dispatchfile.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from dispatchfile.kube.client import Cluster, Object

_FORMS = ("v2", "v2beta1")
_ACCEPT = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList" for form in _FORMS]
    + ["application/json"]
)


class Served(Record):
    """A kind that a cluster serves, and what may be done with its objects (get, list, patch, …)."""

    kind: Kind
    name: str
    verbs: frozenset[str]

    @property
    def group(self) -> str:
        """Return its group, "" for the core API."""
        return self.kind.group


class UnknownKind(EnvironmentProblem):
    """The cluster does not serve a kind."""


class Discovery:
    """The kinds of a cluster. Every method raises Refused and Unreachable as the cluster does."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[tuple[str, str, str], Served] | None = None
        self._down: frozenset[str] = frozenset()

    def of(self, api_version: str, name: str) -> Served:
        """Return a kind by `apiVersion` and `kind`; what is new in the cluster is found too. Raises UnknownKind."""
        group, slash, version = api_version.rpartition("/")
        sought = (group if slash else "", version, name)
        fresh = self._known is None
        found = self._all().get(sought)
        if found is None and not fresh:
            self.forget()
            found = self._all().get(sought)
        if found is None:
            raise self._unknown(*sought)
        return found

    def named(self, group: str, name: str) -> Served | None:
        """Return a kind of a group in the version that the cluster prefers, None when it is not served."""
        return next((one for one in self.preferred() if (one.group, one.name) == (group, name)), None)

    def preferred(self) -> list[Served]:
        """Return all kinds, each in the first version that the cluster tells."""
        found: dict[tuple[str, str], Served] = {}
        for one in self._all().values():
            found.setdefault((one.group, one.name), one)
        return list(found.values())

    def forget(self) -> None:
        """Ask anew when a kind is asked for next, as after a CustomResourceDefinition has changed."""
        self._known = None

    def _all(self) -> dict[tuple[str, str, str], Served]:
        if self._known is None:
            down: set[str] = set()
            found = [one for root in ("/api", "/apis") for one in self._below(root, down)]
            self._known = {(one.group, one.kind.version, one.name): one for one in found}
            self._down = frozenset(down)
        return self._known

    def _below(self, root: str, down: set[str]) -> Iterator[Served]:
        answer = self._cluster.document(root, _ACCEPT)
        if answer.get("kind") == "APIGroupDiscoveryList":
            yield from _aggregated(answer, down)
            return
        if root == "/api":
            versions = [(f"/api/{word}", "", word) for word in _words(answer.get("versions"))]
        else:
            versions = [
                (f"/apis/{name}/{version}", name, version)
                for group in _dicts(answer.get("groups"))
                if (name := _word(group.get("name")))
                for version in _preferred_first(group)
            ]
        for path, group, version in versions:
            try:
                yield from _resources(self._cluster.document(path), group, version)
            except Refused as problem:
                if not problem.passes and problem.code != 404:
                    raise
                down.add(group)

    def _unknown(self, group: str, version: str, name: str) -> UnknownKind:
        full = f"{group}/{version}" if group else version
        context = f'context "{self._cluster.target.context}"'
        others = [one for one in self._all().values() if one.name == name]
        if group in self._down:
            return UnknownKind(
                f"the cluster does not tell the kinds of {full}, so {name} is not known ({context})",
                help="the server behind that API does not answer: kubectl get apiservices",
            )
        if same := [one for one in others if one.group == group]:
            return UnknownKind(
                f"the cluster has no {name} of {full} ({context})",
                help=f"it has {group + '/' if group else ''}{same[0].kind.version}: change apiVersion",
            )
        if others:
            its = others[0].kind
            return UnknownKind(
                f"the cluster has no {name} of {full} ({context})",
                help=f"it has one of {its.group + '/' if its.group else ''}{its.version}",
            )
        near = nearest(name, {one.name for one in self._all().values() if one.group == group})
        if near:
            return UnknownKind(
                f"the cluster has no {name} of {full} ({context})", help=f'did you mean "{near}"?'
            )
        return UnknownKind(
            f"the cluster has no {name} of {full} ({context})",
            help="is its CustomResourceDefinition installed? kubectl get crds",
        )


def _aggregated(answer: Object, down: set[str]) -> Iterator[Served]:
    for group in _dicts(answer.get("items")):
        name = _word(_dict(group.get("metadata")).get("name"))
        for version in _dicts(group.get("versions")):
            if version.get("freshness") == "Stale" and not version.get("resources"):
                down.add(name)
            for one in _dicts(version.get("resources")):
                kind = Kind(
                    name, _word(version.get("version")), _word(one.get("resource")), one.get("scope") == "Namespaced"
                )  # fmt: skip
                its = _word(_dict(one.get("responseKind")).get("kind"))
                yield Served(kind, its, frozenset(_words(one.get("verbs"))))


def _resources(answer: Object, group: str, version: str) -> Iterator[Served]:
    for one in _dicts(answer.get("resources")):
        plural = _word(one.get("name"))
        if "/" not in plural:
            kind = Kind(group, version, plural, bool(one.get("namespaced")))
            yield Served(kind, _word(one.get("kind")), frozenset(_words(one.get("verbs"))))


def _preferred_first(group: Object) -> list[str]:
    preferred = _word(_dict(group.get("preferredVersion")).get("version"))
    versions = [_word(one.get("version")) for one in _dicts(group.get("versions"))]
    return sorted(filter(None, versions), key=lambda version: version != preferred)


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _dicts(found: Any) -> Iterable[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else ()


def _words(found: Any) -> list[str]:
    return [word for one in found if (word := _word(one))] if isinstance(found, list) else []


def _word(found: Any) -> str:
    return one_line(found) if isinstance(found, str) else ""
