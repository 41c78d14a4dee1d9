"""Images of pods: here already, or pulled, with the logins that the repository holds for it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.run.connect import asking
from dispatchfile.run.images import ensure_pause_image, inspect_image, registry_host, split_ref
from dispatchfile.run.pause import PAUSE_IMAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from docker import APIClient

    from dispatchfile.apps.local.objects import Objects


class PodImages:
    """What is known about images while one thing is done with an application."""

    def __init__(self, client: APIClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def id_of(self, ref: str) -> str:
        """Return the id of the image that a name means on the engine now, "" when it is not there."""
        with self._lock:
            lock = self._locks.setdefault(ref, threading.Lock())
        with lock:
            if ref not in self._ids:
                self._ids[ref] = str((inspect_image(self._client, ref) or {}).get("Id", ""))
            return self._ids[ref]

    def is_root(self, ref: str) -> bool:
        """Return whether containers of an image that is here run as root where nobody says otherwise."""
        user = str(((inspect_image(self._client, ref) or {}).get("Config") or {}).get("User") or "")
        return user.partition(":")[0] in ("", "0", "root")

    def ensure(self, ref: str, policy: str, logins: Mapping[str, Mapping[str, str]]) -> None:
        """Make an image usable. Raises EnvironmentProblem when it is not here and may or can not be pulled.

        imagePullPolicy is Always only where the manifest says so: an image of the tag latest is often one that was
        built on this machine.
        """
        if ref == PAUSE_IMAGE:
            ensure_pause_image(self._client)
            return
        if policy == "Always":
            self._pull(ref, logins)
        elif not self.id_of(ref):
            if policy == "Never":
                raise EnvironmentProblem(
                    f"the image {ref} is not on this engine, and imagePullPolicy is Never"
                )
            self._pull(ref, logins)

    def _pull(self, ref: str, logins: Mapping[str, Mapping[str, str]]) -> None:
        import docker

        name, tag = split_ref(ref)
        login = _login_for(ref, logins)
        with asking(f"pull the image {ref}"):
            for message in self._client.pull(name, tag=tag, stream=True, decode=True, auth_config=login):
                if "error" in message:
                    raise docker.errors.APIError(str(message["error"]))
        with self._lock:
            self._ids.pop(ref, None)


def logins(objects: Objects, namespace: str, secrets: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the logins that Secrets of a pod hold, by registry. Raises UsageError for a Secret in a wrong shape."""
    found: dict[str, dict[str, str]] = {}
    for name in secrets:
        data = objects.data("Secret", namespace, name) or {}
        text = data.get(".dockerconfigjson")
        if text is None:
            continue  # as the kubelet, which pulls without it
        try:
            auths = json.loads(text)["auths"]
            found.update((_host_of(host), _credentials(auth)) for host, auth in auths.items())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"Secret {namespace}/{name}: .dockerconfigjson is no Docker config") from None
    return found


def _credentials(auth: dict[str, Any]) -> dict[str, str]:
    import base64

    if auth.get("auth"):
        user, _, password = base64.b64decode(auth["auth"]).decode().partition(":")
        return {"username": user, "password": password}
    return {"username": str(auth["username"]), "password": str(auth["password"])}


def _login_for(ref: str, logins: Mapping[str, Mapping[str, str]]) -> dict[str, str] | None:
    """Return the login for an image; a name without a host is the engine's default registry, which has many names."""
    host = registry_host(ref)
    if host:
        return dict(logins[host]) if host in logins else None
    return next((dict(login) for known, login in logins.items() if known.endswith("docker.io")), None)


def _host_of(name: str) -> str:
    return name.partition("://")[2].partition("/")[0] or name.partition("/")[0]
