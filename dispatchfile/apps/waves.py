"""In which order objects are applied: phases, waves, kinds, names, as Argo CD has it (3.6, "Sync Phases and Waves").

Hooks are objects with the annotation `argocd.argoproj.io/hook`; they run in their phase and are none of what is
compared. Objects of a lower `argocd.argoproj.io/sync-wave` come first, and the next wave waits until they are healthy.
"""

from __future__ import annotations

import re

from dispatchfile.apps.manifest import Manifest
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from dispatchfile.apps.manifest import Key, Object

    Need: TypeAlias = tuple[str, ...]

PREFIX = "argocd.argoproj.io"
PHASES = ("PreSync", "Sync", "PostSync", "SyncFail")
"""In their order; objects that are no hooks are of the phase Sync, and SyncFail is of a sync that failed."""

_HELM = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
    "crd-install": "PreSync",
    "pre-delete": "PreDelete",
    "post-delete": "PostDelete",
}
_HELM_POLICIES = {
    "before-hook-creation": "BeforeHookCreation",
    "hook-succeeded": "HookSucceeded",
    "hook-failed": "HookFailed",
}
_WAVE = re.compile(r"[-+]?[0-9]{1,6}")

# Argo CD's gitops-engine, pkg/sync/sync_tasks.go: what others need stands first; kinds it does not name come last.
_KINDS = (
    "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
    "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
    "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList",
    "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod", "ReplicationController",
    "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress",
    "APIService",
)  # fmt: skip
_RANK = {kind: number for number, kind in enumerate(_KINDS)}


class Wave(Record):
    """Objects that are applied together, in their order; `hooks` tells whether these are hooks."""

    phase: str
    number: int
    manifests: tuple[Manifest, ...]


def hooks_of(found: Object) -> tuple[str, ...]:
    """Return the phases in which an object is a hook; none for most. "Skip" makes it one that is never applied."""
    given = _annotation(found, "hook")
    if given:
        return tuple(word.strip() for word in given.split(",") if word.strip())
    helm = _annotations(found).get("helm.sh/hook", "")
    if not helm:
        return ()
    # Helm's others, "test" and such, are none of a sync, and no ordinary objects either.
    return tuple(dict.fromkeys(_HELM.get(word.strip(), "Skip") for word in helm.split(",")))


def never_run(found: Object) -> tuple[str, ...]:
    """Return the phases of a hook that are none here: PreDelete and PostDelete of Argo CD, and what is mistyped."""
    return tuple(phase for phase in hooks_of(found) if phase not in (*PHASES, "Skip"))


def is_hook(manifest: Manifest) -> bool:
    """Return whether a manifest is a hook, and so none of what is compared."""
    return bool(hooks_of(manifest.object))


def delete_policies(found: Object) -> tuple[str, ...]:
    """Return when a hook is deleted: BeforeHookCreation (also where nothing is said), HookSucceeded, HookFailed."""
    given = [word.strip() for word in _annotation(found, "hook-delete-policy").split(",") if word.strip()]
    helm = _annotations(found).get("helm.sh/hook-delete-policy", "").split(",")
    given += [_HELM_POLICIES[word.strip()] for word in helm if word.strip() in _HELM_POLICIES]
    return tuple(given) or ("BeforeHookCreation",)


def option(found: Object, name: str) -> str:
    """Return the value of a sync option of an object, such as "false" for Prune=false; "" when it does not have it."""
    for word in _annotation(found, "sync-options").split(","):
        key, equals, value = word.strip().partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return ""


def may_be_pruned(live: Object | None) -> bool:
    """Return whether an object that is not wanted any more may be removed."""
    return live is None or option(live, "Prune") != "false"


def is_extraneous(live: Object | None) -> bool:
    """Return whether an object that is not wanted says that this is no difference."""
    return live is not None and "IgnoreExtraneous" in _annotation(live, "compare-options")


def wave_of(found: Object) -> int:
    """Return the wave of an object; what is no number is 0, as Argo CD has it."""
    text = (
        _annotation(found, "sync-wave").strip() or _annotations(found).get("helm.sh/hook-weight", "").strip()
    )
    return int(text) if _WAVE.fullmatch(text) else 0


def in_waves(manifests: Iterable[Manifest], phase: str) -> list[Wave]:
    """Return the waves of a phase in their order, each with its objects in theirs.

    Namespaces and definitions of kinds come as early as the first object that needs them, be it a hook before the sync.
    """
    listed = list(manifests)
    needed = _needed(listed)
    waves: dict[int, list[Manifest]] = {}
    for manifest in listed:
        for at, wave in _turns(manifest, needed):
            if at == phase:
                waves.setdefault(wave, []).append(manifest)
    return [Wave(phase, number, tuple(in_order(waves[number]))) for number in sorted(waves)]


def _turns(manifest: Manifest, needed: Mapping[Need, tuple[int, int]]) -> list[tuple[str, int]]:
    """Return the phases and waves of an object; of no hook it is one."""
    wave, hooks = wave_of(manifest.object), hooks_of(manifest.object)
    if hooks:
        return [(phase, wave) for phase in hooks]
    own = (PHASES.index("Sync"), wave)
    number, wave = min(own, needed.get(_gives(manifest) or (), own))
    return [(PHASES[number], wave)]


def _needed(manifests: Iterable[Manifest]) -> dict[Need, tuple[int, int]]:
    """Return when namespaces and kinds are needed first, as the number of the phase and the wave."""
    first: dict[Need, tuple[int, int]] = {}
    for manifest in manifests:
        key, wave = manifest.key, wave_of(manifest.object)
        for phase in hooks_of(manifest.object) or ("Sync",):
            if phase in PHASES[:3]:
                turn = (PHASES.index(phase), wave)
                for need in ((key.namespace,), (key.group, key.kind)):
                    first[need] = min(turn, first.get(need, turn))
    return first


def _gives(manifest: Manifest) -> Need | None:
    """Return what an object is for others: a namespace by its name, or a kind by group and name; None for most."""
    key, spec = manifest.key, manifest.object.get("spec")
    if (key.group, key.kind) == ("", "Namespace"):
        return (key.name,)
    if (key.group, key.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition") and isinstance(
        spec, dict
    ):
        names = spec.get("names")
        return str(spec.get("group")), str(names.get("kind") if isinstance(names, dict) else "")
    return None


def in_order(manifests: Iterable[Manifest]) -> Sequence[Manifest]:
    """Return manifests in the order of their kinds, then by name."""
    return sorted(manifests, key=lambda one: rank(one.key))


def rank(key: Key) -> tuple[int, str, str, str]:
    """Return what objects are applied in the order of; they are removed in the opposite one."""
    return _RANK.get(key.kind, len(_RANK)), key.kind, key.namespace, key.name


def _annotation(found: Object, name: str) -> str:
    return _annotations(found).get(f"{PREFIX}/{name}", "")


def _annotations(found: Object) -> dict[str, str]:
    metadata = found.get("metadata") if isinstance(found, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return {name: str(value) for name, value in annotations.items()} if isinstance(annotations, dict) else {}
