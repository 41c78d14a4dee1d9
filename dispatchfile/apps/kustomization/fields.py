"""Where objects hold labels, annotations, images, replicas and the names of others (kustomize's builtin configuration)."""

from __future__ import annotations

from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.apps.kustomization.item import Item

    Place = tuple[dict[str, Any], str]

_TEMPLATED = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController")
_REPLICATED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
REPLICATED = frozenset(_REPLICATED)


def mappings(found: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def at(found: Any, *path: str) -> dict[str, Any]:
    """Return the mapping below a path; an empty one, that is no part of the object, where there is none."""
    for field in path:
        found = mapping(found).get(field)
    return mapping(found)


def ensured(found: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return the mapping below a path, made where there is none."""
    for field in path:
        below = found.get(field)
        if not isinstance(below, dict):
            below = found[field] = {}
        found = below
    return found


def templates(item: Item) -> list[dict[str, Any]]:
    """Return the templates of pods in an object."""
    if item.kind in _TEMPLATED:
        return [ensured(item.object, "spec", "template")]
    if item.kind == "CronJob":
        return [ensured(item.object, "spec", "jobTemplate", "spec", "template")]
    return []


def pod_specs(item: Item) -> list[dict[str, Any]]:
    """Return the specs of pods in an object."""
    if item.kind == "Pod":
        return [at(item.object, "spec")]
    return [at(template, "spec") for template in templates(item)]


def label_places(item: Item, *, selectors: bool, below: bool) -> Iterator[dict[str, Any]]:
    """Yield the mappings that labels are added to: the object's own, those of templates `below`, and of `selectors`."""
    yield ensured(item.object, "metadata", "labels")
    if below or selectors:
        yield from _template_labels(item)
    if selectors:
        yield from _selectors(item)


def _template_labels(item: Item) -> Iterator[dict[str, Any]]:
    for template in templates(item):
        yield ensured(template, "metadata", "labels")
    if item.kind == "CronJob":
        yield ensured(item.object, "spec", "jobTemplate", "metadata", "labels")
    if item.kind == "StatefulSet":
        for claim in mappings(at(item.object, "spec").get("volumeClaimTemplates")):
            yield ensured(claim, "metadata", "labels")


def _selectors(item: Item) -> Iterator[dict[str, Any]]:
    spec = at(item.object, "spec")
    if item.kind in ("Service", "ReplicationController"):
        # A Service without a selector has its endpoints from elsewhere, and kustomize gives it one all the same.
        yield ensured(item.object, "spec", "selector")
    if item.kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"):
        yield ensured(item.object, "spec", "selector", "matchLabels")
    kept = []
    if item.kind in ("Job", "PodDisruptionBudget"):
        kept.append(spec.get("selector"))
    if item.kind == "CronJob":
        kept.append(at(spec, "jobTemplate", "spec").get("selector"))
    if item.kind == "NetworkPolicy":
        kept.append(spec.get("podSelector"))
        for field, side in (("ingress", "from"), ("egress", "to")):
            for rule in mappings(spec.get(field)):
                kept += [peer.get("podSelector") for peer in mappings(rule.get(side))]
    if item.kind in ("Deployment", "StatefulSet"):
        kept += _scheduling(at(spec, "template", "spec"))
    for selector in kept:
        labels = at(selector, "matchLabels")
        if labels:
            yield labels


def _scheduling(pod: dict[str, Any]) -> Iterator[Any]:
    for which in ("podAffinity", "podAntiAffinity"):
        affinity = at(pod, "affinity", which)
        for term in mappings(affinity.get("preferredDuringSchedulingIgnoredDuringExecution")):
            yield at(term, "podAffinityTerm").get("labelSelector")
        for term in mappings(affinity.get("requiredDuringSchedulingIgnoredDuringExecution")):
            yield term.get("labelSelector")
    yield from (one.get("labelSelector") for one in mappings(pod.get("topologySpreadConstraints")))


def annotation_places(item: Item) -> Iterator[dict[str, Any]]:
    """Yield the mappings that annotations are added to."""
    yield ensured(item.object, "metadata", "annotations")
    for template in templates(item):
        yield ensured(template, "metadata", "annotations")
    if item.kind == "CronJob":
        yield ensured(item.object, "spec", "jobTemplate", "metadata", "annotations")


def containers(found: Any) -> Iterator[dict[str, Any]]:
    """Yield all containers in an object, at any depth."""
    if isinstance(found, dict):
        for field, below in found.items():
            if field in ("containers", "initContainers"):
                yield from mappings(below)
            yield from containers(below)
    elif isinstance(found, list):
        for below in found:
            yield from containers(below)


def references(item: Item) -> Iterator[tuple[str, Place]]:
    """Yield the kind and the place of every name of another object."""
    for pod in pod_specs(item):
        yield from _of_pod(pod)
    spec = at(item.object, "spec")
    if item.kind == "StatefulSet":
        yield from _named("Service", spec, "serviceName")
        for claim in mappings(spec.get("volumeClaimTemplates")):
            yield from _named("StorageClass", at(claim, "spec"), "storageClassName")
    if item.kind == "Ingress":
        yield from _of_ingress(spec)
    if item.kind == "ServiceAccount":
        for field in ("secrets", "imagePullSecrets"):
            for one in mappings(item.object.get(field)):
                yield from _named("Secret", one, "name")
    if item.kind in ("RoleBinding", "ClusterRoleBinding"):
        role = at(item.object, "roleRef")
        yield from _named(str(role.get("kind")), role, "name")
        for subject in mappings(item.object.get("subjects")):
            if subject.get("kind") == "ServiceAccount":
                yield from _named("ServiceAccount", subject, "name")
    if item.kind == "HorizontalPodAutoscaler":
        target = at(spec, "scaleTargetRef")
        yield from _named(str(target.get("kind")), target, "name")
    if item.kind == "PersistentVolumeClaim":
        yield from _named("PersistentVolume", spec, "volumeName")
        yield from _named("StorageClass", spec, "storageClassName")


def _of_pod(pod: dict[str, Any]) -> Iterator[tuple[str, Place]]:
    yield from _named("ServiceAccount", pod, "serviceAccountName")
    yield from _named("PriorityClass", pod, "priorityClassName")
    for one in mappings(pod.get("imagePullSecrets")):
        yield from _named("Secret", one, "name")
    for volume in mappings(pod.get("volumes")):
        yield from _named("ConfigMap", at(volume, "configMap"), "name")
        yield from _named("Secret", at(volume, "secret"), "secretName")
        yield from _named("PersistentVolumeClaim", at(volume, "persistentVolumeClaim"), "claimName")
        for one in mappings(at(volume, "projected").get("sources")):
            yield from _named("ConfigMap", at(one, "configMap"), "name")
            yield from _named("Secret", at(one, "secret"), "name")
    for container in containers(pod):
        for variable in mappings(container.get("env")):
            yield from _named("ConfigMap", at(variable, "valueFrom", "configMapKeyRef"), "name")
            yield from _named("Secret", at(variable, "valueFrom", "secretKeyRef"), "name")
        for one in mappings(container.get("envFrom")):
            yield from _named("ConfigMap", at(one, "configMapRef"), "name")
            yield from _named("Secret", at(one, "secretRef"), "name")


def _of_ingress(spec: dict[str, Any]) -> Iterator[tuple[str, Place]]:
    yield from _named("IngressClass", spec, "ingressClassName")
    backends = [at(spec, "backend"), at(spec, "defaultBackend")]
    for rule in mappings(spec.get("rules")):
        backends += [at(path, "backend") for path in mappings(at(rule, "http").get("paths"))]
    for backend in backends:
        yield from _named("Service", backend, "serviceName")
        yield from _named("Service", at(backend, "service"), "name")
    for one in mappings(spec.get("tls")):
        yield from _named("Secret", one, "secretName")


def _named(kind: str, found: dict[str, Any], field: str) -> Iterator[tuple[str, Place]]:
    if isinstance(found.get(field), str):
        yield kind, (found, field)
