"""The stand-in for a cluster itself: it does what was seen on one (hand-made objects, no emitter)."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.api_server import Cluster
from tests.cluster.store import Store
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pods import TOOLS

pytestmark = pytest.mark.docker
Object = dict[str, Any]


@pytest.fixture
def tekton(tmp_path: Path, toolbox: str) -> MiniTekton:
    return MiniTekton(tmp_path / "cluster", network="none")


def step(name: str, shell: str = "", **fields: Any) -> Object:
    made: Object = {"name": name, "image": TOOLS, **fields}
    return {**made, "command": ["sh", "-c", shell]} if shell else made


def task(name: str, *steps: Object, **fields: Any) -> Object:
    outside = {key: fields.pop(key) for key in ("params", "runAfter", "timeout") if key in fields}
    if "params" in outside:
        fields["params"] = [{"name": one["name"], "type": "string"} for one in outside["params"]]
    return {"name": name, **outside, "taskSpec": {**fields, "steps": list(steps)}}


def run_of(*tasks: Object, **fields: Any) -> Object:
    spec: Object = {"tasks": list(tasks)}
    if "params" in fields:
        spec["params"] = [{"name": one["name"], "type": "string"} for one in fields["params"]]
    spec["results"] = fields.pop("results", [])
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "run-"},
        "spec": {"pipelineSpec": spec, **fields},
    }


def reason(run: Object) -> str:
    return run["status"]["conditions"][0]["reason"]


def message(run: Object) -> str:
    return run["status"]["conditions"][0]["message"]


def secret(name: str, kind: str = "Opaque", annotations: Object | None = None, **data: str) -> Object:
    return {
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": name, "annotations": annotations or {}},
        "data": {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }  # fmt: skip


def account(name: str, *secrets: str) -> Object:
    return {
        "kind": "ServiceAccount",
        "metadata": {"name": name},
        "secrets": [{"name": one} for one in secrets],
    }


def test_steps_share_what_a_pod_shares_and_start_where_tekton_starts_them(tekton: MiniTekton) -> None:
    first = step("first", "pwd; echo a >/workspace/a; echo b >$HOME/b; stat -c %a /workspace; stat -c '%a %u' /workspace/deep/er", workingDir="/workspace/deep/er")  # fmt: skip
    second = step("second", "pwd; cat /workspace/a $HOME/b; ls /workspace /tekton/results")
    template = {"workingDir": "/workspace", "env": [{"name": "HOME", "value": "/tekton/home"}]}
    done = tekton.run(run_of(task("t", first, second, stepTemplate=template)))
    assert reason(done) == "Succeeded"
    assert tekton.step("t", "first").stdout == b"/workspace/deep/er\n777\n755 0\n"
    assert (
        tekton.step("t", "second").stdout == b"/workspace\na\nb\n/tekton/results:\n\n/workspace:\na\ndeep\n"
    )


def test_scripts_are_files_and_only_commands_are_expanded_by_the_kubelet(tekton: MiniTekton) -> None:
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": "$(A)-$$(A)-$(C)"}]
    done = tekton.run(
        run_of(
            task(
                "t",
                step("words", "", command=["echo"], args=["$(B)", "$$(B)", "$(nothing)"], env=env),
                {
                    "name": "script",
                    "image": TOOLS,
                    "env": env,
                    "script": "echo \"$B\" '$(A)' $0\nfalse\necho no",
                },
                step("never", "echo no"),
            )
        )
    )
    assert tekton.step("t", "words").stdout == b"x-$(A)-$(C) $(B) $(nothing)\n"
    assert tekton.step("t", "script").stdout == b"x-$(A)-$(C) $(A) /tekton/scripts/script-1\n"
    assert [one.name for one in tekton.pods["t"].steps] == ["words", "script"]
    assert reason(done) == "Failed"


def test_results_go_on_and_a_missing_one_fails_the_run(tekton: MiniTekton) -> None:
    given = [{"name": "v", "value": "<$(tasks.give.results.r)>"}]
    made = task(
        "give", step("s", "printf 'one\\n' >$(results.r.path)"), results=[{"name": "r"}, {"name": "q"}]
    )
    take = task("take", step("s", 'printf %s "$1"', args=["$(params.v)", "$(params.v)"]), params=given)
    done = tekton.run(run_of(take, made, results=[{"name": "out", "value": "$(tasks.give.results.r)"}]))
    assert reason(done) == "Succeeded"
    assert tekton.started_tasks == ["give", "take"]
    assert tekton.step("take", "s").stdout == b"<one\n>"
    assert done["status"]["results"] == [{"name": "out", "value": "one\n"}]
    given[0]["value"] = "$(tasks.give.results.q)"
    done = tekton.run(run_of(take, made))
    assert reason(done) == "PipelineValidationFailed"
    assert "did not emit the result" in message(done)


def test_a_result_is_no_longer_than_a_termination_message(tekton: MiniTekton) -> None:
    made = task("t", step("s", "head -c $(params.n) /dev/zero | tr '\\0' x >$(results.r.path)"), results=[{"name": "r"}], params=[{"name": "n", "value": "3900"}])  # fmt: skip
    assert reason(tekton.run(run_of(made))) == "Succeeded"
    made["params"][0]["value"] = "4090"
    assert reason(tekton.run(run_of(made))) == "Failed"
    assert b"above max allowed size 4096" in tekton.step("t", "s").log
    made["params"][0]["value"] = "3900"
    made["taskSpec"]["steps"] += [step("two", "true"), step("three", "true")]
    done = tekton.run(run_of(made, results=[{"name": "all", "value": "$(tasks.t.results.r)"}]))
    assert reason(done) == "PipelineValidationFailed", "four containers share 12 KiB"


def test_a_cancelled_run_ends(tekton: MiniTekton) -> None:
    cluster = Cluster(Store(), threading.Event())
    run = cluster.create("PipelineRun", "ci", run_of(task("t", step("s", "echo begun; sleep 60")), task("u", step("s", "true"), runAfter=["t"])))  # fmt: skip
    running = threading.Thread(target=tekton.started, args=(run, cluster))
    running.start()
    while "t" not in tekton.pods or not tekton.pods["t"].steps or not tekton.pods["t"].steps[0].log:
        time.sleep(0.1)
    name = run["metadata"]["name"]
    cluster.change("PipelineRun", "ci", name, lambda found: found["spec"].update(status="Cancelled"))
    running.join()
    assert reason(cluster.get("PipelineRun", "ci", name)) == "Cancelled"
    assert list(tekton.pods) == ["t"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (task("t", step("s", "echo $(params.x)")), "non-existent variable"),
        (
            task("t", step("s", "x"), params=[{"name": "v", "value": "$(tasks.t2.results.r)"}]),
            "no such result",
        ),
        (task("t", step("s", "x"), runAfter=["gone"]), "task gone doesn't exist"),
        (task("t", step("s", "x"), runAfter=["t"]), "cycle detected"),
        (task("T", step("s", "x")), "valid DNS label"),
        (task("t", step("s", "x", script="echo")), "script cannot be used with command"),
        (task("t", step("s", "x", stdoutConfig={"path": "/x"})), 'to be "alpha"'),
        (task("t", step("a" * 58 + "b", "x"), step("a" * 58 + "c", "x")), "Duplicate value"),
    ],
    ids=["param", "result", "run-after", "cycle", "name", "script", "alpha", "containers"],
)
def test_what_tekton_refuses_is_refused(tekton: MiniTekton, wrong: Object, told: str) -> None:
    done = tekton.run(run_of(wrong))
    assert reason(done) == "PipelineValidationFailed"
    assert told in message(done)
    assert not tekton.pods


NESTED = ["/tekton/bin/entrypoint", "-termination_path", "/tekton/home/.t", "-step_metadata_dir", "/tekton/home/.m", "-stdout_path", "$(results.s.path)", "-entrypoint"]  # fmt: skip


def test_the_entrypoint_within_itself_copies_output_and_keeps_the_exit_code(tekton: MiniTekton) -> None:
    words = [*NESTED, "sh", "--", "-c", 'echo "out $0 $1"; echo err >&2; env; exit 7', "a b", "$$"]
    made = task("t", step("s", command=words, onError="continue", env=[{"name": "HOME", "value": "/tekton/home"}]), results=[{"name": "s"}])  # fmt: skip
    assert reason(tekton.run(run_of(made))) == "Succeeded"
    ran = tekton.step("t", "s")
    assert ran.exit_code == 7
    assert ran.stdout.startswith(b"out a b $\n")
    assert b"SHLVL=1\n" in ran.stdout, "the shell of the test alone counts"
    assert b"err\n" in ran.log
    assert tekton.pods["t"].results == {"s": ran.stdout.decode()}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([*NESTED, "no-such-program", "--"], b"executable file not found"),
        (["/tekton/bin/entrypoint", "-nonsense", "x", "--", "true"], b"flag provided but not defined"),
    ],
    ids=["program", "flag"],
)
def test_what_the_entrypoint_cannot_do(tekton: MiniTekton, words: list[str], told: bytes) -> None:
    tekton.run(run_of(task("t", step("s", command=words), results=[{"name": "s"}])))
    assert tekton.step("t", "s").exit_code
    assert told in tekton.step("t", "s").log


def test_without_its_own_folder_the_entrypoint_litters_the_working_directory(tekton: MiniTekton) -> None:
    words = [word for word in NESTED if word not in ("-step_metadata_dir", "/tekton/home/.m")]
    words += ["true", "--"]
    there = {"workingDir": "/workspace/src"}
    made = task("t", step("s", command=words, **there), step("see", "ls", **there), results=[{"name": "s"}])
    assert reason(tekton.run(run_of(made))) == "Succeeded"
    assert tekton.step("t", "see").stdout.split() == [b"artifacts", b"exitCode", b"results"]
    made["taskSpec"]["steps"][0]["securityContext"] = {"runAsUser": 1000}
    assert reason(tekton.run(run_of(made))) == "Failed"


def test_secrets_reach_a_step_as_variables_files_and_credentials(tekton: MiniTekton) -> None:
    git = secret("git", "kubernetes.io/basic-auth", {"tekton.dev/git-0": "https://git.test"}, username="me@x", password="p:/w")  # fmt: skip
    docker = secret("reg", "kubernetes.io/basic-auth", {"tekton.dev/docker-0": "https://reg.test"}, username="u", password="p")  # fmt: skip
    env = [{"name": "HOME", "value": "/tekton/home"}]
    env.append({"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "own", "key": "k"}}})
    show = 'echo "$KEY"; cat /s/k; cat ~/.gitconfig ~/.git-credentials ~/.docker/config.json; stat -c "%a %u" ~/.gitconfig'
    made = step("s", show, env=env, volumeMounts=[{"name": "v", "mountPath": "/s"}])
    run = run_of(
        task("t", {**made, "securityContext": {"runAsUser": 1000}}, volumes=[{"name": "v", "secret": {"secretName": "own"}}]),
        taskRunTemplate={"serviceAccountName": "ci"},
    )  # fmt: skip
    assert (
        reason(tekton.run(git, docker, secret("own", k="val"), account("ci", "git", "reg", "own"), run))
        == "Succeeded"
    )
    shown = tekton.step("t", "s").stdout.decode()
    assert shown.startswith("val\nval[credential]\n\thelper = store\n")
    assert '[credential "https://git.test"]\n\tusername = me@x\n' in shown
    assert "https://me%40x:p%3A%2Fw@git.test\n" in shown
    assert '"auth": "dTpw"' in shown
    assert shown.endswith("600 1000\n")
    missing = tekton.run(account("ci"), run)
    assert reason(missing) == "Failed"


def test_a_claim_is_shared_by_subpath_and_belongs_to_root(tekton: MiniTekton) -> None:
    workspace = {"name": "all", "subPath": "x/y"}
    write = task("write", step("s", "echo hi >/workspace/out/f; stat -c '%a %u' /workspace/out"))
    write["taskSpec"]["workspaces"] = [{"name": "all", "mountPath": "/workspace/out"}]
    read = task(
        "read", step("s", "cat $(workspaces.in.path)/f; touch $(workspaces.in.path)/g"), runAfter=["write"]
    )
    read["taskSpec"]["workspaces"] = [{"name": "in", "readOnly": True}]
    write["workspaces"] = [workspace]
    read["workspaces"] = [{"name": "in", "workspace": "all", "subPath": "x/y"}]
    run = run_of(write, read, workspaces=[{"name": "all", "volumeClaimTemplate": {"spec": {}}}])
    run["spec"]["pipelineSpec"]["workspaces"] = [{"name": "all"}]
    assert reason(tekton.run(run)) == "Failed"
    assert tekton.step("write", "s").stdout == b"755 0\n"
    assert b"hi\n" in tekton.step("read", "s").log
    assert b"Read-only file system" in tekton.step("read", "s").log


def test_times_run_out(tekton: MiniTekton) -> None:
    slow, never = step("s", "sleep 60"), step("n", "true")
    late = [task("task", slow, never, timeout="1s"), task("step", {**slow, "timeout": "1s"}, never)]
    assert reason(tekton.run(run_of(*late))) == "Failed"
    ended = {name: [(one.name, one.reason) for one in pod.steps] for name, pod in tekton.pods.items()}
    assert ended == {"task": [("s", "TaskRunTimeout")], "step": [("s", "TimeoutExceeded")]}
    done = tekton.run(run_of(task("t", slow), timeouts={"pipeline": "1s"}))
    assert reason(done) == "PipelineRunTimeout"


def test_one_failure_lets_no_other_task_begin(tekton: MiniTekton) -> None:
    done = tekton.run(
        run_of(
            task("bad", step("s", "exit 3")),
            task("beside", step("s", "sleep 1; echo done")),
            task("after", step("s", "true"), runAfter=["beside"]),
        )
    )
    assert (reason(done), sorted(tekton.pods)) == ("Failed", ["bad", "beside"])
    assert tekton.step("beside", "s").stdout == b"done\n"
    assert message(done) == "Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1"


@pytest.fixture(scope="module")
def bare_image(tmp_path_factory: pytest.TempPathFactory, toolbox: str) -> Iterator[str]:
    """An image of one static program and nothing else, that does not run as root."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "Dockerfile").write_text(
        f"FROM {toolbox} AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /echo\nUSER 1234\n"
        'ENTRYPOINT ["/echo", "bare"]\n'
    )
    name = f"dispatchfile-test-{os.getpid()}/bare:1"
    subprocess.run(["docker", "build", "-q", "-t", name, str(folder)], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


def test_an_image_without_a_shell_is_wrapped_by_the_entrypoint(tekton: MiniTekton, bare_image: str) -> None:
    own = {"name": "s", "image": bare_image, "command": [*NESTED, "/echo", "--", "no", "shell"]}
    plain = {"name": "plain", "image": bare_image, "args": ["here"]}
    assert reason(tekton.run(run_of(task("t", own, plain, results=[{"name": "s"}])))) == "Succeeded"
    assert tekton.pods["t"].results == {"s": "no shell\n"}
    assert tekton.step("t", "plain").stdout == b"bare here\n"
