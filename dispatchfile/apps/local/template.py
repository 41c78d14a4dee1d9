"""What the pods of a workload are made of, and the hash of it all."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local import environment, honoured, volumes
from dispatchfile.apps.local.objects import as_text, items, mapping
from dispatchfile.errors import UsageError
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dispatchfile.apps.local.objects import Objects
    from dispatchfile.apps.manifest import Key, Manifest

WORKLOADS = ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")


class Template(Record):
    """What the pods of a workload are made of. `notes` say what is asked for and not honoured."""

    key: Key
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    config: str
    digest: str
    notes: tuple[str, ...]


def pod_template(manifest: Manifest) -> dict[str, Any]:
    """Return the template of a workload's pods, or the pod itself. Raises UsageError."""
    found, where = manifest.object, str(manifest.key)
    if manifest.key.kind == "Pod":
        return found
    spec = mapping(found, "spec", where)
    if manifest.key.kind == "CronJob":
        spec = mapping(mapping(spec, "jobTemplate", where), "spec", where)
    return mapping(spec, "template", where)


def template(manifest: Manifest, objects: Objects, aliases: Sequence[str]) -> Template:
    """Return what the pods of a workload are made of. Raises UsageError for what cannot be run."""
    key, where = manifest.key, str(manifest.key)
    found = pod_template(manifest)
    metadata, spec = mapping(found, "metadata", where), mapping(found, "spec", where)
    if not items(spec, "containers", where):
        raise UsageError(f"{where}: it has no containers")
    labels, annotations = (_pairs(metadata, field, where) for field in ("labels", "annotations"))
    config = _config_digest(spec, objects, key.namespace, where)
    made_of = {"labels": labels, "annotations": annotations, "spec": spec, "config": config}
    text = json.dumps({**made_of, "aliases": list(aliases)}, sort_keys=True, default=str)
    return Template(
        key,
        labels,
        annotations,
        spec,
        config,
        hashlib.sha256(text.encode()).hexdigest()[:10],
        _notes(key.kind, mapping(manifest.object, "spec", where), spec, where),
    )


def selector_problem(manifest: Manifest, labels: Mapping[str, str]) -> str:
    """Return why a workload's selector does not fit its own pods, as the API server would refuse it; "" when it does."""
    if manifest.key.kind not in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        return ""
    where = str(manifest.key)
    selector = mapping(mapping(manifest.object, "spec", where), "selector", where)
    if not selector:
        return f"{where}: it has no selector"
    for name, value in mapping(selector, "matchLabels", where).items():
        if labels.get(name) != as_text(value):
            return f"{where}: the selector {name}={value} does not match the labels of its template"
    return ""


def containers(spec: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Return all containers of a pod, those that begin it included."""
    return items(spec, "initContainers", where) + items(spec, "containers", where)


def _config_digest(spec: Mapping[str, Any], objects: Objects, namespace: str, where: str) -> str:
    """Return a hash of the ConfigMaps and Secrets that a pod takes something from; "" without any."""
    names = volumes.referred(spec, where)
    for container in containers(spec, where):
        names |= environment.referred(container, where)
    if not names:
        return ""
    digest = hashlib.sha256()
    for kind, name in sorted(names):
        digest.update(f"\0{kind}\0{name}\0".encode())
        for key, value in sorted((objects.data(kind, namespace, name) or {}).items()):
            digest.update(f"{key}\0{len(value)}\0".encode() + value)
    return digest.hexdigest()[:10]


def _notes(kind: str, workload: Mapping[str, Any], spec: Mapping[str, Any], where: str) -> tuple[str, ...]:
    return honoured.words(_unhonoured(kind, workload, spec, where))


def _unhonoured(kind: str, workload: Mapping[str, Any], spec: Mapping[str, Any], where: str) -> Iterator[str]:
    if kind != "Pod":
        yield from honoured.untold(workload, honoured.SPECS[kind])
    if kind == "CronJob":
        job = mapping(mapping(workload, "jobTemplate", where), "spec", where)
        yield from honoured.untold(job, honoured.SPECS["Job"], "jobTemplate.spec")
    yield from honoured.untold(spec, honoured.POD)
    for container in containers(spec, where):
        for field in honoured.untold(container, honoured.CONTAINER):
            yield f"{container.get('name')}: {field}"


def _pairs(metadata: Mapping[str, Any], field: str, where: str) -> dict[str, str]:
    return {str(name): as_text(value) for name, value in mapping(metadata, field, where).items()}
