from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.kube import kubeconfig
from dispatchfile.kube.client import CONFIG_MAPS, PAGE, Cluster, Kind
from dispatchfile.kube.discovery import Discovery, UnknownKind
from dispatchfile.kube.problems import Refused, Unreachable
from tests.cluster.api_server import ApiServer, Fault
from tests.cluster.schemas import Schemas


@pytest.fixture(params=[True, False], ids=["aggregated", "group by group"])
def server(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    with ApiServer(schemas=Schemas(), aggregated=request.param) as made:
        yield made


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    made = Cluster(kubeconfig.find())
    yield made
    made.close()


def test_kinds(cluster: Cluster, server: ApiServer) -> None:
    found = Discovery(cluster)
    assert found.of("apps/v1", "Deployment").kind == Kind("apps", "v1", "deployments")
    assert found.of("v1", "Namespace").kind == Kind("", "v1", "namespaces", namespaced=False)
    assert {"get", "list", "patch"} <= found.of("batch/v1", "Job").verbs
    named = found.named("autoscaling", "HorizontalPodAutoscaler")
    assert named is not None
    assert named.kind.version == "v2"
    assert found.named("apps", "Nothing") is None
    asked = len(server.requests)
    found.of("v1", "ConfigMap")
    assert len(server.requests) == asked
    assert not any(one.kind.plural.endswith("/scale") for one in found.preferred())


def test_a_kind_that_comes_later(cluster: Cluster, server: ApiServer) -> None:
    found = Discovery(cluster)
    with pytest.raises(UnknownKind, match=r"the cluster has no Till of shop\.test/v1") as caught:
        found.of("shop.test/v1", "Till")
    assert caught.value.help == "is its CustomResourceDefinition installed? kubectl get crds"
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    names = {"plural": "tills", "kind": "Till"}
    server.define({"spec": {"group": "shop.test", "scope": "Cluster", "names": names, "versions": [version]}})
    assert found.of("shop.test/v1", "Till").kind == Kind("shop.test", "v1", "tills", namespaced=False)


@pytest.mark.parametrize(
    ("version", "kind", "help_"),
    [
        ("apps/v1beta2", "Deployment", "it has apps/v1: change apiVersion"),
        ("extensions/v1beta1", "Ingress", "it has one of networking.k8s.io/v1"),
        ("v1", "ConfigMpa", 'did you mean "ConfigMap"?'),
    ],
)
def test_what_to_do_about_an_unknown_kind(cluster: Cluster, version: str, kind: str, help_: str) -> None:
    with pytest.raises(UnknownKind) as caught:
        Discovery(cluster).of(version, kind)
    assert caught.value.help == help_


def test_lists_come_in_pages(cluster: Cluster, server: ApiServer) -> None:
    for number in range(PAGE + 3):
        namespace = "ci" if number % 2 else "default"
        labels = {"its": "one"} if number % 3 else {}
        server.cluster.create("ConfigMap", namespace, {"metadata": {"name": f"c{number}", "labels": labels}})
    before = len(server.requests)
    found = cluster.every(CONFIG_MAPS)
    assert len(found) == PAGE + 4  # one was there before
    assert len(server.requests) - before == 2
    assert {one["kind"] for one in found} == {"ConfigMap"}
    assert len(cluster.every(CONFIG_MAPS, "ci", labelSelector="its=one")) == 167


def test_deleting(cluster: Cluster, server: ApiServer) -> None:
    made = server.cluster.create("ConfigMap", "ci", {"metadata": {"name": "a"}})
    owner = [{"uid": made["metadata"]["uid"], "kind": "ConfigMap", "name": "a", "apiVersion": "v1"}]
    server.cluster.create("ConfigMap", "ci", {"metadata": {"name": "owned", "ownerReferences": owner}})
    with pytest.raises(Refused) as caught:
        cluster.delete(CONFIG_MAPS, "a", uid="another")
    assert caught.value.code == 409
    assert cluster.delete(CONFIG_MAPS, "a", uid=made["metadata"]["uid"], propagation="Foreground")
    assert cluster.look(CONFIG_MAPS, "owned") is None
    assert not cluster.delete(CONFIG_MAPS, "a")


def test_conflicts_name_the_other(cluster: Cluster, server: ApiServer) -> None:
    conf = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "ci"},
        "data": {"x": "1"},
    }
    cluster.apply(CONFIG_MAPS, conf, manager="somebody")
    with pytest.raises(Refused) as caught:
        cluster.apply(CONFIG_MAPS, conf | {"data": {"x": "2"}}, force=False)
    (cause,) = caught.value.causes
    assert (cause.reason, cause.field) == ("FieldManagerConflict", ".data.x")
    assert cause.message == 'conflict with "somebody" using v1'
    assert cluster.apply(CONFIG_MAPS, conf | {"data": {"x": "2"}}, dry_run=True)["data"] == {"x": "2"}
    assert cluster.get(CONFIG_MAPS, "a")["data"] == {"x": "1"}


@pytest.mark.parametrize(
    ("fault", "raises"), [(Fault(403), Refused), (Fault(0), Unreachable)], ids=["403", "cut off"]
)
def test_a_look_that_is_refused_is_no_answer(
    cluster: Cluster, server: ApiServer, fault: Fault, raises: type[Exception]
) -> None:
    server.fail("get", "configmaps", fault)
    with pytest.raises(raises):
        cluster.look(CONFIG_MAPS, "a")
    assert cluster.look(CONFIG_MAPS, "a") is None


def test_other_apis_have_fields_of_their_own(cluster: Cluster, server: ApiServer) -> None:
    version = {"name": "v1", "served": True, "storage": True}
    names = {"plural": "tills", "kind": "Till"}
    server.define(
        {"spec": {"group": "shop.test", "scope": "Namespaced", "names": names, "versions": [version]}}
    )
    kind = Kind("shop.test", "v1", "tills")
    odd = {"spec": {"timeouts": "none"}, "status": {"conditions": "fine", "results": 5}, "data": "text"}
    server.store.create(
        server.kind_of("shop.test", "v1", "tills"), "ci", {"metadata": {"name": "one"}, **odd}
    )
    assert cluster.get(kind, "one", "ci")["data"] == "text"
    assert [one["kind"] for one in cluster.every(kind)] == ["Till"]
