"""What is on the engine of an application, as one listing of its containers tells it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import (
    APP,
    CONTAINER,
    FILLER,
    GIVEN,
    HASH,
    INIT,
    JOB,
    MAIN,
    OBJECT,
    PARTS,
    PAUSE,
    POD,
    POD_LABELS,
    PORTS,
    ROLE,
    key_of_object,
    network_name,
)
from dispatchfile.apps.local.pods import Pod
from dispatchfile.record import Record
from dispatchfile.run.connect import asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from docker import APIClient

    from dispatchfile.apps.manifest import Key


GRACE = 30
"""Seconds that a pod has to end where its manifest does not say (Kubernetes core/v1 PodSpec)."""
LONGEST_GRACE = 24 * 3600
"""Seconds after which it has to, whatever its manifest says."""


class Seen(Record):
    """A container as the engine lists it. `state` is created, running, paused, restarting, removing, exited or dead."""

    id: str
    name: str
    image: str
    image_id: str
    state: str
    created: int
    labels: Mapping[str, str]
    address: str
    connected: bool
    mode: str
    exit_code: int | None
    volumes: tuple[str, ...]

    @property
    def part(self) -> str:
        """Return which container of its pod it is."""
        return self.labels.get(CONTAINER, "")

    @property
    def role(self) -> str:
        """Return what it is for."""
        return self.labels.get(ROLE, "")


class Found(Record):
    """A pod that is on the engine, whole or not."""

    key: Key
    namespace: str
    name: str
    digest: str
    job: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    parts: tuple[Seen, ...]
    expected: int
    given: Mapping[str, Any]

    @property
    def grace(self) -> int:
        """Return how many seconds it has to end."""
        seconds = self.given.get("terminationGracePeriodSeconds")
        return min(seconds, LONGEST_GRACE) if isinstance(seconds, int) else GRACE

    @property
    def whole(self) -> bool:
        """Return whether all its containers were made and begun, each once."""
        names = {part.part for part in self.parts}
        return (
            len(names) == len(self.parts) == self.expected
            and not any(part.state in ("created", "dead", "removing") for part in self.parts)
        )  # fmt: skip

    @property
    def main(self) -> tuple[Seen, ...]:
        """Return the containers that are to keep running."""
        return tuple(part for part in self.parts if part.role == MAIN)

    @property
    def own(self) -> tuple[Seen, ...]:
        """Return these without sidecars, which go on for as long as one of the others does."""
        sidecars = {one.get("name") for one in self.given.get("containers") or () if one.get("sidecar")}
        return tuple(part for part in self.main if part.part not in sidecars)

    @property
    def owner(self) -> Seen:
        """Return the container that has the pod's network."""
        by_role = {part.role: part for part in reversed(self.parts)}
        return by_role.get(PAUSE) or by_role.get(MAIN) or self.parts[0]

    @property
    def running(self) -> bool:
        """Return whether all containers that are to keep running do."""
        kept = [part for part in self.parts if part.role != INIT]
        return self.whole and all(part.state == "running" for part in kept)

    @property
    def created(self) -> int:
        """Return when it began, in seconds since 1970."""
        return min(part.created for part in self.parts)

    def pod(self, *, ready: bool) -> Pod:
        """Return it as the network needs to know it."""
        owner = self.owner
        return Pod(
            self.name, self.namespace, self.key, self.labels, owner.id, owner.name, owner.address,
            ready and bool(owner.address), self.ports,
        )  # fmt: skip


class Snapshot(Record):
    """All pods of an application, and containers of its that belong to no pod.

    `strays` somebody else made with its label; `fillers` are what filled volumes for a call that was cut off.
    """

    pods: tuple[Found, ...]
    strays: tuple[Seen, ...]
    fillers: tuple[Seen, ...]
    by_workload: Mapping[Key, Sequence[Found]]

    def of(self, key: Key) -> Sequence[Found]:
        """Return the pods of a workload."""
        return self.by_workload.get(key, ())

    @property
    def volumes_in_use(self) -> set[str]:
        """Return the names of the volumes that pods mount."""
        return {name for pod in self.pods for part in pod.parts for name in part.volumes}


def take(client: APIClient, app: str) -> Snapshot:
    """Return what is on the engine of an application. Raises EnvironmentProblem."""
    with asking("list the containers of the application"):
        listed = client.containers(all=True, filters={"label": f"{APP}={app}"})
    return snapshot(listed, app)


def snapshot(listed: Iterable[dict[str, Any]], app: str) -> Snapshot:
    """Return what a listing of containers says."""
    pods: dict[tuple[Key, str], list[Seen]] = {}
    strays, fillers = [], []
    for item in listed:
        seen = _seen(item, network_name(app))
        key = key_of_object(seen.labels.get(OBJECT, ""))
        if key is not None and POD in seen.labels and seen.role in (MAIN, INIT, PAUSE):
            pods.setdefault((key, seen.labels[POD]), []).append(seen)
        elif seen.role == FILLER:
            fillers.append(seen)
        elif seen.role in ("", MAIN, INIT, PAUSE):
            strays.append(seen)
    found = [_found(key, pod, parts) for (key, pod), parts in pods.items()]
    found.sort(key=lambda pod: (pod.created, pod.name))
    by_workload: dict[Key, list[Found]] = {}
    for one in found:
        by_workload.setdefault(one.key, []).append(one)
    return Snapshot(tuple(found), tuple(strays), tuple(fillers), by_workload)


def _seen(item: dict[str, Any], network: str) -> Seen:
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    own = networks.get(network) or {}
    names = [name for name in item.get("Names") or [""] if name.count("/") == 1]
    mounts = item.get("Mounts") or []
    return Seen(
        item["Id"], (names or [""])[0].lstrip("/"), item.get("Image", ""), item.get("ImageID", ""),
        str(item.get("State", "")).lower(), int(item.get("Created") or 0), item.get("Labels") or {},
        own.get("IPAddress") or "", network in networks,
        str((item.get("HostConfig") or {}).get("NetworkMode", "")),
        _exit_code(item),
        tuple(mount["Name"] for mount in mounts if mount.get("Name")),
    )  # fmt: skip


def _found(key: Key, pod: str, parts: list[Seen]) -> Found:
    labels = parts[0].labels
    namespace, _, name = pod.partition("/")
    digests = {part.labels.get(HASH, "") for part in parts}
    return Found(
        key, namespace, name, digests.pop() if len(digests) == 1 else "", labels.get(JOB, ""),
        _json(labels.get(POD_LABELS)), _json(labels.get(PORTS)), tuple(parts),
        int(labels.get(PARTS, "0")) if labels.get(PARTS, "").isdecimal() else 0,
        _json(labels.get(GIVEN)),
    )  # fmt: skip


def _exit_code(item: dict[str, Any]) -> int | None:
    """Return with what a container ended, as the listing words it: "Exited (0) 3 minutes ago"."""
    found = re.match(r"Exited \((\d+)\)", str(item.get("Status", "")))
    return int(found[1]) if found and str(item.get("State")).lower() == "exited" else None


def _json(text: str | None) -> dict[str, Any]:
    """Return what a label of ours holds; empty for one that somebody else wrote."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
