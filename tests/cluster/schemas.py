"""The published schemas: Kubernetes' own, from the package kubernetes-validate, and those of CustomResourceDefinitions."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests import ci

RELEASE = "v1.36.0"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
CRDS = Path(__file__).parents[3] / "shared" / "data" / "crds"
# What the API server fills in where it is a key of a list; the published schemas leave out defaults.
KEY_DEFAULTS = {"protocol": "TCP"}
Node = dict[str, Any]
Value = Any


@functools.cache
def _definitions() -> dict[str, Node]:
    found = importlib.util.find_spec("kubernetes_validate")
    if found is None or found.origin is None:
        ci.skip("the package kubernetes-validate, which holds Kubernetes' schemas, is not here")
    folder = Path(found.origin).parent / "kubernetes-json-schema" / f"{RELEASE}-local"
    definitions: dict[str, Node] = json.loads((folder / "_definitions.json").read_text("utf-8"))["$defs"]
    return definitions


def published(name: str) -> dict[str, Any]:
    """Return a CustomResourceDefinition of the shared ones, by its file's name."""
    path = CRDS / f"{name}.yaml"
    if not path.is_file():
        ci.skip("the published CRDs are not here")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
    return found


class Schemas:
    """Schemas by group, version and kind; `define` adds those of a CustomResourceDefinition."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Node] = {}
        for node in _definitions().values():
            for one in node.get("x-kubernetes-group-version-kind", ()):
                self._kinds[one["group"], one["version"], one["kind"]] = node

    def define(self, crd: dict[str, Any]) -> None:
        spec = crd["spec"]
        for version in spec["versions"]:
            schema = version.get("schema", {}).get("openAPIV3Schema") or {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
            }
            node = dict(schema)
            meta = {name: {"type": "string"} for name in ("apiVersion", "kind")}
            node["properties"] = {
                **schema.get("properties", {}), **meta, "metadata": {"$ref": f"#/$defs/{_META}"}
            }  # fmt: skip
            self._kinds[spec["group"], version["name"], spec["names"]["kind"]] = node

    def of(self, group: str, version: str, kind: str) -> Node:
        """Return the schema of a kind; one that knows no fields where none is published."""
        return self._kinds.get(
            (group, version, kind), {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        )


def resolved(node: Node) -> Node:
    """Return the node that a reference means, with what stands beside the reference."""
    while "$ref" in node:
        beside = {name: value for name, value in node.items() if name.startswith("x-")}
        node = {**_definitions()[node["$ref"].rpartition("/")[2]], **beside}
    return node


def is_quantity(node: Node) -> bool:
    return str(node.get("$ref", "")).endswith(_QUANTITY)


def child(node: Node, name: str) -> Node:
    """Return the schema of a field; an open one where the node lets everything through."""
    properties = node.get("properties", {})
    if name in properties:
        found: Node = properties[name]
        return found
    more = node.get("additionalProperties")
    return more if isinstance(more, dict) else {"x-kubernetes-preserve-unknown-fields": True}


def is_declared(node: Node, name: str) -> bool:
    """Return whether an object of this schema may have a field."""
    if name in node.get("properties", {}) or isinstance(node.get("additionalProperties"), dict):
        return True
    return bool(
        node.get("x-kubernetes-preserve-unknown-fields")
        or node.get("additionalProperties") is True
        or not node.get("properties")
    )


def is_atomic(node: Node) -> bool:
    """Return whether a map or list is changed as a whole."""
    return node.get("x-kubernetes-map-type") == "atomic" or "x-kubernetes-int-or-string" in node


def list_type(node: Node) -> str:
    return str(node.get("x-kubernetes-list-type") or "atomic")


def key_of(node: Node, item: Value) -> tuple[str, Any]:
    """Return the path element of an item of a list that is merged by keys (`k`) or values (`v`)."""
    if list_type(node) == "set":
        return "v", json.dumps(item)
    keys = node["x-kubernetes-list-map-keys"]
    return "k", tuple(sorted((key, item.get(key, KEY_DEFAULTS.get(key))) for key in keys))


def undeclared(node: Node, value: Value, path: str = "") -> Iterator[str]:
    """Yield what of a value the schema has no place for: unknown fields, wrong types, keys that are there twice."""
    node = resolved(node)
    types = [one for one in _types(node) if one != "null"]
    if value is None:
        return
    if isinstance(value, dict):
        if types and "object" not in types:
            yield f"{path}: expected {types[0]}, got &{{{value}}}"
            return
        for name, inner in value.items():
            if not is_declared(node, name):
                yield f"{path}.{name}: field not declared in schema"
            else:
                yield from undeclared(child(node, name), inner, f"{path}.{name}")
    elif isinstance(value, list):
        if types and "array" not in types:
            yield f"{path}: expected {types[0]}, got &{value}"
            return
        if list_type(node) == "map":
            found = [key_of(node, item) for item in value]
            for twice in {one for one in found if found.count(one) > 1}:
                yield f"{path}: duplicate entries for key {shown(twice)}"
        for index, item in enumerate(value):
            yield from undeclared(node.get("items", {}), item, f"{path}[{index}]")
    elif types and not _fits(value, types):
        yield f"{path}: expected {types[0]}, got &{{{value}}}"


def prune(node: Node, value: Value) -> None:
    """Drop the fields that the schema has no place for, in place, as the server does with what it does not refuse."""
    node = resolved(node)
    if isinstance(value, dict):
        for name in [name for name in value if not is_declared(node, name)]:
            del value[name]
        for name, inner in value.items():
            prune(child(node, name), inner)
    elif isinstance(value, list):
        for item in value:
            prune(node.get("items", {}), item)


def invalid(node: Node, value: Value, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, what) for what validation refuses: fields that are required, words that are not of the known ones."""
    node = resolved(node)
    if isinstance(value, dict):
        for name in node.get("required", ()):
            if value.get(name) is None:
                yield f"{path}.{name}".lstrip("."), "Required value"
        for name, inner in value.items():
            yield from invalid(child(node, name), inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from invalid(node.get("items", {}), item, f"{path}[{index}]")
    else:
        words = node.get("enum")
        if value is not None and words and value not in words:
            known = ", ".join(f'"{word}"' for word in words)
            yield path.lstrip("."), f'Unsupported value: "{value}": supported values: {known}'
        if isinstance(value, str) and (pattern := node.get("pattern")) and not re.search(pattern, value):
            yield path.lstrip("."), f'Invalid value: "{value}": should match {pattern}'


def shown(element: tuple[str, Any]) -> str:
    """Return a path element as messages have it."""
    sort, value = element
    if sort == "f":
        return f".{value}"
    if sort == "v":
        return f"[={value}]"
    return "[" + ",".join(f"{key}={json.dumps(one)}" for key, one in value) + "]"


def _types(node: Node) -> list[str]:
    found = node.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _fits(value: Value, types: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int):
        return "integer" in types or "number" in types
    if isinstance(value, float):
        return "number" in types
    return "string" in types
