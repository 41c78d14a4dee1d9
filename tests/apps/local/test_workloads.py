"""Workloads on the real engine."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dispatchfile.apps.diff import unified
from tests.apps.local.apps_on_engine import TOOLBOX, Bench, bench, container, manifests, pod, workload

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("toolbox")]

SLEEP = "sleep 100000"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("engine")) as made:
        yield made


def web(message: str, replicas: int = 1) -> str:
    text = workload("Deployment", "web", pod(
        "mkdir -p /w && cp /conf/page /w/page && exec httpd -f -p 8080 -h /w",
        ports=[{"name": "http", "containerPort": 8080}],
        readinessProbe={"httpGet": {"path": "/page", "port": "http"}},
        volumeMounts=[{"name": "conf", "mountPath": "/conf"}],
    ), replicas=replicas)  # fmt: skip
    made = yaml.safe_load(text)
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "page"}}]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "page"},
        "data": {"page": message},
    }
    return yaml.safe_dump_all([config, made])


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


class TestDeployment:
    def test_a_changed_config_map_rolls_the_pods_and_scaling_does_not(self, tmp_path):
        with bench(tmp_path) as site:
            assert site.observe(web("one"))["Deployment/web"].health == "Missing"
            assert {one.done for one in site.apply(web("one")).values()} == {"Synced"}
            first = site.pods()
            assert site.exec(first[0], "cat", "/w/page") == "one"
            stands = site.observe(web("one"))
            assert {(one.sync, one.health) for one in stands.values()} == {
                ("Synced", None),
                ("Synced", "Healthy"),
            }

            before = site.observe(web("two"))
            assert before["Deployment/web"].sync == "OutOfSync"
            assert "made of what was wanted before" in before["Deployment/web"].message
            site.apply(web("two"))
            (second,) = site.pods()
            assert site.exec(second, "cat", "/w/page") == "two"

            site.apply(web("two", replicas=2))
            assert second.name in {one.name for one in site.pods()}
            assert len(site.pods()) == 2
            site.apply(web("two", replicas=0))
            assert site.pods() == []
            assert site.observe(web("two", replicas=0))["Deployment/web"].sync == "Synced"

    def test_a_pod_that_does_not_become_ready_leaves_the_old_one_serving(self, tmp_path):
        good = workload("Deployment", "web", pod(SLEEP), progressDeadlineSeconds=1)
        probe = {"tcpSocket": {"port": 9}}
        bad = workload(
            "Deployment",
            "web",
            pod(f"echo no luck; {SLEEP}", readinessProbe=probe),
            progressDeadlineSeconds=1,
        )
        with bench(tmp_path) as site:
            site.apply(good)
            (old,) = site.pods()
            result = site.apply(bad)["web"]
            assert result.done == "SyncFailed"
            assert "was not ready within 1 s" in result.message
            assert "no luck" in result.message
            stands = site.observe(bad)["Deployment/web"]
            assert (stands.sync, stands.health) == ("OutOfSync", "Degraded")
            assert "no luck" in stands.message
            assert old.name in {one.name for one in site.pods() if one.running}
            # The repository goes back: the pod that never was ready goes, the one that serves is not touched.
            assert site.apply(good)["web"].done == "Synced"
            assert [(one.name, one.owner.id) for one in site.pods()] == [(old.name, old.owner.id)]

    def test_an_image_that_is_not_there_fails_before_anything_is_touched(self, site: Bench):
        text = workload(
            "Deployment", "none", pod(SLEEP, image="localhost:1/no/such:1", imagePullPolicy="Never")
        )
        result = site.apply(text)["none"]
        assert (result.done, "is not on this engine" in result.message) == ("SyncFailed", True)
        assert site.pods() == []

    def test_a_command_that_is_not_there_is_told(self, site: Bench):
        text = workload(
            "Deployment", "lost", pod("", command=["/no/such/program"]), progressDeadlineSeconds=1
        )
        result = site.apply(text)["lost"]
        assert (result.done, "/no/such/program" in result.message) == ("SyncFailed", True)
        assert site.observe(text)["Deployment/lost"].health == "Degraded"
        resources = [one for one in site.engine.observe(site.app, []) if one.to_prune]
        assert [one.done for one in site.engine.prune(site.app, resources, site.said.append)] == ["Pruned"]
        assert site.pods() == []

    def test_a_replacement_that_was_cut_off_goes_on(self, tmp_path):
        text = workload("Deployment", "web", pod(SLEEP), replicas=2)
        with bench(tmp_path) as site:
            site.apply(text)
            whole, half = site.pods()
            # A killed sync leaves containers that never began, or none of the state that it would have written.
            name, labels = half.owner.name, site.client.inspect_container(half.owner.id)["Config"]["Labels"]
            site.client.remove_container(half.owner.id, force=True)
            site.client.create_container(TOOLBOX, ["sleep", "1"], name=name, labels=labels)
            (tmp_path / "applied.json").unlink()
            assert site.observe(text)["Deployment/web"].sync == "OutOfSync"
            site.apply(text)
            after = site.pods()
            assert len(after) == 2
            assert all(one.running for one in after)
            assert whole.owner.id in {one.owner.id for one in after}
            assert site.observe(text)["Deployment/web"].sync == "Synced"


DRIFTING = workload("Deployment", "web", pod(SLEEP, resources={"limits": {"memory": "64Mi"}}))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("drift")) as made:
        made.apply(DRIFTING)
        yield made


class TestDrift:
    @pytest.mark.parametrize(
        ("change", "shown"),
        [
            pytest.param(("pause",), "is paused", id="paused"),
            pytest.param(("kill",), "is stopped", id="killed"),
            pytest.param(("stop", "-t", "0"), "is stopped", id="stopped"),
            pytest.param(("rm", "-f"), "Missing", id="removed"),
            pytest.param(("update", "--memory", "32m", "--memory-swap", "32m"), "memory: 32Mi", id="limit"),
            pytest.param(("update", "--cpus", "0.5"), "cpu: 500m", id="cpus"),
            pytest.param(
                ("update", "--restart", "no"), "it is restarted no, not always", id="restart policy"
            ),
            pytest.param(("network", "disconnect"), "is not on its network", id="disconnected"),
            pytest.param(("rename",), "is called", id="renamed"),
        ],
    )
    def test_what_a_person_changes_is_seen_and_undone(self, running: Bench, change, shown):
        (before,) = running.pods()
        arguments = {
            "rename": (before.owner.id, f"{running.app.name}-renamed"),
            "network": (f"dispatchfile_{running.app.name}", before.owner.id),
        }.get(change[0], (before.owner.id,))
        docker(*change, *arguments)
        stands = running.observe(DRIFTING)["Deployment/web"]
        assert stands.sync == "OutOfSync"
        assert shown in f"{stands.health} {stands.message} {unified([stands])}"
        assert running.apply(DRIFTING)["web"].done == "Synced"
        after = running.observe(DRIFTING)["Deployment/web"]
        assert (after.sync, after.health, after.live) == ("Synced", "Healthy", after.wanted)
        assert len(running.pods()) == 1

    def test_a_container_in_its_place_with_another_image_is_seen(self, running: Bench):
        (before,) = running.pods()
        name, labels = (
            before.owner.name,
            running.client.inspect_container(before.owner.id)["Config"]["Labels"],
        )
        other = f"{running.app.name}:other"
        docker("tag", TOOLBOX, other)
        try:
            docker("rm", "-f", name)
            marks = [f"--label={key}={value}" for key, value in labels.items()]
            docker("run", "-d", "--name", name, *marks, other, "sleep", "1000")
            stands = running.observe(DRIFTING)["Deployment/web"]
            assert stands.live["spec"]["template"]["spec"]["containers"][0]["image"] == other
            running.apply(DRIFTING)
        finally:
            docker("rmi", other)
        assert running.observe(DRIFTING)["Deployment/web"].sync == "Synced"

    def test_what_nobody_labelled_in_its_place_stays_and_is_told(self, running: Bench):
        (before,) = running.pods()
        docker("rm", "-f", before.owner.name)
        docker("run", "-d", "--name", before.owner.name, TOOLBOX, "sleep", "1000")
        assert running.observe(DRIFTING)["Deployment/web"].health == "Missing"
        assert "belongs to somebody else, and is left alone" in running.apply(DRIFTING)["web"].message
        docker("rm", "-f", before.owner.name)
        running.apply(DRIFTING)
        assert running.observe(DRIFTING)["Deployment/web"].sync == "Synced"

    def test_a_container_with_the_label_alone_is_told_and_pruned(self, running: Bench):
        docker("run", "-d", "--name", f"{running.app.name}-stray", "--label", f"dispatchfile.app={running.app.name}", TOOLBOX, "sleep", "1000")  # fmt: skip
        gone = [one for one in running.engine.observe(running.app, manifests(DRIFTING)) if one.to_prune]
        assert [one.key.name for one in gone] == [f"{running.app.name}-stray"]
        running.engine.prune(running.app, gone, running.said.append)
        assert all(not one.to_prune for one in running.observe(DRIFTING).values())

    def test_a_copy_of_a_container_is_removed_and_the_first_one_kept(self, running: Bench):
        (before,) = running.pods()
        labels = running.client.inspect_container(before.owner.id)["Config"]["Labels"]
        marks = [f"--label={key}={value}" for key, value in labels.items()]
        docker("run", "-d", "--name", f"{running.app.name}-copy", *marks, TOOLBOX, "sleep", "1000")
        assert running.observe(DRIFTING)["Deployment/web"].sync == "OutOfSync"
        running.apply(DRIFTING)
        assert [one.owner.id for one in running.pods()] == [before.owner.id]


class TestStatefulSet:
    def text(self, command: str, replicas: int = 2) -> str:
        spec = pod(command, volumeMounts=[{"name": "data", "mountPath": "/data"}])
        claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
        return workload(
            "StatefulSet", "db", spec, replicas=replicas, serviceName="db", volumeClaimTemplates=[claim]
        )

    def test_names_are_stable_and_data_outlives_pods(self, tmp_path):
        with bench(tmp_path) as site:
            assert site.apply(self.text(f"hostname >> /data/log; {SLEEP}"))["db"].done == "Synced"
            assert [one.name for one in site.pods()] == ["db-0", "db-1"]
            site.apply(self.text(f"hostname >> /data/log; : new; {SLEEP}"))
            pods = {one.name: one for one in site.pods()}
            assert site.exec(pods["db-1"], "cat", "/data/log") == "db-1\ndb-1\n"
            # From the last to the first.
            assert pods["db-1"].created <= pods["db-0"].created
            site.apply(self.text(f"hostname >> /data/log; : new; {SLEEP}", replicas=1))
            assert [one.name for one in site.pods()] == ["db-0"]
            site.engine.delete(site.app, site.said.append, data=False)
            site.apply(self.text(SLEEP))
            pods = {one.name: one for one in site.pods()}
            assert site.exec(pods["db-1"], "cat", "/data/log") == "db-1\ndb-1\n"


class TestPods:
    def test_containers_of_a_pod_share_network_and_volumes_and_begin_in_order(self, site: Bench):
        spec = {
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "memory", "emptyDir": {"medium": "Memory"}}],
            "initContainers": [
                {**container("echo first > /m/order", volumeMounts=[{"name": "memory", "mountPath": "/m"}]), "name": "one"},
                {**container("echo second >> /m/order", volumeMounts=[{"name": "memory", "mountPath": "/m"}]), "name": "two"},
            ],
            "containers": [
                {**container("exec httpd -f -p 8080 -h /m", volumeMounts=[{"name": "memory", "mountPath": "/m"}]), "name": "a"},
                {**container(SLEEP, env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]), "name": "b"},
            ],
        }  # fmt: skip
        text = workload("Deployment", "pair", yaml.safe_dump(spec))
        assert site.apply(text)["pair"].message == ""
        found = next(one for one in site.pods() if one.key.name == "pair")
        assert (
            site.exec(found, "wget", "-qO-", "http://127.0.0.1:8080/order", container="b")
            == "first\nsecond\n"
        )
        assert site.exec(found, "sh", "-c", "echo $IP", container="b").strip() == found.owner.address
        stands = site.observe(text)["Deployment/pair"]
        assert (stands.sync, stands.health) == ("Synced", "Healthy")

    def test_what_a_container_is_given(self, site: Bench, tmp_path):
        config = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c"},
            "data": {"a": "1", "b.txt": "two"},
        }
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s"},
            "stringData": {"pw": "pass word"},
        }
        spec = {
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 2000},
            "restartPolicy": "Never",
            "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["far"]}],
            "volumes": [
                {"name": "c", "configMap": {"name": "c", "items": [{"key": "b.txt", "path": "in/b", "mode": 0o600}]}},
                {"name": "s", "secret": {"secretName": "s", "defaultMode": 0o400}},
                {"name": "e", "emptyDir": {}},
                {"name": "d", "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            ],
            "containers": [container(
                "echo $ONE $TWO $POD; id -u; id -g; cat /c/in/b /s/pw /d/name /one; echo; touch /e/x && ls /e; grep far /etc/hosts; "
                "touch /no 2>&1; cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max",
                envFrom=[{"configMapRef": {"name": "c"}, "prefix": "C_"}],
                env=[
                    {"name": "ONE", "value": "<$(C_a)>"},
                    {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "s", "key": "pw"}}},
                    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                ],
                resources={"limits": {"memory": "16Mi"}},
                securityContext={"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                volumeMounts=[
                    {"name": "c", "mountPath": "/c"}, {"name": "s", "mountPath": "/s"},
                    {"name": "e", "mountPath": "/e"}, {"name": "d", "mountPath": "/d"},
                    {"name": "c", "mountPath": "/one", "subPath": "in/b"},
                ],
            )],
        }  # fmt: skip
        one = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "labels": {"app": "x"}},
            "spec": spec,
        }
        text = yaml.safe_dump_all([config, secret, one])
        assert {key: one.message for key, one in site.apply(text).items()} == {"c": "", "s": "", "p": ""}
        found = next(one for one in site.pods() if one.name == "p")
        site.client.wait(found.owner.id)
        lines = site.client.logs(found.owner.id).decode().splitlines()
        assert lines[:3] == ["<1> pass word x", "1000", "1001"]
        assert lines[3] == "twopass wordptwo"
        assert lines[4:] == ["x", "192.0.2.7\tfar", "touch: /no: Read-only file system", "16777216"]
        shown = site.observe(text)
        assert "pass word" not in str(shown["Secret/s"])

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            pytest.param({"volumes": [{"name": "h", "hostPath": {"path": "/etc"}}], "containers": [container(SLEEP, volumeMounts=[{"name": "h", "mountPath": "/h"}])]}, '"/etc" of this machine is not open', id="host path"),
            pytest.param({"hostNetwork": True, "containers": [container(SLEEP)]}, "hostNetwork: a right over this machine", id="host network"),
            pytest.param({"containers": [container(SLEEP, securityContext={"privileged": True})]}, "privileged: a right over", id="privileged"),
            pytest.param({"containers": [container(SLEEP, securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})]}, "capabilities SYS_ADMIN", id="capability"),
            pytest.param({"containers": [container(SLEEP, envFrom=[{"secretRef": {"name": "none"}}])]}, 'has no Secret "none"', id="no such secret"),
            pytest.param({"containers": [container(SLEEP, readinessProbe={"grpc": {"port": 1}})]}, "none of httpGet, tcpSocket and exec", id="grpc"),
            pytest.param({"volumes": [{"name": "n", "nfs": {"server": "x"}}], "containers": [container(SLEEP, volumeMounts=[{"name": "n", "mountPath": "/n"}])]}, "is nfs, which this engine does not have", id="nfs"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_before_anything_begins(self, site: Bench, fields, message):
        text = workload("Deployment", "refused", yaml.safe_dump(fields))
        result = site.apply(text)["refused"]
        assert (result.done, message in result.message) == ("SyncFailed", True), result.message
        assert all(one.key.name != "refused" for one in site.pods())
        assert message in site.observe(text)["Deployment/refused"].message

    def test_a_folder_that_was_opened_is_mounted_and_nothing_in_it_that_pods_could_make_a_link(
        self, tmp_path
    ):
        opened = tmp_path / "open"
        opened.mkdir()
        (opened / "file").write_text("here")
        (opened / "out").symlink_to("/etc")
        (opened / "below").mkdir()
        (tmp_path / "way").symlink_to(opened)

        def text(path: Path | str, **mount: str) -> str:
            made = yaml.safe_load(
                workload(
                    "Deployment", "host", pod(SLEEP, volumeMounts=[{"name": "h", "mountPath": "/h", **mount}])
                )
            )
            made["spec"]["template"]["spec"]["volumes"] = [{"name": "h", "hostPath": {"path": str(path)}}]
            return yaml.safe_dump(made)

        with bench(tmp_path / "state", host_paths=(str(opened),)) as site:
            assert site.apply(text(opened))["host"].done == "Synced"
            assert site.exec(site.pods()[0], "cat", "/h/file") == "here"
            assert site.apply(text(tmp_path / "way"))["host"].done == "Synced"
            for path in ("open/out", "open/below", "open/file", "open/../open/below", "open/../", "a\0"):
                refused = site.apply(text(f"{tmp_path}/{path}"))["host"].message
                assert "is not open to the application" in refused
            inside = site.apply(text(opened, subPath="below"))["host"].message
            assert "is not open to the application" in inside


class TestJobs:
    def test_a_job_runs_to_its_end_and_again_when_it_is_another(self, site: Bench):
        spec = yaml.safe_load(pod("echo done"))
        text = workload(
            "Job", "job", yaml.safe_dump({**spec, "restartPolicy": "Never"}), completions=3, parallelism=2
        )
        assert site.apply(text)["job"].message == ""
        names = sorted(one.name for one in site.pods() if one.key.name == "job")
        assert names == ["job-0-0", "job-1-0", "job-2-0"]
        stands = site.observe(text)["Job/job"]
        assert (stands.sync, stands.health, stands.message) == ("Synced", "Healthy", "3 of 3 done")
        site.apply(text)
        assert sorted(one.name for one in site.pods() if one.key.name == "job") == names

    def test_a_job_that_fails_too_often_is_degraded_with_its_last_words(self, site: Bench):
        spec = yaml.safe_load(pod("echo broken; exit 3"))
        text = workload("Job", "bad", yaml.safe_dump({**spec, "restartPolicy": "Never"}), backoffLimit=1)
        result = site.apply(text)["bad"]
        assert (result.done, "BackoffLimitExceeded" in result.message) == ("SyncFailed", True)
        assert "broken" in result.message
        assert site.observe(text)["Job/bad"].health == "Degraded"
        assert sorted(one.name for one in site.pods() if one.key.name == "bad") == ["bad-0-0", "bad-0-1"]

    def test_a_cron_job_begins_when_it_is_due_and_old_ones_go(self, tmp_path):
        spec = yaml.safe_load(pod("echo tick"))
        job = {"spec": {"template": {"spec": {**spec, "restartPolicy": "Never"}}}}
        text = yaml.safe_dump({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
            "spec": {"schedule": "@every 1s", "successfulJobsHistoryLimit": 1, "jobTemplate": job},
        })  # fmt: skip
        with bench(tmp_path) as site:
            assert site.observe(text)["CronJob/tick"].health == "Missing"
            site.apply(text)
            assert (site.observe(text)["CronJob/tick"].sync, site.pods()) == ("Synced", [])
            time.sleep(1.1)
            assert site.engine.tend(site.app, manifests(text), site.said.append) < 3
            (began,) = site.pods()
            assert began.name.startswith("tick-")
            site.client.wait(began.owner.id)
            assert site.client.logs(began.owner.id) == b"tick\n"


class TestTend:
    def test_a_container_that_does_not_live_is_restarted_and_one_not_ready_told(self, tmp_path):
        text = workload("Deployment", "live", pod(
            f"touch /tmp/alive; {SLEEP}",
            livenessProbe={"exec": {"command": ["test", "-e", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 1},
            readinessProbe={"exec": {"command": ["test", "-e", "/tmp/alive"]}, "periodSeconds": 1, "failureThreshold": 1},
        ))  # fmt: skip
        with bench(tmp_path) as site:
            site.apply(text)
            assert site.engine.tend(site.app, manifests(text), site.said.append) <= 1
            (found,) = site.pods()
            site.exec(found, "rm", "/tmp/alive")
            time.sleep(1.1)
            site.engine.tend(site.app, manifests(text), site.said.append)
            assert "livenessProbe failed 1 times" in site.said[-2]
            assert "it gets no requests" in site.said[-1]
            assert site.exec(found, "ls", "/tmp/alive") == "/tmp/alive\n"
            time.sleep(1.1)
            site.engine.tend(site.app, manifests(text), site.said.append)
            assert site.observe(text)["Deployment/live"].health == "Healthy"

    def test_what_the_engine_began_too_early_after_its_own_restart_is_begun_again(self, tmp_path):
        spec = {
            "terminationGracePeriodSeconds": 0,
            "containers": [container(SLEEP), {**container(SLEEP), "name": "two"}],
        }
        text = workload("Deployment", "pair", yaml.safe_dump(spec))
        with bench(tmp_path) as site:
            site.apply(text)
            (before,) = site.pods()
            own = [part.id for part in before.main]
            docker("kill", *own, before.owner.id)
            # As an engine that starts in another order does: what is to join comes first, and cannot.
            assert subprocess.run(["docker", "start", own[0]], capture_output=True).returncode
            docker("start", before.owner.id, own[1])
            assert not site.pods()[0].running
            site.engine.tend(site.app, manifests(text), site.said.append)
            assert site.pods()[0].running


def test_kinds_without_an_effect_and_unknown_ones_are_told(site: Bench):
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}
    thing = {"apiVersion": "example.test/v1", "kind": "Thing", "metadata": {"name": "t"}}
    found = site.observe(yaml.safe_dump_all([account, thing]))
    assert (found["ServiceAccount/a"].sync, found["ServiceAccount/a"].unknown) == ("Synced", False)
    assert (found["Thing/t"].sync, found["Thing/t"].unknown) == ("Unknown", True)
    assert found["Thing/t"].message == "this engine does not know the kind example.test/Thing"


def test_what_a_claim_holds_outlives_pruning(site: Bench):
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "kept"}, "spec": {}}
    text = yaml.safe_dump(claim)
    assert site.apply(text)["kept"].done == "Synced"
    assert site.observe(text)["PersistentVolumeClaim/kept"].health == "Healthy"
    gone = [one for one in site.engine.observe(site.app, []) if one.key.name == "kept"]
    (result,) = site.engine.prune(site.app, gone, site.said.append)
    assert (result.done, result.message) == ("Pruned", "pruned; its data is kept")
    volume = f"{site.app.name}_claim_default_kept"
    assert docker("volume", "ls", "-q", "--filter", f"name={volume}") == volume
    docker("volume", "rm", volume)
    assert site.observe(text)["PersistentVolumeClaim/kept"].health == "Missing"


KILLED = """
import sys, pathlib
from tests.apps.local.apps_on_engine import Bench
made = Bench(pathlib.Path(sys.argv[1]))
made.app = type(made.app)(sys.argv[2], made.app.repository)
print("begun", flush=True)
made.apply(sys.stdin.read())
"""


def several() -> str:
    init = {**container("sleep 0.3"), "name": "first"}
    conf = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"page": "x"}}
    spec = yaml.safe_load(pod(SLEEP, volumeMounts=[{"name": "conf", "mountPath": "/conf"}]))
    spec |= {"initContainers": [init], "volumes": [{"name": "conf", "configMap": {"name": "page"}}]}
    texts = [
        workload("Deployment", "a", yaml.safe_dump(spec), replicas=2),
        workload("StatefulSet", "b", pod(SLEEP), replicas=2),
    ]
    return "---\n".join([yaml.safe_dump(conf), *texts])


@pytest.mark.parametrize("seconds", [0.4, 1.0, 1.8])
def test_a_sync_killed_at_any_moment_is_ended_by_the_next(tmp_path, seconds):
    with bench(tmp_path) as site:
        command = [sys.executable, "-c", KILLED, str(tmp_path), site.app.name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
            killed.stdin.write(several())
            killed.stdin.close()
            assert killed.stdout.readline() == "begun\n"
            time.sleep(seconds)
            killed.kill()
        assert {one.done for one in site.apply(several()).values()} == {"Synced"}
        stands = site.observe(several())
        assert {(one.sync, one.health in (None, "Healthy")) for one in stands.values()} == {("Synced", True)}
        assert sorted(one.key.name for one in site.pods()) == ["a", "a", "b", "b"]
        listed = site.client.containers(all=True, filters={"label": f"dispatchfile.app={site.app.name}"})
        assert len(listed) == 6
