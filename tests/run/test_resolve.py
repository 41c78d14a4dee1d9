"""From the texts of tasks and resources to what the backend gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import DispatchfileError
from dispatchfile.event.event import Event
from dispatchfile.model.pipeline import Limits
from dispatchfile.record import replace
from dispatchfile.run.backend import (
    Commit,
    GitInput,
    ImageInput,
    Mount,
    Output,
    Produced,
    Remote,
    StorageInput,
    VolumeSpec,
    WorkingTree,
)  # fmt: skip
from dispatchfile.run.expand import expand_env
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.places import Ground, Known, Places
from dispatchfile.run.resolve import Resolver, Supplies
from dispatchfile.run.standin import stand_in
from dispatchfile.run.unhonoured import unhonoured
from tests.run.make import COMMIT, EVENT, plan, task
from tests.run.on_engine import git, repository

OTHER = "f" * 40
URL = "https://git.test/me/app"


def resolver(
    tmp_path: Path, tasks: dict[str, Any], resources: dict[str, Any], *, event: Event = EVENT,
    supplies: dict[str, Any] | None = None, **ground: Any,
) -> Resolver:  # fmt: skip
    made = plan(tasks, resources, event)
    where = {
        "repository": tmp_path,
        "head": COMMIT,
        "folder": tmp_path / "run",
        "storage": tmp_path / "storage",
    }
    found = Ground(**{**where, "commit_of": {"v1": OTHER, OTHER: OTHER}.get, **ground})
    return Resolver(made, Places(made, found), Supplies(**(supplies or {})))


def git_input(tmp_path: Path, param: dict[str, str], known: Known | None = None, **more: Any) -> GitInput:
    made = resolver(tmp_path, {"t": task(inputs=["src"])}, {"src": {"type": "git", "param": param}}, **more)
    found = made.task_spec(made.plan.tasks[0].task, known or Known()).inputs[0]
    assert isinstance(found, GitInput)
    return found


@pytest.mark.parametrize(
    ("param", "more", "origin"),
    [
        pytest.param({"url": "$(context.git.url)", "revision": "$(context.git.commit)"}, {}, WorkingTree(Path(), COMMIT), id="own"),
        pytest.param({"url": URL + ".git/"}, {"untracked": True}, WorkingTree(Path(), COMMIT, untracked=True), id="own by its URL"),
        pytest.param({"url": "$(context.git.url)"}, {"revision": OTHER}, Commit(Path(), OTHER), id="--revision"),
        pytest.param({"url": "$(context.git.url)", "revision": "v1"}, {}, Commit(Path(), OTHER), id="own, another revision"),
        pytest.param(
            {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}, {"event": replace(EVENT, commit=OTHER)},
            Commit(Path(), OTHER), id="an event about another commit than HEAD",
        ),
        pytest.param({"url": "https://git.test/x", "revision": "v2"}, {}, Remote("v2"), id="another repository"),
        pytest.param({"url": "https://git.test/x"}, {}, Remote(""), id="its default branch"),
        pytest.param(
            {"url": "https://git.test/x", "depth": "0", "submodules": "False"}, {}, Remote("", 0, submodules=False), id="depth, submodules",
        ),
    ],
)  # fmt: skip
def test_git_inputs(tmp_path: Path, param: dict[str, str], more: dict[str, Any], origin: Any) -> None:
    found = git_input(tmp_path, param, **more)
    if not isinstance(origin, Remote):
        origin = replace(origin, path=tmp_path)
    assert found.origin == origin


def test_a_relative_url_is_relative_to_the_repository(tmp_path: Path) -> None:
    assert git_input(tmp_path / "app", {"url": "../gitops"}).url == str(tmp_path / "gitops")


def test_a_revision_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DispatchfileError, match="resource src: this repository has no revision nope"):
        git_input(tmp_path, {"url": "$(context.git.url)", "revision": "nope"})


def test_a_git_output_is_an_input_of_another_task(tmp_path: Path) -> None:
    known = Known.of([Outcome("make", "succeeded", outputs={"src": tmp_path / "made"})])
    assert git_input(tmp_path, {"url": "x"}, known).origin == Produced(tmp_path / "made")


def test_storage_is_one_directory_for_each_repository_and_location(tmp_path: Path) -> None:
    resources = {name: {"type": "storage", "param": {"type": "gcs", "location": place}} for name, place in
                 {"a": "s3://b/../x", "b": "s3://b/../x", "c": "s3://other"}.items()}  # fmt: skip
    made = resolver(tmp_path, {"t": task(inputs=["a", "b", "c"], outputs=["a"])}, resources)
    inputs = made.task_spec(made.plan.tasks[0].task, Known()).inputs
    paths = [one.path for one in inputs if isinstance(one, StorageInput)]
    assert paths[0] == paths[1] != paths[2]
    assert all(path.is_dir() and path.resolve().is_relative_to(tmp_path / "storage") for path in paths)
    resource = made.plan.pipeline.resources["a"]
    for content in ("first", "second"):
        saved = tmp_path / content
        saved.mkdir()
        (saved / "file").write_text(content)
        (saved / "link").symlink_to("file")
        assert made.places.publish_output(resource, saved) == saved
    assert sorted(path.name for path in paths[0].iterdir()) == ["file", "link"]
    assert (paths[0] / "file").read_text() == "second"
    assert (paths[0] / "link").is_symlink()
    assert (tmp_path / "first/link").read_text() == "first"  # a run goes on with what it made itself
    assert len([path for path in paths[0].parent.iterdir() if path.is_dir()]) == 2


@pytest.mark.parametrize(
    ("digest", "known", "expected"),
    [
        ("$(inputs.resources.app.digest)", {}, ""),
        ("$(inputs.resources.app.digest)", {"app": "sha256:1"}, "sha256:1"),
        ("sha256:9", {}, "sha256:9"),
        ("sha256:9", {"app": "sha256:1"}, "sha256:1"),
    ],
)
def test_image_inputs(tmp_path: Path, digest: str, known: dict[str, str], expected: str) -> None:
    resources = {"app": {"type": "image", "param": {"url": "me/app:$(context.build.name)", "digest": digest}}}
    made = resolver(tmp_path, {"t": task(inputs=["app"])}, resources)
    spec = made.task_spec(made.plan.tasks[0].task, Known.of([Outcome("b", "succeeded", digests=known)]))
    assert spec.inputs == (ImageInput("app", "me/app:main", expected),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(inputs.resources.src.path)", "/workspace/src"),
        ("$(resources.inputs.src.path)", "/workspace/src"),
        ("$(resources.outputs.app.path)", "/workspace/output/app"),
        ("$(outputs.resources.app.url)", "me/app:main"),
        ("$(inputs.resources.src.revision)", COMMIT),
        ("$(inputs.resources.src.name) $(inputs.resources.src.type)", "src git"),
        ("$(context.git.tag)|$(context.chatop.args)", "|"),
        ("$(git rev-parse $(context.git.commit)) $(date) $(HOME) ${X} $$(Y)", f"$(git rev-parse {COMMIT}) $(date) $(HOME) ${{X}} $$(Y)"),
    ],
)  # fmt: skip
def test_variables_of_steps(tmp_path: Path, text: str, expected: str) -> None:
    resources = {
        "src": {"type": "git", "param": {"url": URL, "revision": "$(context.git.commit)"}},
        "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
    }
    step = {"name": "s", "args": [text], "env": [{"name": "A", "value": text}], "workingDir": f"/w/{text}"}
    made = resolver(tmp_path, {"t": task(step, inputs=["src"], outputs=["app"])}, resources)
    spec = made.step_specs(made.plan.tasks[0].task, Known())[0]
    assert spec.args == (expected,)
    assert spec.env == {"A": expected}
    assert spec.working_dir == f"/w/{expected}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$(inputs.resources.nope.path)", "nope is not among its inputs"),
        ("$(outputs.resources.src.path)", "src is not among its outputs"),
        ("$(inputs.tasks.other.step)", "the output of other/step cannot be a variable"),
        ("$(inputs.resources.app.digest)", "image app has no digest: no task of this run makes it"),
    ],
)
def test_variables_without_a_value(tmp_path: Path, text: str, message: str) -> None:
    resources = {
        "src": {"type": "git", "param": {"url": URL}},
        "app": {"type": "image", "param": {"url": "a"}},
    }
    made = resolver(tmp_path, {"t": task({"name": "s", "args": [text]}, inputs=["src", "app"])}, resources)
    with pytest.raises(DispatchfileError, match=message):
        made.step_specs(made.plan.tasks[0].task, Known())


def test_the_fields_of_a_step(tmp_path: Path) -> None:
    step = {
        "name": "s", "image": "me/update-gitops-repo:v1.0", "command": ["a"], "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
        "resources": {"limits": {"memory": "1Gi", "cpu": "500m"}}, "securityContext": {"privileged": True, "runAsUser": 7, "runAsGroup": 8},
        "env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "c", "key": "k"}}}, {"name": "O", "value": "file"},
                {"name": "U", "valueFrom": {"secretKeyRef": {"name": "c", "key": "no", "optional": True}}}],
    }  # fmt: skip
    supplies = {"env": {"O": "mine"}, "secrets": {"c": {"k": "secret"}}}
    made = resolver(tmp_path, {"t": task(step)}, {}, supplies=supplies)
    spec = made.step_specs(made.plan.tasks[0].task, Known())[0]
    assert spec.image == "dispatchfile/update-gitops-repo"
    assert spec.env == {"T": "secret", "O": "mine"}
    assert (spec.mounts, spec.limits, spec.privileged) == (
        (Mount("v", "/v", "", read_only=True),),
        Limits(1 << 30, 0.5),
        True,
    )
    assert (spec.user, spec.working_dir, spec.args) == ("7:8", "/workspace", None)
    assert "secret" not in repr(spec)


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("echo hi", ("/bin/sh", "-xe", "/tekton/scripts/s")),
        ("#!/usr/bin/env python3\nprint()", ("/usr/bin/env", "python3", "/tekton/scripts/s")),
        ("#! /usr/bin/env -S a 'b \n", ("/usr/bin/env", "-S a 'b", "/tekton/scripts/s")),
    ],
)
def test_scripts(tmp_path: Path, script: str, command: tuple[str, ...]) -> None:
    made = resolver(tmp_path, {"t": task({"name": "s", "script": script})}, {})
    one = made.plan.tasks[0].task
    assert made.step_specs(one, Known())[0].command == command
    assert made.task_spec(one, Known()).volumes == (
        VolumeSpec("dispatchfile-scripts", "files", files={"s": script.encode()}),
    )


def test_the_value_of_a_secret_reaches_the_step_as_it_is(tmp_path: Path) -> None:
    """The kubelet expands what stands in `value`, never what it takes from a secret."""
    secret = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "c", "key": "k"}}}
    step = {"name": "s", "env": [secret, {"name": "COPY", "value": "<$(T)>"}]}
    made = resolver(tmp_path, {"t": task(step)}, {}, supplies={"secrets": {"c": {"k": "a$$b$(HOME)"}}})
    spec = made.step_specs(made.plan.tasks[0].task, Known())[0]
    assert expand_env({"HOME": "/h", **spec.env}) == {
        "HOME": "/h",
        "T": "a$$b$(HOME)",
        "COPY": "<a$$b$(HOME)>",
    }


def test_volumes(tmp_path: Path) -> None:
    volumes = [
        {"name": "e", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/x"}}, {"name": "s", "secret": {"secretName": "c"}},
        {"name": "i", "secret": {"secretName": "c", "items": [{"key": "k", "path": "dir/f"}]}},
    ]  # fmt: skip
    made = resolver(tmp_path, {"t": task(volumes=volumes, outputs=["o"])}, {"o": {"type": "git", "param": {"url": "u"}}},
                    supplies={"secrets": {"c": {"k": "v", "l": "w"}}})  # fmt: skip
    spec = made.task_spec(made.plan.tasks[0].task, Known())
    assert [(v.kind, v.host_path, dict(v.files)) for v in spec.volumes] == [
        ("empty", "", {}), ("host", "/x", {}), ("files", "", {"k": b"v", "l": b"w"}), ("files", "", {"dir/f": b"v"}),
    ]  # fmt: skip
    assert spec.outputs == (Output("o", "git", "u"),)


def test_volumes_of_a_cluster_are_refused(tmp_path: Path) -> None:
    made = resolver(tmp_path, {"t": task(volumes=[{"name": "c", "configMap": {"name": "x"}}])}, {})
    with pytest.raises(DispatchfileError, match="volume c is a configMap of a cluster"):
        made.task_spec(made.plan.tasks[0].task, Known())


@pytest.mark.parametrize(
    ("ref", "overrides", "expected"),
    [
        ("mesosphere/update-gitops-repo:v1.0", {}, "dispatchfile/update-gitops-repo"),
        ("update-gitops-repo", {}, "dispatchfile/update-gitops-repo"),
        ("registry.test:5000/x/update-gitops-repo@sha256:1", {}, "dispatchfile/update-gitops-repo"),
        ("me/update-gitops-repo", {"update-gitops-repo": "mine"}, "mine"),
        ("golang:1.13", {"golang": "golang:1.22"}, "golang:1.22"),
        ("golang:1.13", {"golang:1.12": "x"}, "golang:1.13"),
        ("golang", {}, "golang"),
    ],
)
def test_stand_ins(ref: str, overrides: dict[str, str], expected: str) -> None:
    assert stand_in(ref, overrides) == expected


def test_fields_that_are_not_honoured() -> None:
    step = {
        "name": "s",
        "livenessProbe": {"exec": {}},
        "tty": False,
        "ports": [],
        "env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "1"}},
    }
    resources = {
        "src": {"type": "git", "param": {"url": "u", "sslVerify": "false"}}, "unused": {"type": "git", "param": {"url": "u", "refspec": "r"}},
    }  # fmt: skip
    found = unhonoured(plan({"t": task(step, inputs=["src"])}, resources))
    assert [one.path for one in found] == [
        "task.t.steps[0].livenessProbe", "task.t.steps[0].env[0].valueFrom.fieldRef", "resource.src.param.sslVerify",
    ]  # fmt: skip


def test_the_update_task_is_told_the_date_of_the_source_commit(tmp_path: Path) -> None:
    """Without it an older commit's update that ends late could not be told from a newer one's."""
    repository(tmp_path, {"f": "x"})
    commit = git(tmp_path, "rev-parse", "HEAD")
    steps = [{"image": "test.registry/any/update-gitops-repo:v1.0"}, {"image": "alpine"}]
    made = resolver(tmp_path, {"t": task(*steps)}, {}, event=replace(EVENT, commit=commit))
    update, other = made.step_specs(made.plan.tasks[0].task, Known())
    assert update.env == {"DISPATCHFILE_SOURCE_DATE": git(tmp_path, "show", "-s", "--format=%ct", "HEAD")}
    assert other.env == {}
    elsewhere = resolver(tmp_path, {"t": task(*steps)}, {}, event=replace(EVENT, commit=OTHER))
    assert elsewhere.step_specs(elsewhere.plan.tasks[0].task, Known())[0].env == {}
