"""What an Ingress asks for: which hosts and paths go to which Services."""

from __future__ import annotations

import re

from dispatchfile.apps.local.objects import as_text, items, mapping
from dispatchfile.apps.local.traffic.haproxy import check_host, check_path
from dispatchfile.errors import UsageError
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dispatchfile.apps.manifest import Key, Manifest

PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
# Traefik 1 and 2 wrote it in these ways; the path is taken off before the pod sees the request.
_STRIPPING = {
    "traefik.ingress.kubernetes.io/rule-type": "PathPrefixStrip",
    "traefik.frontend.rule.type": "PathPrefixStrip",
    "ingress.kubernetes.io/rule-type": "PathPrefixStrip",
}
_REWRITING = ("rewrite-target", "use-regex", "server-snippet", "configuration-snippet", "app-root")
_SHOWN = 3
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Target(Record):
    """A port, by number or name, of a Service in the Ingress's namespace."""

    service: str
    port: int | str


class Way(Record):
    """Requests to a host ("": any) and path go to a Service; with `strip` the path is taken off first."""

    host: str
    path: str
    exact: bool
    target: Target
    strip: bool = False


class Ingress(Record):
    """What an Ingress asks for. `default` is for requests that no way is for; `notes` say what is not carried."""

    key: Key
    ways: tuple[Way, ...]
    default: Target | None = None
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return the Services that it names, each once."""
        named = [way.target for way in self.ways] + ([self.default] if self.default else [])
        return tuple(dict.fromkeys(named))


def read(manifest: Manifest) -> Ingress:
    """Return what an Ingress asks for, also one of the old shape. Raises UsageError for what Kubernetes refuses."""
    where = f"Ingress {manifest.key.namespace}/{manifest.key.name}"
    spec = mapping(manifest.object, "spec", where)
    old = not as_text(manifest.object.get("apiVersion")).endswith("/v1")
    annotations = mapping(mapping(manifest.object, "metadata", where), "annotations", where)
    strip = any(as_text(annotations.get(name)) == value for name, value in _STRIPPING.items())
    ways = []
    for rule in items(spec, "rules", where):
        host = check_host(as_text(rule.get("host")))
        for path in items(mapping(rule, "http", where), "paths", where):
            ways.append(_way(host, path, old=old, strip=strip, where=where))
    found = spec.get("backend" if old else "defaultBackend")
    default = _target(found, old=old, where=where) if isinstance(found, dict) else None
    if not ways and default is None:
        raise UsageError(f"{where}: it has neither rules with paths nor a defaultBackend")
    return Ingress(manifest.key, tuple(ways), default, _notes(spec, annotations, old=old))


def _notes(spec: Mapping[str, Any], annotations: Mapping[str, Any], *, old: bool) -> tuple[str, ...]:
    notes = []
    if spec.get("tls"):
        notes.append("tls is not terminated here: it answers in plain HTTP on loopback")
    if old:
        notes.append(
            "this shape (v1beta1) is refused by Kubernetes 1.22 and newer; write networking.k8s.io/v1"
        )
    ignored = sorted(name for name in annotations if str(name).rpartition("/")[2] in _REWRITING)
    if ignored:
        notes.append(f"not heeded: {', '.join(ignored[:_SHOWN])}")
    return tuple(notes)


def _way(host: str, found: Mapping[str, Any], *, old: bool, strip: bool, where: str) -> Way:
    kind = as_text(found.get("pathType") or ("ImplementationSpecific" if old else ""))
    if kind not in PATH_TYPES:
        said = f'pathType "{kind}"' if kind else "a path without pathType"
        raise UsageError(f"{where}: {said}", help=f"use one of {', '.join(PATH_TYPES)}")
    path = as_text(found.get("path") or "/")
    try:
        check_path(path)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", help=error.help) from None
    target = _target(found.get("backend"), old=old, where=where)
    exact = kind == "Exact"
    return Way(host, path, exact, target, strip and not exact and path != "/")


def _target(found: Any, *, old: bool, where: str) -> Target:
    if not isinstance(found, dict):
        raise UsageError(f"{where}: a path without a backend")
    if old:
        name, port = found.get("serviceName"), found.get("servicePort")
    else:
        service = mapping(found, "service", where)
        named = mapping(service, "port", where)
        name, port = service.get("name"), named.get("number") or named.get("name")
    if not isinstance(name, str) or isinstance(port, bool) or not isinstance(port, (int, str)) or not port:
        raise UsageError(
            f"{where}: a backend that names no Service with a port",
            help="backend: {serviceName, servicePort}"
            if old
            else "backend: {service: {name, port: {number}}}",
        )
    for word in (name, str(port)):
        if _NAME.fullmatch(word) is None:
            raise UsageError(f'{where}: "{word}" cannot be the name of a Service or of its port')
    return Target(name, int(port) if isinstance(port, str) and port.isdecimal() else port)
