"""The engine `kube`: an application's objects are applied to a cluster by its API server, and controllers there do the rest.

Whether an object is as it should be, a dry run of the same apply tells: what comes back differs from what is there in
exactly the fields that would change, with the cluster's defaults in both. Fields that only others have set count for
nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dispatchfile.apps import diff, waves
from dispatchfile.apps.argocd.secrets import encoded
from dispatchfile.apps.kube import argo, compare, marks, memory, removal
from dispatchfile.apps.kube.addresses import addresses
from dispatchfile.apps.kube.applying import Applying
from dispatchfile.apps.kube.health import health
from dispatchfile.apps.kube.memory import Memory
from dispatchfile.apps.manifest import Key
from dispatchfile.apps.status import Resource, Result
from dispatchfile.kube import kubeconfig
from dispatchfile.kube.client import Cluster
from dispatchfile.kube.discovery import Discovery, UnknownKind
from dispatchfile.kube.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Manifest, Object
    from dispatchfile.kube.discovery import Served

    Say = Callable[[str], None]
    Place = tuple[str, str, str, str]

AT_ONCE = 8
"""Objects that are compared at once; an API server's fair share for one user is far above that."""


class KubeEngine:
    """Keeps apps/engine.Engine for the cluster of a kubeconfig's context ("": the current one).

    Raises UsageError for a context that is not there.
    """

    def __init__(self, context: str = "") -> None:
        self._cluster = Cluster(kubeconfig.find(context))
        self._discovery = Discovery(self._cluster)

    def close(self) -> None:
        """Let go of connections."""
        self._cluster.close()

    def observe(self, app: App, wanted: Sequence[Manifest]) -> Sequence[Resource]:
        """Return how each wanted object stands, in their order, and then what is there of `app` and not wanted."""
        known = memory.read(self._cluster, app)
        there: dict[Place, Object] = {}
        looked = _with(known, self._memory(app, wanted))
        for served, found in memory.tracked(self._cluster, self._discovery, app, looked):
            there[_place(served, found)] = found
        covered = argo.applications(self._cluster, self._discovery)
        served_of = [self._served(manifest) for manifest in wanted]

        def one(manifest: Manifest, served: Served | UnknownKind) -> Resource:
            if isinstance(served, UnknownKind):
                return self._unserved(manifest, served, wanted)
            return self._compared(app, manifest, served, there, covered)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            resources = list(pool.map(one, wanted, served_of))
        places = {
            self._wanted_place(manifest, served)
            for manifest, served in zip(wanted, served_of, strict=True)
            if not isinstance(served, UnknownKind)
        }
        return [*resources, *(_left(found) for place, found in there.items() if place not in places)]

    def apply(
        self,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Sequence[Manifest],
        say: Say,
        until: float = float("inf"),  # noqa: ARG002 no rollout is waited for here
    ) -> Sequence[Result]:
        """Apply `chosen` in their order; return what was done with each. Whether they serve, `observe` tells.

        A CustomResourceDefinition is waited for until its kind is served. Raises EnvironmentProblem, before anything
        is done, where Argo CD deploys the same, or the application's namespace is not there.
        """
        covered = argo.applications(self._cluster, self._discovery)
        argo.refuse_twin(app, covered)
        more, known = self._memory(app, wanted), memory.read(self._cluster, app)
        applying = Applying(self._cluster, self._discovery, app, covered, say)
        return applying.all(chosen, known, _with(known or self._found(app), more) or more)

    def prune(self, app: App, gone: Sequence[Resource], say: Say) -> Sequence[Result]:
        """Remove objects that are not wanted any more, those that others depend on last."""
        return removal.prune(self._cluster, self._discovery, app, gone, say)

    def tend(self, app: App, wanted: Sequence[Manifest], say: Say) -> float:  # noqa: ARG002 the cluster has controllers
        """Return infinity: the cluster's controllers do what is to be done."""
        return float("inf")

    def delete(self, app: App, say: Say, *, data: bool) -> None:
        """Remove all that is there of `app`; its volume claims only with `data`."""
        known = memory.read(self._cluster, app)
        found = list(memory.tracked(self._cluster, self._discovery, app, known))
        removal.delete(self._cluster, app, found, say, data=data)

    def urls(self, app: App) -> Sequence[str]:
        """Return the addresses of its Ingresses and of its Services that have a load balancer."""
        asked = Memory(
            frozenset({("networking.k8s.io", "Ingress"), ("", "Service")}), frozenset({app.namespace})
        )
        found = memory.tracked(self._cluster, self._discovery, app, asked)
        return addresses(one for _, one in found)

    # How an object stands.

    def _compared(
        self, app: App, manifest: Manifest, served: Served, there: dict[Place, Object], covered: list[Object]
    ) -> Resource:
        """Return how an object of a known kind stands."""
        key, kind = manifest.key, served.kind
        namespace = key.namespace if kind.namespaced else ""
        made = encoded(marks.stamped(manifest.object, app.name, namespace))
        try:
            live = there.get(self._wanted_place(manifest, served)) or self._cluster.look(
                kind, key.name, namespace
            )
            if live is not None and (reason := marks.taken(live, app.name)):
                return _resource(manifest, live, made, message=reason)
            if reason := argo.cover(key, namespace, covered):
                return _resource(manifest, live, made, message=reason)
            if live is None:
                return _resource(manifest, None, made, message=self._trial(served, made))
            strict = waves.option(manifest.object, "Validate") != "false"
            would = self._cluster.apply(kind, made, dry_run=True, strict=strict)
        except Refused as problem:
            if problem.code in (400, 409, 413, 422):
                reason = compare.refusal(problem, key.kind)
                return _resource(manifest, live, made, message=reason)
            if problem.code == 403:
                return Resource(
                    key, "Unknown", message=problem.message, wanted=diff.hidden(made), place=manifest.place
                )
            raise
        if compare.told(live) == compare.told(would):
            return _resource(manifest, live, would, synced=True)
        return _resource(manifest, live, would, message=self._changed_by(served, made))

    def _trial(self, served: Served, made: Object) -> str:
        """Return why an object that is not there would be refused, "" when it would not, or cannot be known yet."""
        try:
            self._cluster.apply(served.kind, made, dry_run=True)
        except Refused as problem:
            if problem.code in (400, 422):
                return compare.refusal(problem, served.name)
        return ""

    def _changed_by(self, served: Served, made: Object) -> str:
        """Return who has set what would be changed, as far as the cluster knows."""
        try:
            self._cluster.apply(served.kind, made, dry_run=True, force=False)
        except Refused as problem:
            return compare.conflicts(problem)
        return ""

    def _unserved(self, manifest: Manifest, problem: UnknownKind, wanted: Sequence[Manifest]) -> Resource:
        """Return how an object stands whose kind the cluster does not know, or not yet."""
        coming = any(_defines(one.object, manifest) for one in wanted)
        said = (
            "its CustomResourceDefinition is not there yet"
            if coming
            else f"{problem.message}: {problem.help}"
        )
        return Resource(
            manifest.key, "OutOfSync", "Missing" if coming else None, said, wanted=diff.hidden(manifest.object),
            unknown=not coming, place=manifest.place,
        )  # fmt: skip

    # What is known of kinds and places.

    def _served(self, manifest: Manifest) -> Served | UnknownKind:
        try:
            return self._discovery.of(str(manifest.object.get("apiVersion")), manifest.key.kind)
        except UnknownKind as problem:
            return problem

    def _wanted_place(self, manifest: Manifest, served: Served) -> Place:
        key = manifest.key
        return key.group, key.kind, key.namespace if served.kind.namespaced else "", key.name

    def _found(self, app: App) -> Memory:
        """Return what there is to remember where nothing is: kinds and namespaces of all that has the label."""
        places = [
            _place(served, one) for served, one in memory.tracked(self._cluster, self._discovery, app, None)
        ]
        return Memory(
            frozenset(place[:2] for place in places), frozenset(place[2] for place in places if place[2])
        )

    def _memory(self, app: App, wanted: Sequence[Manifest]) -> Memory:
        return Memory(
            frozenset((one.key.group, one.key.kind) for one in wanted),
            frozenset({app.namespace, *(one.key.namespace for one in wanted if one.key.namespace)}),
        )


def _with(known: Memory | None, more: Memory) -> Memory | None:
    """Return what is remembered and what is wanted together; None, for everywhere, where nothing is remembered."""
    return None if known is None else Memory(known.kinds | more.kinds, known.namespaces | more.namespaces)


def _place(served: Served, found: Object) -> Place:
    metadata = found["metadata"]
    return served.group, served.name, str(metadata.get("namespace") or ""), metadata["name"]


def _resource(
    manifest: Manifest, live: Object | None, made: Object, *, synced: bool = False, message: str = ""
) -> Resource:
    word, said = ("Missing", "") if live is None else health(live)
    return Resource(
        manifest.key, "Synced" if synced else "OutOfSync", word, message or said,
        wanted=diff.hidden(compare.told(made)), live=diff.hidden(compare.told(live)) if live is not None else None,
        place=manifest.place,
    )  # fmt: skip


def _left(live: Object) -> Resource:
    """Return how an object stands that is not wanted any more."""
    metadata = live["metadata"]
    group, slash, _ = str(live.get("apiVersion", "")).rpartition("/")
    key = Key(
        group if slash else "", str(live.get("kind")), str(metadata.get("namespace") or ""), metadata["name"]
    )
    word, said = health(live)
    return Resource(key, "OutOfSync", word, said, live=diff.hidden(compare.told(live)))


def _defines(found: Object, manifest: Manifest) -> bool:
    """Return whether an object is the CustomResourceDefinition of a manifest's kind."""
    spec = found.get("spec")
    if found.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
        return False
    names = spec.get("names")
    its = names.get("kind") if isinstance(names, dict) else None
    return (spec.get("group"), its) == (manifest.key.group, manifest.key.kind)
