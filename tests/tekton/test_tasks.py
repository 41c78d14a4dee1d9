"""Tasks of a Pipeline: order, parameters, metadata, and the step template."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.front import interpret, read
from dispatchfile.source import Source
from dispatchfile.tekton import pipeline
from tests.tekton.drafts import drafted, found, spec, step, task_of, told

APP = {"app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}}}
BUILD = {"steps": [step("kaniko", image="kaniko")], "outputs": ["app"]}


def test_tasks_stand_in_the_order_of_the_plan() -> None:
    made = spec(
        {"z": {"steps": [step()], "deps": ["m"]}, "m": {"steps": [step()], "deps": ["a"]}, "a": [step()]}
    )
    assert [(one["name"], one.get("runAfter")) for one in made["tasks"]] == [
        ("a", None),
        ("m", ["a"]),
        ("z", ["m"]),
    ]


def test_waits_are_sorted_and_stand_once_redundant_ones_too() -> None:
    tasks = {
        "z": BUILD,
        "b": [step("run", "date")],
        "last": {
            "steps": [step("x", "$(inputs.tasks.b.run)")],
            "inputs": ["app", "b"],
            "deps": ["z", "b", "middle"],
        },
        "middle": {"steps": [step()], "deps": ["z"]},
    }
    assert task_of(spec(tasks, APP), "last")["runAfter"] == ["b", "middle", "z"]


def test_keys_stand_as_in_the_documentation() -> None:
    one = {**BUILD, "timeout": "10m", "deps": ["first"], "metadata": {"labels": {"team": "a"}}}
    build = task_of(spec({"first": [step()], "build": one}, APP), "build")
    assert list(build) == ["name", "runAfter", "timeout", "params", "taskSpec"]
    assert list(build["taskSpec"]) == ["metadata", "params", "results", "stepTemplate", "steps", "volumes"]


def test_parameters_are_declared_in_order_each_once() -> None:
    one = step(
        "run", "$(context.build.name)", "$(context.git.url)", "$(context.build.name)", "$(context.git.tag)"
    )
    made = task_of(spec({"t": [one]}), "t")
    assert made["params"] == [
        {"name": name, "value": f"$(params.{name})"} for name in ("git-url", "git-tag", "build-name")
    ]
    assert made["taskSpec"]["params"] == [
        {"name": name, "type": "string"} for name in ("git-url", "git-tag", "build-name")
    ]


def test_a_task_has_no_parameter_that_it_does_not_use() -> None:
    made = spec({"a": [step("x", "$(context.git.tag)")], "b": [step()]})
    assert "params" not in task_of(made, "b")
    assert "params" not in task_of(made, "b")["taskSpec"]


def test_text_that_only_looks_like_a_parameter_is_none() -> None:
    made = task_of(spec({"t": [step("x", "$(params.git-tag)")]}), "t")
    assert "params" not in made


def test_a_digest_comes_from_the_task_that_makes_the_image() -> None:
    use = {
        "steps": [step("x", "$(inputs.resources.app.url)@$(inputs.resources.app.digest)")],
        "inputs": ["app"],
    }
    made = task_of(spec({"build": BUILD, "use": use}, APP), "use")
    assert made["taskSpec"]["steps"][0]["command"] == [
        "me/app:$(params.build-name)@$(params.image-app-digest)"
    ]
    assert made["params"] == [
        {"name": "build-name", "value": "$(params.build-name)"},
        {"name": "image-app-digest", "value": "$(tasks.build.results.app_IMAGE_DIGEST)"},
    ]


def test_steps_start_where_dispatch_started_them() -> None:
    template = task_of(spec({"t": [step()]}), "t")["taskSpec"]["stepTemplate"]
    assert template["workingDir"] == "/workspace"
    assert {"name": "HOME", "value": "/tekton/home"} in template["env"]


def test_a_volume_of_the_user_s_at_an_older_home_is_the_user_s() -> None:
    mount = {"name": "docker", "mountPath": "/root/.docker"}
    mounting = step("run", "cat", "/root/.docker/config.json", volumeMounts=[mount])
    made = task_of(spec({"t": {"steps": [mounting], "volumes": [{"name": "docker"}]}}), "t")["taskSpec"]
    assert "volumeMounts" not in made["stepTemplate"]
    assert made["volumes"] == [{"name": "docker", "emptyDir": {}}]
    alias = task_of(spec({"t": [step("run", "cat", "/root/.docker/config.json")]}), "t")["taskSpec"]
    assert [one["mountPath"] for one in alias["stepTemplate"]["volumeMounts"]] == [
        "/tekton/home",
        "/root/.docker",
    ]


# Times.


@pytest.mark.parametrize(
    ("given", "made"),
    [("90s", "1m30s"), ("1h30m", "1h30m"), ("26h", "26h"), ("1.5s", "1s500ms"), ("0.2ms", "1ms")],
)
def test_timeouts_are_durations_as_go_reads_them(given: str, made: str) -> None:
    assert task_of(spec({"t": {"steps": [step()], "timeout": given}}), "t")["timeout"] == made


def test_a_task_without_a_timeout_has_none() -> None:
    assert "timeout" not in task_of(spec({"t": [step()]}), "t")


def test_a_time_that_go_does_not_read_has_a_place_in_the_file() -> None:
    text = 'task: t: {steps: [{name: "s", image: "i"}], timeout: "1d"}\n'
    _pipeline, diagnostics = interpret(read(Source("Dispatchfile", text)))
    (error,) = [one for one in diagnostics if one.severity is Severity.ERROR]
    assert error.span is not None
    assert (error.path, error.span.text) == ("task.t.timeout", '"1d"')
    assert "24h" in error.help


# Metadata.


def metadata(given: dict[str, Any]) -> Any:
    return task_of(spec({"t": {"steps": [step()], "metadata": given}}), "t")["taskSpec"].get("metadata")


def test_labels_and_annotations_reach_the_pods() -> None:
    given = {"labels": {"team": "a", "example.test/x": "1"}, "annotations": {"note": "any text: x"}}
    assert metadata(given) == given


def test_names_that_were_changed_stand_beside_the_user_s_annotations() -> None:
    made = spec({"T": {"steps": [step("A_b"), step("c")], "metadata": {"annotations": {"note": "x"}}}})
    assert made["tasks"][0]["taskSpec"]["metadata"] == {
        "annotations": {"note": "x", "dispatchfile/task": "T", "dispatchfile/steps": '{"a-b": "A_b"}'}
    }


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_keys_that_tekton_writes_itself_are_dropped(field: str) -> None:
    given = {field: {"tekton.dev/task": "x", "chains.tekton.dev/y": "z"}}
    tasks = {"t": {"steps": [step()], "metadata": given}}
    (warning,) = found(tasks)
    assert told(warning) == ("DF801", f"task.t.metadata.{field}.tekton.dev/task", '"tekton.dev/task"')
    assert warning.severity is Severity.WARNING
    made = pipeline.spec(drafted(tasks))["tasks"][0]["taskSpec"]["metadata"]
    assert made == {field: {"chains.tekton.dev/y": "z"}}


@pytest.mark.parametrize(
    ("field", "key", "content"),
    [
        ("labels", "team", "a b"),
        ("labels", "team", "x" * 64),
        ("labels", "team", "-x"),
        ("labels", "te am", "x"),
        ("annotations", "x" * 64, "x"),
        ("annotations", "UPPER/x", "x"),
        ("annotations", "a/b/c", "x"),
        ("labels", "/x", "x"),
    ],
)
def test_labels_that_no_cluster_takes_are_dropped(field: str, key: str, content: str) -> None:
    given = {field: {key: content, "ok": ""}}
    tasks = {"t": {"steps": [step()], "metadata": given}}
    (warning,) = found(tasks)
    assert told(warning) == ("DF801", f"task.t.metadata.{field}.{key}", f'"{key}"')
    made = pipeline.spec(drafted(tasks))["tasks"][0]["taskSpec"]["metadata"]
    assert made == {field: {"ok": ""}}


def test_an_annotation_may_hold_anything() -> None:
    given = {"annotations": {"note": "any text: ü " * 40, "sub.domain.test/Under_score.x": "line\nline"}}
    assert metadata(given) == given


def test_variables_in_labels() -> None:
    (error,) = found({"t": {"steps": [step()], "metadata": {"labels": {"b": "x-$(context.git.branch)"}}}})
    assert told(error) == ("DF802", "task.t.metadata.labels.b", "$(context.git.branch)")
    assert error.severity is Severity.ERROR


@pytest.mark.parametrize("place", ["/workspace/src", "/workspace/src/"])
def test_a_mount_where_the_run_s_volume_is_mounted(place: str) -> None:
    """Tekton: "workspace mount path must be unique"; cloned into the task itself, the input is no workspace."""
    mounting = step("run", "a", volumeMounts=[{"name": "v", "mountPath": place}])
    task = {"inputs": ["src"], "volumes": [{"name": "v", "emptyDir": {}}], "steps": [mounting]}
    git = {"src": {"type": "git", "param": {"url": "https://git.example.com/a/b"}}}
    (error,) = found({"t": task}, git, workspace="pvc")
    assert told(error) == ("DF803", "task.t.steps[0].volumeMounts[0].mountPath", f'"{place}"')
    spec({"t": task}, git)
