"""Objects that run nothing: ConfigMaps and Secrets, which pods take parts of; claims; and kinds without an effect here."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import APP, OBJECT
from dispatchfile.apps.local.volumes import claim_volume
from dispatchfile.apps.status import Resource, Result
from dispatchfile.errors import DispatchfileError
from dispatchfile.run.connect import Unanswered, asking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.apps.local.workload import Site
    from dispatchfile.apps.manifest import Key, Manifest

_CONFIG = ("ConfigMap", "Secret")
_CLAIM = "PersistentVolumeClaim"
# Kinds that say who may do what on a cluster, or sort its objects: one machine's engine has nothing to do with them.
_HARMLESS = {
    ("", "Namespace"),
    ("", "ServiceAccount"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
}


def stands(site: Site, manifest: Manifest, claims: set[str]) -> Resource:
    """Return how such an object stands; `claims` are the volumes of claims that are there."""
    key, base = manifest.key, site.applied.get(manifest.key)
    if _is_harmless(key):
        return Resource(
            key, "Synced", None, "it has no effect on this engine", manifest.object, manifest.object,
            place=manifest.place,
        )  # fmt: skip
    if not _is_known(key):
        message = f"this engine does not know the kind {f'{key.group}/' if key.group else ''}{key.kind}"
        return Resource(key, "Unknown", None, message, manifest.object, unknown=True, place=manifest.place)
    there = base is not None and (key.kind != _CLAIM or f"_claim_{key.namespace}_{key.name}" in claims)
    if not there:
        return Resource(key, "OutOfSync", "Missing", "", manifest.object, place=manifest.place)
    if key.kind in _CONFIG:
        message = _problem(site, manifest)
        same = base == manifest.object and not message
        return Resource(
            key, "Synced" if same else "OutOfSync", None, message, manifest.object, copy.deepcopy(base),
            place=manifest.place,
        )  # fmt: skip
    return Resource(
        key, "Synced" if base == manifest.object else "OutOfSync", "Healthy", "", manifest.object,
        copy.deepcopy(base), place=manifest.place,
    )  # fmt: skip


def apply(site: Site, manifest: Manifest) -> Result:
    """Bring such an object about."""
    key = manifest.key
    if _is_harmless(key):
        return Result(key, "Synced", "it has no effect on this engine")
    if not _is_known(key):
        return Result(key, "SyncFailed", f"this engine does not know the kind {key.kind}")
    if key.kind in _CONFIG and (problem := _problem(site, manifest)):
        return Result(key, "SyncFailed", problem)
    try:
        if key.kind == _CLAIM:
            site.machine.fill([claim_volume(site.app.name, key.namespace, key.name)])
        site.applied.put(key, manifest.object)
    except Unanswered:
        raise
    except DispatchfileError as error:
        return Result(key, "SyncFailed", error.message)
    return Result(key, "Synced")


def unwanted(site: Site, key: Key) -> Resource:
    """Return an object that was brought about and that the repository does not hold any more."""
    return Resource(
        key, "OutOfSync", None, "the repository does not hold it", None, copy.deepcopy(site.applied.get(key))
    )


def claims(site: Site, wanted: Sequence[Manifest]) -> set[str]:
    """Return the names, without the application's, of the volumes of claims that are there."""
    if not any(manifest.key.kind == _CLAIM for manifest in wanted):
        return set()
    with asking("list the application's volumes"):
        listed = site.machine.client.volumes(filters={"label": f"{APP}={site.app.name}"}).get("Volumes") or []
    return {volume["Name"].removeprefix(site.app.name) for volume in listed if is_claim(volume)}


def is_claim(volume: dict[str, Any]) -> bool:
    """Return whether a volume of the engine holds the data of a claim."""
    return str((volume.get("Labels") or {}).get(OBJECT, "")).startswith(f"{_CLAIM}/")


def _problem(site: Site, manifest: Manifest) -> str:
    key = manifest.key
    try:
        site.objects.data(key.kind, key.namespace, key.name)
    except DispatchfileError as error:
        return error.message
    return ""


def _is_harmless(key: Key) -> bool:
    return (key.group, key.kind) in _HARMLESS


def _is_known(key: Key) -> bool:
    return key.group == "" and key.kind in (*_CONFIG, _CLAIM)
