from __future__ import annotations

import time

import pytest

from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event.event import Event
from dispatchfile.plan.graph import make
from dispatchfile.plan.plan import Need, Plan
from tests.event.pipelines import pipeline

STEPS = "steps: [{name: run, image: 'tool:1'}]"

SHOP = f"""
resource:
  src: {{type: git, param: {{url: x, revision: main}}}}
  app: {{type: image, param: {{url: me/app}}}}
  cache: {{type: storage, param: {{type: gcs, location: "s3://c"}}}}
task:
  deploy: {{inputs: [app, lint], {STEPS}}}
  unit: {{inputs: [src], {STEPS}}}
  lint: {{inputs: [src, cache], outputs: [cache], {STEPS}}}
  build: {{inputs: [src], outputs: [app], deps: [unit], {STEPS}}}
  docs: {{inputs: [src], {STEPS}}}
actions:
- {{tasks: [deploy], on: {{push: {{branches: [main]}}}}}}
- {{tasks: [docs, unit], on: {{push: {{branches: ["*"]}}}}}}
- {{tasks: [lint], on: {{tag: {{}}}}}}
"""


def names(plan: Plan) -> list[str]:
    return [task.name for task in plan.tasks]


def test_plan_is_the_union_of_fired_actions_and_all_they_need():
    plan = make(pipeline(SHOP), Event("push", branch="main", commit="c", url="u"))
    assert [decision.fires for decision in plan.decisions] == [True, True, False]
    assert names(plan) == ["unit", "lint", "build", "deploy", "docs"]
    assert {task.name for task in plan.tasks if task.asked} == {"deploy", "docs", "unit"}
    assert plan.context["context.git.commit"] == "c"


def test_needs_say_why():
    plan = make(pipeline(SHOP), Event("push"), ["deploy"])
    needs = {task.name: task.needs for task in plan.tasks}
    assert needs["deploy"] == (Need("build", "resource", "app"), Need("lint", "input", "lint"))
    assert needs["build"] == (Need("unit", "deps"),)


def test_named_tasks_run_whatever_the_actions_say():
    plan = make(pipeline(SHOP), Event("push"), ["build"])
    assert names(plan) == ["unit", "build"]
    assert plan.decisions == ()


def test_storage_that_a_task_takes_and_makes_is_no_wait():
    (task,) = make(pipeline(SHOP), Event("push"), ["lint"]).tasks
    assert task.needs == ()


def test_nothing_fires():
    assert make(pipeline(SHOP), Event("release", tag="v1")).tasks == ()


def test_unknown_task_is_told_with_the_nearest():
    with pytest.raises(UsageError, match='no task "biuld"') as caught:
        make(pipeline(SHOP), Event("push"), ["biuld"])
    assert caught.value.help == 'did you mean "build"?'


@pytest.mark.parametrize(
    ("tasks", "ring"),
    [
        ("a: {deps: [c], STEPS}\n  b: {deps: [a], STEPS}\n  c: {deps: [b], STEPS}", "a -> c -> b -> a"),
        ("z: {STEPS}\n  a: {inputs: [a], STEPS}", "a -> a"),
        (
            "x: {inputs: [app], outputs: [img], STEPS}\n  y: {inputs: [img], outputs: [app], STEPS}",
            "x -> y -> x",
        ),
    ],
)
def test_cycle_is_shown_from_its_first_task(tasks: str, ring: str):
    text = (
        "resource:\n  app: {type: image, param: {url: a}}\n  img: {type: image, param: {url: b}}\ntask:\n  "
    )
    broken = pipeline(text + tasks.replace("STEPS", STEPS) + "\n")
    with pytest.raises(EvaluationError) as caught:
        make(broken, Event("push"), [next(iter(broken.tasks))])
    found = next(d for d in caught.value.diagnostics if d.code == "DF204")
    assert ring in found.message
    assert found.span is not None


def test_long_chain_is_planned_in_linear_time():
    tasks = "".join(f"  t{i}: {{deps: [{f't{i + 1}' if i < 1999 else ''}], {STEPS}}}\n" for i in range(2000))
    chain = pipeline(f"task:\n{tasks}")
    start = time.process_time()
    plan = make(chain, Event("push"), ["t0"])
    assert time.process_time() - start < 20
    assert names(plan)[:2] == ["t1999", "t1998"]
