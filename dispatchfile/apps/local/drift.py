"""What somebody changed by hand on a pod: its containers as the engine knows them, held against how they were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.blueprint import container_name
from dispatchfile.apps.local.labels import INIT, PAUSE
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatchfile.apps.local.blueprint import Blueprint, Part
    from dispatchfile.apps.local.images import PodImages
    from dispatchfile.apps.local.snapshot import Found, Seen
    from dispatchfile.apps.local.workload import Workload


class Difference(Record):
    """A difference of a container. `path` and `live` are where and what it is in the manifest, `path` () where nothing is.

    `mendable` is one that can be undone without another pod.
    """

    container: str
    text: str
    path: tuple[str, ...] = ()
    live: Any = None
    mendable: bool = False


def of_state(wanted: Workload, pod: Found, plan: Blueprint) -> Iterator[Difference]:
    """Yield what the listing of containers tells of a whole pod."""
    for seen in pod.parts:
        part = plan.part(seen.part)
        if part is None:
            continue
        if (name := container_name(wanted.site.app, plan, part)) != seen.name:
            yield Difference(part.name, f"{name} is called {seen.name}", mendable=True)
        if part.role == INIT:
            continue
        if seen.id == pod.owner.id and not seen.connected and seen.mode != "host":
            yield Difference(part.name, f"{seen.name} is not on its network", mendable=True)
        lasting = part.role == PAUSE or part.config["HostConfig"]["RestartPolicy"]["Name"] == "always"
        if seen.state == "paused" or (seen.state == "exited" and lasting):
            word = "paused" if seen.state == "paused" else "stopped"
            yield Difference(part.name, f"{seen.name} is {word}", mendable=True)


def of_settings(
    pod: Found, plan: Blueprint, details: Mapping[str, Mapping[str, Any]], images: PodImages
) -> Iterator[Difference]:
    """Yield what the containers of a pod are and were not asked to be; `details` are what the engine tells of each."""
    for seen in pod.parts:
        part, found = plan.part(seen.part), details.get(seen.id)
        if part is None:
            yield Difference(seen.part, f"{seen.name} is no container of this pod")
        elif found is not None:
            yield from _image(part, seen, found, images)
            yield from _settings(part, found, asks_address=plan.asks_address)
            if plan.holder and part.role != PAUSE:
                mode = found["HostConfig"].get("NetworkMode", "")
                if mode not in (f"container:{pod.owner.id}", f"container:{pod.owner.name}"):
                    yield Difference(part.name, f"{seen.name} is not on the network of its pod")


def _image(part: Part, seen: Seen, found: Mapping[str, Any], images: PodImages) -> Iterator[Difference]:
    asked, runs = part.config["Image"], str(found["Config"].get("Image", ""))
    if asked != runs:
        yield Difference(part.name, f"{seen.name} runs {runs}", ("image",), runs)
        return
    meant = images.id_of(asked)
    if meant and _bare(meant) != _bare(str(found.get("Image", ""))):
        shown = f"{asked.partition('@')[0]}@sha256:{_bare(str(found.get('Image')))}"
        yield Difference(part.name, f"{asked} is another image now", ("image",), shown)


def _settings(part: Part, found: Mapping[str, Any], *, asks_address: bool) -> Iterator[Difference]:
    config, host, asked = found["Config"], found["HostConfig"], part.config
    for field, path in (
        ("Entrypoint", "command"),
        ("Cmd", "args"),
        ("WorkingDir", "workingDir"),
        ("User", ""),
    ):
        if asked.get(field) and config.get(field) != asked[field]:
            text = f"{path or 'the user'} is {config.get(field)!r}"
            yield Difference(part.name, text, (path,) if path else (), config.get(field))
    if not asks_address and (missing := set(asked.get("Env", ())) - set(config.get("Env") or ())):
        names = ", ".join(sorted(one.partition("=")[0] for one in missing))
        yield Difference(part.name, f"the environment has other values of {names}")
    yield from _limits(part.name, asked["HostConfig"], host)
    restart, own = asked["HostConfig"]["RestartPolicy"], host.get("RestartPolicy") or {}
    if (own.get("Name") or "no") != restart["Name"]:
        yield Difference(part.name, f"it is restarted {own.get('Name') or 'no'}, not {restart['Name']}")
    for field, plain in (("Privileged", False), ("ReadonlyRootfs", False)):
        if bool(host.get(field)) != asked["HostConfig"].get(field, plain):
            yield Difference(part.name, f"{field} is {host.get(field)}")
    mounted = {
        (one.get("Name") or one.get("Source"), one.get("Destination")) for one in found.get("Mounts") or ()
    }
    for mount in asked["HostConfig"]["Mounts"]:
        if "Inner" not in mount and (mount["Source"], mount["Target"]) not in mounted:
            yield Difference(part.name, f"{mount['Target']} is not mounted from {mount['Source']}")


def _limits(name: str, asked: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[Difference]:
    own = {
        "Memory": host.get("Memory") or 0,
        "MemoryReservation": host.get("MemoryReservation") or 0,
        "NanoCpus": _cpus(host),
        "CpuShares": host.get("CpuShares") or 0,
    }
    for field, path, live in (
        ("Memory", ("resources", "limits", "memory"), in_bytes(own["Memory"])),
        ("NanoCpus", ("resources", "limits", "cpu"), f"{own['NanoCpus'] // 10**6}m"),
        ("MemoryReservation", ("resources", "requests", "memory"), in_bytes(own["MemoryReservation"])),
        ("CpuShares", ("resources", "requests", "cpu"), f"{own['CpuShares'] * 1000 // 1024}m"),
    ):
        if own[field] != asked[field]:
            text = f"{'.'.join(path)} is {live if own[field] else 'none'}"
            yield Difference(name, text, path, live if own[field] else None)
    if host.get("CpusetCpus"):
        yield Difference(name, f"it is bound to the cores {host['CpusetCpus']}")


def in_bytes(number: int) -> str:
    """Return a number of bytes in the largest unit that it is a whole number of (Kubernetes resource.Quantity)."""
    for unit in ("", "Ki", "Mi", "Gi"):
        if number % 1024 or not number:
            return f"{number}{unit}"
        number //= 1024
    return f"{number}Ti"


def _cpus(host: Mapping[str, Any]) -> int:
    """Return the limit in billionths of a core; `docker update --cpu-quota` is another way to set one."""
    if host.get("NanoCpus"):
        return int(host["NanoCpus"])
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    return quota * 10**9 // period if quota > 0 else 0


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
