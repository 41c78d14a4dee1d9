"""The fake cluster's server-side apply against what Kubernetes documents of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster import fields
from tests.cluster.api_server import ApiServer
from tests.cluster.managed import Writer, read
from tests.cluster.schemas import Schemas, invalid, undeclared
from tests.cluster.store import BY_KIND, Refusal
from tests.cluster.writing import Write

Container = dict[str, Any]


class Cluster:
    """Objects written by one or another, without HTTP."""

    def __init__(self) -> None:
        self.server = ApiServer(schemas=Schemas())

    def _write(self, kind: str, who: str, operation: str) -> Write:
        writer = Writer(who, operation, BY_KIND[kind].api_version)
        return Write(self.server, BY_KIND[kind], "ci", writer, validation="Strict", dry=False)

    def apply(self, who: str, made: dict[str, Any], *, force: bool = False) -> dict[str, Any]:
        kind = made["kind"]
        live = self.server.store.find(BY_KIND[kind], "ci", made["metadata"]["name"])
        return self._write(kind, who, "Apply").apply(live, made, force=force)

    def update(self, who: str, made: dict[str, Any]) -> dict[str, Any]:
        live = self.server.store.get(BY_KIND[made["kind"]], "ci", made["metadata"]["name"])
        return self._write(made["kind"], who, "Update").update(live, made)


@pytest.fixture
def cluster() -> Any:
    made = Cluster()
    yield made
    made.server._http.server_close()


def conf(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def deployment(*containers: Container, **spec: Any) -> dict[str, Any]:
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }  # fmt: skip


def containers(found: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in found["spec"]["template"]["spec"]["containers"]}


def test_what_one_does_not_name_any_more_goes(cluster: Cluster) -> None:
    cluster.apply("one", conf(x="1", y="1"))
    assert cluster.apply("one", conf(x="1"))["data"] == {"x": "1"}


def test_what_another_holds_too_stays(cluster: Cluster) -> None:
    cluster.apply("one", conf(x="1", y="1"))
    cluster.apply("two", conf(y="1"))
    assert cluster.apply("one", conf(x="1"))["data"] == {"x": "1", "y": "1"}
    assert cluster.apply("two", conf())["data"] == {"x": "1"}


def test_another_value_is_a_conflict_with_each_holder(cluster: Cluster) -> None:
    cluster.apply("one", conf(x="1"))
    with pytest.raises(Refusal) as caught:
        cluster.apply("two", conf(x="2"))
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "one" using v1: .data.x'
    forced = cluster.apply("two", conf(x="2"), force=True)
    managers, _ = read(forced)
    assert {writer.name for writer in managers} == {"two"}
    with pytest.raises(Refusal):
        cluster.apply("one", conf(x="1"))


def test_an_update_takes_fields_without_asking(cluster: Cluster) -> None:
    found = cluster.apply("one", conf(x="1", y="1"))
    found = cluster.update("person", {**found, "data": {"x": "2", "y": "1"}})
    managers, _ = read(found)
    held = {writer.name: sorted(map(fields.path_text, its)) for writer, its in managers.items()}
    assert held == {"one": [".data.y"], "person": [".data.x"]}
    with pytest.raises(Refusal, match=r'conflict with "person" using v1: \.data\.x'):
        cluster.apply("one", conf(x="1", y="1"))


def test_lists_with_keys_are_merged_by_them(cluster: Cluster) -> None:
    web = {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}
    cluster.apply("one", deployment(web))
    side = {"name": "side", "image": "side:1"}
    found = cluster.apply("two", deployment({"name": "web", "env": [{"name": "A", "value": "1"}]}, side))
    assert list(containers(found)) == ["web", "side"]
    assert containers(found)["web"]["env"] == [{"name": "A", "value": "1"}]
    assert containers(found)["web"]["image"] == "web:1"
    found = cluster.apply("two", deployment({"name": "web"}))
    assert list(containers(found)) == ["web"]
    assert "env" not in containers(found)["web"]
    found = cluster.apply("one", deployment({**web, "ports": [{"containerPort": 80, "name": "http"}]}))
    assert containers(found)["web"]["ports"] == [{"containerPort": 80, "name": "http", "protocol": "TCP"}]


def test_atomic_lists_are_replaced(cluster: Cluster) -> None:
    cluster.apply("one", deployment({"name": "web", "image": "w:1", "args": ["a", "b"]}))
    with pytest.raises(Refusal, match=r'containers\[name="web"\].args'):
        cluster.apply("two", deployment({"name": "web", "args": ["b"]}))
    found = cluster.apply("two", deployment({"name": "web", "args": ["b"]}), force=True)
    assert containers(found)["web"]["args"] == ["b"]


def test_defaults_belong_to_nobody_who_applies(cluster: Cluster) -> None:
    found = cluster.apply("one", deployment({"name": "web", "image": "w:1"}))
    assert found["spec"]["replicas"] == 1
    cluster.apply("two", deployment({"name": "web", "image": "w:1"}, replicas=3))
    managers, _ = read(cluster.server.cluster.get("Deployment", "ci", "a"))
    held = {
        writer.name for writer, its in managers.items() if any(path[-1] == ("f", "replicas") for path in its)
    }
    assert held == {"two"}


def test_the_same_again_is_no_write(cluster: Cluster) -> None:
    first = cluster.apply("one", deployment({"name": "web", "image": "w:1"}))
    again = cluster.apply("one", deployment({"name": "web", "image": "w:1"}))
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_fields_v1_there_and_back(cluster: Cluster) -> None:
    made = deployment(
        {"name": "web", "image": "w:1", "ports": [{"containerPort": 80}], "args": []}, replicas=2
    )
    made["metadata"]["finalizers"] = ["x/y"]
    node = cluster.server.schemas.of("apps", "v1", "Deployment") if cluster.server.schemas else {}
    found = fields.of(node, made)
    assert fields.from_v1(fields.to_v1(found)) == found
    assert fields.to_v1(found)["f:metadata"] == {"f:finalizers": {'v:"x/y"': {}}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"replica": 1}, ".spec.replica: field not declared in schema"),
        ({"replicas": "1"}, ".spec.replicas: expected integer"),
        ({"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}, 'duplicate entries for key [name="a"]'),
    ],
    ids=["unknown", "type", "twice"],
)  # fmt: skip
def test_what_schemas_do_not_have(spec: dict[str, Any], said: str) -> None:
    node = Schemas().of("apps", "v1", "Deployment")
    (fault,) = undeclared(node, {"spec": spec})
    assert said in fault


def test_required_fields() -> None:
    node = Schemas().of("apps", "v1", "Deployment")
    assert list(invalid(node, {"spec": {}})) == [
        ("spec.selector", "Required value"), ("spec.template", "Required value")
    ]  # fmt: skip
