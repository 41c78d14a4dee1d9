"""Argo CD's rules, one row a case."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.apps.kube.health import health

CASES: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str | None]] = [
    ("paused", "apps/v1", "Deployment", {"paused": True}, {}, "Suspended"),
    ("new generation", "apps/v1", "Deployment", {"replicas": 1}, {"observedGeneration": 1}, "Progressing"),
    ("updating", "apps/v1", "Deployment", {"replicas": 2}, {"observedGeneration": 2, "updatedReplicas": 1}, "Progressing"),
    (
        "old ones left", "apps/v1", "Deployment", {"replicas": 1},
        {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 2}, "Progressing",
    ),
    (
        "not available", "apps/v1", "Deployment", {"replicas": 1},
        {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1}, "Progressing",
    ),
    (
        "available", "apps/v1", "Deployment", {"replicas": 1},
        {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}, "Healthy",
    ),
    (
        "deadline", "apps/v1", "Deployment", {},
        {"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}, "Degraded",
    ),
    ("none observed", "apps/v1", "StatefulSet", {}, {}, "Progressing"),
    ("not ready", "apps/v1", "StatefulSet", {"replicas": 2}, {"observedGeneration": 2, "readyReplicas": 1}, "Progressing"),
    (
        "another revision", "apps/v1", "StatefulSet", {"replicas": 1},
        {"observedGeneration": 2, "readyReplicas": 1, "updateRevision": "b", "currentRevision": "a"}, "Progressing",
    ),
    (
        "all of one revision", "apps/v1", "StatefulSet", {"replicas": 1},
        {"observedGeneration": 2, "readyReplicas": 1, "updateRevision": "b", "currentRevision": "b"}, "Healthy",
    ),
    (
        "partition done", "apps/v1", "StatefulSet",
        {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
        {"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1, "updateRevision": "b"}, "Healthy",
    ),
    (
        "partition going on", "apps/v1", "StatefulSet",
        {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
        {"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1}, "Progressing",
    ),
    ("on delete", "apps/v1", "StatefulSet", {"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
     {"observedGeneration": 2, "readyReplicas": 1, "updateRevision": "b"}, "Healthy"),
    ("no node", "apps/v1", "DaemonSet", {}, {"observedGeneration": 2}, "Healthy"),
    ("a node lacks it", "apps/v1", "DaemonSet", {},
     {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}, "Progressing"),
    ("cannot make pods", "apps/v1", "ReplicaSet", {"replicas": 1},
     {"observedGeneration": 2, "conditions": [{"type": "ReplicaFailure", "status": "True"}]}, "Degraded"),
    ("all there", "apps/v1", "ReplicaSet", {"replicas": 1}, {"observedGeneration": 2, "availableReplicas": 1}, "Healthy"),
    ("pending", "v1", "Pod", {}, {"phase": "Pending"}, "Progressing"),
    ("no image", "v1", "Pod", {},
     {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}, "Degraded"),
    ("no image, but a hook", "v1", "Pod", {"restartPolicy": "Never"},
     {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}, "Progressing"),
    ("ready", "v1", "Pod", {}, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, "Healthy"),
    ("restarted", "v1", "Pod", {},
     {"phase": "Running", "containerStatuses": [{"lastState": {"terminated": {"exitCode": 1}}}]}, "Degraded"),
    ("starting", "v1", "Pod", {}, {"phase": "Running"}, "Progressing"),
    ("failed", "v1", "Pod", {}, {"phase": "Failed"}, "Degraded"),
    ("done", "v1", "Pod", {}, {"phase": "Succeeded"}, "Healthy"),
    ("running", "batch/v1", "Job", {}, {}, "Progressing"),
    ("suspended", "batch/v1", "Job", {"suspend": True}, {}, "Suspended"),
    ("failed", "batch/v1", "Job", {}, {"conditions": [{"type": "Failed", "status": "True"}]}, "Degraded"),
    ("complete", "batch/v1", "Job", {}, {"conditions": [{"type": "Complete", "status": "True"}]}, "Healthy"),
    ("suspended", "batch/v1", "CronJob", {"suspend": True}, {}, "Suspended"),
    ("never ran", "batch/v1", "CronJob", {}, {}, "Healthy"),
    ("failed last", "batch/v1", "CronJob", {},
     {"lastScheduleTime": "2026-01-02T00:00:00Z", "lastSuccessfulTime": "2026-01-01T00:00:00Z"}, "Degraded"),
    ("plain", "v1", "Service", {"type": "ClusterIP"}, {}, "Healthy"),
    ("no address", "v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}, "Progressing"),
    ("address", "v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, "Healthy"),
    ("nobody", "networking.k8s.io/v1", "Ingress", {}, {}, "Progressing"),
    ("taken", "networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {"ingress": [{"hostname": "x"}]}}, "Healthy"),
    ("bound", "v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}, "Healthy"),
    ("waits for a pod", "v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}, "Healthy"),
    ("lost", "v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}, "Degraded"),
    ("fine", "autoscaling/v2", "HorizontalPodAutoscaler", {},
     {"conditions": [{"type": "AbleToScale", "reason": "ReadyForNewScale", "status": "True"}]}, "Healthy"),
    ("not limited", "autoscaling/v2", "HorizontalPodAutoscaler", {},
     {"conditions": [{"type": "ScalingLimited", "reason": "DesiredWithinRange", "status": "False"}]}, "Progressing"),
    ("no metrics", "autoscaling/v2", "HorizontalPodAutoscaler", {},
     {"conditions": [{"type": "ScalingActive", "reason": "FailedGetResourceMetric"}]}, "Degraded"),
    ("new", "autoscaling/v2", "HorizontalPodAutoscaler", {}, {}, "Progressing"),
    ("not looked at", "policy/v1", "PodDisruptionBudget", {}, {}, "Progressing"),
    ("too few pods", "policy/v1", "PodDisruptionBudget", {},
     {"conditions": [{"type": "DisruptionAllowed", "reason": "InsufficientPods", "status": "False"}]}, "Healthy"),
    ("broken", "policy/v1", "PodDisruptionBudget", {},
     {"conditions": [{"type": "DisruptionAllowed", "reason": "SyncFailed", "status": "False"}]}, "Degraded"),
    ("up", "apiregistration.k8s.io/v1", "APIService", {}, {"conditions": [{"type": "Available", "status": "True"}]}, "Healthy"),
    ("down", "apiregistration.k8s.io/v1", "APIService", {},
     {"conditions": [{"type": "Available", "status": "False"}]}, "Progressing"),
    ("new", "apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, {}, "Progressing"),
    ("served", "apiextensions.k8s.io/v1", "CustomResourceDefinition", {},
     {"conditions": [{"type": "Established", "status": "True"}]}, "Healthy"),
    ("names taken", "apiextensions.k8s.io/v1", "CustomResourceDefinition", {},
     {"conditions": [{"type": "NamesAccepted", "status": "False"}]}, "Degraded"),
    ("no rule", "v1", "ConfigMap", {}, {}, None),
    ("of another group", "shop.test/v1", "Deployment", {}, {}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "kind", "spec", "status", "expected"),
    [case[1:] for case in CASES],
    ids=[f"{case[2]} {case[0]}" for case in CASES],
)
def test_rules(
    version: str, kind: str, spec: dict[str, Any], status: dict[str, Any], expected: str | None
) -> None:
    live = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "generation": 2}}
    assert health({**live, "spec": spec, "status": status})[0] == expected


def test_a_claim_whose_volume_is_being_made_progresses() -> None:
    asked = {"volume.beta.kubernetes.io/storage-provisioner": "disks.test"}
    live = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "x", "annotations": asked},
    }
    assert health({**live, "status": {"phase": "Pending"}})[0] == "Progressing"


def test_what_is_being_deleted_progresses() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"},
    }
    assert health(live) == ("Progressing", "Pending deletion")


@pytest.mark.parametrize("junk", [None, 5, "text", [], [None], {"conditions": 5}, {"conditions": [5, None]}])
@pytest.mark.parametrize(("version", "kind"), sorted({case[1:3] for case in CASES}))
def test_nothing_is_believed_of_what_a_cluster_says(version: str, kind: str, junk: Any) -> None:
    health({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": junk, "status": junk})
