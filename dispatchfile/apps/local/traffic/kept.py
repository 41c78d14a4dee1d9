"""What of Services and Ingresses was brought about, kept in the application's folder between calls."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import key_of_object, object_of
from dispatchfile.apps.local.pods import Pod
from dispatchfile.apps.manifest import Key, Manifest
from dispatchfile.errors import EnvironmentProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

VERSION = 1


class Kept:
    """The manifests as they were applied, the pods that get requests, and what each proxy was given last.

    It is a memory and no promise: what it has lost, or what a killed program did not write any more, is done again.
    Threads may share it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "traffic.json"
        self._lock = threading.RLock()
        self._data: dict[str, dict[str, Any]] = {"objects": {}, "pods": {}, "given": {}, "published": {}}
        self._data.update(_read(self._path))
        self._waiting = 0  # 1: inside `together`, 2: and something was set

    def applied(self, kind: str) -> list[Manifest]:
        """Return the manifests of a kind that were applied, in the order of their names."""
        with self._lock:
            return [
                Manifest(key, self._data["objects"][label])
                for label in sorted(self._data["objects"])
                if (key := key_of_object(label)) is not None and key.kind == kind
            ]

    def manifest(self, key: Key) -> dict[str, Any] | None:
        """Return what was applied of an object, None when nothing was."""
        with self._lock:
            return self._data["objects"].get(object_of(key))

    def pods(self) -> list[Pod]:
        """Return the pods that get requests."""
        with self._lock:
            return [_pod(found) for found in self._data["pods"].values()]

    def given(self, proxy: str) -> str:
        """Return a fingerprint of what a proxy was given last."""
        with self._lock:
            return str(self._data["given"].get(proxy, ""))

    def published(self, proxy: str) -> dict[int, int]:
        """Return which ports of this machine a proxy's had last, by the port inside."""
        with self._lock:
            return {
                int(inside): outside for inside, outside in self._data["published"].get(proxy, {}).items()
            }

    def apply(self, manifest: Manifest) -> None:
        """Remember an object."""
        self._set("objects", object_of(manifest.key), manifest.object)

    def forget(self, key: Key) -> None:
        """Remember an object no more."""
        self._set("objects", object_of(key), None)

    def give(self, proxy: str, fingerprint: str | None) -> None:
        """Remember what a proxy was given; None: it is no more."""
        self._set("given", proxy, fingerprint)

    def publish(self, proxy: str, ports: Iterable[tuple[int, int]]) -> None:
        """Remember the ports of a proxy."""
        self._set("published", proxy, {str(inside): outside for inside, outside in ports})

    def admit(self, pod: Pod) -> None:
        """Let a pod get requests."""
        found = {**vars(pod), "workload": object_of(pod.workload), "ready": True}
        self._set("pods", pod.container, {**found, "labels": dict(pod.labels), "ports": dict(pod.ports)})

    def retire(self, container: str) -> None:
        """Let the pod of a container get no more requests."""
        self._set("pods", container, None)

    def only(self, pods: Iterable[Pod]) -> None:
        """Let these pods get requests and no others."""
        pods = list(pods)
        stay = {pod.container for pod in pods}
        with self.together():
            for container in set(self._data["pods"]) - stay:
                self.retire(container)
            for pod in pods:
                self.admit(pod)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._data = {"objects": {}, "pods": {}, "given": {}, "published": {}}
            self._path.unlink(missing_ok=True)

    def _set(self, part: str, name: str, value: Any) -> None:
        with self._lock:
            if self._data[part].get(name) == value:
                return
            if value is None:
                del self._data[part][name]
            else:
                self._data[part][name] = value
            if self._waiting:
                self._waiting = 2
            else:
                self._write()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what is set inside the block once, at its end."""
        with self._lock:
            outer, self._waiting = self._waiting, self._waiting or 1
            try:
                yield
            finally:
                changed = self._waiting == 2
                if not outer:
                    self._waiting = 0
                    if changed:
                        self._write()

    def _write(self) -> None:
        from dispatchfile.credentials.private import write

        write(self._path, json.dumps({"version": VERSION, **self._data}))


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return {}
        raise EnvironmentProblem(f"{path} cannot be read: {error.strerror}") from error
    except ValueError:
        return {}  # damaged: the next sync does its part anew
    if not isinstance(found, dict) or found.get("version") != VERSION:
        return {}
    return {name: part for name, part in found.items() if isinstance(part, dict)}


def _pod(found: dict[str, Any]) -> Pod:
    workload = key_of_object(found["workload"]) or Key("", "Pod", found["namespace"], found["name"])
    return Pod(**{**found, "workload": workload})
