"""Argo CD's application controller, as far as an Application shows it (argo-cd 3.6, controller/appcontroller.go, state.go).

It compares when it is asked to (annotation) or sees a new Application, runs `operation` and writes `operationState` and
the history as the real one does, syncs by itself, and removes what runs when a finalizer asks for it. What it writes is
held against the published CustomResourceDefinition. It can be told to misbehave: `asleep`, `stuck`, `refuses`, `racing`.
"""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.cluster import schemas
from tests.cluster.api_server import ApiServer
from tests.cluster.managed import Writer
from tests.cluster.store import BY_KIND, Kind, Object, Refusal, now
from tests.cluster.writing import Write

Repository = Callable[[str], tuple[str, list[Object]]]
REFRESH = "argocd.argoproj.io/refresh"
TRACKING = "argocd.argoproj.io/tracking-id"
FINALIZER = "resources-finalizer.argocd.argoproj.io"


class ArgoController:
    """A context manager; `repository` returns the commit and the objects of a revision, or raises LookupError."""

    def __init__(self, server: ApiServer, repository: Repository, *, version: str = "3.6") -> None:
        self.server, self.repository = server, repository
        self.asleep = threading.Event()
        """While set, it does nothing at all."""
        self.stuck = threading.Event()
        """While set, an operation that has begun does not end."""
        self.refuses = ""
        """The reason for which every operation fails."""
        self.failed: list[Refusal] = []
        self._queue: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._tried: dict[str, str] = {}
        crd = schemas.published("argocd-application")
        if version < "3.1":  # the first that knows `automated.enabled`
            spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            del spec["properties"]["syncPolicy"]["properties"]["automated"]["properties"]["enabled"]
        server.cluster.create("Namespace", "", {"metadata": {"name": "argocd"}})
        server.cluster.create("CustomResourceDefinition", "", copy.deepcopy(crd) | {"status": {}})
        server.define(crd)
        self.kind = server.kind_of("argoproj.io", "v1alpha1", "applications")
        server.kept.append(self._noted)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ArgoController:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.asleep.clear()
        self.stuck.clear()
        self._queue.put(None)
        self._thread.join(5)
        assert not self._thread.is_alive()
        assert not self.failed, f"it wrote what the published schema refuses: {self.failed}"

    def _noted(self, kind: Kind, found: Object) -> None:
        if kind.kind == "Application":
            self._queue.put((found["metadata"]["namespace"], found["metadata"]["name"]))

    def _run(self) -> None:
        while (place := self._queue.get()) is not None:
            while self.asleep.is_set():
                time.sleep(0.02)
            try:
                self._reconcile(*place)
            except Refusal as refusal:
                if refusal.code not in (404, 409):
                    self.failed.append(refusal)

    def _reconcile(self, namespace: str, name: str) -> None:
        app = self.server.store.get(self.kind, namespace, name)
        if app["metadata"].get("deletionTimestamp"):
            self._finalize(app)
            return
        if "operation" in app:
            self._operate(app)
            return
        asked = REFRESH in app["metadata"].get("annotations", {})
        if asked or "sync" not in app.get("status", {}):
            self._compare(app)
            self._sync_by_itself(self.server.store.get(self.kind, namespace, name))
        elif app["status"]["sync"].get("comparedTo", {}).get("source") != app["spec"]["source"]:
            self._compare(app)
        elif (app["spec"].get("syncPolicy") or {}).get("automated"):
            self._sync_by_itself(app)

    # Comparing.

    def _compare(self, app: Object) -> None:
        source, destination = app["spec"]["source"], app["spec"]["destination"]
        compared = {"source": source, "destination": destination}
        try:
            commit, objects = self.repository(source.get("targetRevision") or "HEAD")
        except LookupError as error:
            condition = {"type": "ComparisonError", "message": str(error), "lastTransitionTime": now()}
            changed = {"sync": {"status": "Unknown", "comparedTo": compared}, "conditions": [condition]}
            self._status(app, changed | {"health": {"status": "Unknown"}}, refreshed=True)
            return
        resources = [self._resource(app, one) for one in self._targets(app, objects)]
        resources += [
            {**self._identity(one), "status": "OutOfSync", "requiresPruning": True}
            for one in self._extra(app, objects)
        ]
        words = {one["status"] for one in resources}
        missing = any(one.get("health", {}).get("status") == "Missing" for one in resources)
        self._status(
            app,
            {
                "sync": {"status": "OutOfSync" if "OutOfSync" in words else "Synced", "revision": commit, "comparedTo": compared},
                "health": {"status": "Missing" if missing else "Healthy", "lastTransitionTime": now()},
                "resources": resources, "reconciledAt": now(), "sourceType": "Directory", "conditions": None,
                "summary": {"externalURLs": ["http://shop.test/"]},
            },
            refreshed=True,
        )  # fmt: skip

    def _resource(self, app: Object, target: Object) -> Object:
        live = self._live(target)
        if live is None:
            return {**self._identity(target), "status": "OutOfSync", "health": {"status": "Missing"}}
        would = self._write(target, dry=True).apply(live, target, force=True)
        same = all(live.get(name) == would.get(name) for name in ("spec", "data", "rules"))
        return {
            **self._identity(target),
            "status": "Synced" if same else "OutOfSync",
            "health": {"status": "Healthy"},
        }

    def _targets(self, app: Object, objects: list[Object]) -> list[Object]:
        made = []
        for one in copy.deepcopy(objects):
            metadata = one["metadata"]
            if BY_KIND[one["kind"]].namespaced:
                metadata.setdefault("namespace", app["spec"]["destination"]["namespace"])
            group = one["apiVersion"].rpartition("/")[0]
            place = f"{metadata.get('namespace', '')}/{metadata['name']}"
            mark = f"{app['metadata']['name']}:{group}/{one['kind']}:{place}"
            metadata["annotations"] = {**metadata.get("annotations", {}), TRACKING: mark}
            made.append(one)
        return made

    def _extra(self, app: Object, objects: list[Object]) -> list[Object]:
        wanted = {one["metadata"]["annotations"][TRACKING] for one in self._targets(app, objects)}
        return [
            found
            for kind in self.server.kinds
            for found in self.server.store.list(kind)
            if (mark := found["metadata"].get("annotations", {}).get(TRACKING, "")).startswith(
                f"{app['metadata']['name']}:"
            )
            and mark not in wanted
        ]

    # Operations.

    def _sync_by_itself(self, app: Object) -> None:
        automated = (app["spec"].get("syncPolicy") or {}).get("automated")
        status = app.get("status", {}).get("sync", {})
        if automated is None or automated.get("enabled") is False or status.get("status") != "OutOfSync":
            return
        uid, commit = app["metadata"]["uid"], status["revision"]
        if self._tried.get(uid) == commit and not automated.get("selfHeal"):
            return
        self._tried[uid] = commit
        sync = {"revision": commit, **({"prune": True} if automated.get("prune") else {})}
        operation = {"sync": sync, "initiatedBy": {"automated": True}, "retry": {"limit": 5}}

        def begin(made: Object) -> None:
            made["operation"] = operation
            made["status"].pop("operationState", None)

        self._change(app, begin)

    def _operate(self, app: Object) -> None:
        state = app.get("status", {}).get("operationState")
        if not state:
            state = {"phase": "Running", "operation": app["operation"], "startedAt": now(), "retryCount": 0}
            self._status(app, {"operationState": state | {"message": "initiating"}})
            return
        if state["phase"] not in ("Running", "Terminating"):
            return
        while self.stuck.is_set():
            time.sleep(0.02)
        app = self.server.store.get(self.kind, app["metadata"]["namespace"], app["metadata"]["name"])
        asked = state["operation"]["sync"]
        source = asked.get("source") or app["spec"]["source"]
        try:
            commit, objects = self.repository(asked.get("revision") or source.get("targetRevision") or "HEAD")
        except LookupError as error:
            self._finish(app, state | {"phase": "Error", "message": str(error)})
            return
        result = {"revision": commit, "source": source, "resources": []}
        state = state | {"syncResult": result}
        if self.refuses:
            self._finish(app, state | {"phase": "Failed", "message": self.refuses})
            return
        result["resources"] = self._apply(app, asked, objects)
        failed = any(one["status"] == "SyncFailed" for one in result["resources"])
        how = " (dry run)" if asked.get("dryRun") else ""
        if failed:
            self._finish(app, state | {"phase": "Failed", "message": "one or more objects failed to apply"})
            return
        history = app["status"].get("history") or []
        if not asked.get("dryRun") and not asked.get("resources"):
            number = history[-1]["id"] + 1 if history else 0
            entry = {
                "id": number, "revision": commit, "source": source, "deployedAt": now(),
                "deployStartedAt": state["startedAt"], "initiatedBy": state["operation"].get("initiatedBy", {}),
            }  # fmt: skip
            history = [*history, entry][-10:]
        self._finish(app, state | {"phase": "Succeeded", "message": f"successfully synced{how}"}, history)

    def _apply(self, app: Object, asked: Object, objects: list[Object]) -> list[Object]:
        dry, only = bool(asked.get("dryRun")), asked.get("resources")
        results = []
        for target in self._targets(app, objects):
            identity = self._identity(target)
            if only and not any(
                (one.get("group", ""), one["kind"], one["name"])
                == (identity["group"], identity["kind"], identity["name"])
                for one in only
            ):
                continue
            try:
                self._write(target, dry=dry).apply(self._live(target), target, force=True)
                results.append(
                    identity | {"status": "Synced", "message": "serverside-applied", "syncPhase": "Sync"}
                )
            except Refusal as refusal:
                results.append(
                    identity | {"status": "SyncFailed", "message": refusal.message, "syncPhase": "Sync"}
                )
        for extra in self._extra(app, objects) if not only else ():
            done = {"status": "PruneSkipped", "message": "ignored (requires pruning)"}
            if asked.get("prune"):
                done = {"status": "Pruned", "message": "pruned"}
                if not dry:
                    self._remove(extra)
            results.append(self._identity(extra) | done | {"syncPhase": "Sync"})
        return results

    def _finish(self, app: Object, state: Object, history: list[Object] | None = None) -> None:
        def end(made: Object) -> None:
            made.pop("operation", None)
            made["status"]["operationState"] = state | {"finishedAt": now()}
            if history is not None:
                made["status"]["history"] = history

        self._change(app, end)
        self._compare(self.server.store.get(self.kind, app["metadata"]["namespace"], app["metadata"]["name"]))

    # What it writes.

    def _finalize(self, app: Object) -> None:
        if FINALIZER in app["metadata"].get("finalizers", ()):
            for found in self._extra(app, []):
                if "Delete=false" not in found["metadata"]["annotations"].get(
                    "argocd.argoproj.io/sync-options", ""
                ):
                    self._remove(found)
            app["metadata"]["finalizers"].remove(FINALIZER)
            self.server.store.put(self.kind, app["metadata"]["namespace"], app)

    def _remove(self, found: Object) -> None:
        metadata = found["metadata"]
        self.server.remove(BY_KIND[found["kind"]], metadata.get("namespace", ""), metadata["name"])

    def _status(self, app: Object, changed: Object, *, refreshed: bool = False) -> None:
        def how(made: Object) -> None:
            status = {**made.get("status", {}), **changed}
            made["status"] = {name: value for name, value in status.items() if value is not None}
            if refreshed:
                made["metadata"].get("annotations", {}).pop(REFRESH, None)

        self._change(app, how)

    def _change(self, app: Object, how: Callable[[Object], None]) -> None:
        """Change an Application as it is now, and nothing of it that somebody else has changed in between."""
        namespace, name = app["metadata"]["namespace"], app["metadata"]["name"]
        writer = Writer("argocd-application-controller", "Update", self.kind.api_version)
        write = Write(self.server, self.kind, namespace, writer, validation="Strict", dry=False)
        with self.server.store.changed:
            live = self.server.store.get(self.kind, namespace, name)
            made = copy.deepcopy(live)
            how(made)
            write.update(live, made)

    def _write(self, target: Object, *, dry: bool) -> Write:
        kind = BY_KIND[target["kind"]]
        writer = Writer("argocd-controller", "Apply", kind.api_version)
        namespace = target["metadata"].get("namespace", "")
        return Write(self.server, kind, namespace, writer, validation="Strict", dry=dry)

    def _live(self, target: Object) -> Object | None:
        metadata = target["metadata"]
        return self.server.store.find(
            BY_KIND[target["kind"]], metadata.get("namespace", ""), metadata["name"]
        )

    def _identity(self, found: Object) -> dict[str, Any]:
        group, slash, version = found["apiVersion"].rpartition("/")
        metadata = found["metadata"]
        return {
            "group": group if slash else "", "version": version, "kind": found["kind"],
            "namespace": metadata.get("namespace", ""), "name": metadata["name"],
        }  # fmt: skip
