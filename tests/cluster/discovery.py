"""What the fake cluster says about itself, in the old and the new words, for kubectl of any age."""

from __future__ import annotations

from typing import Any

from tests.cluster.store import KINDS, Kind

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def served(without: tuple[str, ...]) -> list[Kind]:
    return [kind for kind in KINDS if kind.group not in without]


def document(path: list[str], without: tuple[str, ...]) -> Any:
    """Return what a path of the discovery answers, or None where there is nothing."""
    kinds = served(without)
    groups = {kind.group: kind.version for kind in kinds if kind.group}
    match path:
        case ["version"]:
            return {"major": "1", "minor": "32", "gitVersion": "v1.32.0", "platform": "linux/amd64"}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(name, version) for name, version in groups.items()],
            }
        case ["api", "v1"]:
            return _resources("v1", [kind for kind in kinds if not kind.group])
        case ["apis", group] if group in groups:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, groups[group])}
        case ["apis", group, version] if groups.get(group) == version:
            return _resources(f"{group}/{version}", [kind for kind in kinds if kind.group == group])
        case ["openapi", "v3"]:
            return {"paths": {}}
    return None


def _group(name: str, version: str) -> dict[str, Any]:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def _resources(group_version: str, kinds: list[Kind]) -> dict[str, Any]:
    resources = [
        {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": VERBS,
        }
        for kind in kinds
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def openapi_v2() -> bytes:
    """Return a description without any schema, in the one encoding that kubectl asks for (protobuf).

    kubectl checks what it sends against the schema of its kind, and sends what has none as it is.
    """

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    info = field(1, b"fake") + field(2, b"v1.32.0")
    return field(1, b"2.0") + field(2, info) + field(8, b"")
