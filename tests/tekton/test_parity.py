"""The plan is one object: for every example, and every real Dispatchfile, both engines start the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dispatchfile.event.event import Event
from dispatchfile.plan.graph import make
from dispatchfile.plan.plan import Plan
from dispatchfile.record import replace
from dispatchfile.tekton import emit
from tests import ci
from tests.run import make as by_hand
from tests.tekton import sources, substitution
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
    asked = Event("push", url=URL, commit=COMMIT, branch="feature/x-1", user="ada")
    return [*found, ("all tasks", make(pipeline, asked, tuple(pipeline.tasks)))]


@pytest.mark.parametrize(
    "options",
    [{"results": "stdout-wrapper"}, {"results": "sh"}, {"results": "alpha"}, {"workspace": "pvc"}],
    ids=lambda one: "-".join(one.values()),
)
@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_both_engines_start_the_same(path: Path, options: dict[str, str], tmp_path: Path) -> None:
    chosen = replace(OPTIONS, **options)
    compared = 0
    for title, whole in plans(path):
        made, known = made_by(whole), secrets(whole)
        docker, cluster = on_docker(whole, made, known, tmp_path), on_cluster(whole, made, known, chosen)
        assert [(one.task, one.step) for one in cluster] == [(one.task, one.step) for one in docker], title
        for here, there in zip(docker, cluster, strict=True):
            assert there == here, f"{title}: {here.task}/{here.step}"
        compared += len(docker)
    assert compared, "no plan has a step"


def test_images_that_stand_in_for_others_and_rights(tmp_path: Path) -> None:
    rights = {"privileged": True, "runAsUser": 7, "runAsGroup": 8}
    steps = [
        {"name": "a", "image": "x/golang:1.13", "securityContext": rights},
        {"name": "b", "image": "golang:$(context.git.branch)", "securityContext": {"runAsGroup": 5}},
        {
            "name": "c",
            "image": "registry.test:5000/x/update-gitops-repo:v1",
            "securityContext": {"runAsUser": 0},
        },
        {"name": "d", "image": "tool@sha256:1", "args": ["a"]},
    ]
    one, images = by_hand.plan({"t": by_hand.task(*steps)}), {"golang": "mine:2", "tool": "other"}
    docker = on_docker(one, made_by(one), {}, tmp_path, images)
    cluster = on_cluster(one, made_by(one), {}, replace(OPTIONS, images=images))
    assert cluster == docker
    assert [step.image for step in docker] == ["mine:2", "mine:2", "dispatchfile/update-gitops-repo", "other"]
    assert [(step.user, step.privileged) for step in cluster] == [
        ("7:8", True),
        ("0:5", False),
        ("0", False),
        ("", False),
    ]


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


@pytest.mark.parametrize("workspace", ["emptydir", "pvc"])
@pytest.mark.parametrize("path", sources.every(), ids=sources.name)
def test_every_variable_stands_where_tekton_replaces_it(path: Path, workspace: str) -> None:
    for title, whole in plans(path):
        (pipeline,) = emit.emit(whole, replace(OPTIONS, workspace=workspace), "pipeline").objects
        for task in pipeline["spec"]["tasks"]:
            names = {
                variable: ""
                for variable in re.findall(r"\$\(([\w.\[\]'\"-]+)\)", json.dumps(task))
                if "." in variable
            }
            substitution.replace(task, substitution.TASK_FIELDS, names)
            substitution.replace(task["taskSpec"], substitution.FIELDS, names)
            assert not re.findall(r"\$\([\w-]+\.[^)]*\)", json.dumps(task)), title


def test_the_samples_are_there() -> None:
    if not sources.SAMPLES.is_dir():
        ci.skip("no samples beside the project")
    assert len(sources.samples()) > 10
