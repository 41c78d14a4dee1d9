"""What the proxies of an application are to do, of its Services, its Ingresses and the pods that are ready."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dispatchfile.apps.local.traffic import service as services
from dispatchfile.apps.local.traffic.haproxy import Backend, Config, Listener, Rule, Server
from dispatchfile.apps.local.traffic.publish import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.local.traffic.haproxy import Mode
    from dispatchfile.apps.local.traffic.ingress import Ingress, Target
    from dispatchfile.apps.local.traffic.service import Port, Service

    Find = Callable[[str, str], Service | None]

INGRESS_HOST = "ingress.dispatchfile.internal"
INGRESS_PORT = 8080
_MODES: dict[str, tuple[Mode, ...]] = {"http": ("http",), "tcp": ("tcp",), "either": ("http", "tcp")}


def of_service(service: Service, pods: Sequence[Pod]) -> Config:
    """Return what stands before the pods of a Service."""
    backends, listeners = [], []
    for port in service.ports:
        servers = _servers(service, port, pods)
        names = {mode: f"{mode}-{port.number}" for mode in _MODES[port.speech]}
        table = ""
        for mode, name in names.items():
            backends.append(Backend(name, mode, servers, service.affinity, table))
            table = table or name
        listeners.append(Listener(port.number, names.get("http", ""), names.get("tcp", "")))
    return Config(service.names[-1], tuple(backends), tuple(listeners))


def of_ingresses(ingresses: Sequence[Ingress], find: Find, pods: Sequence[Pod]) -> Config:
    """Return what sorts the requests of all Ingresses of an application; `find` knows a Service by its two names."""
    backends: dict[str, Backend] = {}

    def backend(ingress: Ingress, target: Target, strip: str = "") -> str:
        name = f"{ingress.key.namespace}.{target.service}.{target.port}"
        if strip:
            name += "." + hashlib.sha256(strip.encode()).hexdigest()[:8]
        service = find(ingress.key.namespace, target.service)
        port = service.port(target.port) if service else None
        servers = _servers(service, port, pods) if service and port else ()
        affinity = service.affinity if service else 0
        backends[name] = Backend(name, "http", servers, affinity, strip=strip)
        return name

    rules = tuple(
        Rule(
            way.host, way.path, way.exact, backend(one, way.target, way.path.rstrip("/") if way.strip else "")
        )
        for one in ingresses
        for way in one.ways
    )
    default = next((backend(one, one.default) for one in ingresses if one.default), "")
    return Config(INGRESS_HOST, tuple(backends.values()), rules=rules, default=default)


def wishes_of(service: Service) -> tuple[Wish, ...]:
    """Return which ports of this machine a Service is to be reached at."""
    if service.type == "NodePort":
        return tuple(Wish(port.number, fixed=port.node) for port in service.ports)
    if service.type != "LoadBalancer":
        return ()
    fixed = tuple(Wish(port.number, fixed=port.node) for port in service.ports if port.node)
    return tuple(Wish(port.number, first=port.number) for port in service.ports) + fixed


def missing(ingress: Ingress, find: Find) -> list[str]:
    """Return what an Ingress names and is not there, as words for its message."""
    words = []
    for target in ingress.targets:
        service = find(ingress.key.namespace, target.service)
        if service is None:
            words.append(f"there is no Service {target.service}")
        elif service.port(target.port) is None:
            words.append(f"the Service {target.service} has no port {target.port}")
    return words


def _servers(service: Service, port: Port, pods: Sequence[Pod]) -> tuple[Server, ...]:
    if service.external:
        return (Server(service.external, port.number),)
    found = (
        Server(pod.container[:12], target, pod.address)
        for pod in pods
        if pod.address and service.selects(pod) and (target := services.target_of(port, pod)) is not None
    )
    return tuple(sorted(found, key=lambda server: server.host))
