"""What Tekton makes of the secrets of a service account: the files that it puts into the $HOME of each step.

After tektoncd/pipeline, pkg/credentials: annotations tekton.dev/git-N and tekton.dev/docker-N name the host that a
secret of type basic-auth or ssh-auth is for; a docker config needs none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

Object = dict[str, Any]


def credential_files(secrets: Iterable[Object]) -> dict[str, str]:
    """Return the texts of the files, by their paths below $HOME."""
    secrets = list(secrets)
    return {**_git_basic(secrets), **_ssh(secrets), **_docker(secrets)}


def _git_basic(secrets: list[Object]) -> dict[str, str]:
    config, stored = ["[credential]\n\thelper = store\n"], []
    for secret in secrets:
        if secret.get("type") != "kubernetes.io/basic-auth":
            continue
        user, password = _text(secret, "username"), _text(secret, "password")
        for url in _hosts(secret, "git"):
            escaped = user.replace("\\", "\\\\")
            config.append(f'[credential "{url}"]\n\tusername = {escaped}\n')
            parts = urlsplit(url)
            login = f"{quote(user, safe='$&+,;=')}:{quote(password, safe='$&+,;=')}"
            stored.append(parts._replace(netloc=f"{login}@{parts.netloc}").geturl())
    return {".gitconfig": "".join(config), ".git-credentials": "\n".join([*stored, ""])} if stored else {}


def _ssh(secrets: list[Object]) -> dict[str, str]:
    files, config, hosts = {}, "", []
    for secret in secrets:
        if secret.get("type") != "kubernetes.io/ssh-auth":
            continue
        key = f".ssh/id_{secret['metadata']['name']}"
        for host in _hosts(secret, "git"):
            name, _, port = host.partition(":")
            files[key] = _text(secret, "ssh-privatekey")
            config += f"Host {name}\n    HostName {name}\n    Port {port or 22}\n    IdentityFile /tekton/creds/{key}\n"
            if known := _text(secret, "known_hosts"):
                hosts.append(known)
    if files:
        files[".ssh/config"] = config
    if hosts:
        files[".ssh/known_hosts"] = "\n".join(hosts)
    return files


def _docker(secrets: list[Object]) -> dict[str, str]:
    auths: dict[str, Object] = {}
    for secret in secrets:
        if secret.get("type") == "kubernetes.io/dockerconfigjson":
            auths |= json.loads(_text(secret, ".dockerconfigjson"))["auths"]
    for secret in secrets:
        if secret.get("type") == "kubernetes.io/basic-auth":
            user, password = _text(secret, "username"), _text(secret, "password")
            auth = base64.b64encode(f"{user}:{password}".encode()).decode()
            entry = {"username": user, "password": password, "auth": auth, "email": "not@val.id"}
            auths |= dict.fromkeys(_hosts(secret, "docker"), entry)
    return {".docker/config.json": json.dumps({"auths": auths})} if auths else {}


def _hosts(secret: Object, kind: str) -> list[str]:
    annotations = secret["metadata"].get("annotations", {})
    return sorted(value for key, value in annotations.items() if key.startswith(f"tekton.dev/{kind}-"))


def _text(secret: Object, key: str) -> str:
    if key in secret.get("stringData", {}):
        return str(secret["stringData"][key])
    return base64.b64decode(secret.get("data", {}).get(key, "")).decode()
