"""Where an application answers: hosts of its Ingresses, and addresses of its load balancers."""

from __future__ import annotations

from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from dispatchfile.apps.manifest import Object


def addresses(objects: Iterable[Object]) -> list[str]:
    """Return the URLs of Ingresses, and then of Services of type LoadBalancer that have an address, each once."""
    hosts: list[str] = []
    balanced: list[str] = []
    for one in objects:
        if one.get("kind") == "Ingress":
            hosts += _of_ingress(one)
        elif one.get("kind") == "Service" and mapping(one.get("spec")).get("type") == "LoadBalancer":
            balanced += _of_service(one)
    return list(dict.fromkeys([*hosts, *balanced]))


def _of_ingress(ingress: Object) -> Iterator[str]:
    spec = mapping(ingress.get("spec"))
    secure = {host for tls in _maps(spec.get("tls")) for host in tls.get("hosts") or ()}
    given = _entries(ingress)
    for rule in _maps(spec.get("rules")):
        host = rule.get("host")
        hosts = [host] if isinstance(host, str) and host else given
        for path in _maps(mapping(rule.get("http")).get("paths")):
            for one in hosts:
                yield f"{'https' if one in secure else 'http'}://{one}{path.get('path') or '/'}"


def _of_service(service: Object) -> Iterator[str]:
    for port in _maps(mapping(service.get("spec")).get("ports")):
        number = port.get("port")
        if port.get("protocol", "TCP") != "TCP":
            continue
        for host in _entries(service):
            yield (
                f"https://{host}" if number == 443 else f"http://{host}{'' if number == 80 else f':{number}'}"
            )


def _entries(found: Object) -> list[str]:
    """Return the addresses at which a load balancer took an object up."""
    entries = _maps(mapping(mapping(found.get("status")).get("loadBalancer")).get("ingress"))
    return [str(name) for one in entries if (name := one.get("hostname") or one.get("ip"))]


def _maps(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
