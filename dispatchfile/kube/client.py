"""A connection to a cluster: verbs on plain objects, streams of changes and of logs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube import plugin, shapes
from dispatchfile.kube.problems import Refused, bare, refused, unreachable
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    import httpx2

    from dispatchfile.kube.kubeconfig import Target

    Object: TypeAlias = dict[str, Any]

PATIENCE_S = 30.0
"""An API server answers in milliseconds; admission webhooks have ten seconds, thirty at most."""
CONNECT_S = 10.0
QUIET_S = 60.0
"""Seconds after which a stream that brings nothing is taken for dead, and asked for again."""
LARGEST, LARGEST_CHANGE = 256 << 20, 32 << 20
"""Bytes of an answer, and of one change; of an object etcd keeps two million at most."""


class Kind(Record):
    """A kind of object in the API."""

    group: str
    version: str
    plural: str

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """Return where its objects, one of them, or a part of that one are, such as `log` of a pod."""
        from urllib.parse import quote

        root = f"/apis/{self.group}" if self.group else "/api"
        rest = "".join(f"/{quote(word, safe='')}" for word in (name, part) if word)
        return f"{root}/{self.version}/namespaces/{quote(namespace, safe='')}/{self.plural}{rest}"


PODS = Kind("", "v1", "pods")
CONFIG_MAPS = Kind("", "v1", "configmaps")


class Cluster:
    """A cluster, in one namespace. May be used from many threads.

    Every method raises Refused when the server says no, and Unreachable when it does not answer.
    """

    def __init__(self, target: Target) -> None:
        """Prepare the connection; raises EnvironmentProblem for credentials that cannot be read or had."""
        self.target, self.namespace = target, target.namespace
        self._lock = threading.Lock()
        self._http = self._connect()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object:
        """Return an object."""
        return self._object(self._json("GET", kind.path(namespace or self.namespace, name)))

    def list(self, kind: Kind, **selectors: str) -> Object:
        """Return the list of objects that `labelSelector` and `fieldSelector` choose, as the API gives it."""
        found = self._json("GET", kind.path(self.namespace), params=selectors)
        if not shapes.is_list(found):
            raise self._odd()
        return found

    def create(self, kind: Kind, made: Object) -> Object:
        """Create an object and return it as the cluster keeps it."""
        params = {"fieldManager": "dispatchfile", "fieldValidation": "Strict"}
        return self._object(self._json("POST", kind.path(self.namespace), made, params=params))

    def patch(self, kind: Kind, name: str, change: Object) -> Object:
        """Change an object by a merge patch (RFC 7386) and return it."""
        path = kind.path(self.namespace, name)
        return self._json("PATCH", path, change, content_type="application/merge-patch+json")

    def serves(self, group: str, version: str) -> bool:
        """Return whether the cluster has an API."""
        try:
            self._json("GET", f"/apis/{group}/{version}")
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

    def _json(
        self, method: str, path: str, body: Object | None = None, *, params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:  # fmt: skip
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "Accept": "application/json",
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
            raise self._unreadable(error) from None

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
                self._http = self._connect()
            return self._http

    def _connect(self) -> httpx2.Client:
        try:
            import httpx2
            import msgspec
            from lightkube.config import client_adapter, kubeconfig, models
            from lightkube.core.exceptions import ConfigError
        except ModuleNotFoundError as error:
            raise EnvironmentProblem(
                f"to talk to a cluster, {error.name} is needed, which is not installed",
                help="pip install 'dispatchfile[kube]'",
            ) from error
        target = self.target
        try:
            user = plugin.credentials(target) if target.user.get("exec") else dict(target.user)
            if "auth-provider" in user and "token" not in user:
                raise EnvironmentProblem(
                    f'the user of context "{target.context}" has an auth-provider, which Kubernetes 1.26 dropped',
                    help="let your cluster's provider write the kubeconfig anew",
                )
            if token := user.get("tokenFile"):  # what is wrong with it is told now, not at each request
                Path(token).read_text(encoding="utf-8")
            with TemporaryDirectory() as folder:  # certificates and keys are read once, and go with it
                single = kubeconfig.SingleConfig(
                    target.context,
                    models.Context(cluster=target.context),
                    msgspec.convert(_in_files(target.cluster, Path(folder)), models.Cluster),
                    msgspec.convert(_in_files(user, Path(folder)), models.User),
                )
                params = client_adapter.ConnectionParams(
                    timeout=httpx2.Timeout(PATIENCE_S, connect=CONNECT_S),
                    proxy=target.cluster.get("proxy-url"),
                ).httpx_params(single)
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
            return httpx2.Client(**params, limits=limits, headers=_impersonation(user))
        except (
            ConfigError,
            msgspec.ValidationError,
            OSError,
            TypeError,
            ValueError,
            httpx2.InvalidURL,
        ) as error:
            raise self._unreadable(error) from None
        except ImportError as error:
            raise EnvironmentProblem(
                f"the proxy to the cluster cannot be used: {str(error).partition(chr(10))[0]}",
                help="proxy-url in the kubeconfig, HTTPS_PROXY or ALL_PROXY name it",
            ) from error

    def _unreadable(self, error: Exception) -> EnvironmentProblem:
        """Return the problem of an entry that cannot be used; of its values, the text of an error might tell too much."""
        import ssl

        file = getattr(error, "filename", None) or self.target.user.get("tokenFile")
        why = getattr(error, "strerror", None) or getattr(
            error, "reason", None
        )  # of files, and of certificates
        if type(error).__name__ == "ValidationError":
            why = str(error)
        if isinstance(error, ssl.SSLError):
            why = "a certificate or key of it is none"
        return EnvironmentProblem(
            f'context "{self.target.context}" cannot be used: {f"{file}: " if file else ""}{why or "a value is wrong"}',
            help="kubectl config view --minify shows what the kubeconfig says",
        )


def _in_files(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return an entry of a kubeconfig with the `…-data` in it written to files, which is how Python reads it.

    Raises OSError with its name for a file that cannot be read, which OpenSSL would not tell.
    """
    from base64 import b64decode

    found = dict(entry)
    for name in ("certificate-authority", "client-certificate", "client-key"):
        if data := found.pop(f"{name}-data", None):
            path = folder / name
            path.write_bytes(b64decode(data))
            found[name] = str(path)
        elif file := found.get(name):
            Path(file).read_bytes()
    return found


def _impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers that act for somebody else, as the `as…` fields of a kubeconfig's user ask."""
    single = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
    headers = [(header, str(user[field])) for field, header in single.items() if user.get(field)]
    headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()]
    for key, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{key}", str(value)) for value in values]
    return headers
