"""Which pods were looked at closely, found as wanted, and not touched since: a second look would find the same.

The listing of containers tells most of what somebody can change, but not `docker update`. The engine remembers its last
events; as long as these reach back to the last look, they tell which containers something was done to. When they do not
(another machine's engine, a busy one, one that was restarted), every container is looked at.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

from dispatchfile import atomic
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from docker import APIClient

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.images import PodImages
    from dispatchfile.apps.local.snapshot import Found, Seen, Snapshot

# What is done in a container, or read from it, and changes nothing of it.
_IDLE = ("exec_", "health_status", "attach", "resize", "top", "archive-path", "export", "copy")


class Mark(Record):
    """Where the engine's events stood: the id and time of a container's making among them, and the last one's time."""

    container: str
    created: int
    last: int


class Looked:
    """The memory of the looks at one application, and what the engine's events say about it now."""

    def __init__(self, client: APIClient, folder: Path, app: App) -> None:
        self._client, self._path = client, folder / "looked.json"
        # Other rights of the application can make other containers of the same manifest.
        self._rights = [app.privileged, *app.host_paths]
        self._notes: dict[str, list[str]] = {}
        self._clean: dict[str, str] = {}
        self._last = 0

    def is_clean(self, pod: Found, images: PodImages) -> bool:
        """Return whether a look at a pod would find nothing but what it found before."""
        return all(
            self._clean.get(part.id) == _signature(pod, part) and images.id_of(part.image) == part.image_id
            for part in pod.parts
        )

    def notes(self, digest: str) -> list[str] | None:
        """Return what is to be said of pods of a make, None when that is not known."""
        return self._notes.get(digest)

    def note(self, digest: str, notes: Iterable[str]) -> None:
        """Remember what is to be said of pods of a make."""
        self._notes[digest] = list(notes)

    def found_clean(self, pod: Found) -> None:
        """Remember that a pod was looked at, and is as wanted."""
        self._clean.update((part.id, _signature(pod, part)) for part in pod.parts)

    def save(self, seen: Snapshot) -> None:
        """Keep what is known of the pods that are there; on a disk that is full or read-only the next look asks anew."""
        with contextlib.suppress(OSError):
            self._save(seen)

    def _save(self, seen: Snapshot) -> None:
        parts = [part for pod in seen.pods for part in pod.parts]
        if not parts or not self._last:
            self._path.unlink(missing_ok=True)
            return
        newest = max(parts, key=lambda part: part.created)
        there, digests = {part.id for part in parts}, {pod.digest for pod in seen.pods}
        data = {
            "rights": self._rights,
            "mark": [newest.id, newest.created, self._last],
            "clean": {one: sign for one, sign in self._clean.items() if one in there},
            "notes": {digest: notes for digest, notes in self._notes.items() if digest in digests},
        }
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.write(self._path, json.dumps(data).encode())

    def begin(self) -> None:
        """Read what was known, less the containers that something was done to since; nothing when that cannot be said."""
        if not self._client.base_url.startswith("http+docker"):
            return  # the events of another machine are told by its clock
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            mark = Mark(*data["mark"])
            known = data["clean"] if data["rights"] == self._rights else {}
            self._notes = data["notes"] if data["rights"] == self._rights else {}
        except (OSError, ValueError, KeyError, TypeError):
            mark, known = Mark("", int(time.time()), 0), {}
        events = list(self._events(mark.created))
        self._last = max((int(event.get("timeNano") or 0) for event in events), default=0)
        if any(event.get("Action") == "create" and _id(event) == mark.container for event in events):
            touched = {
                _id(event)
                for event in events
                if int(event.get("timeNano") or 0) > mark.last and _tells(event)
            }
            self._clean = {one: sign for one, sign in known.items() if one not in touched}

    def _events(self, since: int) -> Iterable[dict[str, Any]]:
        import docker

        try:
            ask: Any = self._client.events  # its stub knows no fractions of a second
            found = ask(since=since - 1, until=f"{time.time():.9f}", decode=True)
            return [event for event in found if event.get("Type") == "container"]
        except docker.errors.APIError:
            return []


def _signature(pod: Found, part: Seen) -> str:
    return f"{pod.digest} {part.name} {part.state} {part.image} {part.image_id} {part.connected} {part.mode}"


def _id(event: dict[str, Any]) -> str:
    return str((event.get("Actor") or {}).get("ID") or event.get("id") or "")


def _tells(event: dict[str, Any]) -> bool:
    return not str(event.get("Action", "")).startswith(_IDLE)
