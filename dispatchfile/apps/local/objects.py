"""The wanted objects by kind and name, and the data of ConfigMaps and Secrets as bytes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from dispatchfile.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dispatchfile.apps.manifest import Manifest

INT32 = 2**31 - 1
"""What most numbers of Kubernetes are at most."""
MOST_PODS = 1000
"""Of one workload at a time: a number that a hostile or mistaken commit could fill this machine with is none to try."""


class Objects:
    """What of the repository's objects others refer to. Every method raises UsageError for an object in a wrong shape."""

    def __init__(self, wanted: Iterable[Manifest]) -> None:
        self._found = {(one.key.kind, one.key.namespace, one.key.name): one.object for one in wanted}
        self._headless = {
            namespace
            for (kind, namespace, _), found in self._found.items()
            if kind == "Service"
            and isinstance(spec := found.get("spec"), dict)
            and spec.get("clusterIP") == "None"
        }

    def data(self, kind: str, namespace: str, name: str) -> dict[str, bytes] | None:
        """Return what a ConfigMap or Secret holds, None when there is none of that name."""
        found = self._found.get((kind, namespace, name))
        if found is None:
            return None
        where = f"{kind} {namespace}/{name}"
        if kind == "ConfigMap":
            plain, binary = mapping(found, "data", where), mapping(found, "binaryData", where)
        else:
            # Kubernetes core/v1: stringData overwrites data.
            plain, binary = mapping(found, "stringData", where), mapping(found, "data", where)
        data = {str(key): _decoded(value, f"{where}, {key}") for key, value in binary.items()}
        data.update((str(key), as_text(value).encode()) for key, value in plain.items())
        return data

    def has_headless(self, namespace: str) -> bool:
        """Return whether a namespace has a Service without an address of its own, whose name its pods have."""
        return namespace in self._headless


def mapping(found: Mapping[str, Any], field: str, where: str) -> dict[str, Any]:
    """Return a field that is a mapping, empty when it is not there. Raises UsageError."""
    value = found.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{where}: {field} is no mapping")
    return value


def items(found: Mapping[str, Any], field: str, where: str) -> list[dict[str, Any]]:
    """Return a field that is a list of mappings, empty when it is not there. Raises UsageError."""
    value = found.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UsageError(f"{where}: {field} is no list of mappings")
    return value


def texts(found: Mapping[str, Any], field: str, where: str) -> list[str]:
    """Return a field that is a list of texts. Raises UsageError."""
    value = found.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or any(isinstance(item, (dict, list)) for item in value):
        raise UsageError(f"{where}: {field} is no list of texts")
    return [as_text(item) for item in value]


def number(found: Mapping[str, Any], field: str, default: int, where: str, most: int = INT32) -> int:
    """Return a field that is a number of zero or more, and of `most` at most. Raises UsageError."""
    value = found.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{where}: {field} is {value!r}; a number of 0 or more is expected")
    if value > most:
        raise UsageError(f"{where}: {field} is {value:.10g}; this engine goes up to {most}")
    return value


def as_text(value: Any) -> str:
    """Return a scalar of YAML as the text that Kubernetes would be given for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _decoded(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"{where}: this is not base64 ({error})", help="stringData takes plain text"
        ) from None
