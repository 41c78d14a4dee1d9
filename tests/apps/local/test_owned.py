"""What is not the application's is left alone, whatever a repository calls its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import docker
import pytest

from dispatchfile.apps.local.labels import APP, network_name
from dispatchfile.errors import EnvironmentProblem
from tests.apps.local.apps_on_engine import TOOLBOX, Bench, bench

pytestmark = pytest.mark.docker

POD = """
apiVersion: v1
kind: Pod
metadata: {name: main}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: "1", image: %s, command: [sleep, "600"], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, %s}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: main}
spec: {selector: {app: main}, ports: [{port: 80}]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Bench, ExitStack]]:
    with bench(tmp_path) as made, ExitStack() as left:
        yield made, left


def pod(volume: str = "emptyDir: {}") -> str:
    return POD % (TOOLBOX, volume)


def _container(made: Bench, left: ExitStack, name: str, labels: dict[str, str]) -> str:
    found: str = made.client.create_container(TOOLBOX, ["true"], name=name, labels=labels)["Id"]
    left.callback(_gone, made, found)
    return found


def _gone(made: Bench, container: str) -> None:
    try:
        made.client.remove_container(container, force=True)
    except docker.errors.NotFound:
        return


@pytest.mark.parametrize(
    "labels",
    [{}, {APP: "another"}, {"com.docker.compose.project": "shop"}],
    ids=["of a person", "of another application", "of compose"],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [("default_main_1", pod()), ("default_main_Service", SERVICE)],
    ids=["a pod's container", "a proxy"],
)
def test_a_container_of_a_wanted_name_stays(
    shop: tuple[Bench, ExitStack], labels: dict[str, str], name: str, text: str
) -> None:
    made, left = shop
    theirs = _container(made, left, f"{made.app.name}_{name}", labels)
    try:
        said = "".join(one.message for one in made.apply(text).values())
    except EnvironmentProblem as problem:
        said = problem.message
    assert "left alone" in said or "already in use" in said
    assert made.client.inspect_container(theirs)["State"]["Status"] == "created"


def test_a_container_with_the_label_gives_way(shop: tuple[Bench, ExitStack]) -> None:
    made, left = shop
    before = _container(made, left, f"{made.app.name}_default_main_1", {APP: made.app.name})
    assert made.apply(pod())["main"].done == "Synced"
    with pytest.raises(docker.errors.NotFound):
        made.client.inspect_container(before)


@pytest.mark.parametrize(
    ("name", "volume"),
    [
        ("claim_default_data", "persistentVolumeClaim: {claimName: data}"),
        ("empty_default_main_data", "emptyDir: {}"),
    ],
    ids=["claim", "emptyDir"],
)
def test_a_volume_of_a_wanted_name_is_not_mounted(
    shop: tuple[Bench, ExitStack], name: str, volume: str
) -> None:
    made, left = shop
    theirs = f"{made.app.name}_{name}"
    made.client.create_volume(theirs)
    left.callback(made.client.remove_volume, theirs, force=True)
    result = made.apply(pod(volume))["main"]
    assert result.done == "SyncFailed"
    assert f"the volume {theirs} belongs to somebody else, and is left alone" in result.message
    assert made.pods() == []
    made.engine.delete(made.app, made.said.append, data=True)
    assert made.client.inspect_volume(theirs)


def test_a_volume_that_was_there_before_the_engine_was_restarted(
    shop: tuple[Bench, ExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = shop
    assert made.apply(pod("persistentVolumeClaim: {claimName: data}"))["main"].done == "Synced"
    made.engine.delete(made.app, made.said.append, data=False)
    create = made.engine._client.create_volume

    def restarted(*given: Any) -> dict[str, Any]:
        return {**create(*given), "Labels": None}  # as Docker 20.10 answers then

    monkeypatch.setattr(made.engine._client, "create_volume", restarted)
    assert made.apply(pod("persistentVolumeClaim: {claimName: data}"))["main"].done == "Synced"


@pytest.mark.parametrize("labels", [{}, {APP: "another"}], ids=["of a person", "of another application"])
def test_a_network_of_the_wanted_name_is_not_joined(
    shop: tuple[Bench, ExitStack], labels: dict[str, str]
) -> None:
    made, left = shop
    name = network_name(made.app.name)

    made.client.create_network(name, labels=labels)
    left.callback(made.client.remove_network, name)
    with pytest.raises(EnvironmentProblem, match="and is left alone"):
        made.apply(pod())
    made.engine.delete(made.app, made.said.append, data=True)
    assert made.client.inspect_network(name)
