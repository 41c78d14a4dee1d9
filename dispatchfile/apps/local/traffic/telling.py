"""How Services and Ingresses stand, told as resources with Argo CD's words."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import OBJECT, key_of_object, object_of
from dispatchfile.apps.local.traffic import wiring
from dispatchfile.apps.local.traffic.publish import published_in
from dispatchfile.apps.local.traffic.upkeep import faults
from dispatchfile.apps.status import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.local.traffic.ingress import Ingress
    from dispatchfile.apps.local.traffic.kept import Kept
    from dispatchfile.apps.local.traffic.service import Service
    from dispatchfile.apps.local.traffic.upkeep import Want
    from dispatchfile.apps.manifest import Manifest, Object
    from dispatchfile.apps.status import Health
    from dispatchfile.errors import UsageError

    Item = Mapping[str, Any] | None

HERE = "127.0.0.1"


def of_service(service: Service, pods: Sequence[Pod], item: Item) -> list[str]:
    """Return what is to be said of a Service: where it answers, who answers, and what it does not carry."""
    words = [*urls_of_service(service, item), *_moved(service, item)]
    if not service.selector and not service.external:
        words.append("it has no selector, and Endpoints of one's own are not supported: nobody answers")
    elif not service.external:
        mine = [pod for pod in pods if service.selects(pod)]
        if not mine:
            words.append("it selects no pod")
        elif not any(pod.ready for pod in mine):
            words.append("none of its pods is ready")
        words += [
            f'no pod has a port called "{port.target}"'
            for port in service.ports
            if isinstance(port.target, str) and mine and all(port.target not in pod.ports for pod in mine)
        ]
    return [*words, *service.notes]


def of_ingress(ingress: Ingress, find: wiring.Find, item: Item) -> list[str]:
    """Return what is to be said of an Ingress."""
    words = urls_of_ingress(ingress, item)
    hosts = sorted({way.host for way in ingress.ways if way.host and not _is_local(way.host)})
    if hosts and (port := _port_of_ingress(item)):
        words.append(f"http://{HERE}:{port} with the header Host: {hosts[0]}")
    return [*words, *wiring.missing(ingress, find), *ingress.notes]


def resource(
    manifest: Manifest, applied: Object | None, want: Want | None, item: Item, said: Sequence[str]
) -> Resource:
    """Return how a wanted object stands, which needs the proxy `want`, of which `item` is there."""
    wrong: list[str] = []
    live = copy.deepcopy(applied)
    health: Health = "Healthy" if applied is not None else "Missing"
    if applied is not None and want is not None:
        if item is None:
            wrong, live, health = ["its proxy was removed"], None, "Missing"
        elif item.get("State") != "running":
            wrong, health = [f"its proxy is {item.get('State')}"], "Degraded"
        elif applied == manifest.object and (wrong := faults(item, want.shape)) and live is not None:
            _tell_ports(live, published_in(item))
    synced = applied == manifest.object and not wrong
    return Resource(
        manifest.key, "Synced" if synced else "OutOfSync", health, "; ".join([*wrong, *said]),
        manifest.object, live, place=manifest.place,
    )  # fmt: skip


def refused(manifest: Manifest, applied: Object | None, error: UsageError) -> Resource:
    """Return how an object stands that says what cannot be done."""
    message = f"{error.message}; {error.help}" if error.help else error.message
    return Resource(
        manifest.key, "OutOfSync", "Degraded", message, manifest.object, applied, place=manifest.place
    )


def unwanted(
    wanted: Iterable[Manifest], kept: Kept, listed: Mapping[str, Mapping[str, Any]]
) -> list[Resource]:
    """Return what is there and wanted no more: what was applied, and proxies that only their labels tell of."""
    known = {object_of(manifest.key) for manifest in wanted}
    found: list[Resource] = []
    for manifest in (*kept.applied("Service"), *kept.applied("Ingress")):
        if object_of(manifest.key) not in known:
            known.add(object_of(manifest.key))
            found.append(Resource(manifest.key, "OutOfSync", "Healthy", live=manifest.object))
    for item in listed.values():
        label = (item.get("Labels") or {}).get(OBJECT, "")
        key = key_of_object(label)
        if key is not None and key.name and label not in known:
            known.add(label)
            metadata = {"name": key.name, "namespace": key.namespace}
            live: Object = {"kind": key.kind, "metadata": metadata}
            found.append(Resource(key, "OutOfSync", "Healthy", live=live))
    return found


def urls_of_service(service: Service, item: Item) -> list[str]:
    """Return where a Service answers on this machine."""
    urls = []
    for inside, outside in sorted(published_in(item or {})):
        port = service.port(inside)
        if port is not None:
            secure = port.number == 443 or port.name.startswith("https")
            scheme = "https" if secure else "tcp" if port.speech == "tcp" else "http"
            urls.append(f"{scheme}://{HERE}:{outside}")
    return urls


def urls_of_ingress(ingress: Ingress, item: Item) -> list[str]:
    """Return where an Ingress answers on this machine: for hosts that it can find."""
    port = _port_of_ingress(item)
    if not port:
        return []
    ways = [(way.host or HERE, way.path) for way in ingress.ways if not way.host or _is_local(way.host)]
    if ingress.default:
        ways.append((HERE, "/"))
    return list(dict.fromkeys(f"http://{host}:{port}{path}" for host, path in ways))


def told(want: Want, published: Mapping[int, int]) -> str:
    """Return the line that says that a proxy was brought about."""
    kind, namespace, name = want.object.split("/")
    ports = ", ".join(f"port {inside} at {HERE}:{outside}" for inside, outside in sorted(published.items()))
    what = f"{kind} {namespace}/{name}" if name else "the Ingresses"
    return f"{what}: ready" + (f", {ports}" if want.wishes and ports else "")


def _moved(service: Service, item: Item) -> list[str]:
    """Return which ports of a LoadBalancer had to be others."""
    published = published_in(item or {})
    return [
        f"port {wish.first} of this machine was taken"
        for wish in wiring.wishes_of(service)
        if item and wish.first and (wish.inside, wish.first) not in published
    ]


def _port_of_ingress(item: Item) -> int:
    return next((outside for _, outside in sorted(published_in(item or {}))), 0)


def _is_local(host: str) -> bool:
    return host == "localhost" or (host.endswith(".localhost") and not host.startswith("*"))


def _tell_ports(live: Object, published: Iterable[tuple[int, int]]) -> None:
    """Write the ports at which a Service can really be reached into its live object."""
    outside = dict(published)
    for port in (live.get("spec") or {}).get("ports") or ():
        if port.get("nodePort") and port.get("port") in outside:
            port["nodePort"] = outside[port["port"]]
        else:
            port.pop("nodePort", None)
