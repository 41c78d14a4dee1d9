"""What a rollout waits for, for how long, and what it says meanwhile; on the real engine."""

from __future__ import annotations

import time

import pytest
import yaml

from dispatchfile.apps.local.drift import in_bytes
from tests.apps.local.apps_on_engine import Bench, bench, pod, workload

SLEEP = "sleep 100000"
STUBBORN = "trap 'sleep 2; echo $(hostname) >> /data/ended; exit 0' TERM; while :; do sleep 0.1; done"


@pytest.fixture
def site(tmp_path, toolbox):
    with bench(tmp_path) as made:
        yield made


@pytest.mark.docker
def test_no_pod_is_waited_for_beyond_the_time_of_the_sync(site: Bench):
    never = workload("Deployment", "web", pod(SLEEP, readinessProbe={"tcpSocket": {"port": 9}}))
    began = time.monotonic()
    result = site.apply(never, seconds=2)["web"]
    assert time.monotonic() - began < 60  # its own time is ten minutes
    assert result.done == "SyncFailed"
    assert "it is waited for no longer: the container main is not ready: port 9" in result.message


@pytest.mark.docker
def test_a_pod_that_ends_again_and_again_is_never_ready_however_it_is_looked_at(site: Bench):
    crashing = workload("Deployment", "web", pod("sleep 0.1; exit 3"), progressDeadlineSeconds=6)
    result = site.apply(crashing)["web"]
    assert result.done == "SyncFailed"
    assert "was not ready within 6 s" in result.message


@pytest.mark.docker
def test_it_is_said_what_will_be_done_and_what_fails_while_others_go_on(site: Bench):
    good = workload(
        "Deployment", "good", pod(SLEEP, readinessProbe={"exec": {"command": ["test", "-e", "/x"]}})
    )
    bad = workload("Deployment", "bad", pod(SLEEP, image="localhost:1/no/such:1", imagePullPolicy="Never"))
    site.apply(f"{good}---\n{bad}", seconds=3)
    assert "apps/Deployment default/good: starts 1 pod" in site.said
    assert any(line.startswith("apps/Deployment default/bad: failed: ") for line in site.said)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("kind", "before", "after", "said"),
    [
        pytest.param("Deployment", 1, 3, "starts 2 pods", id="more"),
        pytest.param("Deployment", 3, 1, "removes 2 pods", id="fewer"),
        pytest.param("StatefulSet", 3, 1, "removes 2 pods", id="fewer in order"),
    ],
)
def test_scaling_is_announced(site: Bench, kind, before, after, said):
    def web(replicas: int) -> str:
        return workload(kind, "web", pod(SLEEP), replicas=replicas)

    site.apply(web(before))
    site.said.clear()
    site.apply(web(after))
    assert f"apps/{kind} default/web: {said}" in site.said


@pytest.mark.docker
def test_a_pod_that_drains_is_not_killed_by_one_of_the_same_make(site: Bench):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    load = yaml.safe_load(
        workload(
            "Deployment",
            "web",
            pod(
                STUBBORN,
                volumeMounts=[{"name": "data", "mountPath": "/data"}],
                resources={"limits": {"memory": "64Mi"}},
            ),
            replicas=2,
        )
    )
    spec = load["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spec["terminationGracePeriodSeconds"] = 20
    text = yaml.safe_dump_all([claim, load])
    site.apply(text)
    before = {one.name for one in site.pods()}
    for one in site.pods():
        site.client.update_container(one.owner.id, mem_limit="32m", memswap_limit="32m")
    site.said.clear()
    assert site.apply(text)["web"].done == "Synced"
    assert "apps/Deployment default/web: replaces 2 pods" in site.said
    ended = site.exec(site.pods()[0], "cat", "/data/ended").split()
    assert sorted(ended) == sorted(before)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (1000, "1000"), (1 << 27, "128Mi"), (100 << 20, "100Mi"), (1536 << 20, "1536Mi"), (1 << 31, "2Gi"), (3 << 40, "3Ti")],
)  # fmt: skip
def test_bytes_are_told_in_the_largest_whole_unit(number, text):
    assert in_bytes(number) == text


@pytest.mark.docker
def test_a_job_that_failed_is_there_as_it_was_applied(site: Bench):
    job = yaml.safe_load(workload("Job", "migrate", pod("echo no; exit 1"), backoffLimit=0))
    job["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PreSync"}
    job["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    result = site.apply(yaml.safe_dump(job))["migrate"]
    assert (result.done, result.message.count("migrate")) == ("SyncFailed", 0)
    (left,) = site.engine.observe(site.app, [])
    assert left.live is not None
    assert left.live["metadata"]["annotations"] == job["metadata"]["annotations"]
