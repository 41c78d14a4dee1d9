"""`dispatchfile run --engine tekton`, from the command line on, against a fake cluster over real HTTP."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile.cli.main import main
from tests.cluster import project
from tests.cluster.api_server import ApiServer, Cluster, Fault
from tests.cluster.script import Act, Script
from tests.cluster.store import Object
from tests.tekton import crds

RUN = ("run", "--engine", "tekton")
VERSION = {("build", "version"): Act(log=(b"1.2\n",))}
FAILING = {**VERSION, ("deploy", "set"): Act(log=(b"about to fail\n", b"no line end"), exit_code=7)}
DIGEST = "sha256:" + "ab" * 32
LONG = {("test", "unit"): Act(log=(b"begun\n", *[b"."] * 2000), delay=0.05)}

Serve = Callable[..., ApiServer]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = project.make(tmp_path / "app")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server, and let KUBECONFIG name it."""
    servers: list[ApiServer] = []

    def start(script: Script | None = None, **options: Any) -> ApiServer:
        validate = crds.validate if crds.CRDS.is_dir() else None
        server = ApiServer(script or Script(), **{"validate": validate, **options})
        servers.append(server.__enter__())
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        return server

    yield start
    for server in servers:
        server.__exit__()


def created(server: ApiServer) -> Object:
    (run,) = server.cluster.list("PipelineRun")
    return run


def state(tmp_path: Path) -> dict[str, Any]:
    (found,) = (tmp_path / "state/dispatchfile/runs").glob("*/run.json")
    told: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return told


def test_a_run_that_succeeds(
    folder: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {"build": {"version": "1.2", "app_IMAGE_DIGEST": DIGEST}}
    server = serve(Script(VERSION, results=results))
    assert main([*RUN, "--junit", str(tmp_path / "junit.xml")]) == 0
    out, err = capsys.readouterr()
    assert out == "[build/version] 1.2\n"
    run = created(server)
    name = run["metadata"]["name"]
    head = project.git("rev-parse", "HEAD", cwd=folder)
    assert f'PipelineRun {name} of commit {head[:10]} runs in namespace ci of context "fake"' in err
    assert f"app: {DIGEST}" in err
    assert "build/version: 1.2" in err
    assert err.index("✓ build") < err.index("→ deploy") < err.index("✓ deploy")
    assert {param["name"]: param["value"] for param in run["spec"]["params"]}["git-commit"] == head
    assert run["spec"]["timeouts"] == {"pipeline": "1h"}
    told = state(tmp_path)
    assert told["status"] == "succeeded"
    assert told["cluster"] == {"context": "fake", "namespace": "ci", "pipelineRun": name}
    assert told["tasks"]["build"]["digests"] == {"app": DIGEST}
    assert [case.get("name") for case in ET.parse(tmp_path / "junit.xml").iter("testcase")] == [
        "unit", "version", "push", "set",
    ]  # fmt: skip
    assert main(["logs", "last", "build/version"]) == 0
    assert capsys.readouterr().out == "1.2\n"


def test_nothing_is_sent_but_the_run(folder: Path, serve: Serve) -> None:
    server = serve()
    assert main([*RUN, "-q"]) == 0
    assert {method for method, _ in server.requests} == {"GET", "POST"}
    assert [body["kind"] for body in server.bodies] == ["PipelineRun"]


def test_a_step_that_fails(
    folder: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(Script({**VERSION, ("test", "unit"): Act(log=(b"not ok\n",), exit_code=3)}))
    assert main(list(RUN)) == 1
    err = capsys.readouterr().err
    assert re.search(r"✗ test +failed", err)
    assert "step unit: exit code 3" in err
    assert "its last lines:\n  not ok\n" in err
    assert re.search(r"– deploy +skipped +needs .*test", err)
    assert "run it again: dispatchfile run --rerun" in err
    assert state(tmp_path)["status"] == "failed"


def test_again_is_all_of_it_on_the_same_cluster(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Script(FAILING))
    assert main([*RUN, "--service-account", "builder"]) == 1
    (folder / "more").write_text("x", encoding="utf-8")
    project.commit(folder, "second")
    assert main(["run", "--rerun", "last"]) == 1
    first, again = server.cluster.list("PipelineRun")
    assert first["spec"] == again["spec"]
    assert again["spec"]["taskRunTemplate"] == {"serviceAccountName": "builder"}
    assert "again, all of it" in capsys.readouterr().err


def test_on_docker_nothing_of_it_is_kept(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(Script(FAILING))
    assert main(list(RUN)) == 1
    assert main(["run", "--engine", "docker", "--rerun", "last", "--dry-run"]) == 0
    assert "kept: nothing" in capsys.readouterr().err


def test_the_events_are_those_of_a_run_in_docker(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli import run as run_command
    from dispatchfile.run.dummy import Act as Played
    from dispatchfile.run.dummy import DummyBackend

    serve(Script(FAILING, results={"build": {"version": "1.2", "app_IMAGE_DIGEST": DIGEST}}))
    assert main([*RUN, "--progress", "json"]) == 1
    cluster = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    acts = {
        ("build", "version"): Played(stdout=(b"1.2\n",)),
        ("deploy", "set"): Played(exit_code=7, stdout=(b"about to fail\n", b"no line end")),
    }
    backend = DummyBackend(acts, digests={"app": DIGEST})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_command, "_backend", lambda *_: backend)
        assert main(["run", "--progress", "json"]) == 1
    docker = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def told(events: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
        changing = ("time", "duration", "run", "image")
        return [
            {name: "?" if name in changing else value for name, value in event.items()}
            for event in events
            if event.get("task", "") == task and event["event"] != "run.note"
        ]

    for task in ("", "test", "build", "deploy"):
        assert told(cluster, task) == told(docker, task)


@pytest.mark.parametrize("view", ["plain", "quiet", "json"])
def test_every_view_works(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str], view: str) -> None:
    serve(Script(FAILING))
    assert main([*RUN, "--progress", view]) == 1
    assert "error" not in capsys.readouterr().err


def test_dry_run_asks_no_cluster(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert main([*RUN, "--dry-run", "--timeout", "5m", "--namespace", "x"]) == 0
    printed = capsys.readouterr().out
    assert main(["tekton", "--kind", "run", "--timeout", "5m", "--namespace", "x"]) == 0
    assert printed == capsys.readouterr().out
    assert [made["kind"] for made in yaml.safe_load_all(printed)] == ["PipelineRun"]


@pytest.mark.parametrize(
    ("options", "message", "help_"),
    [
        (("--publish",), "--publish does not go with --engine tekton", "service account"),
        (("--secret", "a/b=c"), "--secret does not go with --engine tekton", "kubectl create secret"),
        (("--kaniko", "container"), "--kaniko does not go with --engine tekton", "kaniko's own image"),
        (("-j", "2"), "--jobs does not go with --engine tekton", "the cluster decides"),
        (("--docker-host", "unix:///x"), "--docker-host does not go with --engine tekton", "--context NAME"),
        (("--env", "A=b"), "--env does not go with --engine tekton", "Dispatchfile"),
        (("--shell-on-failure",), "--shell-on-failure does not go with --engine tekton", "kubectl debug"),
        (("--service-account", "A b"), '--service-account "A b" is no name', "a-b"),
        (("--timeout", "soon"), '--timeout "soon" is not a duration', "1h30m"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_options_that_do_nothing_there(
    folder: Path,
    serve: Serve,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
    help_: str,
) -> None:
    server = serve()
    assert main([*RUN, *options]) == 2
    err = capsys.readouterr().err
    assert f"error: {message}" in err
    assert help_ in err
    assert server.requests == []


def test_settings_of_docker_do_not_matter(
    folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("DISPATCHFILE_JOBS", "3")
    monkeypatch.setenv("DISPATCHFILE_PULL", "always")
    assert main([*RUN, "-q"]) == 0


def test_options_of_a_cluster_need_its_engine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--context", "x"]) == 2
    assert "--context is for runs on a cluster" in capsys.readouterr().err


# What the cluster can reach.


def test_a_commit_that_is_not_pushed(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve()
    (folder / "more").write_text("x", encoding="utf-8")
    head = project.commit(folder, "second")
    assert main(list(RUN)) == 4
    err = capsys.readouterr().err
    assert f"commit {head[:10]} is on no branch of a remote" in err
    assert "help: git push" in err
    assert server.bodies == []


def test_a_repository_without_remote(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve()
    project.git("remote", "remove", "origin", cwd=folder)
    assert main(list(RUN)) == 4
    assert f"a cluster cannot fetch from {folder}" in capsys.readouterr().err


def test_changes_do_not_reach_the_cluster(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    (folder / "VERSION").write_text("1\n", encoding="utf-8")
    project.commit(folder, "second")
    project.git("push", "-q", "origin", "main", cwd=folder)
    with (folder / "Dispatchfile.yaml").open("a", encoding="utf-8") as file:
        file.write("# a change\n")
    assert main(list(RUN)) == 0
    assert "does not reach" not in capsys.readouterr().err  # the Dispatchfile does: as it is here
    (folder / "VERSION").write_text("1.2\n", encoding="utf-8")
    assert main(list(RUN)) == 0
    assert "note: what is not committed does not reach the cluster: VERSION\n" in capsys.readouterr().err


def test_a_run_that_fetches_nothing_needs_no_remote(folder: Path, serve: Serve) -> None:
    serve()
    project.git("remote", "remove", "origin", cwd=folder)
    text = "task: {t: {steps: [{name: s, image: busybox, command: [date]}]}}\nactions: []\n"
    (folder / "Dispatchfile.yaml").write_text(text, encoding="utf-8")
    assert main([*RUN, "-q", "t"]) == 0


# Ends that are not the tasks' own.


def test_timeout(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(Script(ends={"test": ("PipelineRunTimeout", 'PipelineRun "x" failed to finish within "5m0s"')}))
    assert main([*RUN, "--timeout", "5m"]) == 124
    assert "error: the run took longer than 5m" in capsys.readouterr().err


def test_timeout_of_a_task(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(Script({("test", "unit"): Act(log=(b"slow\n",), exit_code=255, told="TaskRunTimeout")}))
    assert main(list(RUN)) == 1
    assert "step unit: the task took longer than its timeout" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        (
            {"ends": {"deploy": ("PipelineValidationFailed", "invalid result reference")}},
            1,
            "the cluster ended the run: PipelineValidationFailed: invalid result reference",
        ),
        (
            {"ends": {"test": ("CouldntGetTask", "no task x")}},
            4,
            "the cluster ended the run: CouldntGetTask: no task x",
        ),
        ({"ends": {"test": ("Cancelled", "by me")}}, 4, "somebody cancelled the run on the cluster"),
        (
            {"fails": {"test": ("TaskRunImagePullFailed", "no such image: busybox")}},
            4,
            "test: TaskRunImagePullFailed: no such image: busybox",
        ),
        ({"fails": {"test": ("PodCreationFailed", "quota")}}, 4, "test: PodCreationFailed: quota"),
    ],
    ids=["a result that is not there", "no task", "cancelled there", "no image", "no pod"],
)
def test_ends_by_the_cluster(
    folder: Path,
    serve: Serve,
    capsys: pytest.CaptureFixture[str],
    script: dict[str, Any],
    code: int,
    message: str,
) -> None:
    serve(Script(**script))
    assert main(list(RUN)) == code
    assert f"error: {message}\n" in capsys.readouterr().err


def test_a_run_that_is_deleted_at_once(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    server.controller = None
    server.start = lambda run: server.cluster.delete("PipelineRun", "ci", run["metadata"]["name"])  # type: ignore[method-assign] # who cleans up is quicker than we
    assert main(list(RUN)) == 4
    assert "the PipelineRun was deleted while it ran" in capsys.readouterr().err


def test_a_run_that_is_deleted(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    def delete(cluster: Cluster, run: Object) -> None:
        cluster.delete("PipelineRun", "ci", run["metadata"]["name"])

    serve(Script({("test", "unit"): Act(log=(b"begun\n",), delay=0.3, then=delete)}))
    assert main(list(RUN)) == 4
    assert "error: the PipelineRun was deleted while it ran" in capsys.readouterr().err


# What the API says.


def _refused(server: ApiServer) -> None:
    server.forbid("create", "pipelineruns")


def _denied(server: ApiServer) -> None:
    server.admission = lambda _made: "expected exactly one, got neither: spec.x"


def _too_old(server: ApiServer) -> None:
    server.cluster.change(
        "ConfigMap", "tekton-pipelines", "pipelines-info", lambda m: m["data"].update(version="v0.44.2")
    )


@pytest.mark.parametrize(
    ("how", "options", "message", "help_"),
    [
        (
            _refused, {}, 'you may not create pipelineruns in namespace ci (context "fake")',
            "kubectl auth can-i create pipelineruns.tekton.dev -n ci --context fake",
        ),
        (_denied, {}, "validation failed: expected exactly one, got neither: spec.x", ""),
        (_too_old, {}, 'Tekton on the cluster is v0.44 (context "fake")', "upgrade"),
        (None, {"without": ("tekton.dev",)}, "there is no Tekton of v0.50 or newer on the cluster", "install Tekton"),
    ],
    ids=["403", "admission", "too old", "no Tekton"],
)  # fmt: skip
def test_refusals(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str],
    how: Callable[[ApiServer], None] | None, options: dict[str, Any], message: str, help_: str,
) -> None:  # fmt: skip
    server = serve(**options)
    if how:
        how(server)
    assert main(list(RUN)) == 4
    err = capsys.readouterr().err
    assert message in err
    assert help_ in err
    assert "Traceback" not in err
    assert server.cluster.list("PipelineRun") == []


def test_a_namespace_that_is_not_there(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    assert main([*RUN, "--namespace", "nowhere"]) == 4
    assert 'there is no namespace "nowhere"' in capsys.readouterr().err


def test_wrong_token_is_not_shown(
    folder: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(token="right")
    server.kubeconfig(tmp_path / "kubeconfig", token="wrong-s3cret")
    assert main(list(RUN)) == 4
    err = capsys.readouterr().err
    assert 'the cluster does not take your credentials (context "fake")' in err
    assert "s3cret" not in err


def test_a_server_that_goes_away_while_it_is_asked(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    server.fail("create", "pipelineruns", Fault(0))
    assert main(list(RUN)) == 4
    assert (
        "help: it may be there all the same: kubectl --context fake -n ci get pipelineruns"
        in capsys.readouterr().err
    )
    assert sum(method == "POST" for method, _ in server.requests) == 1  # a second one might run twice


def test_a_name_that_is_taken(folder: Path, serve: Serve) -> None:
    server = serve()
    server.fail("create", "pipelineruns", Fault(409, reason="AlreadyExists"), times=2)
    assert main([*RUN, "-q"]) == 0


def test_a_server_that_is_too_busy_is_asked_again(folder: Path, serve: Serve) -> None:
    server = serve()
    server.fail("create", "pipelineruns", Fault(429, reason="TooManyRequests"))
    assert main([*RUN, "-q"]) == 0
    assert len(server.cluster.list("PipelineRun")) == 1


def test_no_server(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve().__exit__()
    assert main(list(RUN)) == 4
    assert "does not answer: Connection refused" in capsys.readouterr().err


def test_no_extra(
    folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    monkeypatch.setitem(sys.modules, "lightkube.config", None)
    assert main(list(RUN)) == 4
    assert "pip install 'dispatchfile[kube]'" in capsys.readouterr().err


# Disturbances.


def test_watches_that_break_lose_nothing(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tuple(f"line {number}\n".encode() for number in range(60))
    server = serve(Script({("test", "unit"): Act(log=lines, delay=0.02)}))
    stop = threading.Event()

    def drop() -> None:
        while not stop.wait(0.25):
            server.drop_watches()

    thread = threading.Thread(target=drop)
    thread.start()
    try:
        assert main(list(RUN)) == 0
    finally:
        stop.set()
        thread.join()
    shown = [line.partition("] ")[2].strip() for line in capsys.readouterr().out.splitlines()]
    assert shown == [line.decode().strip() for line in lines]


@pytest.mark.parametrize("as_event", [False, True], ids=["as a status", "as an event"])
def test_a_version_that_is_gone(folder: Path, serve: Serve, as_event: bool) -> None:
    server = serve(Script({("test", "unit"): Act(log=(b"a\n",) * 20, delay=0.03)}))
    server.gone_as_event = as_event

    def compact() -> None:
        time.sleep(0.2)
        server.store.compact()
        server.drop_watches()

    threading.Thread(target=compact).start()
    assert main([*RUN, "-q"]) == 0
    assert server.store.compacted


def test_an_api_server_that_fails_for_a_while(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Script({("test", "unit"): Act(log=(b"a\n",) * 10, delay=0.05)}))
    for verb, plural in (
        ("list", "pipelineruns"),
        ("watch", "taskruns"),
        ("list", "taskruns"),
        ("log", "pods"),
    ):
        server.fail(verb, plural, Fault(503, reason="ServiceUnavailable", message="etcd"), times=2)
        server.fail(verb, plural, Fault(0))
    assert main(list(RUN)) == 0
    assert capsys.readouterr().out.count("[test/unit]") == 10


def test_the_end_is_learnt_from_a_server_that_fails_just_then(
    folder: Path, serve: Serve, tmp_path: Path
) -> None:
    def fail(cluster: Cluster, run: Object) -> None:
        server.fail("list", "taskruns", Fault(500), times=2)
        server.fail("watch", "taskruns", Fault(500), times=3)
        server.drop_watches()

    server = serve(Script({("deploy", "set"): Act(log=(b"x\n",), then=fail)}))
    assert main([*RUN, "-q"]) == 0
    assert {name: task["status"] for name, task in state(tmp_path)["tasks"].items()} == {
        "test": "succeeded", "build": "succeeded", "deploy": "succeeded",
    }  # fmt: skip


def test_pods_that_nobody_may_see(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve(Script({**VERSION, ("test", "unit"): Act(delay=0.7)}))
    server.forbid("list", "pods")
    server.forbid("log", "pods")
    assert main(list(RUN)) == 0
    err = capsys.readouterr().err
    assert "you may not list pods in namespace ci" in err
    assert "build/version: its log cannot be read: you may not get pods/log in namespace ci" in err


def test_watching_that_is_not_allowed(folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatchfile.kube import changes

    monkeypatch.setattr(changes, "POLL_S", 0.1)
    server = serve(Script(VERSION))
    for plural in ("pipelineruns", "taskruns", "pods"):
        server.forbid("watch", plural)
    assert main([*RUN, "-q"]) == 0


def test_nothing_takes_the_run_up(
    folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cluster import delays

    monkeypatch.setattr(delays, "PATIENCE_S", 0.2)
    server = serve()
    server.controller = None

    def start() -> None:
        server.controller = Script()
        server.start(created(server))

    threading.Timer(1.5, start).start()
    assert main(list(RUN)) == 0
    err = capsys.readouterr().err
    assert err.count("nothing of the run has begun yet: is Tekton's controller running there?") == 1


def test_a_terminal_that_is_closed_leaves_the_run(folder: Path, serve: Serve, tmp_path: Path) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=False)
    session.wait_for("begun")
    session.interrupt(signal.SIGHUP)
    assert session.end() == 129
    assert "goes on in namespace ci" in session.text
    assert "status" not in created(server)["spec"]


def test_credentials_that_end_while_it_runs(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    def expire(cluster: Cluster, run: Object) -> None:
        server.token = "another"
        server.drop_watches()

    server = serve(Script({("test", "unit"): Act(log=(b"begun\n",), then=expire, delay=0.3)}))
    assert main(list(RUN)) == 4
    err = capsys.readouterr().err
    assert "error: the cluster does not take your credentials" in err
    assert "the run goes on; follow it: kubectl --context fake -n ci get pipelinerun" in err


def test_why_a_pod_does_not_start(
    folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cluster import delays

    monkeypatch.setattr(delays, "PATIENCE_S", 0.2)

    def unschedulable(pod: Object) -> None:
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/3 nodes: no cpu",
        }
        pod["status"] = {"phase": "Pending", "conditions": [condition]}

    serve(Script(pending={"test": unschedulable}, pause=1.5))
    assert main(list(RUN)) == 0
    assert capsys.readouterr().err.count("note: test: no node takes its pod: 0/3 nodes: no cpu") == 1


# Logs.


def test_much_and_odd_output(
    folder: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = "".join(f"{number} grüße ☃ \u2028 {'x' * 80}\n" for number in range(2000)).encode()
    assert len(written) > 200_000
    odd = b"50%\r100%\n\xff\xfe bytes\n\x1b[31mred\x1b[0m\nno end"
    serve(Script({("test", "unit"): Act(log=(written[:100_001], written[100_001:], odd))}))
    assert main([*RUN]) == 0
    (log,) = (tmp_path / "state").rglob("unit.log")
    assert log.read_bytes() == written + odd
    out = capsys.readouterr().out
    assert "[test/unit]     100%\n" in out
    assert out.endswith("[test/unit]     no end\n")


def test_own_steps_are_shown_when_they_fail(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Script(VERSION))
    assert main(list(RUN)) == 0
    assert "dispatch-" not in capsys.readouterr().out
    steps = created(server)["spec"]["pipelineSpec"]["tasks"]
    own = next(
        (task["name"], step["name"])
        for task in steps
        for step in task["taskSpec"]["steps"]
        if step["name"].startswith("dispatch-")
    )
    server.controller = Script({own: Act(log=(b"fatal: no such repository\n",), exit_code=128)})
    assert main(list(RUN)) == 1
    out, err = capsys.readouterr()
    assert "fatal: no such repository" in out
    assert f"step {own[1]}: exit code 128" in err


def test_own_tasks_are_shown_when_they_fail(
    folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Script(VERSION))
    words = [*RUN, "--workspace", "pvc"]
    assert main(words) == 0
    tasks = created(server)["spec"]["pipelineSpec"]["tasks"]
    own = next(task for task in tasks if task["name"] not in ("test", "build", "deploy"))
    assert own["name"] not in capsys.readouterr().err
    step = own["taskSpec"]["steps"][-1]["name"]
    server.controller = Script(
        {(own["name"], step): Act(log=(b"fatal: no such repository\n",), exit_code=128)}
    )
    assert main(words) == 1
    err = capsys.readouterr().err
    assert f"✗ {own['name']} failed" in err
    assert (
        f"{own['name']}/{step} ended with exit code 128; its last lines:\n  fatal: no such repository\n"
        in err
    )
    assert "– deploy" in err


def test_verbose_shows_them_all(folder: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(Script(VERSION))
    assert main(["-v", *RUN, "--progress", "json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(event.get("step", "").startswith("dispatch-") for event in told)


def test_a_step_whose_error_is_ignored(folder: Path, serve: Serve) -> None:
    serve(Script({("build", "version"): Act(log=(b"x\n",), exit_code=4, goes_on=True)}))
    assert main([*RUN, "-q"]) == 0


def test_logs_that_come_late_are_read_to_their_end(
    folder: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cluster import follow

    monkeypatch.setattr(follow, "GRACE_S", 1.0)
    acts = {("build", "version"): Act(log=(b"a\n", b"b\n")), ("deploy", "set"): Act(log=(b"c\n",))}
    server = serve(Script(acts))
    server.fail("log", "pods", Fault(503), times=3)  # the run is long over when logs can be had
    server.fail("log", "pods", Fault(200, delay=1.2), times=2)
    assert main(list(RUN)) == 0
    shown = [line.partition("] ")[2].strip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["a", "b", "c"]


# Interrupts.


class Session:
    """The command in a terminal of its own, or without one."""

    def __init__(self, folder: Path, tmp_path: Path, *options: str, terminal: bool) -> None:
        self.text = ""
        main_side, side = pty.openpty() if terminal else os.pipe()
        self._fd = main_side
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dispatchfile", *RUN, *options], cwd=folder, start_new_session=True,
            env=project.environment(tmp_path, tmp_path / "kubeconfig"),
            stdin=side if terminal else subprocess.DEVNULL, stdout=side, stderr=side,
        )  # fmt: skip
        os.close(side)

    def wait_for(self, text: str, *, patience: float = 30) -> None:
        deadline = time.monotonic() + patience
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} in {self.text!r}"
            self._read(0.2)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode(errors="surrogateescape"))

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.2)
        self._read(0.1)
        os.close(self._fd)
        return self.process.wait(1)

    def _read(self, patience: float) -> None:
        if select.select([self._fd], [], [], patience)[0]:
            try:
                self.text += os.read(self._fd, 65536).decode(errors="replace")
            except OSError:  # the terminal's other side is closed
                time.sleep(patience)


@pytest.mark.parametrize("progress", ["live", "plain"])
def test_ctrl_c_and_yes_cancels(folder: Path, serve: Serve, tmp_path: Path, progress: str) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, "--progress", progress, terminal=True)
    session.wait_for("begun")
    session.interrupt()
    session.wait_for("cancel the run on the cluster?")
    session.type("y\n")
    assert session.end() == 130
    assert "the run was cancelled" in session.text
    assert created(server)["spec"]["status"] == "Cancelled"
    assert "Traceback" not in session.text
    assert state(tmp_path)["status"] == "stopped"


@pytest.mark.parametrize("how", ["n", "ctrl-c", "end of input"])
def test_ctrl_c_and_leaving(folder: Path, serve: Serve, tmp_path: Path, how: str) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=True)
    session.wait_for("begun")
    session.interrupt()
    session.wait_for("cancel the run on the cluster?")
    if how == "ctrl-c":
        time.sleep(0.2)
        session.interrupt()
    else:
        session.type("n\n" if how == "n" else "\x04")
    assert session.end() == 130
    name = created(server)["metadata"]["name"]
    assert f"left: {name} goes on in namespace ci" in session.text
    assert f"kubectl --context fake -n ci patch pipelinerun {name}" in session.text
    assert "status" not in created(server)["spec"]
    assert "Traceback" not in session.text


def test_ctrl_c_and_going_on(folder: Path, serve: Serve, tmp_path: Path) -> None:
    serve(Script({("test", "unit"): Act(log=(b"begun\n", *[b"."] * 60), delay=0.05)}))
    session = Session(folder, tmp_path, terminal=True)
    session.wait_for("begun")
    session.interrupt()
    session.wait_for("cancel the run on the cluster?")
    session.type("\n")
    assert session.end() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_without_terminal_cancels(
    folder: Path, serve: Serve, tmp_path: Path, number: int, code: int
) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=False)
    session.wait_for("begun")
    session.interrupt(number)
    assert session.end() == code
    assert created(server)["spec"]["status"] == "Cancelled"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_while_the_run_is_created(
    folder: Path, serve: Serve, tmp_path: Path, number: int, code: int
) -> None:
    server = serve()
    server.fail("create", "pipelineruns", Fault(200, delay=60))
    session = Session(folder, tmp_path, terminal=False)
    while not any(method == "POST" for method, _ in server.requests):
        time.sleep(0.1)
    time.sleep(0.3)  # until the answer is waited for
    session.interrupt(number)
    assert session.end() == code
    assert "it may be there all the same: kubectl --context fake -n ci get pipelineruns" in session.text
    assert state(tmp_path)["status"] == "error"


def test_sigterm_asks_nothing(folder: Path, serve: Serve, tmp_path: Path) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=True)
    session.wait_for("begun")
    session.interrupt(signal.SIGTERM)
    assert session.end() == 143
    assert "cancel the run on the cluster?" not in session.text
    assert created(server)["spec"]["status"] == "Cancelled"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["TERM", "HUP"]
)
def test_a_signal_ends_the_question(
    folder: Path, serve: Serve, tmp_path: Path, number: int, code: int
) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=True)
    session.wait_for("begun")
    session.interrupt()
    session.wait_for("cancel the run on the cluster?")
    session.type("\udcff what?\n")  # no text, and no answer
    session.wait_for("what?")
    time.sleep(0.2)
    session.interrupt(number)
    assert session.end() == code
    assert created(server)["spec"].get("status") == ("Cancelled" if code == 143 else None)
    assert state(tmp_path)["status"] == "stopped"


def test_of_a_run_that_is_killed_its_name_is_kept(folder: Path, serve: Serve, tmp_path: Path) -> None:
    server = serve(Script(LONG))
    session = Session(folder, tmp_path, terminal=False)
    session.wait_for("begun")
    session.interrupt(signal.SIGKILL)
    session.end()
    assert state(tmp_path)["cluster"]["pipelineRun"] == created(server)["metadata"]["name"]


def test_a_cancel_that_comes_too_late(folder: Path, serve: Serve, tmp_path: Path) -> None:
    def end(cluster: Cluster) -> None:
        for kind, reason in (("TaskRun", "TaskRunCancelled"), ("PipelineRun", "Cancelled")):
            for found in cluster.list(kind):
                told = [{"type": "Succeeded", "status": "False", "reason": reason}]
                name = found["metadata"]["name"]
                cluster.change(kind, "ci", name, lambda one, told=told: one["status"].update(conditions=told))
        for pod in cluster.list("Pod"):
            cluster.delete("Pod", "ci", pod["metadata"]["name"])

    def wait(cluster: Cluster, run: Object) -> None:
        cluster.closed.wait(60)

    server = serve(Script({("test", "unit"): Act(log=(b"begun\n",), then=wait)}))
    server.forbid("patch", "pipelineruns")
    session = Session(folder, tmp_path, terminal=False)
    session.wait_for("begun")
    server.drop_watches()
    server.fail("list", "pipelineruns", Fault(500), times=50)
    server.fail("watch", "pipelineruns", Fault(500), times=50)
    time.sleep(0.5)
    end(server.cluster)
    session.interrupt()
    assert session.end() == 130
    assert "could not be cancelled" not in session.text


def test_a_cancel_that_is_refused(folder: Path, serve: Serve, tmp_path: Path) -> None:
    server = serve(Script(LONG))
    server.forbid("patch", "pipelineruns")
    session = Session(folder, tmp_path, terminal=False)
    session.wait_for("begun")
    session.interrupt()
    assert session.end() == 4
    assert "the run could not be cancelled: you may not patch pipelineruns" in session.text
