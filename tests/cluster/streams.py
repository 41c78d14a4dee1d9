"""Answers of the fake cluster that do not end by themselves: watches and logs."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.cluster.store import Kind, Object, Refusal

if TYPE_CHECKING:
    from tests.cluster.api_server import ApiServer


class Streams(BaseHTTPRequestHandler):
    """The part of a connection that streams."""

    api: ApiServer
    query: dict[str, str]
    epoch: int

    def _selected(self, found: Object) -> bool:
        raise NotImplementedError

    def _watch(self, kind: Kind, namespace: str, _name: str) -> None:
        store = self.api.store
        version = int(self.query.get("resourceVersion") or 0)
        gone = {"code": 410, "reason": "Expired", "message": f"too old resource version: {version}"}
        if 0 < version < store.compacted:
            if not self.api.gone_as_event:
                raise Refusal(410, "Expired", str(gone["message"]))
            self._begin("application/json")
            self._event("ERROR", {"kind": "Status", "apiVersion": "v1", "status": "Failure", **gone})
            self._chunk(b"")
            return
        deadline = time.monotonic() + float(self.query.get("timeoutSeconds") or 1800)
        self._begin("application/json")
        if not version:
            with store.changed:
                found, version = store.list(kind, namespace), store.version
            for item in found:
                if self._selected(item):
                    self._event("ADDED", item)
        while time.monotonic() < deadline and not self.api.closed.is_set():
            with store.changed:
                changes = store.since(kind, namespace, version)
                if not changes and self.epoch == self.api.watch_epoch:
                    store.changed.wait(min(1.0, max(0.01, deadline - time.monotonic())))
                    changes = store.since(kind, namespace, version)
                newest = store.version
            if self.epoch != self.api.watch_epoch:
                self.close_connection = True  # without the last chunk: the connection broke
                return
            for change in changes:
                if self._selected(change.object):
                    self._event(change.type, change.object)
            version = newest
            if self.query.get("allowWatchBookmarks") == "true" and not changes:
                self._event(
                    "BOOKMARK",
                    {
                        "kind": kind.kind,
                        "apiVersion": kind.api_version,
                        "metadata": {"resourceVersion": str(version)},
                    },
                )
        self._chunk(b"")

    def _log(self, kind: Kind, namespace: str, name: str) -> None:
        pod = self.api.store.get(kind, namespace, name)
        container = self.query.get("container", "")
        names = [one["name"] for one in pod.get("spec", {}).get("containers", [])]
        if container not in names:
            raise Refusal(400, "BadRequest", f"container {container} is not valid for pod {name}")
        key = (namespace, name, container)
        states = {one["name"]: one for one in pod.get("status", {}).get("containerStatuses", [])}
        waiting = states.get(container, {}).get("state", {}).get("waiting")
        if waiting or container not in states:
            why = (waiting or {}).get("reason", "PodInitializing")
            raise Refusal(
                400, "BadRequest", f'container "{container}" in pod "{name}" is waiting to start: {why}'
            )
        self._begin("text/plain")
        at, follow = (0, 0), self.query.get("follow") == "true"
        since = self.query.get("sinceTime", "")[:19]  # the kubelet counts whole seconds here
        while not self.api.closed.is_set():
            pieces, at, ended = self.api.store.log_lines(key, at, 1.0 if follow else 0.0)
            for stamp, data, begins in pieces:
                if stamp[:19] < since:
                    continue
                prefix = f"{stamp} ".encode() if begins and self.query.get("timestamps") == "true" else b""
                self._chunk(prefix + data)
            if not follow or (ended and not pieces):
                break
            if self.epoch != self.api.watch_epoch:
                self.close_connection = True
                return
        self._chunk(b"")

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _event(self, type_: str, found: Object) -> None:
        self._chunk(json.dumps({"type": type_, "object": found}).encode() + b"\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()
