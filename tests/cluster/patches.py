"""Patches as the API server takes them: merge (RFC 7386), JSON (RFC 6902), and Kubernetes' strategic merge."""

from __future__ import annotations

from typing import Any

from tests.cluster.schemas import Node, child, resolved
from tests.cluster.store import Object, Refusal


def merge(target: Object, patch: Object) -> None:
    """Change an object by a merge patch (RFC 7386)."""
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(name), dict):
                target[name] = {}
            merge(target[name], value)
        else:
            target[name] = value


def json_patch(target: Object, patch: list[dict[str, Any]]) -> None:
    """Change an object by a JSON patch (RFC 6902): add, replace, remove and test on members of objects."""
    for step in patch:
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place = target
        for name in above:
            if name not in place:
                raise Refusal(422, "Invalid", f"there is no {step['path']}")
            place = place[name]
        if step["op"] == "remove":
            place.pop(last, None)
        elif step["op"] == "test" and place.get(last) != step["value"]:
            raise Refusal(422, "Invalid", f"{step['path']} is not {step['value']}")
        elif step["op"] in ("add", "replace"):
            place[last] = step["value"]


def strategic(node: Node, target: Object, patch: Object) -> None:
    """Change an object by a strategic merge patch: lists with a merge key are merged by it."""
    node = resolved(node)
    if patch.get("$patch") == "replace":
        target.clear()
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        inner = child(node, name)
        key = resolved(inner).get("x-kubernetes-patch-merge-key")
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(name), dict):
                target[name] = {}
            strategic(inner, target[name], value)
        elif isinstance(value, list) and key and all(isinstance(item, dict) for item in value):
            target[name] = _merged(resolved(inner), list(target.get(name) or ()), value, key)
        else:
            target[name] = value


def _merged(node: Node, items: list[Any], patch: list[Any], key: str) -> list[Any]:
    for change in patch:
        found = next((item for item in items if item.get(key) == change.get(key)), None)
        if change.get("$patch") == "delete":
            items = [item for item in items if item is not found]
        elif found is None:
            items.append(change)
        else:
            strategic(node.get("items", {}), found, change)
    return items
