"""What a cluster's controllers and its kubelet do for pods beside running them: who a pod is, sidecars, hooks, order."""

from __future__ import annotations

import os
from typing import Any

import pytest
import yaml

from dispatchfile.apps.app import App
from dispatchfile.apps.local.blueprint import Draft, blueprint
from dispatchfile.apps.local.objects import Objects
from dispatchfile.apps.local.template import template
from dispatchfile.errors import UsageError
from tests.apps.local.apps_on_engine import Bench, bench, container, manifests, pod, workload

SLEEP = "exec sleep 1000"
APP = App("shop", "https://git.example.test/r.git")


def environment(*env: dict[str, Any], **resources: Any) -> dict[str, str]:
    made = manifests(workload("Deployment", "web", pod("x", env=list(env), resources=resources)))
    plan = blueprint(Draft(APP, Objects(made), {"Name": "no"}), template(made[0], Objects(made), []), "p")
    return dict(one.split("=", 1) for one in plan.main[0].config["Env"])


def asks(resource: str, **more: str) -> dict[str, Any]:
    return {"name": "IT", "valueFrom": {"resourceFieldRef": {"resource": resource, **more}}}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (asks("limits.cpu"), "2"),
        (asks("limits.cpu", divisor="1m"), "1500"),
        (asks("limits.memory", divisor="1Mi"), "64"),
        (asks("limits.memory", divisor="0"), str(64 << 20)),
        (asks("requests.memory"), str(64 << 20)),
        (asks("requests.ephemeral-storage"), "0"),
        (asks("limits.cpu", containerName="main"), "2"),
    ],
    ids=lambda one: str(one["valueFrom"]["resourceFieldRef"]) if isinstance(one, dict) else one,
)
def test_a_container_asks_about_its_resources(asked: dict[str, Any], expected: str) -> None:
    assert environment(asked, limits={"cpu": "1500m", "memory": "64Mi"})["IT"] == expected


def test_a_limit_that_is_not_there_is_what_the_machine_has() -> None:
    assert environment(asks("limits.cpu"))["IT"] == str(os.cpu_count())
    assert int(environment(asks("limits.memory"))["IT"]) > 1 << 27


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (asks("cpu"), '"cpu" is no resource of a container'),
        (asks("limits.cpu", containerName="other"), 'names the container "other"'),
        (asks("limits.cpu", divisor="much"), '"much" is no quantity'),
    ],
)
def test_what_no_container_can_ask(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        environment(asked)


def test_a_hook_that_cannot_be_run_is_refused_before_the_pod_begins() -> None:
    made = manifests(
        workload("Deployment", "web", pod("x", lifecycle={"preStop": {"httpGet": {"port": "no"}}}))
    )
    made_of = template(made[0], Objects(made), [])
    with pytest.raises(UsageError, match='preStop: the container has no port "no"'):
        blueprint(Draft(APP, Objects(made), {"Name": "no"}), made_of, "p")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, toolbox: str) -> Any:
    with bench(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.mark.docker
def test_a_stateful_set_gives_its_pods_names_that_services_select(site: Bench) -> None:
    spec = pod(SLEEP, env=[{"name": "AT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}}])  # fmt: skip
    text = workload("StatefulSet", "db", spec, replicas=2, serviceName="db", ordinals={"start": 3})
    assert site.apply(text)["db"].done == "Synced"
    found = {pod.name: pod for pod in site.pods() if pod.key.name == "db"}
    assert sorted(found) == ["db-3", "db-4"]
    assert found["db-4"].labels["statefulset.kubernetes.io/pod-name"] == "db-4"
    assert site.exec(found["db-4"], "sh", "-c", "echo $AT $HOSTNAME").split() == ["4", "db-4"]


@pytest.mark.docker
def test_pods_above_the_partition_alone_are_replaced_and_that_is_all_as_wanted(site: Bench) -> None:
    def text(command: str, partition: int) -> str:
        strategy = {"rollingUpdate": {"partition": partition}}
        return workload("StatefulSet", "part", pod(command), replicas=2, updateStrategy=strategy)

    def commands() -> list[str]:
        found = sorted((pod.name, pod.main[0].id) for pod in site.pods() if pod.key.name == "part")
        return [site.client.inspect_container(one)["Config"]["Entrypoint"][-1] for _, one in found]

    site.apply(text(SLEEP, 1))
    after = text("exec sleep 2000", 1)
    assert site.apply(after)["part"].done == "Synced"
    assert commands() == [SLEEP, "exec sleep 2000"]
    stands = site.observe(after)["StatefulSet/part"]
    assert (stands.sync, stands.health) == ("Synced", "Healthy")
    site.apply(text("exec sleep 2000", 0))
    assert commands() == ["exec sleep 2000"] * 2


@pytest.mark.docker
def test_pods_that_go_on_delete_stay(site: Bench) -> None:
    def text(command: str) -> str:
        return workload("DaemonSet", "stay", pod(command), updateStrategy={"type": "OnDelete"})

    site.apply(text(SLEEP))
    (before,) = [pod.owner.id for pod in site.pods() if pod.key.name == "stay"]
    assert site.apply(text("exec sleep 2000"))["stay"].done == "Synced"
    assert [pod.owner.id for pod in site.pods() if pod.key.name == "stay"] == [before]
    stands = site.observe(text("exec sleep 2000"))["DaemonSet/stay"]
    assert (stands.sync, stands.health) == ("Synced", "Healthy")
    site.client.remove_container(before, force=True)
    site.apply(text("exec sleep 2000"))
    (after,) = [pod for pod in site.pods() if pod.key.name == "stay"]
    assert site.client.inspect_container(after.owner.id)["Config"]["Entrypoint"][-1] == "exec sleep 2000"


@pytest.mark.docker
def test_a_job_ends_with_its_own_containers_and_its_sidecar_with_it(site: Bench) -> None:
    ready = {"exec": {"command": ["test", "-e", "/shared/up"]}}
    side = {
        **container(f"sleep 1; touch /shared/up; {SLEEP}"), "name": "side", "restartPolicy": "Always", "startupProbe": ready,
        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
    }  # fmt: skip
    own = container("test -e /shared/up && hostname && echo $JOB_COMPLETION_INDEX", volumeMounts=side["volumeMounts"])  # fmt: skip
    spec = {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "initContainers": [side], "containers": [own],
        "volumes": [{"name": "shared", "emptyDir": {}}],
    }  # fmt: skip
    text = workload("Job", "load", yaml.safe_dump(spec), completionMode="Indexed", backoffLimit=0, activeDeadlineSeconds=60)  # fmt: skip
    assert site.apply(text)["load"].done == "Synced"
    assert site.observe(text)["Job/load"].health == "Healthy"
    (done,) = [pod for pod in site.pods() if pod.key.name == "load"]
    assert {part.state for part in done.parts} == {"exited"}
    assert site.client.logs(done.own[0].id).decode().split() == ["load-0", "0"]
    assert done.labels["batch.kubernetes.io/job-name"] == "load"


@pytest.mark.docker
def test_a_pod_is_told_before_it_ends(site: Bench) -> None:
    web = "mkdir -p /w/cgi-bin; printf '#!/bin/sh\\necho; echo went >/proc/1/fd/1' >/w/cgi-bin/bye; chmod +x /w/cgi-bin/bye; exec httpd -f -p 80 -h /w"  # fmt: skip
    hook = {"httpGet": {"port": "web", "path": "/cgi-bin/bye"}}
    spec = yaml.safe_load(pod(web, ports=[{"name": "web", "containerPort": 80}], lifecycle={"preStop": hook}))
    text = workload("Deployment", "bye", yaml.safe_dump({**spec, "terminationGracePeriodSeconds": 5}))
    assert site.apply(text)["bye"].done == "Synced"
    (before,) = [pod for pod in site.pods() if pod.key.name == "bye"]
    stream = site.client.attach(before.owner.id, stream=True, logs=True)
    gone = [one for one in site.engine.observe(site.app, []) if one.key.name == "bye"]
    assert site.engine.prune(site.app, gone, site.said.append)[0].done == "Pruned"
    assert b"went" in b"".join(stream)
