"""Values that others choose do no harm in what the emitter writes itself: no script holds one, and none runs one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from dispatchfile.event.event import Event
from dispatchfile.plan.plan import Plan
from dispatchfile.tekton import _scripts, emit
from dispatchfile.tekton.draft import OWN
from dispatchfile.tekton.manifest import document
from tests.run.make import plan, task
from tests.tekton.engines import OPTIONS, Made, on_cluster, pods
from tests.tekton.substitution import Container, triggers

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HARM = {
    "double quotes": 'x";touch pwned;"',
    "single quotes": "x';touch pwned;'",
    "backticks": "x`touch pwned`",
    "substitution": "x$(touch pwned)",
    "in quotes": "\"'$(touch pwned)`touch pwned`'\"",
    "separators": "x; touch pwned & touch pwned | touch pwned && touch pwned || touch pwned",
    "lines": "x\ntouch pwned\n",
    "a here-document": "x\nDISPATCHFILE_END\nEOF\ntouch pwned\n",
    "an option": "--upload-pack=touch pwned",
    "a helper of git": "ext::sh -c touch% pwned",
    "another end of the arguments": "-- ; touch pwned",
    "globs": "* ~ {a,b} [a-z] ?",
    "backslashes": '\\";touch pwned;\\" \\\\ \\n',
    "YAML": "x\n  - name: pwned\n: {a: b} # &a *a !!python/object",
    "JSON": '", "pwned": "\\u0022',
    "percent": "%s%n%x $'\\n'",
}


def victim(value: str, url: str = "https://git.test/me/app") -> Plan:
    """Return a plan with every kind of step that the emitter adds, for an event that has this value wherever it can."""
    resources = {
        "src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.branch)"}},
        "tag": {"type": "git", "param": {"url": "https://git.test/x", "revision": "$(context.git.tag)"}},
        "made": {"type": "git", "param": {"url": "https://git.test/y"}},
        "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
        "old": {"type": "storage", "param": {"type": "gcs", "location": "gs://b/$(context.build.name)", "dir": "y"}},
        "new": {"type": "storage", "param": {"type": "gcs", "location": "gs://b/$(context.chatop.args)"}},
    }  # fmt: skip
    tasks = {
        "one": task({"name": "out", "command": ["echo"]}, inputs=["src", "tag", "old"], outputs=["made", "app", "new"]),
        "two": task(
            {"name": "use", "args": ["$(inputs.tasks.one.out)", "$(inputs.resources.app.digest)"]},
            inputs=["made", "app", "one"],
        ),
    }  # fmt: skip
    at = Event("tag", url, COMMIT, branch=value, tag=value, build=value, chatop=("go", value), user=value)
    return plan(tasks, resources, at)


def own(made: Plan, result: str = "v1") -> list[Container]:
    left = Made({"app": "sha256:" + "a" * 64}, {("one", "out"): result})
    return [one for _, containers in pods(made, left, {}) for one in containers if one.name.startswith(OWN)]


SCRIPTS = {text: name for name, text in vars(_scripts).items() if name.isupper()}


URLS = {name: f"https://git.test/me/{value}" for name, value in HARM.items() if "\n" not in value}


@pytest.mark.parametrize(("value", "url"), [
    *(pytest.param(value, "https://git.test/me/app", id=name) for name, value in HARM.items()),
    *(pytest.param("main", url, id=f"URL, {name}") for name, url in URLS.items()),
])  # fmt: skip
def test_no_value_stands_in_a_script(value: str, url: str) -> None:
    containers = own(victim(value, url))
    kinds = {SCRIPTS[one.script] for one in containers}
    assert kinds >= {"CLONE", "PREPARE", "COPY", "FETCH", "STORE", "DIGESTS", "RESULTS"}
    clone = next(one for one in containers if one.name == f"{OWN}clone-src")
    assert (clone.env["CLONE_URL"], clone.env["CLONE_REVISION"]) == (url, value)
    for one in containers:
        assert value not in one.name + one.image + one.working_dir
        assert all(value not in "".join(map(str, mount)) for mount in one.mounts)


@pytest.mark.parametrize("value", HARM.values(), ids=HARM)
def test_no_step_runs_a_value(value: str, tmp_path: Path) -> None:
    """Each script runs with what its container gets, beside programs that only note down how they were called."""
    told = tmp_path / "calls"
    for name in ("git", "gsutil", "gcloud"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f"#!/bin/sh\nfor word; do printf '%s\\0' \"$word\" >>'{told}'; done\ncat >/dev/null\n"
        )
        program.chmod(0o755)
    for index, one in enumerate(own(victim(value), value)):
        _run(one, tmp_path, index)
    assert not list(tmp_path.rglob("*pwned*"))
    words = told.read_text(encoding="utf-8").split("\0") if told.exists() else []
    assert "pwned" not in words, "a value came as a word of its own"


def _run(one: Container, folder: Path, index: int) -> None:
    """Run the script of a container with its directories below a folder."""

    def moved(text: str) -> str:
        return re.sub("/(?=(workspace|tekton|dispatchfile)/)", f"{folder}/root/", text)

    for name in ("home", "results"):
        (folder / "root" / "tekton" / name).mkdir(parents=True, exist_ok=True)
    for path in ("workspace/output/app", "workspace/output/new", "dispatchfile/made"):
        (folder / "root" / path).mkdir(parents=True, exist_ok=True)
    (folder / "root" / "tekton" / "results" / ".dispatch-out.stdout").write_text("out\n")
    (folder / "root" / "workspace" / "output" / "new" / "file").write_text("new")
    script = folder / f"script{index}"
    script.write_text(one.script, encoding="utf-8")
    env = {name: moved(text) for name, text in one.env.items()}
    subprocess.run(
        ["sh", str(script), *map(moved, one.words)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
        env={**env, "PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": f"{folder}/root/tekton/home"},
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("value", HARM.values(), ids=HARM)
def test_the_objects_hold_a_value_in_one_place(value: str) -> None:
    made = victim(value)
    objects = emit.emit(made, OPTIONS).objects
    pipeline, run = (yaml.safe_load(document(one)) for one in objects)
    assert (pipeline, run) == objects
    assert value not in document(pipeline)
    params = {param["name"]: param["value"] for param in run["spec"].pop("params")}
    assert value in params.values()
    left = document(run)
    for name in re.findall(r"[^\s\"]*pwned[^\s\"]*", left):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name), (
            "in names and labels, without what means anything"
        )
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*-", run["metadata"]["generateName"])
    assert len(run["metadata"]["generateName"]) <= 58
    for label in run["metadata"]["labels"].values():
        assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", label)


@pytest.mark.parametrize("value", HARM.values(), ids=HARM)
def test_a_value_reaches_the_step_that_asks_for_it_whole(value: str) -> None:
    one = task(
        {
            "name": "s",
            "command": ["run", "<$(context.git.branch)>"],
            "env": [{"name": "B", "value": "$(context.git.branch)"}],
        }
    )
    made = plan(
        {"t": one}, {}, Event("push", url="https://git.test/a/b", commit=COMMIT, branch=value, user="ada")
    )
    (step,) = on_cluster(made, Made(), {})
    assert step.words == ("run", f"<{value}>")
    assert step.env["B"] == value


@pytest.mark.parametrize("value", HARM.values(), ids=HARM)
def test_triggers_hand_it_on_whole(value: str) -> None:
    made = victim("main")
    (run,) = emit.emit(made, OPTIONS, "run").objects
    template = {**run, "spec": {**run["spec"], "params": [
        {**param, "value": f"$(tt.params.{param['name']})"} for param in run["spec"]["params"]]}}  # fmt: skip
    values = dict.fromkeys((param["name"] for param in run["spec"]["params"]), value)
    filled = triggers(template, values)
    assert {param["value"] for param in filled["spec"]["params"]} == {value}
    assert filled["spec"]["pipelineSpec"] == run["spec"]["pipelineSpec"]
