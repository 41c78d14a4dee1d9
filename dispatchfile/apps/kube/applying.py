"""Objects brought into a cluster one after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.apps import waves
from dispatchfile.apps.argocd.secrets import encoded
from dispatchfile.apps.kube import argo, compare, marks, memory
from dispatchfile.apps.kube.memory import Memory
from dispatchfile.apps.status import Result
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube.discovery import UnknownKind
from dispatchfile.kube.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.app import App
    from dispatchfile.apps.manifest import Manifest, Object
    from dispatchfile.kube.client import Cluster
    from dispatchfile.kube.discovery import Discovery, Served

    Say = Callable[[str], None]

ESTABLISHED_S = 30.0
"""Seconds that a cluster gets to serve a new kind; it takes less than one."""
GONE_S = 60.0
"""Seconds that an object gets to be gone before another takes its place."""
LOOK_S = 0.2


class Applying:
    """One run through objects; `covered` are the Applications of an Argo CD in the same cluster."""

    def __init__(
        self, cluster: Cluster, discovery: Discovery, app: App, covered: list[Object], say: Say
    ) -> None:
        self._cluster, self._discovery, self._app = cluster, discovery, app
        self._covered, self._say = covered, say
        self._remembered: Memory | None = None

    def all(self, chosen: Sequence[Manifest], known: Memory | None, then: Memory) -> list[Result]:
        """Apply objects in their order, and return what was done with each.

        `known` is what the cluster remembers of the application's kinds, `then` what it is to remember.
        """
        self._remembered = known
        results = []
        for manifest in chosen:
            try:
                served = self._discovery.of(str(manifest.object.get("apiVersion")), manifest.key.kind)
                result = self._one(manifest, served, then)
            except UnknownKind as problem:
                result = Result(manifest.key, "SyncFailed", f"{problem.message}: {problem.help}")
            except Refused as problem:
                if problem.code == 401:
                    raise
                result = Result(manifest.key, "SyncFailed", compare.refusal(problem, manifest.key.kind))
            results.append(result)
            self._say(f"{result.key}: {result.message or result.done}")
        return results

    def _one(self, manifest: Manifest, served: Served, then: Memory) -> Result:
        key, kind = manifest.key, served.kind
        namespace = key.namespace if kind.namespaced else ""
        live = self._cluster.look(kind, key.name, namespace)
        reason = (marks.taken(live, self._app.name) if live else "") or argo.cover(
            key, namespace, self._covered
        )
        if reason:
            return Result(key, "SyncFailed", reason)
        self._remember(then, manifest)
        made = encoded(marks.stamped(manifest.object, self._app.name, namespace))
        if live is not None and waves.option(manifest.object, "Replace") == "true":
            said = self._replaced(served, made, live, force=waves.option(manifest.object, "Force") == "true")
        else:
            said = self._applied(
                served, made, live, strict=waves.option(manifest.object, "Validate") != "false"
            )
        if (key.group, key.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
            said += self._established(served, key.name)
        return Result(key, "Synced", said)

    def _remember(self, then: Memory, manifest: Manifest) -> None:
        """Write down what kinds there will be; where the namespace for it is still to come, right behind that."""
        if self._remembered == then:
            return
        try:
            memory.write(self._cluster, self._app, then)
        except Refused as problem:
            key = manifest.key
            if problem.code == 404 and (key.group, key.kind, key.name) == (
                "",
                "Namespace",
                self._app.namespace,
            ):
                return
            if problem.code == 404:
                raise EnvironmentProblem(
                    f'there is no namespace "{self._app.namespace}" for the application "{self._app.name}"',
                    help=f"kubectl create namespace {self._app.namespace}, or let the repository hold that Namespace",
                ) from None
            raise
        self._remembered = then

    def _applied(self, served: Served, made: Object, live: Object | None, *, strict: bool) -> str:
        """Apply an object; return in words what was done."""
        taken = ""
        try:
            now = self._cluster.apply(served.kind, made, force=False, strict=strict)
        except Refused as problem:
            taken = compare.conflicts(problem)
            if not taken:
                raise
            now = self._cluster.apply(served.kind, made, strict=strict)
        if live is None:
            return "created"
        if now["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]:
            return "unchanged"
        return f"configured; {taken}, and it was taken back" if taken else "configured"

    def _replaced(self, served: Served, made: Object, live: Object, *, force: bool) -> str:
        """Put an object in the place of the one that is there; with `force`, delete that first, as kubectl does."""
        version = live["metadata"]["resourceVersion"]
        metadata = made["metadata"]
        if not force:
            self._cluster.replace(served.kind, {**made, "metadata": {**metadata, "resourceVersion": version}})
            return "replaced"
        namespace = metadata.get("namespace", "")
        self._cluster.delete(
            served.kind,
            metadata["name"],
            namespace,
            uid=str(live["metadata"].get("uid") or ""),
            propagation="Foreground",
        )
        deadline = time.monotonic() + GONE_S
        while self._cluster.look(served.kind, metadata["name"], namespace) is not None:
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f"{served.name} {metadata['name']} is being deleted, and still there after {GONE_S:.0f} s",
                    help="a finalizer may hold it: kubectl get it with -o yaml",
                )
            time.sleep(LOOK_S)
        self._cluster.apply(served.kind, made)
        return "deleted and made anew"

    def _established(self, served: Served, name: str) -> str:
        """Wait until a CustomResourceDefinition's kind is served; return what to add to the message if it is not."""
        deadline = time.monotonic() + ESTABLISHED_S
        while time.monotonic() < deadline:
            found = self._cluster.get(served.kind, name)
            conditions = found.get("status", {}).get("conditions") or ()
            if any((one.get("type"), one.get("status")) == ("Established", "True") for one in conditions):
                self._discovery.forget()
                return ""
            time.sleep(LOOK_S)
        return f"; the cluster does not serve its kind after {ESTABLISHED_S:.0f} s"
