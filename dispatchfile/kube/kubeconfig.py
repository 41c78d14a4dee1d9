"""Which cluster is meant: the kubeconfig as kubectl reads it, or the service account of the pod that we run in.

The files that KUBECONFIG names are merged, and of two entries of one name the first counts; without it, it is
`~/.kube/config`. Paths in a file are relative to that file. (Kubernetes, "Organizing Cluster Access Using kubeconfig
Files".)
"""

from __future__ import annotations

import os
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.kube.shapes import fits
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the credentials of its service account."""
IN_CLUSTER = "in-cluster"
"""What the context of a pod's own service account is called."""
_SHAPES: dict[str, Any] = {
    "cluster": {},
    "context": {"cluster": "", "user": "", "namespace": ""},
    "user": {"exec": {"apiVersion": "", "command": "", "env": [{"name": "", "value": ""}]}},
}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Unconfigured(EnvironmentProblem):
    """Nothing names a cluster."""


class Target(Record, hidden=("user",)):
    """A cluster and who we are there. `cluster` and `user` are the entries of the kubeconfig, their paths absolute."""

    context: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return str(self.cluster["server"])


def find(context: str = "", namespace: str = "") -> Target:
    """Return the cluster of a context, or the current one; `namespace` wins over the context's.

    Raises UsageError for a context that is not there, Unconfigured where no file and no pod names a cluster, and
    EnvironmentProblem where they name none that can be used.
    """
    named = os.environ.get("KUBECONFIG", "")
    paths = [Path(name) for name in named.split(os.pathsep) if name] or [Path.home() / ".kube/config"]
    files = [path for path in paths if path.is_file()]
    if not files and not context and not named and (ACCOUNT / "token").is_file():
        return _in_cluster(namespace)
    if not files:
        looked = ", ".join(map(str, paths))
        raise Unconfigured(
            f"no cluster is configured: there is no {looked}",
            help="bring a kubeconfig there, or name one with KUBECONFIG",
        )
    merged = _merged(files)
    name = context or str(merged["current-context"] or "")
    if not name:
        raise EnvironmentProblem(
            f"{files[0]} has no current context",
            help="choose one: --context NAME, or kubectl config use-context NAME",
        )
    return _target(merged, name, namespace, given=bool(context))


def _target(merged: Mapping[str, Any], name: str, namespace: str, *, given: bool) -> Target:
    found = merged["contexts"].get(name)
    if found is None:
        known = ", ".join(sorted(merged["contexts"])) or "none"
        problem = f'there is no context "{name}" in the kubeconfig'
        raise (UsageError if given else EnvironmentProblem)(problem, help=f"it has: {known}")
    cluster = merged["clusters"].get(found.get("cluster"))
    user = merged["users"].get(found.get("user")) if found.get("user") else {}
    if cluster is None or user is None:
        lacks = f'cluster "{found.get("cluster")}"' if cluster is None else f'user "{found.get("user")}"'
        raise EnvironmentProblem(f'context "{name}" names the {lacks}, which is not in the kubeconfig')
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise EnvironmentProblem(f'the cluster of context "{name}" has no URL of a server')
    its = namespace or found.get("namespace") or "default"
    return Target(name, str(its), cluster, user)


def _merged(files: list[Path]) -> dict[str, Any]:
    merged: dict[str, Any] = {"current-context": "", "clusters": {}, "contexts": {}, "users": {}}
    for path in files:
        config = _read(path)
        merged["current-context"] = merged["current-context"] or config.get("current-context")
        for kind in ("clusters", "contexts", "users"):
            for entry in config.get(kind) or ():
                if not _is_entry(entry, kind[:-1]):
                    raise EnvironmentProblem(f"{path}: {kind} is not what a kubeconfig has")
                its = entry.get(kind[:-1]) or {}
                merged[kind].setdefault(entry["name"], _absolute(its, path.parent.absolute()))
    return merged


def _is_entry(entry: object, kind: str) -> bool:
    """Return whether it is a named cluster, context or user, as far as it is read here; lightkube looks at the rest."""
    if (
        not fits(entry, {"name": "", kind: _SHAPES[kind]})
        or not isinstance(entry, dict)
        or "name" not in entry
    ):
        return False
    program = (entry.get(kind) or {}).get("exec") or {}
    return all("name" in one and "value" in one for one in program.get("env") or ())


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f":{line + 1}" if line is not None else ""
        raise EnvironmentProblem(f"{path}{where} is no kubeconfig: it is not YAML") from None
    if config is None:
        return {}
    lists = ("clusters", "contexts", "users")
    if (
        not isinstance(config, dict)
        or not fits(config, {"current-context": ""})
        or not all(isinstance(config.get(kind) or [], list) for kind in lists)
    ):
        raise EnvironmentProblem(f"{path} is no kubeconfig")
    return config


def _absolute(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    found = {
        name: str(folder / value) if name in _PATHS and isinstance(value, str) and value else value
        for name, value in entry.items()
    }
    program = found.get("exec")
    if isinstance(program, dict) and os.sep in str(program.get("command")):  # others are looked for on PATH
        found["exec"] = {**program, "command": str(folder / program["command"])}
    return found


def _in_cluster(namespace: str) -> Target:
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST", ""),
        os.environ.get("KUBERNETES_SERVICE_PORT", "443"),
    )
    if not host:
        raise EnvironmentProblem("no cluster is configured", help="name a kubeconfig with KUBECONFIG")
    try:
        own = (ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        own = ""
    url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    cluster = {"server": url, "certificate-authority": str(ACCOUNT / "ca.crt")}
    return Target(IN_CLUSTER, namespace or own or "default", cluster, {"tokenFile": str(ACCOUNT / "token")})
