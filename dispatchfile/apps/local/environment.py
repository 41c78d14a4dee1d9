"""The environment of a container as the kubelet makes it (Kubernetes core/v1 EnvVar, EnvFromSource)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.objects import Objects, as_text, items, mapping
from dispatchfile.apps.local.resources import of_reference
from dispatchfile.errors import UsageError
from dispatchfile.run.expand import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

from dispatchfile.record import Record

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")


class Facts(Record):
    """What a pod can ask about itself. `address` is "" until its network is there."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    uid: str
    service_account: str
    address: str = ""

    def field(self, path: str, where: str) -> str:
        """Return what a fieldRef names. Raises UsageError for a path that Kubernetes does not have."""
        known = {
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "metadata.uid": self.uid,
            "metadata.labels": _lines(self.labels),
            "metadata.annotations": _lines(self.annotations),
            "spec.nodeName": "localhost",
            "spec.serviceAccountName": self.service_account,
            "status.hostIP": "127.0.0.1",
            "status.hostIPs": "127.0.0.1",
            "status.podIP": self.address,
            "status.podIPs": self.address,
        }
        if path in known:
            return known[path]
        if found := _SUBSCRIPT.fullmatch(path):
            return (self.labels if found[1] == "labels" else self.annotations).get(found[2], "")
        raise UsageError(f'{where}: "{path}" is no field of a pod')


def environment(
    container: Mapping[str, Any], objects: Objects, facts: Facts, pod: Mapping[str, Any], where: str
) -> dict[str, str]:
    """Return the variables in order, `$(VAR)` expanded. Raises UsageError for what refers to nothing."""
    own = as_text(container.get("name"))
    env: dict[str, str] = {}
    for source in items(container, "envFrom", where):
        env.update(_all_of(source, objects, facts.namespace, where))
    for one in items(container, "env", where):
        name = as_text(one.get("name"))
        if not name or "=" in name or "\0" in name:
            raise UsageError(f'{where}: "{name}" cannot be the name of a variable')
        at = f"{where}, {name}"
        source = mapping(one, "valueFrom", at)
        if "resourceFieldRef" in source:
            env[name] = of_reference(mapping(source, "resourceFieldRef", at), pod, own, at)
        elif not source:
            env[name] = expand(as_text(one.get("value")), env)
        elif (value := _value_from(source, objects, facts, at)) is not None:
            env[name] = value
    return env


def asks_address(container: Mapping[str, Any]) -> bool:
    """Return whether a variable is the pod's own address."""
    return "status.podIP" in str(container.get("env"))


def referred(container: Mapping[str, Any], where: str) -> set[tuple[str, str]]:
    """Return kind and name of the ConfigMaps and Secrets that the variables are taken from."""
    values = [mapping(one, "valueFrom", where) for one in items(container, "env", where)]
    sources = [*items(container, "envFrom", where), *values]
    found = set()
    for source in sources:
        for field, kind in _KINDS.items():
            if field in source:
                found.add((kind, as_text(mapping(source, field, where).get("name"))))
    return found


_KINDS = {
    "configMapRef": "ConfigMap",
    "secretRef": "Secret",
    "configMapKeyRef": "ConfigMap",
    "secretKeyRef": "Secret",
}


def _all_of(source: dict[str, Any], objects: Objects, namespace: str, where: str) -> dict[str, str]:
    prefix = as_text(source.get("prefix"))
    for field in ("configMapRef", "secretRef"):
        if field in source:
            data = _data(mapping(source, field, where), _KINDS[field], objects, namespace, where)
            return {
                f"{prefix}{key}": _as_value(value, where)
                for key, value in sorted((data or {}).items())
                if "=" not in key
            }
    raise UsageError(f"{where}: envFrom names neither configMapRef nor secretRef")


def _value_from(source: dict[str, Any], objects: Objects, facts: Facts, where: str) -> str | None:
    for field in ("configMapKeyRef", "secretKeyRef"):
        if field in source:
            ref = mapping(source, field, where)
            data = _data(ref, _KINDS[field], objects, facts.namespace, where)
            key = as_text(ref.get("key"))
            if data is None or (key not in data and ref.get("optional") is True):
                return None
            if key not in data:
                raise UsageError(f'{where}: {_KINDS[field]} {ref.get("name")} has no key "{key}"')
            return _as_value(data[key], where)
    if "fieldRef" in source:
        return facts.field(as_text(mapping(source, "fieldRef", where).get("fieldPath")), where)
    raise UsageError(
        f"{where}: valueFrom has none of configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef"
    )


def _data(
    ref: dict[str, Any], kind: str, objects: Objects, namespace: str, where: str
) -> dict[str, bytes] | None:
    name = as_text(ref.get("name"))
    data = objects.data(kind, namespace, name)
    if data is None and ref.get("optional") is not True:
        raise UsageError(f'{where}: the repository has no {kind} "{name}" in the namespace {namespace}')
    return data


def _as_value(value: bytes, where: str) -> str:
    text = value.decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise UsageError(f"{where}: a variable cannot hold a zero byte")
    return text


def _lines(pairs: Mapping[str, str]) -> str:
    """Return labels or annotations as the downward API writes them."""
    return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(pairs.items()))


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
