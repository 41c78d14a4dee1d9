"""What was brought about last of each object, so that what there is can be told as the manifest it was made of.

One file in the application's folder, for the user alone; an object is in it once all of it was brought about. When the
file is lost, nothing is but the look of objects that the repository has changed since.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from dispatchfile import atomic
from dispatchfile.apps.manifest import Key
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import plain

if TYPE_CHECKING:
    from pathlib import Path

    from dispatchfile.apps.manifest import Object

_VERSION = 1
_PAUSE = 1.0
"""Seconds between two times of writing: whoever is killed in between finds out again."""


class Applied:
    """The objects of one application that were brought about. Every method raises EnvironmentProblem for a full disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "applied.json"
        self._lock = threading.Lock()
        self._objects: dict[Key, Object] = {}
        self._scheduled: dict[Key, float] = {}
        self._written, self._dirty = 0.0, False
        self._read()

    def get(self, key: Key) -> Object | None:
        """Return an object as it was brought about, None when it was not."""
        return self._objects.get(key)

    def keys(self) -> list[Key]:
        """Return which objects were brought about."""
        return list(self._objects)

    def put(self, key: Key, found: Object) -> None:
        """Remember an object."""
        with self._lock:
            if self._objects.get(key) != found:
                self._objects[key] = found
                self._soon()

    def forget(self, key: Key) -> None:
        """Remember an object no more."""
        with self._lock:
            self._scheduled.pop(key, None)
            if self._objects.pop(key, None) is not None:
                self._soon()

    def scheduled(self, key: Key) -> float | None:
        """Return up to when the times of a CronJob were seen to, in seconds since 1970; None when they never were."""
        return self._scheduled.get(key)

    def schedule(self, key: Key, until: float) -> None:
        """Remember up to when the times of a CronJob were seen to."""
        with self._lock:
            self._scheduled[key] = until
            self._soon()

    def save(self) -> None:
        """Write what was not written yet: many objects at a time are written together."""
        with self._lock:
            if self._dirty:
                self._write()

    def clear(self) -> None:
        """Remember nothing."""
        self._objects.clear()
        self._scheduled.clear()
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["version"] != _VERSION:
                return
            self._objects = {Key(**one["key"]): one["object"] for one in data["objects"]}
            self._scheduled = {Key(**one["key"]): one["until"] for one in data["scheduled"]}
        except FileNotFoundError:
            return
        except OSError as error:
            raise EnvironmentProblem(f"{self._path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError):
            # What runs tells the rest; the next sync writes it anew.
            self._objects, self._scheduled = {}, {}

    def _soon(self) -> None:
        self._dirty = True
        if time.monotonic() - self._written > _PAUSE:
            self._write()

    def _write(self) -> None:
        self._written, self._dirty = time.monotonic(), False
        data: dict[str, Any] = {
            "version": _VERSION,
            "objects": [{"key": plain(key), "object": found} for key, found in self._objects.items()],
            "scheduled": [{"key": plain(key), "until": until} for key, until in self._scheduled.items()],
        }
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic.write(self._path, json.dumps(data).encode())
        except OSError as error:
            raise EnvironmentProblem(
                f"what was brought about cannot be kept in {self._path}: {error.strerror}"
            ) from error
