"""The Pipeline object as a whole."""

from __future__ import annotations

from dispatchfile.model.variables import CONTEXT
from dispatchfile.tekton import pipeline
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from tests.tekton.drafts import drafted, found, spec, step, task_of

IMAGES = {
    "app": {"type": "image", "param": {"url": "me/app:$(context.build.name)"}},
    "Side.Car": {"type": "image", "param": {"url": "me/sidecar"}},
}
TASKS = {
    "build": {"steps": [step("kaniko", image="kaniko")], "outputs": ["app", "Side.Car"]},
    "use": {"steps": [step("x", "$(inputs.resources.app.digest)")], "inputs": ["app"]},
}


def test_the_object() -> None:
    made = pipeline.pipeline(drafted({"t": [step()]}, namespace="ci"))
    assert {name: item for name, item in made.items() if name != "spec"} == {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {
            "name": "app",
            "namespace": "ci",
            "labels": {"app.kubernetes.io/managed-by": "dispatchfile"},
        },
    }
    assert list(made) == ["apiVersion", "kind", "metadata", "spec"]


def test_without_a_namespace_it_is_the_applier_s() -> None:
    assert "namespace" not in pipeline.pipeline(drafted({"t": [step()]}))["metadata"]


def test_only_what_an_event_may_lack_has_a_default() -> None:
    words = [f"$({name})" for name in CONTEXT]
    made = spec({"t": [step("run", *words)]})
    assert made["params"] == [
        {
            "name": name,
            "type": "string",
            "description": CONTEXT[variable],
            **({} if name in ("git-url", "git-commit", "build-name") else {"default": ""}),
        }
        for variable, name in CONTEXT_PARAMS.items()
    ]
    assert [one["name"] for one in made["params"] if "default" in one] == [
        "git-branch", "git-tag", "chatop-command", "chatop-args",
    ]  # fmt: skip


def test_parameters_that_only_a_resource_uses() -> None:
    git = {
        "src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}}
    }
    one = drafted({"t": {"steps": [step()], "inputs": ["src"]}}, git)
    assert pipeline.params_used(one) == ("git-url", "git-commit")
    assert one.found == []


def test_a_pipeline_without_variables_has_no_parameters() -> None:
    assert "params" not in spec({"t": [step()]})
    assert pipeline.params_used(drafted({"t": [step()]})) == ()


def test_asking_for_parameters_tells_nothing_twice() -> None:
    one = drafted({"t": [step("run", "true", tty=True)]})
    pipeline.params_used(one)
    assert one.found == []
    pipeline.spec(one)
    assert len(one.found) == 1


def test_url_and_digest_of_each_image_are_results() -> None:
    made = spec(TASKS, IMAGES)
    assert [(one["name"], one["value"]) for one in made["results"]] == [
        (f"{name}_IMAGE_{what}", f"$(tasks.build.results.{name}_IMAGE_{what})")
        for name in ("app", "side-car")
        for what in ("URL", "DIGEST")
    ]
    declared = {one["name"] for one in task_of(made, "build")["taskSpec"]["results"]}
    assert declared == {one["name"] for one in made["results"]}


def test_outputs_of_steps_are_no_results_of_the_pipeline() -> None:
    use = {"steps": [step("x", "$(inputs.tasks.t.run)")], "inputs": ["t"]}
    assert "results" not in spec({"t": [step("run", "a")], "use": use})


def test_the_same_input_gives_the_same_object() -> None:
    assert str(pipeline.pipeline(drafted(TASKS, IMAGES))) == str(pipeline.pipeline(drafted(TASKS, IMAGES)))


def test_all_that_is_wrong_is_found_at_once() -> None:
    label = {"labels": {"a": "$(context.git.tag)"}}
    wrong = {
        "a": {"steps": [step("run", tty=True)], "metadata": label},
        "b": {"steps": [step("x", "$(inputs.tasks.a.run)")], "inputs": ["a"]},
    }
    assert sorted(one.code for one in found(wrong)) == ["DF801", "DF802", "DF804"]
