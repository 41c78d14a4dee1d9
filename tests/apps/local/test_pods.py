"""What is made of manifests and of listings, without an engine."""

from __future__ import annotations

import contextlib
import copy
import json
import threading
import time

import pytest
import yaml

from dispatchfile.apps.app import App
from dispatchfile.apps.local import jobs
from dispatchfile.apps.local import workload as workloads
from dispatchfile.apps.local.applied import Applied
from dispatchfile.apps.local.blueprint import Draft, blueprint, pull_secrets
from dispatchfile.apps.local.container import config
from dispatchfile.apps.local.objects import Objects
from dispatchfile.apps.local.snapshot import snapshot
from dispatchfile.apps.local.template import template
from dispatchfile.apps.local.workload import share
from dispatchfile.apps.manifest import Manifest
from dispatchfile.errors import UsageError
from tests.apps.local.apps_on_engine import container, manifests, pod, workload

APP = App("shop", "https://git.example.test/r.git")


def drawn(text: str, name: str = "web-0"):
    wanted = manifests(text)
    made_of = template(wanted[-1], Objects(wanted), [])
    return blueprint(Draft(APP, Objects(wanted), {"Name": "always"}), made_of, name)


def config_map(value: str) -> str:
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": value}}
    )


class TestTemplate:
    def digest(self, *texts: str) -> str:
        wanted = manifests("---\n".join(texts))
        return template(wanted[-1], Objects(wanted), []).digest

    def test_another_content_of_what_pods_take_is_another_make_and_of_what_they_do_not_is_none(self):
        uses = workload("Deployment", "web", pod("x", envFrom=[{"configMapRef": {"name": "c"}}]))
        other = workload("Deployment", "web", pod("x"))
        assert self.digest(config_map("1"), uses) != self.digest(config_map("2"), uses)
        assert self.digest(config_map("1"), other) == self.digest(config_map("2"), other)

    def test_drawing_changes_no_manifest(self):
        text = workload("Deployment", "web", pod("x", env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}], envFrom=[{"configMapRef": {"name": "c"}}]))  # fmt: skip
        wanted = manifests(f"{config_map('1')}---\n{text}")
        before = copy.deepcopy([one.object for one in wanted])
        blueprint(
            Draft(APP, Objects(wanted), {"Name": "always"}), template(wanted[-1], Objects(wanted), []), "p"
        )
        assert [one.object for one in wanted] == before

    def test_what_is_not_honoured_is_told(self):
        spec = {**yaml.safe_load(pod("x", volumeDevices=[])), "nodeSelector": {"disk": "ssd"}}
        assert drawn(workload("Deployment", "web", yaml.safe_dump(spec))).notes == (
            "not honoured: nodeSelector, main: volumeDevices",
        )


class TestContainer:
    def test_resources_are_the_engines(self):
        given = container("x", resources={"limits": {"memory": "64Mi", "cpu": "250m"}, "requests": {"memory": "32M", "cpu": 1}})  # fmt: skip
        host = config(given, {}, {}, [], APP, "")["HostConfig"]
        assert {name: host[name] for name in ("Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares")} == {
            "Memory": 64 << 20, "MemorySwap": 64 << 20, "MemoryReservation": 32_000_000,
            "NanoCpus": 250_000_000, "CpuShares": 1024,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"resources": {"limits": {"memory": "much"}}}, '"much" is no quantity'),
            ({"env": [{"name": "A=B", "value": "x"}]}, '"A=B" cannot be the name of a variable'),
            ({"env": {"A": "x"}}, "env is no list of mappings"),
            ({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, 'there is no volume "v"'),
            ({"readinessProbe": {"httpGet": {"port": "web"}}}, 'the container has no port "web"'),
            ({"image": "../../containers/x"}, "'../../containers/x' is no image name"),
            ({"image": "a/../../containers/x"}, "is no image name"),
            ({"image": "a?fromSrc=http://h"}, "is no image name"),
            ({"image": "a\x1b[31m"}, "'a\\x1b[31m' is no image name"),
            ({"image": "-x"}, "is no image name"),
            (
                {"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 10**30}},
                "goes up to 2147483647",
            ),
            ({"name": "../x"}, "the name of a container has no dot"),
            ({"name": "A"}, '"A" cannot be the name of an object'),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(self, fields, message):
        with pytest.raises(UsageError, match=r"Deployment default/web|cannot be the name") as refused:
            drawn(workload("Deployment", "web", pod("x", **fields)))
        assert message in refused.value.message

    def test_variables_are_expanded_in_commands_as_the_kubelet_does(self):
        given = container("x", command=["run", "$(A)", "$$(A)", "$(NONE)"])
        assert config(given, {}, {"A": "1"}, [], APP, "")["Entrypoint"] == ["run", "1", "$(A)", "$(NONE)"]

    @pytest.mark.parametrize("path", ["../x", "/abs", "a/../../b"])
    def test_a_sub_path_does_not_lead_out(self, path):
        spec = yaml.safe_load(pod("x", volumeMounts=[{"name": "e", "mountPath": "/e", "subPath": path}]))
        spec["volumes"] = [{"name": "e", "emptyDir": {}}]
        with pytest.raises(UsageError, match="leads out of the volume"):
            drawn(workload("Deployment", "web", yaml.safe_dump(spec)))


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet"])
@pytest.mark.parametrize("count", [1001, 10**9, 10**30])
def test_no_commit_fills_the_machine_with_pods(kind, count):
    with pytest.raises(UsageError, match="this engine goes up to 1000"):
        workloads._count(kind, {"replicas": count}, "it")
    assert workloads._count(kind, {"replicas": 1000}, "it") == 1000


def test_no_pod_is_waited_for_longer_than_a_day_at_its_end():
    given = json.dumps({"terminationGracePeriodSeconds": 10**30})
    seen = snapshot([listed("w-0", "running", **{"dispatchfile.given": given})], "shop")
    assert seen.pods[0].grace == 86400


class TestBlueprint:
    def test_one_container_is_a_pod_and_several_have_a_holder(self):
        assert drawn(workload("Deployment", "web", pod("x"))).holder is None
        spec = {"containers": [container("x"), {**container("y"), "name": "two"}]}
        plan = drawn(workload("Deployment", "web", yaml.safe_dump(spec)))
        assert [part.name for part in plan.parts] == ["pod.network", "main", "two"]
        assert {part.config["Labels"]["dispatchfile.parts"] for part in plan.parts} == {"3"}

    def test_ports_of_this_machine_are_open_to_it_alone(self):
        plan = drawn(workload("Deployment", "web", pod("x", ports=[{"containerPort": 80, "hostPort": 8080, "hostIP": "0.0.0.0"}])))  # fmt: skip
        assert plan.main[0].config["HostConfig"]["PortBindings"] == {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]
        }


@pytest.mark.parametrize(
    ("value", "of", "up", "expected"),
    [("25%", 4, True, 1), ("25%", 3, True, 1), ("25%", 3, False, 0), (2, 3, True, 2), ("100%", 3, False, 3)],
)
def test_shares(value, of, up, expected):
    assert share(value, of, up=up, where="") == expected


def listed(name: str, state: str, status: str = "", created: int = 1000, **labels: str):
    own = {
        "dispatchfile.app": "shop", "dispatchfile.object": "Job/default/j", "dispatchfile.pod": f"default/{name}",
        "dispatchfile.role": "main", "dispatchfile.container": "main", "dispatchfile.hash": "h",
        "dispatchfile.parts": "1", **labels,
    }  # fmt: skip
    return {"Id": name, "Names": [f"/shop_default_{name}_main"], "State": state, "Status": status, "Labels": own, "Created": created}  # fmt: skip


class TestJob:
    def pods(self, *ends: int | None, created: int = 1000):
        items = [
            listed(f"j-0-{at}", "running" if end is None else "exited", f"Exited ({end}) ago", created)
            for at, end in enumerate(ends)
        ]
        return snapshot(items, "shop").pods

    def progress(self, pods, now=5000.0, **spec):
        return jobs.progress(spec, "j", pods, now, "")

    @pytest.mark.parametrize("field", ["completions", "parallelism"])
    def test_a_job_of_more_pods_than_a_machine_has_is_refused(self, field):
        with pytest.raises(UsageError, match=f"{field} is 1000000000; this engine goes up to 1000"):
            self.progress((), **{field: 10**9})

    def test_a_failed_pod_is_followed_by_another_after_a_pause_that_grows(self):
        assert self.progress((), completions=2, parallelism=2).to_begin == ("j-0-0", "j-1-0")
        assert self.progress(self.pods(1), now=1000.5).to_begin == ()
        assert self.progress(self.pods(1), now=1001.5).to_begin == ("j-0-1",)
        assert self.progress(self.pods(1, 1), now=1001.5).to_begin == ()
        assert self.progress(self.pods(1, None)).to_begin == ()

    def test_ends(self):
        assert self.progress(self.pods(1, 0)).ended == "Complete"
        assert "BackoffLimitExceeded" in self.progress(self.pods(1, 1), backoffLimit=1).message
        late = self.progress(self.pods(None), activeDeadlineSeconds=10)
        assert (late.ended, "DeadlineExceeded" in late.message, len(late.active)) == ("Failed", True, 1)


def test_containers_that_somebody_gave_our_labels_are_no_pods():
    stray = {"Id": "s", "Names": ["/s"], "State": "running", "Labels": {"dispatchfile.app": "shop"}}
    wild = listed("w", "running", **{"dispatchfile.object": "Thing/../x", "dispatchfile.ports": "{"})
    seen = snapshot([stray, wild, listed("j-0-0", "running")], "shop")
    assert [one.name for one in seen.strays] == ["s", "shop_default_w_main"]
    assert [one.name for one in seen.pods] == ["j-0-0"]
    assert time.time() > seen.pods[0].created


FULL = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  minReadySeconds: 1
  progressDeadlineSeconds: 5
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {a: b}}
    spec:
      restartPolicy: Always
      hostname: host
      hostAliases: [{ip: 192.0.2.1, hostnames: [far]}]
      imagePullSecrets: [{name: pull}]
      terminationGracePeriodSeconds: 3
      securityContext: {runAsUser: 1, fsGroup: 2, supplementalGroups: [3]}
      initContainers: [{name: first, image: x, restartPolicy: Always}]
      volumes:
      - {name: c, configMap: {name: c, defaultMode: 420, items: [{key: k, path: p, mode: 256}]}}
      - {name: p, projected: {sources: [{configMap: {name: c}}, {downwardAPI: {items: [{path: n, fieldRef: {fieldPath: metadata.name}}]}}]}}
      - {name: e, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
      - {name: d, persistentVolumeClaim: {claimName: d}}
      containers:
      - name: main
        image: x
        command: [a]
        args: [b]
        workingDir: /
        ports: [{name: http, containerPort: 80, hostPort: 8080, protocol: TCP}]
        envFrom: [{prefix: P_, configMapRef: {name: c}}]
        env:
        - {name: A, value: b}
        - {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
        - {name: C, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: D, valueFrom: {configMapKeyRef: {name: c, key: k}}}
        resources: {limits: {memory: 1Mi, cpu: 1}, requests: {cpu: 10m}}
        securityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        lifecycle: {preStop: {exec: {command: [x]}}, postStart: {exec: {command: [y]}}}
        readinessProbe: {httpGet: {path: /, port: http, httpHeaders: [{name: a, value: b}]}, periodSeconds: 1}
        livenessProbe: {tcpSocket: {port: 80}}
        startupProbe: {exec: {command: [x]}}
        volumeMounts: [{name: c, mountPath: /c}, {name: p, mountPath: /p}, {name: e, mountPath: /e}, {name: d, mountPath: /d, subPath: s}]
"""
WRONG = (None, True, -1, 7, "", "x", "../x", "A\0", [], ["x"], [None], {}, {"x": "y"}, [{"x": None}])


def places(found, path=()):
    """Yield the path of every node below."""
    for name, value in found.items() if isinstance(found, dict) else enumerate(found):
        yield (*path, name)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, name))


def test_whatever_stands_in_a_manifest_is_run_or_refused_in_words(tmp_path):
    config = manifests(config_map("1"))[0]
    whole, key = yaml.safe_load(FULL), manifests(FULL)[0].key
    tried = 0
    for path in [one for one in places(whole) if one[0] == "spec"]:
        for wrong in WRONG:
            changed = copy.deepcopy(whole)
            node = changed
            for name in path[:-1]:
                node = node[name]
            node[path[-1]] = wrong
            manifest = Manifest(key, changed)
            with contextlib.suppress(UsageError):
                wanted = workloads.workload(nowhere(tmp_path, [config, manifest]), manifest)
                pull_secrets(wanted.template.spec, "")
                workloads.progress_deadline(wanted)
                workloads.room(wanted)
                assert json.dumps([part.config for part in wanted.example().parts])
            tried += 1
    assert tried > 1000


def nowhere(folder, wanted):
    """Return a site without an engine: nothing that only reads manifests asks one."""
    return workloads.Site(
        APP, Objects(wanted), None, None, Applied(folder), None, lambda _text: None, threading.Event(), {}
    )
