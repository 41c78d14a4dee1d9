"""How texts of tasks are written for Tekton, and what is said of those that cannot be."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.tekton.drafts import Object, found, spec, step, step_of, told

RESOURCES = {
    "src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}},
    "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
    "given": {"type": "image", "param": {"url": "me/given", "digest": "sha256:1"}},
}
MAKE = {"outputs": ["app"], "steps": [step("Out_1", "echo")]}


def use(*words: str, **fields: Any) -> Object:
    return {
        "inputs": ["src", "app", "given", "make"],
        "outputs": ["src"],
        "steps": [step("s", *words, **fields)],
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$(context.git.url) $(context.git.commit)", "$(params.git-url) $(params.git-commit)"),
        ("$(context.git.branch)$(context.git.tag)", "$(params.git-branch)$(params.git-tag)"),
        ("$(context.chatop.command) $(context.chatop.args)", "$(params.chatop-command) $(params.chatop-args)"),
        ("$(context.build.name)", "$(params.build-name)"),
        ("$(inputs.resources.src.path) $(outputs.resources.src.path)", "/workspace/src /workspace/output/src"),
        ("$(resources.inputs.src.name) $(inputs.resources.src.type)", "src git"),
        ("$(inputs.resources.src.url)@$(inputs.resources.src.revision)", "$(params.git-url)@$(params.git-commit)"),
        ("$(inputs.resources.app.url)", "me/app:$(params.build-name)"),
        ("$(inputs.resources.app.digest)", "$(params.image-app-digest)"),
        ("$(inputs.resources.given.digest)", "sha256:1"),
        ("$(inputs.tasks.make.Out_1)", "$(params.result-make_out-1)"),
        ("$(git rev-parse $(context.git.branch)) $$ $(date) $(HOME)", "$(git rev-parse $(params.git-branch)) $$ $(date) $(HOME)"),
        ("$(params.x)", "$(DISPATCHFILE_DOLLAR)(params.x)"),
        ("$$(params.x) $$", "$(DISPATCHFILE_DOLLAR)(params.x) $$"),
        ("$(echo $(params.x)) $(b)", "$(DISPATCHFILE_DOLLAR)(echo $(DISPATCHFILE_DOLLAR)(params.x)) $(b)"),
    ],
)  # fmt: skip
def test_texts(text: str, written: str) -> None:
    made = step_of(spec({"make": MAKE, "use": use("run", text)}, RESOURCES), "use", "s")
    assert made["command"] == ["run", written]
    dollar = [{"name": "DISPATCHFILE_DOLLAR", "value": "$"}]
    assert made.get("env", []) == (dollar if "DOLLAR" in written else [])


def test_the_dollar_stands_before_the_other_variables() -> None:
    env = [{"name": "A", "value": "$(params.x)"}]
    made = step_of(spec({"make": MAKE, "use": use("run", env=env)}, RESOURCES), "use", "s")
    assert [one["name"] for one in made["env"]] == ["DISPATCHFILE_DOLLAR", "A"]


WRONG = {
    "what is no input": (use("$(inputs.resources.nope.url)"), ("DF402", "command[0]", "$(inputs.resources.nope.url)")),
    "what is no output": (use("$(outputs.resources.app.url)"), ("DF402", "command[0]", "$(outputs.resources.app.url)")),
    "what is no variable": (use("$(inputs.params.x)"), ("DF402", "command[0]", "$(inputs.params.x)")),
    "no such step": (use("$(inputs.tasks.make.nope)"), ("DF403", "command[0]", "$(inputs.tasks.make.nope)")),
    "script": (use(script="#!/bin/sh\necho $(params.x)"), ("DF803", "script", "$(params.x)")),
    "working directory": (use("a", workingDir="/w/$(workspaces.a.path)"), ("DF803", "workingDir", "$(workspaces.a.path)")),
    "mount": (use("a", volumeMounts=[{"name": "v", "mountPath": "/m/$(credentials.path)"}]), ("DF803", "volumeMounts[0].mountPath", "$(credentials.path)")),
    "security": (
        use("a", securityContext={"seLinuxOptions": {"user": "$(context.git.branch)"}}),
        ("DF802", "securityContext.seLinuxOptions.user", "$(context.git.branch)"),
    ),
    "requests": (
        use("a", resources={"requests": {"cpu": "$(context.git.tag)"}}),
        ("DF802", "resources.requests.cpu", "$(context.git.tag)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("task", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_has_its_place(task: Object, expected: tuple[str, str, str]) -> None:
    task = {**task, "volumes": [{"name": "v"}]}
    (one,) = found({"make": MAKE, "use": task}, RESOURCES)
    code, path, text = expected
    assert told(one) == (code, f"task.use.steps[0].{path}", text)
    assert text in one.message
    assert one.help


def test_a_digest_that_nobody_makes() -> None:
    (one,) = found(
        {"use": {"inputs": ["app"], "steps": [step("s", "$(inputs.resources.app.digest)")]}}, RESOURCES
    )
    assert told(one) == ("DF805", "task.use.steps[0].command[0]", "$(inputs.resources.app.digest)")
    assert one.message == "image app has no digest: no task of this run makes it, and its resource gives none"


def test_a_digest_that_the_task_itself_makes() -> None:
    task = {"outputs": ["app"], "steps": [step("s", "$(outputs.resources.app.digest)")]}
    (one,) = found({"use": task}, RESOURCES)
    assert told(one)[0] == "DF805"
    assert one.message == "image app has no digest yet: task use itself makes it"


def test_labels_and_annotations() -> None:
    task = {
        "steps": [step("s", "a")],
        "metadata": {"labels": {"a": "$(context.git.branch)"}, "annotations": {"b": "$(x)"}},
    }
    (one,) = found({"t": task})
    assert told(one) == ("DF802", "task.t.metadata.labels.a", "$(context.git.branch)")


@pytest.mark.parametrize(
    "text", ["$(" * 50_000, "$(params.x)" * 10_000, "$(echo " * 30_000 + "$(params.x)", "$$(" * 30_000 + ")"]
)
def test_long_texts_end(text: str) -> None:
    began = time.monotonic()
    assert found({"t": {"steps": [step("s", "run", text)]}}) == []
    assert time.monotonic() - began < 60, "the square of its length would be an hour"
