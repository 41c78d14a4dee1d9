"""What objects may hold of which no schema is published here, or one that lets everything through.

After k8s.io/api (core/v1, batch/v1, rbac/v1) and tektoncd/triggers (pkg/apis/triggers/v1beta1): of their fields those
that this program has a use for, so that a misspelt one is none. In a shape `!` ends the name of a required field, `*`
stands for any name, a list holds what each item is, and a set the words that a text may be.
"""

from __future__ import annotations

from typing import Any

TEXTS = {"*": str}
_RIGHTS = {
    "allowPrivilegeEscalation": bool,
    "capabilities": {"add": [str], "drop": [str]},
    "privileged": bool,
    "readOnlyRootFilesystem": bool,
    "runAsGroup": int,
    "runAsNonRoot": bool,
    "runAsUser": int,
    "seccompProfile": {"type!": {"RuntimeDefault", "Unconfined", "Localhost"}, "localhostProfile": str},
}
_ITEMS = [{"key!": str, "path!": str, "mode": int}]
_FILES = {"items": _ITEMS, "defaultMode": int, "optional": bool}
CLAIM = {
    "metadata": {"name": str, "labels": TEXTS, "annotations": TEXTS},
    "spec!": {
        "accessModes!": [{"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}],
        "resources!": {"requests!": {"storage!": str}, "limits": TEXTS},
        "storageClassName": str,
        "volumeMode": {"Filesystem", "Block"},
    },
}
VOLUMES = [
    {
        "name!": str,
        "emptyDir": {"medium": str, "sizeLimit": object},
        "secret": {"secretName!": str, **_FILES},
        "configMap": {"name!": str, **_FILES},
        "persistentVolumeClaim": {"claimName!": str, "readOnly": bool},
        "hostPath": {"path!": str, "type": str},
        "nfs": {"server!": str, "path!": str, "readOnly": bool},
        "csi": {
            "driver!": str,
            "fsType": str,
            "readOnly": bool,
            "volumeAttributes": TEXTS,
            "nodePublishSecretRef": {"name!": str},
        },
        "projected": {"sources!": [object], "defaultMode": int},
        "downwardAPI": {"items": [object], "defaultMode": int},
        "ephemeral": {"volumeClaimTemplate!": CLAIM},
        "iscsi": object,
        "image": {"reference": str, "pullPolicy": str},
    }
]
_CONTAINER = {
    "name!": str,
    "image!": str,
    "command": [str],
    "args": [str],
    "env": [{"name!": str, "value": str}],
    "securityContext": _RIGHTS,
    "volumeMounts": [{"name!": str, "mountPath!": str, "subPath": str, "readOnly": bool}],
}
_POD = {
    "serviceAccountName": str,
    "restartPolicy": {"Never", "OnFailure"},
    "securityContext": {
        **{name: _RIGHTS[name] for name in ("runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile")},
        "fsGroup": int,
    },
    "initContainers": [_CONTAINER],
    "containers!": [_CONTAINER],
    "volumes": VOLUMES,
}
_JOB = {
    "backoffLimit": int,
    "activeDeadlineSeconds": int,
    "ttlSecondsAfterFinished": int,
    "template!": {"spec!": _POD},
}
_BINDING = {
    "subjects!": [{"kind!": str, "name!": str, "namespace": str, "apiGroup": str}],
    "roleRef!": {"apiGroup!": str, "kind!": {"Role", "ClusterRole"}, "name!": str},
}
_INTERCEPTOR = {
    "name": str,
    "ref!": {"kind!": {"ClusterInterceptor", "NamespacedInterceptor"}, "name!": str, "apiVersion": str},
    "params!": [{"name!": str, "value!": object}],
}
_TRIGGER = {
    "name!": str,
    "interceptors": [_INTERCEPTOR],
    "bindings!": [{"kind!": {"TriggerBinding", "ClusterTriggerBinding"}, "ref!": str}],
    "template!": {"ref!": str},
    "serviceAccountName": str,
}
TRIGGERS = "triggers.tekton.dev/v1beta1"
RBAC = "rbac.authorization.k8s.io/v1"
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ConfigMap": ("v1", {"data!": TEXTS}),
    "ServiceAccount": ("v1", {"secrets": [{"name!": str}], "imagePullSecrets": [{"name!": str}]}),
    "CronJob": (
        "batch/v1",
        {
            "spec!": {
                "schedule!": str,
                "timeZone": str,
                "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
                "startingDeadlineSeconds": int,
                "successfulJobsHistoryLimit": int,
                "failedJobsHistoryLimit": int,
                "suspend": bool,
                "jobTemplate!": {"spec!": _JOB},
            }
        },
    ),
    "Role": (RBAC, {"rules!": [{"apiGroups!": [str], "resources!": [str], "verbs!": [str]}]}),
    "RoleBinding": (RBAC, _BINDING),
    "ClusterRoleBinding": (RBAC, _BINDING),
    "EventListener": (TRIGGERS, {"spec!": {"serviceAccountName!": str, "triggers!": [_TRIGGER]}}),
    "TriggerBinding": (TRIGGERS, {"spec!": {"params!": [{"name!": str, "value!": str}]}}),
    "TriggerTemplate": (
        TRIGGERS,
        {
            "spec!": {
                "params": [{"name!": str, "description": str, "default": str}],
                "resourcetemplates!": [object],
            }
        },
    ),
}
"""The apiVersion of a kind, and what it has beside its metadata."""

_TYPES = {str: "string", int: "integer", bool: "boolean"}


def schema(shape: Any) -> dict[str, Any]:
    """Return a shape as JSON Schema."""
    if shape is object:
        return {}
    if isinstance(shape, type):
        return {"type": _TYPES[shape]}
    if isinstance(shape, set):
        return {"enum": sorted(shape)}
    if isinstance(shape, list):
        return {"type": "array", "items": schema(shape[0])}
    if "*" in shape:
        return {"type": "object", "additionalProperties": schema(shape["*"])}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name.rstrip("!"): schema(inner) for name, inner in shape.items()},
        "required": [name.rstrip("!") for name in shape if name.endswith("!")],
    }
