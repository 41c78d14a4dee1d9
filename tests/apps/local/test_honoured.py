"""Fields that this engine does nothing with are told; held against what Kubernetes publishes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dispatchfile.apps.app import App
from dispatchfile.apps.local import honoured
from dispatchfile.apps.local.blueprint import Draft, blueprint
from dispatchfile.apps.local.objects import Objects
from dispatchfile.apps.local.template import template
from dispatchfile.apps.local.traffic import service
from dispatchfile.errors import UsageError
from tests.apps.local.apps_on_engine import container, manifests
from tests.cluster.schemas import _definitions

APP = App("shop", "https://git.example.test/r.git")
API = "io.k8s.api."
PUBLISHED = {
    "pod": ("core.v1.PodSpec", honoured.POD),
    "container": ("core.v1.Container", honoured.CONTAINER),
    "service": ("core.v1.ServiceSpec", honoured.SERVICE),
    **{
        kind: (f"{'batch' if 'Job' in kind else 'apps'}.v1.{kind}Spec", table)
        for kind, table in honoured.SPECS.items()
    },
}


def fields_of(node: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a published schema, through references and lists."""
    while "properties" not in node and ("$ref" in node or "items" in node):
        node = _definitions()[node["$ref"].rpartition("/")[2]] if "$ref" in node else node["items"]
    return node.get("properties", {})


def not_published(table: honoured.Table, fields: dict[str, Any], path: str = "") -> list[str]:
    """Return the entries of a table that Kubernetes does not have."""
    found = []
    for name, below in table.items():
        if name not in fields:
            found.append(f"{path}{name}")
        elif isinstance(below, dict):
            # Names below `limits` and `requests` are free.
            inner = fields_of(fields[name])
            found += not_published(below, inner, f"{path}{name}.") if inner else []
    return found


@pytest.mark.parametrize("what", PUBLISHED)
def test_every_published_field_is_honoured_or_told(what: str) -> None:
    name, table = PUBLISHED[what]
    fields = fields_of(_definitions()[API + name])
    assert fields
    assert not_published(table, fields) == []
    asked = {field: {"of": "any shape"} for field in fields}
    told = {path.partition(".")[0] for path in honoured.untold(asked, table)}
    assert told == {field for field in fields if field not in table or table[field] is not None}


def told(kind: str, spec: dict[str, Any]) -> str:
    found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    wanted = manifests(yaml.safe_dump(found))
    return " ".join(template(wanted[-1], Objects(wanted), []).notes)


def of_pods(**more: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [container("x")], **more}}}


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("Pod", {"containers": [container("x")]}, ""),
        ("Pod", of_pods(dnsPolicy="ClusterFirst", enableServiceLinks=False)["template"]["spec"], ""),
        ("Pod", of_pods(activeDeadlineSeconds=5)["template"]["spec"], "not honoured: activeDeadlineSeconds"),
        ("Deployment", of_pods(enableServiceLinks=True), "not honoured: enableServiceLinks"),
        ("StatefulSet", {**of_pods(), "updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}},
         "not honoured: updateStrategy.rollingUpdate.maxUnavailable"),
        ("Job", {**of_pods(), "ttlSecondsAfterFinished": 9, "podFailurePolicy": {"rules": []}},
         "not honoured: podFailurePolicy, ttlSecondsAfterFinished"),
        ("CronJob", {"schedule": "@daily", "jobTemplate": {"spec": {**of_pods(), "backoffLimitPerIndex": 1}}},
         "not honoured: jobTemplate.spec.backoffLimitPerIndex"),
    ],
)  # fmt: skip
def test_what_a_workload_asks_for_in_vain(kind: str, spec: dict[str, Any], expected: str) -> None:
    assert told(kind, spec) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, ""),
        ({"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}}},
         "securityContext.seccompProfile.localhostProfile, main: securityContext.seccompProfile.type"),
        ({"volumeMounts": [{"name": "a", "mountPath": "/a", "mountPropagation": "Bidirectional"}]},
         "volumeMounts.mountPropagation"),
        ({"ports": [{"containerPort": 80, "hostPort": 80, "hostIP": "0.0.0.0"}]}, "ports.hostIP"),
        ({"livenessProbe": {"tcpSocket": {"port": 1}, "terminationGracePeriodSeconds": 3}},
         "livenessProbe.terminationGracePeriodSeconds"),
        ({"resources": {"limits": {"vendor.test/gpu": 1}}}, "resources.limits.vendor.test/gpu"),
        ({"imagePullPolcy": "Always"}, "imagePullPolcy"),
    ],
)  # fmt: skip
def test_what_a_container_asks_for_in_vain(given: dict[str, Any], expected: str) -> None:
    said = told("Pod", {"containers": [{**container("x"), **given}]})
    assert said == (f"not honoured: main: {expected}" if expected else "")


def test_what_a_service_asks_for_in_vain() -> None:
    ports = [{"port": 80}]
    found = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    asked = {"externalIPs": ["192.0.2.1"], "publishNotReadyAddresses": True, "clusterIP": "10.0.0.9"}
    made = service.read(manifests(yaml.safe_dump({**found, "spec": {"ports": ports, **asked}}))[0])
    assert set(made.notes[-1].removeprefix("not honoured: ").split(", ")) == set(asked)
    assert service.read(manifests(yaml.safe_dump({**found, "spec": {"ports": ports}}))[0]).notes == ()


def test_root_where_it_is_not_to_be_is_refused() -> None:
    spec = of_pods(securityContext={"runAsNonRoot": True, "runAsUser": 0})["template"]["spec"]
    found = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": spec}
    wanted = manifests(yaml.safe_dump(found))
    made_of = template(wanted[0], Objects(wanted), [])
    with pytest.raises(UsageError, match="runAsNonRoot is true, and runAsUser is 0"):
        blueprint(Draft(APP, Objects(wanted), {"Name": "no"}), made_of, "it")
