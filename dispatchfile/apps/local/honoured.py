"""Which fields of workloads and Services count on this engine, so that every other one can be told.

A table says of each field: None, it is honoured, or is of no consequence on one machine; a tuple, these values ask for
what is done anyway; a table, it has fields of its own, also as a list. Fields that no table has are told, those
included that a later Kubernetes will have.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    Table: TypeAlias = "Mapping[str, Table | tuple[Any, ...] | None]"


def _all(names: str) -> dict[str, None]:
    return dict.fromkeys(names.split())


_PROBE: Table = _all(
    "httpGet tcpSocket exec grpc initialDelaySeconds periodSeconds timeoutSeconds successThreshold failureThreshold"
)
# What Docker confines a container to is what a cluster's runtime has by default.
_CONFINED: Table = {"type": ("RuntimeDefault",)}
_COMMON: Table = {
    **_all("runAsUser runAsGroup runAsNonRoot"),
    "seccompProfile": _CONFINED,
    "appArmorProfile": _CONFINED,
}
CONTAINER: Table = {
    **_all("name image command args workingDir envFrom env imagePullPolicy restartPolicy tty stdin"),
    # Nobody asks this engine for the message; it tells a container's last words by itself.
    **_all("terminationMessagePath terminationMessagePolicy"),
    "ports": {**_all("name containerPort protocol hostPort"), "hostIP": ("127.0.0.1",)},
    "resources": {"limits": _all("cpu memory"), "requests": _all("cpu memory")},
    "volumeMounts": {
        **_all("name mountPath subPath subPathExpr readOnly"),
        "mountPropagation": ("None",),
        "recursiveReadOnly": ("Disabled",),
    },
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "lifecycle": _all("postStart preStop"),
    "securityContext": {
        **_COMMON,
        **_all("capabilities privileged readOnlyRootFilesystem allowPrivilegeEscalation"),
        "procMount": ("Default",),
    },
}
POD: Table = {
    # Containers are looked at one by one; volumes of a kind that is not there are refused.
    **_all("containers initContainers volumes"),
    **_all("hostAliases hostIPC hostNetwork hostPID hostname imagePullSecrets restartPolicy subdomain"),
    **_all("terminationGracePeriodSeconds"),
    # There is one node, and no API server that an account would be somebody for.
    **_all("schedulerName serviceAccount serviceAccountName"),
    "automountServiceAccountToken": (False,),
    "dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet"),
    "enableServiceLinks": (False,),
    "shareProcessNamespace": (False,),
    "securityContext": {**_COMMON, **_all("fsGroup fsGroupChangePolicy supplementalGroups")},
}
_WORKLOAD = "selector template"
_ROLLING = _all("maxSurge maxUnavailable")
# Git has the history.
_COUNTED = f"{_WORKLOAD} replicas minReadySeconds progressDeadlineSeconds paused revisionHistoryLimit"
SPECS: Mapping[str, Table] = {
    "Deployment": {**_all(_COUNTED), "strategy": {"type": None, "rollingUpdate": _ROLLING}},
    "ReplicaSet": _all(f"{_WORKLOAD} replicas minReadySeconds"),
    "StatefulSet": {
        **_all(f"{_WORKLOAD} replicas minReadySeconds revisionHistoryLimit serviceName podManagementPolicy"),
        "updateStrategy": {"type": None, "rollingUpdate": {"partition": None, "maxUnavailable": (1,)}},
        "ordinals": None,
        "volumeClaimTemplates": None,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": ("Retain",), "whenScaled": ("Retain",)},
    },
    "DaemonSet": {
        **_all(f"{_WORKLOAD} minReadySeconds revisionHistoryLimit"),
        "updateStrategy": {"type": None, "rollingUpdate": _ROLLING},
    },
    "Job": {
        **_all(
            f"{_WORKLOAD} parallelism completions backoffLimit activeDeadlineSeconds completionMode suspend"
        ),
        "manualSelector": None,
        "podReplacementPolicy": ("TerminatingOrFailed",),
    },
    "CronJob": _all(
        "schedule timeZone concurrencyPolicy startingDeadlineSeconds suspend jobTemplate "
        "successfulJobsHistoryLimit failedJobsHistoryLimit"
    ),
}
SERVICE: Table = {
    **_all("selector type ports externalName sessionAffinity sessionAffinityConfig"),
    # Where packets go between nodes, and which addresses a cluster gives: there is one node.
    **_all(
        "clusterIPs ipFamilies ipFamilyPolicy externalTrafficPolicy internalTrafficPolicy trafficDistribution"
    ),
    **_all("allocateLoadBalancerNodePorts healthCheckNodePort loadBalancerClass"),
    "clusterIP": ("None", ""),
    "publishNotReadyAddresses": (False,),
}


def untold(found: Mapping[str, Any], table: Table, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields that ask for something, and do not count."""
    for name, value in found.items():
        here = f"{path}.{name}" if path else str(name)
        if value is None:
            continue
        if name not in table:
            yield here
            continue
        known = table[name]
        if isinstance(known, tuple):
            if value not in known:
                yield here
        elif known is not None:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    yield from untold(one, known, here)


def words(fields: Iterator[str]) -> tuple[str, ...]:
    """Return what is to be said of such fields, nothing where there are none."""
    listed = list(dict.fromkeys(fields))
    return (f"not honoured: {', '.join(listed)}",) if listed else ()
