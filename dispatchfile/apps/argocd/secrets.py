"""The Secrets in which Argo CD looks for the credentials of repositories (Argo CD 3.6, "Declarative Setup")."""

from __future__ import annotations

from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.apps.manifest import Object

_TYPE = "argocd.argoproj.io/secret-type"
_MANAGED = {"managed-by": "argocd.argoproj.io"}


def repository(
    url: str, *, username: str = "", password: str = "", ssh_key: str = "", client_certificate: str = "",
    client_key: str = "", insecure: bool = False, project: str = "", control: str = "argocd",
    every: bool = False,
) -> Object:  # fmt: skip
    """Return the Secret that lets Argo CD read a repository, or with `every` all whose URLs begin with `url`.

    Its name is the one that Argo CD itself gives such a Secret, so that both find each other's. `control` is the
    namespace of Argo CD. Raises UsageError for what cannot be used together.
    """
    given = {
        "username": username, "password": password, "sshPrivateKey": ssh_key,
        "tlsClientCertData": client_certificate, "tlsClientCertKey": client_key, "project": project,
        "insecure": "true" if insecure else "",
    }  # fmt: skip
    if ssh_key and (username or password):
        raise UsageError("a repository is read with an ssh key or with a password, not both")
    if bool(client_certificate) != bool(client_key):
        raise UsageError("a client's certificate and its key go together")
    if insecure and every:
        raise UsageError(
            "certificates can be left unchecked for one repository only",
            help="name the repository itself",
        )
    kind = "repo-creds" if every else "repository"
    fields = {} if every else {"type": "git"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"{'creds' if every else 'repo'}-{_fnv32a(url + ('' if every else project))}",
            "namespace": control,
            "labels": {_TYPE: kind},
            "annotations": dict(_MANAGED),
        },
        "type": "Opaque",
        "stringData": {**fields, "url": url, **{name: text for name, text in given.items() if text}},
    }


def add(secret: Object, context: str = "") -> None:
    """Lay a Secret into the cluster in which Argo CD runs.

    Raises EnvironmentProblem, also where Argo CD is not installed, and UsageError for a context that is not there.
    """
    from dispatchfile.apps.argocd.reach import installation
    from dispatchfile.kube.client import SECRETS

    cluster = installation(context, secret["metadata"]["namespace"])
    try:
        cluster.apply(SECRETS, encoded(secret))
    finally:
        cluster.close()


def encoded(secret: Object) -> Object:
    """Return a Secret with its `stringData` as `data`, whose fields a cluster can take away again."""
    import base64

    given = secret.get("stringData")
    if not isinstance(given, dict):
        return secret
    data = {name: base64.b64encode(str(text).encode()).decode() for name, text in given.items()}
    rest = {name: value for name, value in secret.items() if name != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **data}}


def _fnv32a(text: str) -> int:
    """Return the hash that names Argo CD's Secrets (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
