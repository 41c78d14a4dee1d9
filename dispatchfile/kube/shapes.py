"""What an answer has to look like before anything is read from it: who answers is not known to be a cluster.

Only what is looked at is asked for. A name goes into messages, commands that are shown, and paths, so it is one
(Kubernetes, "Object Names and IDs"; those of RBAC may hold colons and capital letters).
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.:_-]{0,251}[a-zA-Z0-9])?")
_CONTAINERS: list[Any] = [{"state": {"waiting": {}}}]
_OBJECT: dict[str, Any] = {
    "metadata": {"labels": {}},
    "spec": {"timeouts": {}},
    "status": {
        "conditions": [{}],
        "steps": [{"terminated": {"exitCode": 0}}],
        "results": [{}],
        "initContainerStatuses": _CONTAINERS,
        "containerStatuses": _CONTAINERS,
    },
    "data": {},
}
_ANY: dict[str, Any] = {"metadata": {"labels": {}, "annotations": {}}}


def parsed(text: bytes) -> Any:
    """Return what JSON says; raises ValueError also for what is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def is_object(found: object, api_version: str = "") -> bool:
    """Return whether it is an object of Kubernetes with a name and a version.

    Fields are looked at where their meaning is known: other APIs may have others of the same names. `api_version` is
    what a list says of its items.
    """
    return (
        isinstance(found, dict)
        and fits(found, _OBJECT if _is_known(found.get("apiVersion") or api_version) else _ANY)
        and isinstance(metadata := found.get("metadata"), dict)
        and isinstance(name := metadata.get("name"), str)
        and _NAME.fullmatch(name) is not None
        and isinstance(metadata.get("resourceVersion"), str)
    )


def _is_known(api_version: object) -> bool:
    return api_version in ("", "v1") or str(api_version).startswith("tekton.dev/")


def is_list(found: object) -> bool:
    """Return whether it is a list of objects, with a version of its own."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("metadata"), dict)
        and isinstance(items := found.get("items") or [], list)
        and all(is_object(one, str(found.get("apiVersion") or "")) for one in items)
    )


def is_change(found: object) -> bool:
    """Return whether it is an event of a watch."""
    if not isinstance(found, dict) or not isinstance(changed := found.get("object"), dict):
        return False
    match found.get("type"):
        case "ERROR":
            return isinstance(changed.get("code") or 0, int)
        case "BOOKMARK":
            metadata = changed.get("metadata")
            return isinstance(metadata, dict) and isinstance(metadata.get("resourceVersion"), str)
        case "ADDED" | "MODIFIED" | "DELETED":
            return is_object(changed)
        case _:
            return False


def fits(found: object, shape: Any) -> bool:
    """Return whether data is as a shape says it, which names what is inside; what is not given fits."""
    if found is None:
        return True
    if isinstance(shape, dict):
        return isinstance(found, dict) and all(fits(found.get(key), one) for key, one in shape.items())
    if isinstance(shape, list):
        return isinstance(found, list) and all(one is not None and fits(one, shape[0]) for one in found)
    return isinstance(found, type(shape))
