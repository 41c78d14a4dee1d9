"""What a Service asks for: its ports, its pods, who reaches it from where, and the names it answers to."""

from __future__ import annotations

import re

from dispatchfile.apps.local import honoured
from dispatchfile.apps.local.objects import as_text, items, mapping, number
from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.remote import is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from dispatchfile.apps.local.pods import Pod
    from dispatchfile.apps.manifest import Key, Manifest

    Speech: TypeAlias = Literal["http", "tcp", "either"]

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?")
# Where the pods' side speaks first, or HTTP is not for this proxy to read, nothing is looked at.
_HTTP_NAMES = ("http", "ws", "kubernetes.io/ws")
_OTHER_NAMES = re.compile(
    "tcp|tls|https|grpcs?|http2|h2c|smtps?|imap|pop3|ftp|ssh|mysql|mariadb|postgres(ql)?|pg|redis|mongo(db)?|"
    "amqp|kafka|nats|ldaps?|mqtt|zookeeper|cassandra|memcached?"
)
_AFFINITY_S = 10800
"""Kubernetes core/v1: the default of sessionAffinityConfig.clientIP.timeoutSeconds."""


class Port(Record):
    """A port of a Service; `target` is the pods', by number or name. `node` is the port asked for on the machine, or 0."""

    number: int
    target: int | str
    name: str = ""
    node: int = 0
    speech: Speech = "either"


class Service(Record):
    """What a Service asks for. `notes` say what of it this engine does not carry, or how."""

    key: Key
    type: str
    selector: Mapping[str, str]
    ports: tuple[Port, ...]
    headless: bool = False
    external: str = ""
    affinity: int = 0
    notes: tuple[str, ...] = ()

    @property
    def needs_proxy(self) -> bool:
        """Return whether something has to stand before its pods."""
        return not self.headless and bool(self.ports) and bool(self.selector or self.external)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what it is called on the application's network, the shortest first."""
        return names_of(self.key.name, self.key.namespace)

    def selects(self, pod: Pod) -> bool:
        """Return whether a pod is one of its own."""
        return pod.namespace == self.key.namespace and selects(self.selector, pod.labels)

    def port(self, wanted: int | str) -> Port | None:
        """Return a port by number or name, None when it has no such port."""
        return next((port for port in self.ports if wanted in (port.number, port.name)), None)


def names_of(name: str, namespace: str) -> tuple[str, ...]:
    """Return the names of a Service, the shortest first, as the DNS of a cluster has them."""
    inside = f"{name}.{namespace}"
    return name, inside, f"{inside}.svc", f"{inside}.svc.cluster.local"


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Return whether labels are selected; an empty selector of a Service selects nothing."""
    return bool(selector) and all(labels.get(name) == value for name, value in selector.items())


def read(manifest: Manifest) -> Service:
    """Return what a Service asks for. Raises UsageError for one that Kubernetes would not take."""
    key, where = manifest.key, f"Service {manifest.key.namespace}/{manifest.key.name}"
    for name in (key.name, key.namespace):
        if _LABEL.fullmatch(name) is None:
            raise UsageError(
                f'{where}: "{name}" cannot be part of a host\'s name',
                help="small letters, digits and dashes, at most 63, with a letter first",
            )
    spec = mapping(manifest.object, "spec", where)
    kind = as_text(spec.get("type") or "ClusterIP")
    if kind not in TYPES:
        raise UsageError(f"{where}: {kind} is no type of a Service", help=f"use one of {', '.join(TYPES)}")
    selector = {name: as_text(value) for name, value in mapping(spec, "selector", where).items()}
    ports, notes = _ports(spec, kind, where)
    external = ""
    if kind == "ExternalName":
        external = as_text(spec.get("externalName"))
        itself = is_loopback(external) or external == "0.0.0.0"  # noqa: S104 none is bound: the proxy's own
        if _DOMAIN.fullmatch(external) is None or itself:
            raise UsageError(f'{where}: externalName "{external}" is no host')
        if not ports:
            ports = [Port(80, 80, speech="tcp"), Port(443, 443, speech="tcp")]
            notes.append("passed on at ports 80 and 443; name others under ports")
        selector = {}
    elif not ports and not notes and as_text(spec.get("clusterIP")) != "None":
        raise UsageError(f"{where}: it has no ports")
    return Service(
        key, kind, selector, tuple(ports), as_text(spec.get("clusterIP")) == "None", external.rstrip("."),
        _affinity(spec, where), (*notes, *honoured.words(honoured.untold(spec, honoured.SERVICE))),
    )  # fmt: skip


def target_of(port: Port, pod: Pod) -> int | None:
    """Return the pod's port behind a Service's; None when it goes by a name that the pod does not have."""
    return pod.ports.get(port.target) if isinstance(port.target, str) else port.target


def _ports(spec: Mapping[str, Any], kind: str, where: str) -> tuple[list[Port], list[str]]:
    found, notes = [], []
    taken = set()
    for item in items(spec, "ports", where):
        protocol = as_text(item.get("protocol") or "TCP").upper()
        here = f"{where}, ports"
        outside = _port(item.get("port"), f"{here}: port")
        if protocol != "TCP":
            notes.append(
                f"{protocol} port {outside} is not passed on; a headless Service (clusterIP: None) "
                "lets pods be reached directly"
            )
            continue
        if outside in taken:
            raise UsageError(f"{here}: port {outside} stands there twice")
        taken.add(outside)
        name = as_text(item.get("name"))
        node = number(item, "nodePort", 0, here)
        if node and kind not in ("NodePort", "LoadBalancer"):
            raise UsageError(f"{here}: a nodePort is for the types NodePort and LoadBalancer, not {kind}")
        if node:
            _port(node, f"{here}: nodePort")
        speech = _speech(name, as_text(item.get("appProtocol")))
        found.append(Port(outside, _target(item.get("targetPort"), outside, here), name, node, speech))
    return found, notes


def _target(value: Any, default: int, here: str) -> int | str:
    if value is None or value == 0:
        return default
    if isinstance(value, str) and not value.isdecimal():
        return value
    short = isinstance(value, str) and len(value) < 6
    return _port(int(value) if short else value, f"{here}: targetPort")


def _port(value: Any, here: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise UsageError(f"{here} is {value!r}; a number from 1 to 65535 is expected")
    return value


def _speech(name: str, protocol: str) -> Speech:
    """Return what a port speaks, by `appProtocol` or else by the name's first part, as is the custom of meshes."""
    said = protocol.lower() or name.lower().partition("-")[0]
    if said in _HTTP_NAMES:
        return "http"
    return "tcp" if protocol or _OTHER_NAMES.fullmatch(said) else "either"


def _affinity(spec: Mapping[str, Any], where: str) -> int:
    if as_text(spec.get("sessionAffinity") or "None") != "ClientIP":
        return 0
    config = mapping(mapping(spec, "sessionAffinityConfig", where), "clientIP", where)
    return number(config, "timeoutSeconds", _AFFINITY_S, where) or _AFFINITY_S
