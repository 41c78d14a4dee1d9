"""A Kubernetes API server that is none: it keeps objects, watches, logs and refusals as the real one does.

It speaks HTTP (HTTPS where it gets a certificate) as lightkube and kubectl 1.20 to 1.32 expect it: discovery, lists
and watches with versions, 410 for versions that are gone, bookmarks, logs that are followed, patches, Status objects.
Created objects are validated by `validate`, if one is given, and then handed to the controller.

A controller plays the rest of the cluster:

    class Controller(Protocol):
        def started(self, run: Object, cluster: Cluster) -> None: ...

`started` is called in a thread of its own for each PipelineRun that is created. It moves the run on through the
methods of `Cluster`: `create`, `get`, `change` and `delete` objects, `log` the output of a container. That a user
wants a run cancelled stands in `spec.status` of the run (`cluster.cancelled(run)`); `cluster.closed` is set when the
server stops, and a controller that waits is to look at it.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tests.cluster.requests import Handler
from tests.cluster.schemas import Schemas
from tests.cluster.store import BY_KIND, KINDS, Kind, Object, Refusal, Store, now


class Fault(NamedTuple):
    """What goes wrong: an HTTP status (0: the connection is closed without an answer), and after how many seconds."""

    code: int = 500
    delay: float = 0.0
    reason: str = "InternalError"
    message: str = "the fake server was told to fail"


FAILURE = Fault()


class Cluster:
    """The inside of the fake cluster, for controllers and tests."""

    def __init__(self, store: Store, closed: threading.Event) -> None:
        self.store, self.closed = store, closed

    def create(self, kind: str, namespace: str, made: Object) -> Object:
        """Keep a new object and return it."""
        return self.store.create(BY_KIND[kind], namespace, made)

    def get(self, kind: str, namespace: str, name: str) -> Object:
        """Return an object; raises Refusal where there is none."""
        return self.store.get(BY_KIND[kind], namespace, name)

    def list(self, kind: str, namespace: str = "") -> list[Object]:
        """Return all objects of a kind."""
        return self.store.list(BY_KIND[kind], namespace)

    def change(self, kind: str, namespace: str, name: str, how: Callable[[Object], None]) -> Object:
        """Change an object by a function that works on it in place, and return what it is then."""
        return self.store.change(BY_KIND[kind], namespace, name, how)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Remove an object; of a pod, the logs too."""
        self.store.delete(BY_KIND[kind], namespace, name)

    def log(self, namespace: str, pod: str, container: str, data: bytes = b"", *, end: bool = False) -> None:
        """Append to the log of a container; `end` when no more will come."""
        self.store.log(namespace, pod, container, data, end=end)

    def cancelled(self, run: Object) -> bool:
        """Return whether a user wants this run cancelled, or it is gone."""
        metadata = run["metadata"]
        try:
            found = self.get("PipelineRun", metadata["namespace"], metadata["name"])
        except Refusal:
            return True
        return bool(found["spec"].get("status"))


class Controller(Protocol):
    """Plays the controllers of a cluster."""

    def started(self, run: Object, cluster: Cluster) -> None:
        """Run a PipelineRun that was just created; called in a thread of its own."""


class ApiServer:
    """The server; a context manager that listens on loopback while it lives."""

    def __init__(
        self, controller: Controller | None = None, *, validate: Callable[[Object], list[str]] | None = None,
        token: str = "", certificate: tuple[Path, Path] | None = None, without: tuple[str, ...] = (),
        tekton: str = "v1.15.0", schemas: Schemas | None = None, aggregated: bool = False,
    ) -> None:  # fmt: skip
        self.store, self.closed = Store(), threading.Event()
        self.cluster = Cluster(self.store, self.closed)
        self.controller, self.validate, self.token, self.without = controller, validate, token, without
        self.schemas, self.aggregated = schemas, aggregated
        self.kinds = [kind for kind in KINDS if schemas is None or kind.kind != "Application"]
        self.kept: list[Callable[[Kind, Object], None]] = []
        self.faults: list[tuple[str, str, Fault]] = []
        self.forbidden: set[tuple[str, str]] = set()
        self.admission: Callable[[Object], str] = lambda _made: ""
        self.gone_as_event = False
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.watch_epoch = 0
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.api = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        for namespace in ("default", "ci", "tekton-pipelines"):
            self.cluster.create("Namespace", "", {"metadata": {"name": namespace}})
        if tekton:
            info = {"metadata": {"name": "pipelines-info"}, "data": {"version": tekton}}
            self.cluster.create("ConfigMap", "tekton-pipelines", info)

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        with self.store.changed:
            self.store.changed.notify_all()
        self._http.shutdown()
        self._http.server_close()

    def fail(self, verb: str, plural: str, fault: Fault = FAILURE, times: int = 1) -> None:
        """Let the next requests of a verb (get, list, watch, create, patch, delete, log) on a resource fail."""
        self.faults += [(verb, plural, fault)] * times

    def forbid(self, verb: str, plural: str) -> None:
        """Refuse a verb on a resource, as RBAC does."""
        self.forbidden.add((verb, plural))

    def forbid_everywhere(self, plural: str) -> None:
        """Refuse lists of all namespaces, as RBAC does to who has rights in some only."""
        self.forbidden.add(("list everywhere", plural))

    def drop_watches(self) -> None:
        """Close the connections of all watches and followed logs that are open."""
        with self.store.changed:
            self.watch_epoch += 1
            self.store.changed.notify_all()

    def start(self, run: Object) -> None:
        """Hand a PipelineRun to the controller."""
        if self.controller is not None:
            threading.Thread(target=self.controller.started, args=(run, self.cluster), daemon=True).start()

    def take_fault(self, verb: str, plural: str) -> Fault | None:
        """Return the next fault for a request, and forget it."""
        for at, (its_verb, its_plural, fault) in enumerate(self.faults):
            if its_verb == verb and its_plural in (plural, "*"):
                del self.faults[at]
                return fault
        return None

    def kubeconfig(self, path: Path, namespace: str = "ci", **user: Any) -> Path:
        """Write a kubeconfig with one context, `fake`, and return its path."""
        context = {"cluster": "fake", "user": "me", "namespace": namespace}
        token = {"token": self.token} if self.token else {}
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
                    "contexts": [{"name": "fake", "context": context}],
                    "users": [{"name": "me", "user": {**token, **user}}],
                }
            ),
            encoding="utf-8",
        )
        return path

    def has_namespace(self, name: str) -> bool:
        return self.store.find(BY_KIND["Namespace"], "", name) is not None

    def keep(self, kind: Kind, namespace: str, made: Object) -> Object:
        """Keep an object that was written; a CustomResourceDefinition is served from then on."""
        if kind.kind == "CustomResourceDefinition":
            self.define(made)
            conditions = [{"type": name, "status": "True"} for name in ("NamesAccepted", "Established")]
            made = {**made, "status": {"conditions": conditions, "acceptedNames": made["spec"]["names"]}}
        kept = self.store.put(kind, namespace, made)
        for tell in self.kept:
            tell(kind, kept)
        return kept

    def define(self, crd: Object) -> None:
        """Serve the kinds of a CustomResourceDefinition."""
        assert self.schemas is not None
        self.schemas.define(crd)
        spec = crd["spec"]
        names = spec["names"]
        for version in spec["versions"]:
            made = Kind(
                spec["group"], version["name"], names["plural"], names["kind"],
                namespaced=spec["scope"] == "Namespaced", status="status" in version.get("subresources", {}),
            )  # fmt: skip
            self.kinds = [kind for kind in self.kinds if kind[:3] != made[:3]] + [made]
            self.store.kind_by_plural[made.plural] = made

    def remove(self, kind: Kind, namespace: str, name: str, *, orphan: bool = False) -> None:
        """Delete an object and what it owns, or mark it where a finalizer holds it."""
        live = self.store.get(kind, namespace, name)
        if live["metadata"].get("finalizers"):
            live["metadata"].setdefault("deletionTimestamp", now())
            kept = self.store.put(kind, namespace, live)
            for tell in self.kept:
                tell(kind, kept)
            return
        below = [] if orphan else self.store.dependents(live["metadata"]["uid"])
        below += self.store.within(name) if kind.kind == "Namespace" else []
        self.store.delete(kind, namespace, name)
        for its_kind, its_namespace, its_name in below:
            if self.store.find(its_kind, its_namespace, its_name) is not None:
                self.remove(its_kind, its_namespace, its_name)
        if kind.kind == "CustomResourceDefinition":
            plural = live["spec"]["names"]["plural"]
            self.kinds = [
                one for one in self.kinds if (one.group, one.plural) != (live["spec"]["group"], plural)
            ]

    def kind_of(self, group: str, version: str, plural: str) -> Kind:
        """Return a kind that is served; raises Refusal."""
        for kind in self.kinds:
            if (kind.group, kind.version, kind.plural) == (group, version, plural):
                if group not in self.without:
                    return kind
                break
        raise Refusal(404, "NotFound", "the server could not find the requested resource")


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    api: ApiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            raise
