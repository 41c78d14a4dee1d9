"""What differs between what the repository wants and what runs, as text."""

from __future__ import annotations

import hashlib
import os

from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from dispatchfile.apps.manifest import Object
    from dispatchfile.apps.status import Resource

# A key of this process alone: who reads a fingerprint in a log cannot try words on it.
_KEY = os.urandom(32)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def hidden(found: Object) -> Object:
    """Return an object as it came, but a Secret with a fingerprint in place of each value.

    Equal values have equal fingerprints, `data` (base64) and `stringData` alike, so that a diff tells what changed.
    """
    if found.get("kind") != "Secret" or str(found.get("apiVersion", "v1")) != "v1":
        return found
    import base64
    import binascii

    values: dict[str, str] = {}
    for name, text in _entries(found.get("data")):
        try:
            values[name] = _fingerprint(base64.b64decode(str(text), validate=False))
        except (binascii.Error, ValueError):
            values[name] = _fingerprint(str(text).encode())
    for name, text in _entries(found.get("stringData")):
        values[name] = _fingerprint(str(text).encode("utf-8", "surrogatepass"))
    kept = {field: value for field, value in found.items() if field not in ("data", "stringData")}
    annotations = mapping(mapping(kept.get("metadata")).get("annotations"))
    if _LAST_APPLIED in annotations:  # which holds all values in clear
        kept["metadata"] = {
            **kept["metadata"],
            "annotations": {
                **annotations,
                _LAST_APPLIED: _fingerprint(str(annotations[_LAST_APPLIED]).encode()),
            },
        }
    return {**kept, "data": values} if values else kept


def unified(resources: Iterable[Resource]) -> str:
    """Return a unified diff, from what runs to what is wanted, of every object that differs, each under a heading.

    Heads are those of `argocd app diff`: ===== GROUP/KIND NAMESPACE/NAME ======.
    """
    return "".join(text for resource in resources if (text := _one(resource)))


def differs(resource: Resource) -> bool:
    """Return whether a diff shows this object."""
    return resource.sync == "OutOfSync"


def as_yaml(found: Object | None) -> str:
    """Return an object as YAML, its keys sorted as Argo CD has them; nothing for None."""
    if found is None:
        return ""
    import yaml

    return yaml.dump(found, sort_keys=True, default_flow_style=False, allow_unicode=True, width=2**16)


def _one(resource: Resource) -> str:
    if not differs(resource):
        return ""
    import difflib

    key = resource.key
    head = f"===== {key.group}/{key.kind} {key.namespace}/{key.name} ======\n"
    live, wanted = (as_yaml(found).splitlines() for found in (resource.live, resource.wanted))
    lines = list(difflib.unified_diff(live, wanted, "live", "wanted", lineterm=""))
    body = "".join(f"{line}\n" for line in lines[2:]) or f"  {resource.message or 'differs'}\n"
    return f"{head}{body}"


def _fingerprint(value: bytes) -> str:
    return f"hidden-{hashlib.blake2b(value, key=_KEY, digest_size=6).hexdigest()}"


def _entries(found: Any) -> Iterator[tuple[str, Any]]:
    yield from mapping(found).items()
