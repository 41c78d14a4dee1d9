"""The plan is one object: for every example, and every real Dispatchfile, both engines start the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.event.event import Event
from dispatchfile.plan.graph import make
from dispatchfile.plan.plan import Plan
from dispatchfile.record import replace
from dispatchfile.tekton import emit
from tests import ci
from tests.tekton import sources
from tests.tekton.engines import OPTIONS, made_by, on_cluster, on_docker
from tests.tekton.events import COMMIT, URL, firing


def secrets(plan: Plan) -> dict[str, dict[str, str]]:
    """Return a value for each key of each secret that a step asks for."""
    found: dict[str, dict[str, str]] = {}
    for planned in plan.tasks:
        for one in (variable.secret for step in planned.task.steps for variable in step.env):
            if one is not None:
                found.setdefault(one.name, {})[one.key] = f"$(HOME) $$ {one.key}"
    return found


def plans(path: Path) -> list[tuple[str, Plan]]:
    """Return a plan for an event of each action of a file, and one of all its tasks."""
    pipeline = sources.load(path)
    found = [(action.title, make(pipeline, event)) for action, event in firing(pipeline)]
    by_hand = Event("push", url=URL, commit=COMMIT, branch="feature/x-1", user="ada")
    return [*found, ("all tasks", make(pipeline, by_hand, tuple(pipeline.tasks)))]


@pytest.mark.parametrize(
    "options",
    [{"results": "stdout-wrapper"}, {"results": "sh"}, {"results": "alpha"}, {"workspace": "pvc"}],
    ids=lambda one: "-".join(one.values()),
)
@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_both_engines_start_the_same(path: Path, options: dict[str, str], tmp_path: Path) -> None:
    chosen = replace(OPTIONS, **options)
    compared = 0
    for title, plan in plans(path):
        made, known = made_by(plan), secrets(plan)
        docker, cluster = on_docker(plan, made, known, tmp_path), on_cluster(plan, made, known, chosen)
        assert [(one.task, one.step) for one in cluster] == [(one.task, one.step) for one in docker], title
        for here, there in zip(docker, cluster, strict=True):
            assert there == here, f"{title}: {here.task}/{here.step}"
        compared += len(docker)
    assert compared, "no plan has a step"


@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_tasks_wait_for_the_same(path: Path) -> None:
    for title, plan in plans(path):
        draft = emit.of_plan(plan, OPTIONS)
        (whole,) = emit.emit(plan, OPTIONS, "pipeline").objects
        tasks = whole["spec"]["tasks"]
        assert [task["name"] for task in tasks] == [draft.task_names[planned.name] for planned in plan.tasks]
        for task, planned in zip(tasks, plan.tasks, strict=True):
            waits = sorted({draft.task_names[name] for name in planned.waits_for})
            assert task.get("runAfter", []) == waits, f"{title}: {planned.name}"


def test_the_samples_are_there() -> None:
    if not sources.SAMPLES.is_dir():
        ci.skip("no samples beside the project")
    assert len(sources.samples()) > 10
