"""Whole emissions: every file for every event that fires something, names, findings, time."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dispatchfile.errors import EvaluationError
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.plan.graph import make
from dispatchfile.plan.plan import Plan
from dispatchfile.tekton import emit, manifest
from dispatchfile.tekton.options import Options
from tests import ci
from tests.tekton import crds, events, sources
from tests.tekton.events import PUSH
from tests.tekton.sources import large, pipeline_of

CSafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Much faster than the one in Python, and there in most installations of PyYAML."""
FORMS = {
    "default": Options("shop"),
    "pvc": Options("shop", workspace="pvc", namespace="ci", service_account="builder", timeout=7200.0),
    "sh": Options("shop", results="sh", timeout=0.0),
    "alpha": Options("shop", results="alpha"),
}


def plans(pipeline: Pipeline) -> list[Plan]:
    return [make(pipeline, event) for _action, event in events.firing(pipeline)]


KINDS = {"all": ["Pipeline", "PipelineRun"], "run": ["PipelineRun"], "pipeline": ["Pipeline"]}


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_every_event_that_fires_an_action_gives_objects_that_a_cluster_takes(path: Path) -> None:
    made = plans(sources.load(path))
    assert made, "no event fires anything"
    for plan in made:
        for kind in KINDS:
            objects = emit.emit(plan, FORMS["default"], kind).objects
            assert [one["kind"] for one in objects] == KINDS[kind]
            text = manifest.text(objects)
            assert list(yaml.load_all(text, CSafeLoader)) == list(objects)
            assert crds.validate_all(objects) == []
            assert manifest.text(emit.emit(plan, FORMS["default"], kind).objects) == text


@pytest.mark.parametrize("form", [form for form in FORMS if form != "default"])
@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_so_it_is_in_every_form(path: Path, form: str) -> None:
    for plan in plans(sources.load(path)):
        objects = emit.emit(plan, FORMS[form], "run").objects
        assert crds.validate_all(objects, alpha=form == "alpha") == []
        text = manifest.text(objects)
        assert manifest.text(emit.emit(plan, FORMS[form], "run").objects) == text


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_a_run_runs_the_tasks_of_the_plan(path: Path) -> None:
    for plan in plans(sources.load(path)):
        spec = emit.emit(plan, FORMS["default"], "run").objects[0]["spec"]["pipelineSpec"]
        assert len(spec["tasks"]) == len(plan.tasks)
        waits = [sorted(task.get("runAfter", ())) for task in spec["tasks"]]
        assert waits == [sorted(planned.waits_for) for planned in plan.tasks]


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_all_actions_have_a_pipeline_each(path: Path) -> None:
    pipeline = sources.load(path)
    objects = emit.emit_all(pipeline, FORMS["default"]).objects
    assert len(objects) == len([action for action in pipeline.actions if action.tasks])
    assert crds.validate_all(objects) == []


PRINT_ALL = """
from dispatchfile.tekton import emit, manifest
from tests.tekton import sources, test_emit
for path in sources.every():
    for form in test_emit.FORMS.values():
        for plan in test_emit.plans(sources.load(path)):
            print(manifest.text(emit.emit(plan, form).objects))
"""


def test_no_order_of_a_set_is_in_what_is_emitted() -> None:
    """Sets of texts have another order in every process, which this one alone would not show."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL], cwd=sources.ROOT, check=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1
    assert printed != {b""}


def test_the_samples_are_here() -> None:
    if not sources.SAMPLES.is_dir():
        ci.skip("no samples here")
    assert len(sources.samples()) >= 10


FILE = """
task: "a": steps: [{{name: "run", image: "toolbox:1", command: ["true"]}}]
task: "b": {{inputs: ["a"], steps: [{{name: "run", image: "toolbox:1", command: ["true"]}}]}}
task: "c-d": steps: [{{name: "run", image: "toolbox:1", command: ["true"]}}]
actions: [{}]
"""
ON_PUSH = "on: push: {}"


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        (f'{{tasks: ["b"], {ON_PUSH}}}', ["shop-push"]),
        (f'{{tasks: ["b"], name: "Nightly Build", {ON_PUSH}}}', ["shop-nightly-build"]),
        (f'{{tasks: ["b"], {ON_PUSH}}}, {{tasks: ["a"], on: tag: {{}}}}', ["shop-push", "shop-tag"]),
        (
            f'{{tasks: ["b"], {ON_PUSH}}}, {{tasks: ["a"], {ON_PUSH}}}, {{tasks: ["a"], name: "push-2", {ON_PUSH}}}',
            ["shop-push", "shop-push-3", "shop-push-2"],
        ),
        (f'{{tasks: ["b"], on: pull_request: {{}}}}, {{tasks: [], {ON_PUSH}}}', ["shop-pull-request"]),
    ],
    ids=["kind", "name", "two kinds", "three pushes", "no tasks"],
)
def test_pipelines_are_called_as_their_actions(actions: str, names: list[str]) -> None:
    made = emit.emit_all(pipeline_of(FILE.format(actions)), Options("shop"))
    assert [one["metadata"]["name"] for one in made.objects] == names
    assert list(made.files) == [f"pipeline-{name}.yaml" for name in names]


def test_two_actions_that_fire_are_one_pipeline() -> None:
    text = FILE.format(f'{{tasks: ["b"], {ON_PUSH}}}, {{tasks: ["c-d"], {ON_PUSH}}}')
    made = emit.emit(make(pipeline_of(text), PUSH), Options("shop"))
    whole, run = made.objects
    assert list(made.files) == ["pipeline-shop-push-push-2.yaml", "pipelinerun-shop-push-push-2.yaml"]
    assert {task["name"] for task in whole["spec"]["tasks"]} == {"a", "b", "c-d"}
    assert run["spec"]["pipelineRef"] == {"name": "shop-push-push-2"}


def test_tasks_by_name_are_one_pipeline() -> None:
    plan = make(pipeline_of(FILE.format("")), PUSH, ["b", "c-d"])
    made = emit.emit(plan, Options("shop"))
    assert made.objects[0]["metadata"]["name"] == "shop-b-c-d"
    assert made.objects[1]["metadata"]["annotations"]["tasks"] == "b,c-d"


def test_a_name_of_many_actions_is_cut_and_stays_its_own() -> None:
    def name(tasks: list[str]) -> str:
        plan = make(pipeline_of(large(len(tasks))), PUSH, tasks)
        made: str = emit.emit(plan, Options("shop"), "pipeline").objects[0]["metadata"]["name"]
        return made

    several = [f"task-{number}" for number in range(20)]
    assert len(name(several)) <= 63
    assert name(several) == name(several)
    assert name(several) != name([*several, "task-20"])


def test_what_cannot_be_carried_is_an_error_with_its_place() -> None:
    text = (
        'task: "a": steps: [{name: "run", image: "toolbox:1", script: "echo $(params.x)"}]\n'
        'actions: [{tasks: ["a"], on: push: {}}]\n'
    )
    with pytest.raises(EvaluationError) as caught:
        emit.emit(make(pipeline_of(text), PUSH), Options("shop"))
    assert caught.value.exit_code == 3
    assert "Dispatchfile: 1 error for a cluster" in caught.value.message
    problem = caught.value.diagnostics[0]
    assert (problem.code, problem.span and problem.span.line) == ("DF803", 1)


# Time.


def seconds(plan: Plan) -> float:
    """Return how long it takes to emit a plan as text, at the best of two times."""
    found = []
    for _ in range(2):
        gc.collect()
        began = time.process_time()
        manifest.text(emit.emit(plan, Options("shop")).objects)
        found.append(time.process_time() - began)
    return min(found)


def test_time_is_linear_in_the_number_of_tasks() -> None:
    """Four times the tasks take four times the time, not sixteen times; the bound leaves room for a busy machine."""
    took = [seconds(make(pipeline_of(large(tasks)), PUSH)) for tasks in (250, 1000)]
    assert took[1] / took[0] < 8, took
