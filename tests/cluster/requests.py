"""Requests to the fake cluster, as HTTP has them."""

from __future__ import annotations

import copy
import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.cluster import discovery
from tests.cluster.store import Kind, Object, Refusal

if TYPE_CHECKING:
    from tests.cluster.api_server import ApiServer

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    @property
    def api(self) -> ApiServer:
        return self.server.api  # type: ignore[attr-defined] # the server is ours

    def _answer(self) -> None:
        self.epoch = self.api.watch_epoch
        parts = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = [unquote(part) for part in parts.path.split("/") if part]
        self.api.requests.append((self.command, self.path))
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        try:
            if self.api.closed.is_set():  # a connection that was kept is as dead as the server
                raise ConnectionResetError
            self._authenticate()
            self._route(path)
        except Refusal as refusal:
            self._status(refusal)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _authenticate(self) -> None:
        if self.api.token and self.headers.get("Authorization") != f"Bearer {self.api.token}":
            raise Refusal(401, "Unauthorized", "Unauthorized")

    def _route(self, path: list[str]) -> None:
        if path == ["openapi", "v2"]:
            self._send(
                200, discovery.openapi_v2(), "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            )
            return
        if path[:1] in (["healthz"], ["readyz"]):
            self._send(200, b"ok", "text/plain")
            return
        told = discovery.document(path, self.api.without)
        if told is not None:
            self._json(200, told)
            return
        group, version, rest = self._group(path)
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if not rest:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        kind = self.api.kind_of(group, version, rest[0])
        name, action = (*rest[1:3], "", "")[:2]
        verb = VERBS.get(self.command) or ("log" if action == "log" else "get" if name else "list")
        if verb == "list" and self.query.get("watch") in ("true", "1"):
            verb = "watch"
        self._permit(verb, kind, namespace)
        getattr(self, f"_{verb}")(kind, namespace, name)

    def _group(self, path: list[str]) -> tuple[str, str, list[str]]:
        if path[:1] == ["api"] and len(path) > 2:
            return "", path[1], path[2:]
        if path[:1] == ["apis"] and len(path) > 3:
            return path[1], path[2], path[3:]
        raise Refusal(404, "NotFound", "the server could not find the requested resource")

    def _permit(self, verb: str, kind: Kind, namespace: str) -> None:
        fault = self.api.take_fault(verb, kind.plural)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.code == 0:
                self.close_connection = True
                raise ConnectionResetError
            if fault.code >= 400:
                raise Refusal(fault.code, fault.reason, fault.message)
        if (verb, kind.plural) in self.api.forbidden:
            resource = kind.plural + ("/log" if verb == "log" else "")
            said = "get" if verb == "log" else verb
            dotted = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise Refusal(
                403, "Forbidden", f'{dotted} is forbidden: User "system:serviceaccount:ci:me" cannot {said} '
                f'resource "{resource}" in API group "{kind.group}" in the namespace "{namespace}"')  # fmt: skip

    # Verbs.

    def _create(self, kind: Kind, namespace: str, _name: str) -> None:
        made = self._object()
        self.api.bodies.append(copy.deepcopy(made))
        if kind.namespaced:
            if not any(n["metadata"]["name"] == namespace for n in self.api.cluster.list("Namespace")):
                raise Refusal(404, "NotFound", f'namespaces "{namespace}" not found')
            its = made.get("metadata", {}).get("namespace")
            if its not in (None, namespace):
                raise Refusal(
                    400, "BadRequest", f"the namespace of the provided object does not match the "
                    f"namespace sent on the request: {its}")  # fmt: skip
        if (made.get("apiVersion"), made.get("kind")) != (kind.api_version, kind.kind):
            raise Refusal(400, "BadRequest", f"the object is no {kind.kind} of {kind.api_version}")
        denied = self.api.admission(made)
        if denied:
            raise Refusal(
                400, "BadRequest", f'admission webhook "validation.webhook.pipeline.tekton.dev" '
                f"denied the request: validation failed: {denied}")  # fmt: skip
        problems = self.api.validate(made) if self.api.validate else []
        if problems:
            name = made["metadata"].get("name", made["metadata"].get("generateName", ""))
            details = {
                "name": name, "group": kind.group, "kind": kind.kind, "causes": [{"message": one} for one in problems]
            }  # fmt: skip
            said = f'{kind.kind}.{kind.group} "{name}" is invalid: {"; ".join(problems)}'
            raise Refusal(422, "Invalid", said, details)
        if self.query.get("dryRun"):
            self._json(201, made)
            return
        made = self.api.store.create(kind, namespace, made)
        self._json(201, made)
        if kind.kind == "PipelineRun":
            self.api.start(made)

    def _get(self, kind: Kind, namespace: str, name: str) -> None:
        self._json(200, self.api.store.get(kind, namespace, name))

    def _list(self, kind: Kind, namespace: str, _name: str) -> None:
        with self.api.store.changed:
            items = [found for found in self.api.store.list(kind, namespace) if self._selected(found)]
            version = str(self.api.store.version)
        self._json(
            200,
            {
                "apiVersion": kind.api_version,
                "kind": f"{kind.kind}List",
                "metadata": {"resourceVersion": version},
                "items": items,
            },
        )

    def _update(self, kind: Kind, namespace: str, name: str) -> None:
        self._json(200, self.api.store.replace(kind, namespace, name, self._object()))

    def _delete(self, kind: Kind, namespace: str, name: str) -> None:
        self.api.store.delete(kind, namespace, name)
        self._json(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    def _patch(self, kind: Kind, namespace: str, name: str) -> None:
        how = self.headers.get("Content-Type", "")
        patch = self._object()
        self.api.bodies.append(copy.deepcopy(patch))
        if how == "application/json-patch+json":
            apply = _json_patch
        elif how == "application/merge-patch+json":
            apply = _merge_patch
        elif how == "application/strategic-merge-patch+json" and "." not in kind.group:
            apply = _merge_patch  # lists are replaced; enough where no list is patched
        else:
            raise Refusal(
                415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {how}"
            )
        version = (
            str((patch.get("metadata") or {}).get("resourceVersion") or "") if isinstance(patch, dict) else ""
        )
        with self.api.store.changed:
            found = self.api.store.get(kind, namespace, name)
            if version and version != found["metadata"]["resourceVersion"]:
                raise Refusal(409, "Conflict", f'Operation cannot be fulfilled on {kind.plural} "{name}"')
            apply(found, patch)
            self._json(200, self.api.store.replace(kind, namespace, name, found))

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

    # Parts of answers.

    def _object(self) -> Any:
        try:
            return yaml.safe_load(self.body)
        except yaml.YAMLError as error:
            raise Refusal(400, "BadRequest", f"the body is not understood: {error}") from error

    def _selected(self, found: Object) -> bool:
        metadata = found["metadata"]
        labels = metadata.get("labels", {})
        for term in filter(None, self.query.get("labelSelector", "").split(",")):
            name, equals, value = term.replace("==", "=").partition("=")
            if (labels.get(name) != value) if equals else (name not in labels):
                return False
        for term in filter(None, self.query.get("fieldSelector", "").split(",")):
            name, _, value = term.partition("=")
            if str(metadata.get(name.removeprefix("metadata."), "")) != value:
                return False
        return True

    def _status(self, refusal: Refusal) -> None:
        told = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": refusal.message,
            "reason": refusal.reason, "details": refusal.details, "code": refusal.code,
        }  # fmt: skip
        self._json(refusal.code, told)

    def _json(self, code: int, told: Any) -> None:
        self._send(code, json.dumps(told).encode(), "application/json")

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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


def _merge_patch(target: Object, patch: Object) -> None:
    """Change an object by a merge patch (RFC 7386)."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(name), dict):
                target[name] = {}
            _merge_patch(target[name], value)
        else:
            target[name] = value


def _json_patch(target: Object, patch: list[dict[str, Any]]) -> None:
    """Change an object by a JSON patch (RFC 6902): add, replace, remove and test on members of objects."""
    for step in patch:
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place = target
        for name in above:
            if name not in place:
                raise Refusal(422, "Invalid", f"there is no {step['path']}")
            place = place[name]
        if step["op"] == "remove":
            place.pop(last, None)
        elif step["op"] == "test" and place.get(last) != step["value"]:
            raise Refusal(422, "Invalid", f"{step['path']} is not {step['value']}")
        elif step["op"] in ("add", "replace"):
            place[last] = step["value"]
