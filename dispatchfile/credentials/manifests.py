"""Logins as objects of a cluster: Secrets that Tekton gives to the steps of a service account, and the account.

Tekton, "Authentication": annotations tekton.dev/git-N and tekton.dev/docker-N name what a Secret is for, in the order N.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from dispatchfile.errors import UsageError

Object: TypeAlias = dict[str, Any]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_HUB_LABEL = re.compile(r"[^a-z0-9]+")


def basic_auth(name: str, tool: str, url: str, user: str, password: str, namespace: str = "") -> Object:
    """Return the Secret with a user and a password or token; `tool` is "git" or "docker"."""
    values = {"username": user, "password": password}
    return _secret(name, "kubernetes.io/basic-auth", values, namespace, {f"tekton.dev/{tool}-0": url})


def ssh_auth(name: str, server: str, key: str, known_hosts: str, namespace: str = "") -> Object:
    """Return the Secret with a key for ssh; `server` is HOST or HOST:PORT."""
    values = {"ssh-privatekey": key, "known_hosts": known_hosts}
    return _secret(name, "kubernetes.io/ssh-auth", values, namespace, {"tekton.dev/git-0": server})


def docker_config(name: str, auths: Mapping[str, Mapping[str, str]], namespace: str = "") -> Object:
    """Return the Secret with logins to registries, as nodes that pull images take it too."""
    values = {".dockerconfigjson": json.dumps({"auths": auths})}
    urls = {f"tekton.dev/docker-{number}": _url(server) for number, server in enumerate(auths)}
    return _secret(name, "kubernetes.io/dockerconfigjson", values, namespace, urls)


def account(name: str, secrets: Iterable[Object], namespace: str = "") -> Object:
    """Return the service account that has the Secrets, and pulls images with those that hold a Docker config."""
    secrets = list(secrets)
    pulls = [one for one in secrets if one["type"] == "kubernetes.io/dockerconfigjson"]
    made: Object = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(name, namespace),
        "secrets": [{"name": one["metadata"]["name"]} for one in secrets],
    }
    return made | (
        {"imagePullSecrets": [{"name": one["metadata"]["name"]} for one in pulls]} if pulls else {}
    )


def name_of(kind: str, server: str) -> str:
    """Return the name of a login's Secret when none is given: the kind, and the host where it is not told by the kind."""
    words = [word for word in _HUB_LABEL.split(server.lower().rpartition("://")[2]) if word and word != kind]
    return "-".join((kind, *words))[:253].rstrip("-")


def check_name(option: str, name: str) -> str:
    """Return the name of an object as it came. Raises UsageError."""
    if _NAME.fullmatch(name) is None or ".." in name or ".-" in name or "-." in name:
        raise UsageError(
            f'{option} "{name}" is no name of an object', help="small letters, digits, dashes and dots"
        )
    return name


def _secret(name: str, kind: str, values: Mapping[str, str], namespace: str, notes: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**_metadata(name, namespace), "annotations": notes},
        "type": kind,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def _metadata(name: str, namespace: str) -> Object:
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def _url(server: str) -> str:
    return server if "://" in server else f"https://{server}"
