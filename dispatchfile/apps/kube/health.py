"""Whether an object is well, by what Argo CD 3.6 has built in; kinds that it has no rule for have no health.

Rules are of gitops-engine's pkg/health, and of Argo CD's resource_customizations for kinds of Kubernetes itself; its
customizations for kinds that others define are left out, and so these have no health. What comes from a
cluster is read as it is: a field of another type than it should be counts as absent.
"""

from __future__ import annotations

import json

from dispatchfile.apps.manifest import mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from dispatchfile.apps.manifest import Object
    from dispatchfile.apps.status import Health

    Found = tuple[Health, str]
    Rule = Callable[[Object, Object, Object], Found]


def health(live: Object) -> tuple[Health | None, str]:
    """Return how an object is, None for kinds without a rule, and what it says of itself."""
    metadata = mapping(live.get("metadata"))
    if metadata.get("deletionTimestamp"):
        return "Progressing", "Pending deletion"
    group, slash, _ = str(live.get("apiVersion", "")).rpartition("/")
    rule = _RULES.get((group if slash else "", str(live.get("kind"))))
    if rule is None:
        return None, ""
    return rule(live, mapping(live.get("spec")), mapping(live.get("status")))


def _deployment(live: Object, spec: Object, status: Object) -> Found:
    if spec.get("paused") is True:
        return "Suspended", "Deployment is paused"
    if _unobserved(live, status):
        return "Progressing", "waiting for the new specification to be observed"
    progress = _condition(status, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return "Degraded", _said(progress) or "its progress deadline passed"
    wanted, updated = _count(spec, "replicas", 1), _count(status, "updatedReplicas")
    if updated < wanted:
        return "Progressing", f"{updated} of {wanted} new replicas have been updated"
    if (old := _count(status, "replicas") - updated) > 0:
        return "Progressing", f"{old} old replicas are to be ended"
    if (available := _count(status, "availableReplicas")) < updated:
        return "Progressing", f"{available} of {updated} updated replicas are available"
    return "Healthy", ""


def _stateful_set(live: Object, spec: Object, status: Object) -> Found:
    if not _count(status, "observedGeneration") or _unobserved(live, status):
        return "Progressing", "waiting for the new specification to be observed"
    wanted, ready = _count(spec, "replicas", 1), _count(status, "readyReplicas")
    if ready < wanted:
        return "Progressing", f"waiting for {wanted - ready} pods to be ready"
    strategy = mapping(spec.get("updateStrategy"))
    updated = _count(status, "updatedReplicas")
    if strategy.get("type") == "OnDelete":
        return "Healthy", ""
    if rolling := mapping(strategy.get("rollingUpdate")):
        due = wanted - _count(rolling, "partition")
        if updated < due:
            return "Progressing", f"{updated} of {due} new pods have been updated"
        if _count(rolling, "partition"):
            return "Healthy", ""
    if status.get("updateRevision") != status.get("currentRevision"):
        return "Progressing", f"{updated} pods are of the new revision"
    return "Healthy", ""


def _daemon_set(live: Object, spec: Object, status: Object) -> Found:
    if _unobserved(live, status):
        return "Progressing", "waiting for the new specification to be observed"
    if mapping(spec.get("updateStrategy")).get("type") == "OnDelete":
        return "Healthy", ""
    wanted = _count(status, "desiredNumberScheduled")
    if (updated := _count(status, "updatedNumberScheduled")) < wanted:
        return "Progressing", f"{updated} of {wanted} new pods have been updated"
    if (available := _count(status, "numberAvailable")) < wanted:
        return "Progressing", f"{available} of {wanted} updated pods are available"
    return "Healthy", ""


def _replica_set(live: Object, spec: Object, status: Object) -> Found:
    if _unobserved(live, status):
        return "Progressing", "waiting for the new specification to be observed"
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") == "True":
        return "Degraded", _said(failure)
    wanted, available = _count(spec, "replicas", 1), _count(status, "availableReplicas")
    if available < wanted:
        return "Progressing", f"{available} of {wanted} replicas are available"
    return "Healthy", ""


def _pod(_live: Object, spec: Object, status: Object) -> Found:
    always = spec.get("restartPolicy", "Always") == "Always"
    containers = _maps(status.get("containerStatuses"))
    if always and (stuck := [said for one in containers if (said := _stuck(one))]):
        return "Degraded", ", ".join(stuck)
    said = str(status.get("message") or "")
    match status.get("phase"):
        case "Pending":
            return "Progressing", said
        case "Succeeded":
            return "Healthy", said
        case "Failed":
            every = (*_maps(status.get("initContainerStatuses")), *containers)
            return "Degraded", said or next(filter(None, map(_failure, every)), "")
        case "Running" if always:
            if _condition(status, "Ready").get("status") == "True":
                return "Healthy", said
            ended = any(mapping(one.get("lastState")).get("terminated") for one in containers)
            return ("Degraded", said or "a container ended") if ended else ("Progressing", said)
        case "Running":
            return "Progressing", said
    return "Unknown", said


def _stuck(container: Object) -> str:
    """Return why a container cannot start, "" when it can or has."""
    waiting = mapping(mapping(container.get("state")).get("waiting"))
    reason = str(waiting.get("reason") or "")
    if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
        return _said(waiting) or reason
    return ""


def _failure(container: Object) -> str:
    ended = mapping(mapping(container.get("state")).get("terminated"))
    if ended.get("message") or ended.get("reason") == "OOMKilled":
        return str(ended.get("message") or ended["reason"])
    code = _count(ended, "exitCode")
    return f'container "{container.get("name")}" failed with exit code {code}' if code else ""


def _job(_live: Object, spec: Object, status: Object) -> Found:
    for kind, word in (("Failed", "Degraded"), ("Complete", "Healthy"), ("SuccessCriteriaMet", "Healthy")):
        if (found := _condition(status, kind)).get("status") == "True":
            return ("Degraded" if word == "Degraded" else "Healthy"), _said(found)
    if spec.get("suspend") is True or _condition(status, "Suspended").get("status") == "True":
        return "Suspended", "the Job is suspended"
    return "Progressing", ""


def _cron_job(_live: Object, spec: Object, status: Object) -> Found:
    if spec.get("suspend") is True:
        return "Suspended", "the CronJob is suspended"
    scheduled, succeeded = (
        str(status.get("lastScheduleTime") or ""),
        str(status.get("lastSuccessfulTime") or ""),
    )
    if status.get("active"):
        return "Healthy", "a Job of it is running"
    if scheduled and succeeded and succeeded < scheduled:  # RFC 3339 in UTC: in order as text
        return "Degraded", "its last run did not succeed"
    return "Healthy", ""


def _service(_live: Object, spec: Object, status: Object) -> Found:
    if spec.get("type") == "LoadBalancer" and not mapping(status.get("loadBalancer")).get("ingress"):
        return "Progressing", "it has no address yet"
    return "Healthy", ""


def _ingress(_live: Object, _spec: Object, status: Object) -> Found:
    if mapping(status.get("loadBalancer")).get("ingress"):
        return "Healthy", ""
    return "Progressing", "no ingress controller has taken it up yet"


def _claim(live: Object, _spec: Object, status: Object) -> Found:
    match status.get("phase"):
        case "Bound":
            return "Healthy", ""
        case "Lost":
            return "Degraded", "its volume is lost"
        case "Pending":
            # Most storage classes wait for a pod that mounts it, which may be of a later wave.
            if _PROVISIONER in mapping(mapping(live.get("metadata")).get("annotations")):
                return "Progressing", "its volume is being made"
            return "Healthy", "it waits for a pod that mounts it"
    return "Unknown", ""


_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"


_SCALING_FAILS = {
    ("AbleToScale", "FailedGetScale"), ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"), ("ScalingActive", "InvalidSelector"),
}  # fmt: skip
_SCALING_WORKS = ("AbleToScale", "ScalingLimited")


def _autoscaler(live: Object, _spec: Object, status: Object) -> Found:
    conditions = _maps(status.get("conditions"))
    told = mapping(mapping(live.get("metadata")).get("annotations")).get(
        "autoscaling.alpha.kubernetes.io/conditions"
    )
    if isinstance(told, str):  # where autoscaling/v1 keeps them
        try:
            conditions = _maps(json.loads(told))
        except (ValueError, RecursionError):
            return "Unknown", "its conditions cannot be read"
    for found in conditions:
        key = (found.get("type"), found.get("reason"))
        if key in _SCALING_FAILS:
            return "Degraded", _said(found)
        if found.get("type") in _SCALING_WORKS and found.get("status") == "True":
            return "Healthy", _said(found)
    return "Progressing", "waiting to scale"


def _disruption_budget(_live: Object, _spec: Object, status: Object) -> Found:
    conditions = _maps(status.get("conditions"))
    for found in conditions:
        # Too few pods may be meant, as while they are scaled to none.
        if found.get("status") == "False" and found.get("reason") != "InsufficientPods":
            return "Degraded", _said(found) or str(found.get("reason"))
    return ("Healthy", "") if conditions else ("Progressing", "waiting to be looked at")


def _api_service(_live: Object, _spec: Object, status: Object) -> Found:
    found = _condition(status, "Available")
    if not found:
        return "Progressing", "waiting to be processed"
    said = f"{found.get('reason')}: {_said(found)}"
    return ("Healthy", said) if found.get("status") == "True" else ("Progressing", said)


def _definition(_live: Object, _spec: Object, status: Object) -> Found:
    if not _maps(status.get("conditions")):
        return "Progressing", "waiting to be processed"
    if (ending := _condition(status, "Terminating")).get("status") == "True":
        return "Progressing", f"it is being removed: {_said(ending)}"
    if (names := _condition(status, "NamesAccepted")).get("status") == "False":
        return "Degraded", f"its names are not accepted: {_said(names)}"
    if (established := _condition(status, "Established")).get("status") != "True":
        return "Degraded", f"it is not established: {_said(established)}"
    if (schema := _condition(status, "NonStructuralSchema")).get("status") == "True":
        return "Degraded", f"its schema is not structural: {_said(schema)}"
    return "Healthy", ""


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "Pod"): _pod,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("", "Service"): _service,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("", "PersistentVolumeClaim"): _claim,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("policy", "PodDisruptionBudget"): _disruption_budget,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def _unobserved(live: Object, status: Object) -> bool:
    return _count(mapping(live.get("metadata")), "generation") > _count(status, "observedGeneration")


def _condition(status: Object, type_: str) -> Object:
    """Return the condition of a type, an empty one where there is none."""
    found = (one for one in _maps(status.get("conditions")) if one.get("type") == type_)
    return next(found, {})


def _said(found: Object) -> str:
    return str(found.get("message") or "")


def _count(found: Object, name: str, default: int = 0) -> int:
    value = found.get(name)
    return value if isinstance(value, int) else default


def _maps(found: Any) -> Iterable[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else ()
