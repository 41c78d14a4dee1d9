"""A connection to a cluster: verbs on plain objects, streams of changes and of logs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dispatchfile.kube import shapes
from dispatchfile.kube.connect import CONNECT_S, PATIENCE_S, connect, unreadable
from dispatchfile.kube.problems import Refused, bare, refused, unreachable
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    import httpx2

    from dispatchfile.kube.kubeconfig import Target

    Object: TypeAlias = dict[str, Any]

MANAGER = "dispatchfile"
"""Who we are to the cluster, which remembers for each field who has set it."""
PAGE = 500
"""Objects that are asked for at once."""
QUIET_S = 60.0
"""Seconds after which a stream that brings nothing is taken for dead, and asked for again."""
LARGEST, LARGEST_CHANGE = 256 << 20, 32 << 20
"""Bytes of an answer, and of one change; of an object etcd keeps two million at most."""


class Kind(Record):
    """A kind of object in the API; what has no `namespaced` is of the whole cluster."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """Return where its objects, one of them, or a part of that one are, such as `log` of a pod.

        Without a namespace it is those of all namespaces.
        """
        from urllib.parse import quote

        root = f"/apis/{self.group}" if self.group else "/api"
        within = f"/namespaces/{quote(namespace, safe='')}" if namespace and self.namespaced else ""
        rest = "".join(f"/{quote(word, safe='')}" for word in (name, part) if word)
        return f"{root}/{self.version}{within}/{self.plural}{rest}"

    def __str__(self) -> str:
        """Return RESOURCE.GROUP, as kubectl takes it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


PODS = Kind("", "v1", "pods")
CONFIG_MAPS = Kind("", "v1", "configmaps")
SECRETS = Kind("", "v1", "secrets")

_STRICT = {"fieldManager": MANAGER, "fieldValidation": "Strict"}


class Cluster:
    """A cluster, in one namespace. May be used from many threads.

    Every method raises Refused when the server says no, and Unreachable when it does not answer.
    """

    def __init__(self, target: Target) -> None:
        """Prepare the connection; raises EnvironmentProblem for credentials that cannot be read or had."""
        self.target, self.namespace = target, target.namespace
        self._lock = threading.Lock()
        self._http = connect(self.target)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object:
        """Return an object."""
        return self._object(self._json("GET", kind.path(namespace or self.namespace, name)))

    def look(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """Return an object, None where there is none of that name."""
        try:
            return self.get(kind, name, namespace)
        except Refused as problem:
            if problem.code == 404:
                return None
            raise

    def list(self, kind: Kind, **selectors: str) -> Object:
        """Return the list of objects that `labelSelector` and `fieldSelector` choose, as the API gives it."""
        return self._page(kind, self.namespace, selectors)

    def every(self, kind: Kind, namespace: str = "", **selectors: str) -> Sequence[Object]:
        """Return all objects that selectors choose, of a namespace or of all; each says what it is, as others do."""
        found: list[Object] = []
        more = ""
        while True:
            asked = {**selectors, "limit": str(PAGE), **({"continue": more} if more else {})}
            try:
                page = self._page(kind, namespace, asked)
            except Refused as problem:
                if problem.code == 410 and more:  # the list that was begun is forgotten
                    found, more = [], ""
                    continue
                raise
            what = {"apiVersion": page.get("apiVersion"), "kind": str(page.get("kind")).removesuffix("List")}
            found += [{**what, **one} for one in page.get("items") or ()]
            more = str(page["metadata"].get("continue") or "")
            if not more:
                return found

    def create(self, kind: Kind, made: Object, namespace: str = "") -> Object:
        """Create an object and return it as the cluster keeps it."""
        path = kind.path(namespace or self.namespace)
        return self._object(self._json("POST", path, made, params=_STRICT))

    def apply(
        self, kind: Kind, made: Object, *, force: bool = True, dry_run: bool = False, strict: bool = True,
        manager: str = MANAGER,
    ) -> Object:  # fmt: skip
        """Apply an object by the server (application/apply-patch+yaml), and return it as it is then, or would be.

        What was applied before and is not named any more is taken away. `force` takes fields that others have set,
        which is refused otherwise; `strict` lets unknown fields be refused. The object names its namespace. `manager` is who
        is said to do it.
        """
        validation = "Strict" if strict else "Ignore"
        params = {"fieldManager": manager, "fieldValidation": validation}
        params = {**params, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        metadata = made["metadata"]
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        found = self._json("PATCH", path, made, params=params, content_type="application/apply-patch+yaml")
        if dry_run and isinstance(its := found.get("metadata"), dict):
            its.setdefault("resourceVersion", "")  # which nobody has given to what is not there
        return self._object(found)

    def replace(self, kind: Kind, made: Object) -> Object:
        """Put an object in the place of one of its name; a `resourceVersion` in it has to be that one's."""
        metadata = made["metadata"]
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        return self._object(self._json("PUT", path, made, params=_STRICT))

    def patch(
        self, kind: Kind, name: str, change: Object, namespace: str = "", *, dry_run: bool = False
    ) -> Object:
        """Change an object by a merge patch (RFC 7386) and return it; `dry_run` only tells what it would be."""
        path = kind.path(namespace or self.namespace, name)
        params = {"fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})}
        return self._object(
            self._json("PATCH", path, change, params=params, content_type="application/merge-patch+json")
        )

    def delete(
        self, kind: Kind, name: str, namespace: str = "", *, uid: str = "", propagation: str = "Background"
    ) -> bool:
        """Delete an object, and what it owns by `propagation`; return False when it is gone already.

        With `uid`, one that was made since under the same name stays, which is Refused with code 409.
        """
        options: Object = {
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation,
            **({"preconditions": {"uid": uid}} if uid else {}),
        }  # fmt: skip
        try:
            self._json("DELETE", kind.path(namespace or self.namespace, name), options)
        except Refused as problem:
            if problem.code == 404:
                return False
            raise
        return True

    def document(self, path: str, accept: str = "application/json") -> Object:
        """Return what the cluster says about itself at a path."""
        return self._json("GET", path, accept=accept)

    def serves(self, group: str, version: str) -> bool:
        """Return whether the cluster has an API."""
        try:
            self.document(f"/apis/{group}/{version}")
        except Refused as problem:
            if problem.code == 404:
                return False
            raise
        return True

    def watch(
        self, kind: Kind, version: str, *, seconds: int, **selectors: str
    ) -> Iterator[tuple[str, Object]]:
        """Yield changes behind a version as (ADDED, MODIFIED, DELETED or BOOKMARK, object) until the server ends it.

        A version that is gone is Refused with code 410, however the server puts it.
        """
        params = {
            **selectors, "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }  # fmt: skip
        with self._stream(kind.path(self.namespace), params, seconds + 15) as answer:
            rest = b""
            for chunk in answer.iter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LARGEST_CHANGE:
                    raise self._odd()
                for line in filter(None, lines):
                    change = self._parsed(line)
                    if not shapes.is_change(change):
                        raise self._odd()
                    if change["type"] == "ERROR":
                        raise refused(self.target, int(change["object"].get("code") or 500), change["object"])
                    yield change["type"], change["object"]

    def log(self, pod: str, container: str, *, since: str = "", follow: bool = True) -> Iterator[bytes]:
        """Yield the log of a container as it comes, each line behind its time; `since` is a time in RFC 3339."""
        params = {"container": container, "follow": str(follow).lower(), "timestamps": "true"}
        if since:
            params["sinceTime"] = since
        with self._stream(PODS.path(self.namespace, pod, "log"), params, QUIET_S) as answer:
            yield from answer.iter_bytes()

    # How a request is made.

    def _page(self, kind: Kind, namespace: str, params: Mapping[str, str]) -> Object:
        found = self._json("GET", kind.path(namespace), params=params)
        if not shapes.is_list(found):
            raise self._odd()
        return found

    def _json(
        self, method: str, path: str, body: Object | None = None, *, params: Mapping[str, str] | None = None,
        content_type: str = "application/json", accept: str = "application/json",
    ) -> Object:  # fmt: skip
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "Accept": accept,
            **({"Content-Type": content_type} if body is not None else {}),
        }
        with self._answer(method, path, content=content, headers=headers, params=params) as answer:
            found = self._parsed(self._whole(answer))
        if not isinstance(found, dict):
            raise self._odd()
        return found

    def _whole(self, answer: httpx2.Response) -> bytes:
        """Return the body of an answer; compressed it may be small and still no end of it come."""
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise self._odd()
        return bytes(body)

    def _parsed(self, text: bytes) -> Any:
        try:
            return shapes.parsed(text)
        except ValueError as error:
            raise self._odd() from error

    def _object(self, found: Object) -> Object:
        if not shapes.is_object(found):
            raise self._odd()
        return found

    def _odd(self) -> Refused:
        return Refused(
            f"{bare(self.target.server)} does not answer as a cluster does",
            help="is this the URL of a Kubernetes API server?",
        )

    @contextmanager
    def _stream(self, path: str, params: Mapping[str, str], quiet: float) -> Iterator[httpx2.Response]:
        import httpx2

        timeout = httpx2.Timeout(PATIENCE_S, connect=CONNECT_S, read=quiet)
        with self._answer("GET", path, params=params, timeout=timeout) as answer:
            yield answer

    @contextmanager
    def _answer(self, method: str, path: str, **how: Any) -> Iterator[httpx2.Response]:
        """Send a request; hand out the answer while it is read. Old credentials are renewed once."""
        import httpx2
        from lightkube.core.exceptions import ConfigError

        if name := self.target.cluster.get("tls-server-name"):
            how["extensions"] = {"sni_hostname": name}
        try:
            http = self._http
            with http.stream(method, path, **how) as answer:
                if answer.status_code == 401 and "exec" in self.target.user:
                    renew = True
                else:
                    renew = False
                    self._check(answer)
                    yield answer
            if renew:
                with self._renewed(http).stream(method, path, **how) as answer:
                    self._check(answer)
                    yield answer
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, OSError) as error:
            raise unreachable(self.target, error) from error
        except ConfigError as error:
            raise unreadable(self.target, error) from None

    def _check(self, answer: httpx2.Response) -> None:
        if answer.status_code < 300:
            return
        try:
            status = shapes.parsed(self._whole(answer))
        except ValueError:
            status = None
        told = status if isinstance(status, dict) else {}
        raise refused(self.target, answer.status_code, told, answer.headers.get("Retry-After", ""))

    def _renewed(self, old: httpx2.Client) -> httpx2.Client:
        with self._lock:
            if self._http is old:
                self._http = connect(self.target)
            return self._http
