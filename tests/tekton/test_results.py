"""The standard output of steps as results: what is emitted, and what it does when it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.mask import Masker
from dispatchfile.run.progress import Board
from dispatchfile.run.steplog import StepLog
from dispatchfile.tekton import _scripts, pipeline
from tests.tekton.drafts import Object, drafted, found, spec, step, step_of, task_of, told
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pods import TOOLS, go_json

USE = {"steps": [step("show", "echo", "$(inputs.tasks.t.run)")], "inputs": ["t"]}

ENTRYPOINT = """#!/bin/sh
# Of Tekton's entrypoint, what a step asks of it when it calls it once more.
while [ "$1" != -- ]; do
    case $1 in
    -entrypoint) program=$2 ;;
    -stdout_path) copy=$2 ;;
    -step_metadata_dir) metadata=$2 ;;
    -termination_path) : >"$2" ;;
    *) exit 2 ;;
    esac
    shift 2
done
shift
mkdir "$metadata"
"$program" "$@" >"$copy"
r=$?
cat "$copy"
exit $r
"""


def two(first: Object, **options: Any) -> Object:
    """A step whose output another task reads, and its own task."""
    return spec({"t": [first], "use": USE}, **options)


def test_by_tekton_s_entrypoint() -> None:
    made = two(step("run", "git", "describe", args=["--tags"]))
    assert step_of(made, "t", "run") == {
        "name": "run",
        "image": "busybox",
        "command": [
            "/tekton/bin/entrypoint",
            "-termination_path", "/tekton/results/.dispatch-run.termination",
            "-step_metadata_dir", "/tekton/results/.dispatch-run.metadata",
            "-stdout_path", "/tekton/results/.dispatch-run.stdout",
            "-entrypoint", "git", "--", "describe",
        ],
        "args": ["--tags"],
    }  # fmt: skip


def test_by_a_shell() -> None:
    made = step_of(two(step("run", "git", "describe", args=["--tags"]), results="sh"), "t", "run")
    assert made["command"][:2] == ["sh", "-c"]
    assert made["command"][3:] == ["/tekton/results/.dispatch-run.stdout", "git", "describe"]
    assert made["args"] == ["--tags"]


def test_by_tekton_s_alpha_field() -> None:
    made = step_of(two({"name": "run", "image": "version"}, results="alpha"), "t", "run")
    assert made == {
        "name": "run",
        "image": "version",
        "stdoutConfig": {"path": "/tekton/results/.dispatch-run.stdout"},
    }


@pytest.mark.parametrize("results", ["stdout-wrapper", "sh", "alpha"])
def test_a_step_of_ours_makes_results_of_the_copies(results: str) -> None:
    steps = [step("run", "a"), step("Other", "b"), step("unread", "c")]
    use = {"steps": [step("show", "$(inputs.tasks.t.run)", "$(inputs.tasks.t.Other)")], "inputs": ["t"]}
    made = spec({"t": steps, "use": use}, results=results, git_image="git:1")
    task = task_of(made, "t")["taskSpec"]
    assert task["results"] == [
        {"name": "run", "type": "string", "description": "standard output of step run"},
        {"name": "other", "type": "string", "description": "standard output of step Other"},
    ]
    assert [one["name"] for one in task["steps"]] == ["run", "other", "unread", "dispatch-results"]
    assert task["steps"][2] == step("unread", "c")
    assert task["steps"][3]["image"] == "git:1"
    assert task["steps"][3]["args"] == [
        "/tekton/results/.dispatch-run.stdout",
        "$(results.run.path)",
        "/tekton/results/.dispatch-other.stdout",
        "$(results.other.path)",
    ]
    use_made = task_of(made, "use")
    assert use_made["params"] == [
        {"name": "result-t_run", "value": "$(tasks.t.results.run)"},
        {"name": "result-t_other", "value": "$(tasks.t.results.other)"},
    ]
    assert use_made["runAfter"] == ["t"]
    assert use_made["taskSpec"]["steps"][0]["command"] == [
        "$(params.result-t_run)",
        "$(params.result-t_other)",
    ]


def test_nothing_is_wrapped_that_nobody_reads() -> None:
    made = spec({"t": [step("run", "a")], "use": {"steps": [step()], "deps": ["t"]}})
    task = task_of(made, "t")["taskSpec"]
    assert task["steps"] == [step("run", "a")]
    assert "results" not in task


@pytest.mark.parametrize("results", ["stdout-wrapper", "sh"])
def test_a_step_without_a_command(results: str) -> None:
    first = {"name": "run", "image": "version", "args": ["--short"]}
    (error,) = found({"t": [step("a", "b"), first], "use": USE}, results=results)
    assert told(error) == ("DF804", "task.t.steps[1]", '"version"')
    assert error.severity is Severity.ERROR
    assert 'step "run"' in error.message
    assert "`command`" in error.help


# What runs.


def run(
    made: Object, tmp_path: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a written step as its container would be, with Tekton's places below a folder."""
    (tmp_path / "results").mkdir(exist_ok=True)
    entrypoint = tmp_path / "bin" / "entrypoint"
    entrypoint.parent.mkdir(exist_ok=True)
    entrypoint.write_text(ENTRYPOINT)
    entrypoint.chmod(0o755)

    def here(text: str) -> str:
        return text.replace("/tekton/", f"{tmp_path}/")

    command = [here(word) for word in (*made.get("command", ()), *made.get("args", ()))]
    if "script" in made:
        script = tmp_path / "script"
        script.write_text(here(made["script"]))
        script.chmod(0o755)
        command.insert(0, str(script))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    ended = subprocess.run(
        command, capture_output=True, env={**os.environ, **(env or {})}, cwd=elsewhere, check=False
    )
    assert list(elsewhere.iterdir()) == []
    return ended


PROGRAM = "import sys; print('out'); print('err', file=sys.stderr); print(sys.argv[1:]); sys.exit(3)"
STEPS = {
    "command": step("run", sys.executable, "-c", PROGRAM, args=["a b", "$x", "--", "-c"]),
    "script": {**step("run", args=["a b", "$x", "--", "-c"]), "script": f"#!{sys.executable}\n{PROGRAM}"},
    "shell script": {
        **step("run", args=["a b", "$x", "--", "-c"]),
        "script": f"exec {sys.executable} -c \"{PROGRAM}\" \"$@\"\necho no",
    },
}  # fmt: skip


@pytest.mark.parametrize("results", ["stdout-wrapper", "sh"])
@pytest.mark.parametrize("name", STEPS)
def test_a_wrapped_step_runs_as_it_would_without(name: str, results: str, tmp_path: Path) -> None:
    made = step_of(two(STEPS[name], results=results), "t", "run")
    ended = run(made, tmp_path)
    assert (ended.returncode, ended.stderr) == (3, b"err\n")
    assert ended.stdout == b"out\n['a b', '$x', '--', '-c']\n"
    assert (tmp_path / "results" / ".dispatch-run.stdout").read_bytes() == ended.stdout


@pytest.mark.parametrize("results", ["stdout-wrapper", "sh"])
@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("echo one\nfalse\necho two\n", b"one\n"),
        ("cat <<'END'\na $x `b` \\\\ \\\nEND\n", b"a $x `b` \\\\ \\\n"),
        ("#!/bin/sh\nfalse\nprintf '%s' \"it's\"", b"it's"),
        ("#!/bin/sh -e\nfalse\necho two\n", b""),
        ("#!/bin/cat\n'\"\ntouch pwned\nexit 9", b"#!/bin/cat\n'\"\ntouch pwned\nexit 9"),
        ("#!/usr/bin/env sh\necho \"$0\" | sed 's:.*/::'\n", b".dispatch-run.script\n"),
    ],
    ids=["stops at errors", "here-document", "no line end", "option", "no shell", "env"],
)
def test_scripts_that_are_read(script: str, out: bytes, results: str, tmp_path: Path) -> None:
    made = step_of(two({"name": "run", "image": "i", "script": script}, results=results), "t", "run")
    assert run(made, tmp_path).stdout == out
    assert (tmp_path / "results" / ".dispatch-run.stdout").read_bytes() == out


def test_an_output_of_its_own_field_leaves_a_script_alone() -> None:
    made = step_of(two({"name": "run", "image": "i", "script": "echo"}, results="alpha"), "t", "run")
    assert made["script"] == "echo"
    assert "stdoutConfig" in made


def collected(
    tmp_path: Path, *outputs: bytes, room: int = 3000
) -> tuple[subprocess.CompletedProcess[bytes], list[bytes]]:
    pairs = [(tmp_path / f".copy-{index}", tmp_path / f"result-{index}") for index in range(len(outputs))]
    for (copy, _result), output in zip(pairs, outputs, strict=True):
        copy.write_bytes(output)
    words = [str(path) for pair in pairs for path in pair]
    script = tmp_path / "script"
    script.write_text(_scripts.RESULTS)
    env = {**os.environ, "ROOM": str(room)}
    ended = subprocess.run(["sh", str(script), *words], capture_output=True, check=False, env=env)
    return ended, [result.read_bytes() for _copy, result in pairs if result.exists()]


@pytest.mark.parametrize(
    ("output", "result"),
    [
        (b"v1.2\n", b"v1.2"),
        (b"v1.2", b"v1.2"),
        (b"v1.2\r\n", b"v1.2"),
        (b"a\nb\n\n\n", b"a\nb\n\n"),
        (b"\n", b""),
        (b"", b""),
        (b" -e \\n %s $x `y` \xc3\xa9 ", b" -e \\n %s $x `y` \xc3\xa9 "),
    ],
)
def test_one_line_end_is_cut_as_in_a_local_run(output: bytes, result: bytes, tmp_path: Path) -> None:
    ended, (made,) = collected(tmp_path, output)
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, b"", b"")
    assert made == result
    with StepLog(Board([]), Masker(()), tmp_path / "log", "t", "s", result=True, meet=pytest.fail) as log:
        log.sink("stdout", output)
    assert log.result() == made.decode()


def test_each_output_becomes_its_result(tmp_path: Path) -> None:
    assert collected(tmp_path, b"a\n", b"b\n")[1] == [b"a", b"b"]


def test_a_zero_byte_is_no_part_of_a_variable(tmp_path: Path) -> None:
    ended, made = collected(tmp_path, b"a\0b\n", b"c\n")
    assert ended.returncode == 1
    assert b"output of step result-0 cannot be a result: it holds a zero byte" in ended.stderr
    assert made == []


@pytest.mark.parametrize(
    ("outputs", "size"),
    [((b"x" * 900,), 0), ((b"x" * 901,), 901), ((b"x" * 500, b"y" * 401), 901), ((b'<&>"\\\n\t\n' * 34,), 28 * 34 - 2)],
    ids=["fits", "one", "together", "as JSON"],
)  # fmt: skip
def test_near_the_limit_of_its_pod_a_task_warns(
    outputs: tuple[bytes, ...], size: int, tmp_path: Path
) -> None:
    ended, made = collected(tmp_path, *outputs, room=1000)
    assert ended.returncode == 0
    assert len(made) == len(outputs)
    told = f"warning: the results of this task have {size} bytes, and a cluster takes 1000 from its pod"
    assert ended.stderr.decode().startswith(told) if size else ended.stderr == b""
    if size:
        assert size == sum(len(go_json(result.decode())) - 2 for result in made)


@pytest.mark.parametrize(
    ("task", "others", "containers"),
    [
        ({"steps": [step("run", "a")]}, (), 4),
        ({"steps": [step("run", "a", workingDir="/workspace")]}, (), 4),
        ({"steps": [step("run", "a", workingDir="/workspace/src"), step("b", "c")]}, (), 6),
        ({"steps": [step("run", "a", workingDir="src")]}, (), 5),
        ({"steps": [step("run", "a")], "inputs": ["src"]}, (), 5),
        ({"steps": [step("run", "a")], "outputs": ["app"]}, ("app_IMAGE_URL", "app_IMAGE_DIGEST"), 6),
    ],
    ids=["alone", "the default directory", "a directory", "a relative one", "cloned", "an image"],
)
def test_the_room_is_what_tekton_and_the_kubelet_leave(
    task: Object, others: tuple[str, ...], containers: int
) -> None:
    """Containers: the steps, and those that place the tools and scripts and make working directories."""
    given = {
        "src": {"type": "git", "param": {"url": "https://git.example.com/a/b"}},
        "app": {"type": "image", "param": {"url": "me/app"}},
    }
    made = task_of(spec({"t": task, "use": USE}, given), "t")["taskSpec"]
    collector = next(one for one in made["steps"] if one["name"] == "dispatch-results")
    (room,) = (int(one["value"]) for one in collector["env"] if one["name"] == "ROOM")
    message = [{"key": "StartedAt", "value": "2026-01-02T03:04:05.678Z", "type": 3}]
    message.append({"key": "run", "value": "x" * room, "type": 1})
    message += [{"key": name, "value": "y" * 80, "type": 1} for name in others]
    assert len(go_json(message)) == min(4096, 12288 // containers)


@pytest.mark.docker
@pytest.mark.parametrize("results", ["stdout-wrapper", "sh", "alpha"])
def test_outputs_of_steps_of_all_users_reach_another_task(results: str, tmp_path: Path, toolbox: str) -> None:
    def shell(name: str, text: str, user: int, **fields: Any) -> Object:
        rights = {"securityContext": {"runAsUser": user}}
        return step(name, "sh", "-c", text, image=TOOLS, **rights, **fields)

    script = {"name": "script", "image": TOOLS, "script": "id -u\nfalse || echo behind", "args": ["x"]}
    first = {
        "steps": [
            shell("root", "echo 0; echo told >&2", 0),
            shell("user", "printf 'a\\n\\nb\\n\\n'", 1000, workingDir="/tmp"),
            script,
            shell("other", "ls /workspace", 2000),
        ],
    }
    words = [f"<$(inputs.tasks.t.{name})>" for name in ("root", "user", "script", "other")]
    use = {"steps": [step("show", "printf", "%s", *words, image=TOOLS)], "inputs": ["t"]}
    one = drafted({"t": first, "use": use}, results=results, git_image=TOOLS)
    made = pipeline.spec(one)
    assert one.found == []
    cluster = MiniTekton(tmp_path / "cluster", network="none", api="alpha" if results == "alpha" else "beta")
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "r-"},
        "spec": {"pipelineSpec": made},
    }
    ended = cluster.run(run)
    assert ended["status"]["conditions"][0]["reason"] == "Succeeded"
    assert cluster.step("use", "show").stdout == b"<0><a\n\nb\n><0\nbehind><>"
    assert cluster.step("t", "root").stdout == b"0\n"
