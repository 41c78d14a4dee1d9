"""What the fake cluster says about itself, in the old and the new words, for kubectl of any age."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.store import Kind

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


SCALED = ("Deployment", "StatefulSet", "ReplicaSet")


def document(path: list[str], kinds: list[Kind], without: tuple[str, ...], aggregated: bool) -> Any:
    """Return what a path of the discovery answers, or None where there is nothing."""
    kinds = [kind for kind in kinds if kind.group not in without]
    groups: dict[str, list[str]] = {}
    for kind in kinds:
        if kind.group and kind.version not in groups.setdefault(kind.group, []):
            groups[kind.group].append(kind.version)
    match path:
        case ["version"]:
            return {"major": "1", "minor": "32", "gitVersion": "v1.32.0", "platform": "linux/amd64"}
        case ["api"] if aggregated:
            return _aggregate({"": ["v1"]}, kinds)
        case ["apis"] if aggregated:
            return _aggregate(groups, kinds)
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(name, versions) for name, versions in groups.items()],
            }
        case ["api", "v1"]:
            return _resources("v1", [kind for kind in kinds if not kind.group])
        case ["apis", group] if group in groups:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, groups[group])}
        case ["apis", group, version] if version in groups.get(group, ()):
            return _resources(
                f"{group}/{version}",
                [kind for kind in kinds if (kind.group, kind.version) == (group, version)],
            )
        case ["openapi", "v3"]:
            return {"paths": {}}
    return None


def _aggregate(groups: dict[str, list[str]], kinds: list[Kind]) -> dict[str, Any]:
    items = []
    for group, versions in groups.items():
        told = [
            {
                "version": version,
                "freshness": "Current",
                "resources": [
                    {
                        "resource": kind.plural,
                        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
                        "scope": "Namespaced" if kind.namespaced else "Cluster",
                        "singularResource": kind.kind.lower(),
                        "verbs": VERBS,
                        **({"subresources": [_SCALE]} if kind.kind in SCALED else {}),
                    }
                    for kind in kinds
                    if (kind.group, kind.version) == (group, version)
                ],
            }
            for version in versions
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": told})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


_SCALE = {
    "subresource": "scale",
    "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
    "verbs": ["get", "patch", "update"],
}


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


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
    resources += [
        {
            "name": f"{kind.plural}/scale", "singularName": "", "namespaced": True, "group": "autoscaling",
            "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"],
        }
        for kind in kinds
        if kind.kind in SCALED
    ]  # fmt: skip
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def openapi_v2(kinds: list[Kind]) -> bytes:
    """Return a description without any schema, in the one encoding that kubectl asks for (protobuf).

    kubectl checks what it sends against the schema of its kind, and sends what has none as it is. That a kind can be
    patched in a dry run, kubectl before 1.26 wants to be told here before it shows a difference.
    """
    paths = b"".join(
        _field(2, _field(1, f"/{kind.plural}".encode()) + _field(2, _patched(kind))) for kind in kinds
    )
    info = _field(1, b"fake") + _field(2, b"v1.32.0")
    return _field(1, b"2.0") + _field(2, info) + _field(8, paths)


def _patched(kind: Kind) -> bytes:
    """Return a PathItem whose operation `patch` has the parameter dryRun (gnostic, OpenAPIv2.proto)."""
    means = f"group: {json.dumps(kind.group)}\nkind: {kind.kind}\nversion: {kind.version}\n".encode()
    extension = _field(1, b"x-kubernetes-group-version-kind") + _field(2, _field(2, means))
    query = _field(2, b"query") + _field(4, b"dryRun")
    parameter = _field(1, _field(2, _field(3, query)))
    return _field(8, _field(8, parameter) + _field(13, extension))


def _field(number: int, data: bytes) -> bytes:
    """Return a field of protobuf that holds bytes."""
    length, rest = bytearray(), len(data)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + data
