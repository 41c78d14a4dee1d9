"""Kinds of objects that live in no namespace."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.apps.manifest import Object

# Kubernetes 1.36's own (`kubectl api-resources --namespaced=false`).
_KNOWN = {
    "": ("ComponentStatus", "Namespace", "Node", "PersistentVolume"),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "certificates.k8s.io": ("CertificateSigningRequest", "ClusterTrustBundle"),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "networking.k8s.io": ("IPAddress", "IngressClass", "ServiceCIDR"),
    "node.k8s.io": ("RuntimeClass",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
    "resource.k8s.io": ("DeviceClass", "ResourceSlice"),
    "scheduling.k8s.io": ("PriorityClass",),
    "storage.k8s.io": ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"),
}  # fmt: skip
_OURS = frozenset((group, kind) for group, kinds in _KNOWN.items() for kind in kinds)


def group_kind(found: Object) -> tuple[str, str]:
    """Return the API group ("" for the core) and the kind of an object."""
    group, slash, _ = str(found["apiVersion"]).rpartition("/")
    return (group if slash else ""), found["kind"]


def cluster_wide(objects: Iterable[Object]) -> frozenset[tuple[str, str]]:
    """Return group and kind of what lives in no namespace: Kubernetes' own, and what definitions among the objects say."""
    found = set(_OURS)
    for one in objects:
        spec = one.get("spec")
        if group_kind(one) != ("apiextensions.k8s.io", "CustomResourceDefinition") or not isinstance(
            spec, dict
        ):
            continue
        names = spec.get("names")
        if spec.get("scope") == "Cluster" and isinstance(names, dict):
            found.add((str(spec.get("group")), str(names.get("kind"))))
    return frozenset(found)
