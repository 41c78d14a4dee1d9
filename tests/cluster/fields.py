"""Sets of fields as `metadata.managedFields` has them (structured-merge-diff v4, fieldsV1).

A path is a tuple of elements: ("f", name), ("k", keys of an item) or ("v", the item itself as JSON).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.cluster.schemas import Node, child, is_atomic, key_of, list_type, resolved, shown

Element = tuple[str, Any]
Path = tuple[Element, ...]
Fields = set[Path]

# What nobody manages.
IGNORED: tuple[Path, ...] = (
    (("f", "apiVersion"),), (("f", "kind"),), (("f", "metadata"),),
    *(
        (("f", "metadata"), ("f", name))
        for name in (
            "name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink",
            "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
        )
    ),
)  # fmt: skip


def of(node: Node, value: Any) -> Fields:
    """Return the fields that an object names."""
    found: Fields = set()
    _walk(node, value, (), found)
    return {path for path in found if path not in IGNORED and path[:2] not in IGNORED[3:]}


def _walk(node: Node, value: Any, path: Path, found: Fields) -> None:
    node = resolved(node)
    if isinstance(value, dict) and not is_atomic(node):
        if not value and path:
            found.add(path)
        for name, inner in value.items():
            at = (*path, ("f", name))
            _walk(child(node, name), inner, at, found)
            if name not in node.get("properties", {}):
                found.add(at)
    elif isinstance(value, list) and list_type(node) in ("map", "set"):
        if not value:
            found.add(path)
        for item in value:
            at = (*path, key_of(node, item))
            found.add(at)
            _walk(node.get("items", {}), item, at, found)
    else:
        found.add(path)


def get(node: Node, value: Any, path: Path) -> Any:
    """Return what is at a path, None where there is nothing."""
    for element in path:
        node = resolved(node)
        if value is None:
            return None
        if element[0] == "f":
            value, node = (
                (value.get(element[1]) if isinstance(value, dict) else None),
                child(node, element[1]),
            )
        else:
            value = next((one for one in value if key_of(node, one) == element), None)
            node = node.get("items", {})
    return value


def remove(node: Node, value: Any, path: Path) -> None:
    """Take away what is at a path, and the maps above it that are empty then."""
    *above, last = path
    holder = get(node, value, tuple(above))
    if holder is None:
        return
    if last[0] == "f":
        holder.pop(last[1], None)
    else:
        at = node
        for element in above:
            at = resolved(child(resolved(at), element[1]) if element[0] == "f" else resolved(at)["items"])
        holder[:] = [one for one in holder if key_of(at, one) != last]
    if not holder and above and above[-1][0] == "f":
        remove(node, value, tuple(above))


def changed(node: Node, old: Any, new: Any) -> tuple[Fields, Fields]:
    """Return the fields that are added or of another value, and those that are gone."""
    before, after = of(node, old), of(node, new)
    fresh = after - before
    for path in after & before:
        one, other = get(node, old, path), get(node, new, path)
        if one != other and (_is_leaf(after, path) or _is_leaf(before, path)):
            fresh.add(path)
    return fresh, before - after


def _is_leaf(fields: Fields, path: Path) -> bool:
    length = len(path)
    return not any(len(one) > length and one[:length] == path for one in fields)


def path_text(path: Path) -> str:
    return "".join(map(shown, path))


def to_v1(fields: Iterable[Path]) -> dict[str, Any]:
    """Return fields as fieldsV1."""
    found: dict[str, Any] = {}
    paths = set(fields)
    for path in paths:
        at = found
        for element in path:
            at = at.setdefault(_encoded(element), {})
        if not _is_leaf(paths, path):
            at["."] = {}
    return found


def from_v1(found: dict[str, Any], path: Path = ()) -> Fields:
    """Return the fields of fieldsV1."""
    fields: Fields = set()
    for name, inner in found.items():
        if name == ".":
            fields.add(path)
            continue
        at = (*path, _decoded(name))
        fields |= from_v1(inner, at) if inner else {at}
    return fields


def _encoded(element: Element) -> str:
    sort, value = element
    if sort == "k":
        return "k:" + json.dumps(dict(value), separators=(",", ":"))
    return f"{sort}:{value}"


def _decoded(name: str) -> Element:
    sort, _, rest = name.partition(":")
    return ("k", tuple(sorted(json.loads(rest).items()))) if sort == "k" else (sort, rest)
