"""What the API server makes of an object before it keeps it: defaults, one way to write amounts, what may not change."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.cluster.schemas import Node, child, is_quantity, resolved
from tests.cluster.store import Kind, Object, Refusal

_POD = {
    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
    "securityContext": {}, "schedulerName": "default-scheduler",
}  # fmt: skip
_CONTAINER = {
    "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
}  # fmt: skip
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
_SPECS: dict[str, dict[str, Any]] = {
    "Deployment": {
        "replicas": 1, "strategy": _ROLLING, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600
    },
    "StatefulSet": {
        "replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    "DaemonSet": {
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    },
    "ReplicaSet": {"replicas": 1},
    "Job": {"parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False},
    "CronJob": {
        "concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1
    },
    "Service": {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"},
    "PersistentVolumeClaim": {"volumeMode": "Filesystem"},
}  # fmt: skip
_FIXED: dict[str, tuple[str, ...]] = {
    "Deployment": ("selector",), "DaemonSet": ("selector",), "ReplicaSet": ("selector",),
    "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"),
    "Job": ("selector", "template", "completions"), "Service": ("clusterIP",),
    "PersistentVolumeClaim": ("accessModes", "storageClassName", "volumeName"),
}  # fmt: skip


def filled(kind: Kind, node: Node, made: Object) -> None:
    """Fill in what an object leaves out, in place, and write amounts as the server does."""
    _amounts(node, made)
    if kind.kind == "Secret":
        made.setdefault("type", "Opaque")
        made["data"] = {**(made.get("data") or {}), **_encoded(made.pop("stringData", None) or {})}
    if kind.kind not in (*_SPECS, "Pod"):
        return
    spec = made.setdefault("spec", {})
    if kind.kind == "Pod":
        _pod(spec)
    _under(spec, _SPECS.get(kind.kind, {}))
    if kind.kind == "Service":
        _service(made, spec)
    if kind.kind == "CronJob":
        _pod(spec["jobTemplate"]["spec"]["template"]["spec"])
    elif "template" in spec:
        _pod(spec["template"].setdefault("spec", {}))
    if kind.kind == "Job" and not spec.get("manualSelector"):
        labels = {"batch.kubernetes.io/controller-uid": made["metadata"].get("uid", "")}
        spec.setdefault("selector", {"matchLabels": labels})
        spec["template"].setdefault("metadata", {}).setdefault("labels", {}).update(
            {**labels, "batch.kubernetes.io/job-name": made["metadata"]["name"]}
        )


def check_fixed(kind: Kind, before: Object, made: Object) -> None:
    """Refuse a change of a field that cannot be changed."""
    causes = []
    for name in _FIXED.get(kind.kind, ()):
        old, new = before.get("spec", {}).get(name), made.get("spec", {}).get(name)
        if old is not None and old != new:
            value = json.dumps(new)
            causes.append({
                "reason": "FieldValueInvalid", "field": f"spec.{name}",
                "message": f"Invalid value: {value}: field is immutable",
            })  # fmt: skip
    if causes:
        name = made["metadata"]["name"]
        said = ", ".join(f"{one['field']}: {one['message']}" for one in causes)
        raise Refusal(422, "Invalid", f'{resource_of(kind)} "{name}" is invalid: {said}', {"causes": causes})


def resource_of(kind: Kind) -> str:
    """Return how messages name a kind."""
    return f"{kind.kind}.{kind.group}" if kind.group else kind.kind


def _service(made: Object, spec: Object) -> None:
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] != "ExternalName" and "clusterIP" not in spec:
        number = sum(map(ord, made["metadata"]["name"])) % 250 + 1
        spec["clusterIP"] = f"10.96.0.{number}"
        spec["clusterIPs"] = [spec["clusterIP"]]


def _pod(spec: Object) -> None:
    _under(spec, _POD)
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        _under(container, _CONTAINER)
        image = str(container.get("image", ""))
        tagged = ":" in image.rpartition("/")[2] and not image.endswith(":latest")
        container.setdefault("imagePullPolicy", "IfNotPresent" if tagged else "Always")
        for port in container.get("ports", ()):
            port.setdefault("protocol", "TCP")
        for name in ("livenessProbe", "readinessProbe", "startupProbe"):
            if name in container:
                _under(container[name], _PROBE)
                if "httpGet" in container[name]:
                    _under(container[name]["httpGet"], {"path": "/", "scheme": "HTTP"})
    for volume in spec.get("volumes", ()):
        for name in ("configMap", "secret"):
            if name in volume:
                volume[name].setdefault("defaultMode", 420)


def _under(target: Object, defaults: Object) -> None:
    for name, value in defaults.items():
        if name not in target:
            target[name] = json.loads(json.dumps(value))


def _encoded(given: dict[str, str]) -> dict[str, str]:
    import base64

    return {name: base64.b64encode(text.encode()).decode() for name, text in given.items()}


def _amounts(node: Node, value: Any) -> None:
    node = resolved(node)
    if isinstance(value, dict):
        for name, inner in value.items():
            at = child(node, name)
            if is_quantity(at):
                value[name] = _amount(inner)
            else:
                _amounts(at, inner)
    elif isinstance(value, list):
        for item in value:
            _amounts(node.get("items", {}), item)


def _amount(given: Any) -> str:
    """Return an amount as the server writes it: "0.5" is "500m", 1000m is "1", 2.0 is "2"."""
    text = str(given)
    try:
        thousandths = Decimal(text.removesuffix("m")) * (1 if text.endswith("m") else 1000)
    except InvalidOperation:
        return text
    return f"{int(thousandths // 1000)}" if thousandths % 1000 == 0 else f"{int(thousandths)}m"
