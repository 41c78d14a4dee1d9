"""Requests to the fake cluster, as HTTP has them."""

from __future__ import annotations

import copy
import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.cluster import discovery, patches
from tests.cluster.managed import Writer
from tests.cluster.store import Kind, Object, Refusal
from tests.cluster.streams import Streams
from tests.cluster.writing import Write

if TYPE_CHECKING:
    from tests.cluster.api_server import ApiServer

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Handler(Streams, BaseHTTPRequestHandler):
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
                200,
                discovery.openapi_v2(self.api.kinds),
                "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            )
            return
        if path[:1] in (["healthz"], ["readyz"]):
            self._send(200, b"ok", "text/plain")
            return
        told = discovery.document(path, self.api.kinds, self.api.without, self._aggregated)
        if told is not None:
            form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            its = told.get("kind") == "APIGroupDiscoveryList"
            self._send(200, json.dumps(told).encode(), form if its else "application/json")
            return
        group, version, rest = self._group(path)
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if not rest:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        kind = self.api.kind_of(group, version, rest[0])
        name, action = (*rest[1:3], "", "")[:2]
        self.part = action
        verb = VERBS.get(self.command) or ("log" if action == "log" else "get" if name else "list")
        if verb == "list" and self.query.get("watch") in ("true", "1"):
            verb = "watch"
        self._permit(verb, kind, namespace)
        if action == "scale":
            self._scale(kind, namespace, name)
            return
        getattr(self, f"_{verb}")(kind, namespace, name)

    @property
    def _aggregated(self) -> bool:
        return self.api.aggregated and "APIGroupDiscoveryList" in self.headers.get("Accept", "")

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
        everywhere = "list everywhere" if verb == "list" and kind.namespaced and not namespace else ""
        if {(verb, kind.plural), (everywhere, kind.plural)} & self.api.forbidden:
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
        if self.api.schemas:
            with self.api.store.changed:
                metadata = made.get("metadata", {})
                self._absent(kind, namespace, metadata.get("name", ""))
                self._json(201, self._write(kind, namespace).create(made))
            return
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

    def _write(self, kind: Kind, namespace: str, operation: str = "Update") -> Write:
        manager = (
            self.query.get("fieldManager") or self.headers.get("User-Agent", "unknown").partition("/")[0]
        )
        writer = Writer(manager, operation, kind.api_version)
        validation = self.query.get("fieldValidation", "Warn")
        dry = self.query.get("dryRun") == "All"
        return Write(
            self.api, kind, namespace if kind.namespaced else "", writer, validation=validation, dry=dry
        )

    def _absent(self, kind: Kind, namespace: str, name: str) -> None:
        if not name:
            raise Refusal(422, "Invalid", "name or generateName is required")
        if self.api.store.find(kind, namespace, name) is not None:
            resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise Refusal(409, "AlreadyExists", f'{resource} "{name}" already exists')

    def _get(self, kind: Kind, namespace: str, name: str) -> None:
        self._json(200, self.api.store.get(kind, namespace, name))

    def _list(self, kind: Kind, namespace: str, _name: str) -> None:
        with self.api.store.changed:
            items = [found for found in self.api.store.list(kind, namespace) if self._selected(found)]
            version = str(self.api.store.version)
        metadata = {"resourceVersion": version}
        start, limit = int(self.query.get("continue") or 0), int(self.query.get("limit") or 0)
        if limit and start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(items) - start - limit}
        items = items[start : start + limit] if limit else items
        listed = [{name: one[name] for name in one if name not in ("apiVersion", "kind")} for one in items]
        told = {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata}
        self._json(200, {**told, "items": listed if self.api.schemas else items})

    def _update(self, kind: Kind, namespace: str, name: str) -> None:
        if not self.api.schemas:
            self._json(200, self.api.store.replace(kind, namespace, name, self._object()))
            return
        with self.api.store.changed:
            live, made = self.api.store.get(kind, namespace, name), self._object()
            self._same_version(kind, live, made)
            self._json(200, self._write(kind, namespace).update(live, made, self.part))

    def _delete(self, kind: Kind, namespace: str, name: str) -> None:
        options = self._object() or {}
        with self.api.store.changed:
            live = self.api.store.get(kind, namespace, name)
            uid = (options.get("preconditions") or {}).get("uid")
            if uid and uid != live["metadata"]["uid"]:
                raise Refusal(
                    409, "Conflict", f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
                    f"{live['metadata']['uid']}")  # fmt: skip
            if self.query.get("dryRun") != "All":
                policy = options.get("propagationPolicy") or self.query.get("propagationPolicy")
                self.api.remove(kind, namespace, name, orphan=policy == "Orphan")
        self._json(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    def _same_version(self, kind: Kind, live: Object, made: Object) -> None:
        version = str((made.get("metadata") or {}).get("resourceVersion") or "")
        if version and version != live["metadata"]["resourceVersion"]:
            raise Refusal(
                409, "Conflict", f'Operation cannot be fulfilled on {kind.plural} "{live["metadata"]["name"]}": the '
                "object has been modified; please apply your changes to the latest version and try again")  # fmt: skip

    def _patch(self, kind: Kind, namespace: str, name: str) -> None:
        how = self.headers.get("Content-Type", "")
        patch = self._object()
        self.api.bodies.append(copy.deepcopy(patch))
        if how == "application/apply-patch+yaml" and self.api.schemas:
            self._apply(kind, namespace, name, patch)
            return
        with self.api.store.changed:
            live = self.api.store.get(kind, namespace, name)
            if isinstance(patch, dict):
                self._same_version(kind, live, patch)
            made = copy.deepcopy(live)
            self._patched(how, kind, made, patch)
            if self.api.schemas:
                self._json(200, self._write(kind, namespace).update(live, made, self.part))
            else:
                self._json(200, self.api.store.replace(kind, namespace, name, made))

    def _patched(self, how: str, kind: Kind, made: Object, patch: Any) -> None:
        is_core = "." not in kind.group or kind.group.endswith(".k8s.io")
        if how == "application/json-patch+json":
            patches.json_patch(made, patch)
        elif how == "application/merge-patch+json":
            patches.merge(made, patch)
        elif how == "application/strategic-merge-patch+json" and is_core and self.api.schemas:
            patches.strategic(self.api.schemas.of(kind.group, kind.version, kind.kind), made, patch)
        elif how == "application/strategic-merge-patch+json" and is_core:
            patches.merge(made, patch)  # lists are replaced; enough where no list is patched
        else:
            raise Refusal(
                415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {how}"
            )

    def _apply(self, kind: Kind, namespace: str, name: str, given: Object) -> None:
        """Server-side apply, which creates what is not there."""
        if not self.query.get("fieldManager"):
            raise Refusal(
                400, "BadRequest", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value"
            )
        if (given.get("apiVersion"), given.get("kind")) != (kind.api_version, kind.kind):
            raise Refusal(400, "BadRequest", f"the object is no {kind.kind} of {kind.api_version}")
        metadata = given.setdefault("metadata", {})
        if metadata.setdefault("name", name) != name:
            raise Refusal(400, "BadRequest", "the name of the object does not match the name on the URL")
        if metadata.get("namespace", namespace) != namespace:
            raise Refusal(
                400, "BadRequest", "the namespace of the object does not match the namespace on the URL"
            )
        force = self.query.get("force") == "true"
        with self.api.store.changed:
            live = self.api.store.find(kind, namespace, name)
            if live is None and kind.namespaced and not self.api.has_namespace(namespace):
                raise Refusal(404, "NotFound", f'namespaces "{namespace}" not found')
            if live is not None:
                self._same_version(kind, live, given)
            made = self._write(kind, namespace, "Apply").apply(live, given, force=force)
            self._json(200 if live else 201, made)

    def _scale(self, kind: Kind, namespace: str, name: str) -> None:
        """Show or change how many replicas there are, as `kubectl scale` does."""
        with self.api.store.changed:
            live = self.api.store.get(kind, namespace, name)
            if self.command != "GET":
                asked = self._object()["spec"]["replicas"]
                made = {**live, "spec": {**live["spec"], "replicas": asked}}
                live = self._write(kind, namespace).update(live, made, "scale")
        metadata = {key: live["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        spec = {"replicas": live["spec"].get("replicas", 1)}
        status = {"replicas": live.get("status", {}).get("replicas", 0)}
        self._json(
            200,
            {
                "apiVersion": "autoscaling/v1",
                "kind": "Scale",
                "metadata": metadata,
                "spec": spec,
                "status": status,
            },
        )

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
            if "!=" in term:
                name, _, value = term.partition("!=")
                if labels.get(name) == value:
                    return False
                continue
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
