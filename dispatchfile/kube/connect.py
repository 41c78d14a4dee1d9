"""The way into a cluster: certificates, tokens, proxies, and whom to act for."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube import plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx2

    from dispatchfile.kube.kubeconfig import Target

PATIENCE_S = 30.0
"""An API server answers in milliseconds; admission webhooks have ten seconds, thirty at most."""
CONNECT_S = 10.0


def connect(target: Target) -> httpx2.Client:
    """Return a client for a cluster; raises EnvironmentProblem for credentials that cannot be read or had."""
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
        raise unreadable(target, error) from None
    except ImportError as error:
        raise EnvironmentProblem(
            f"the proxy to the cluster cannot be used: {str(error).partition(chr(10))[0]}",
            help="proxy-url in the kubeconfig, HTTPS_PROXY or ALL_PROXY name it",
        ) from error


def unreadable(target: Target, error: Exception) -> EnvironmentProblem:
    """Return the problem of an entry that cannot be used; of its values, the text of an error might tell too much."""
    import ssl

    file = getattr(error, "filename", None) or target.user.get("tokenFile")
    why = getattr(error, "strerror", None) or getattr(error, "reason", None)  # of files, and of certificates
    if type(error).__name__ == "ValidationError":
        why = str(error)
    if isinstance(error, ssl.SSLError):
        why = "a certificate or key of it is none"
    return EnvironmentProblem(
        f'context "{target.context}" cannot be used: {f"{file}: " if file else ""}{why or "a value is wrong"}',
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
