from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event.event import Event
from dispatchfile.event.match import decide, decide_all
from tests.event.pipelines import TASKS, action, pipeline

PR: dict[str, Any] = {"kind": "pull_request", "source": "dev", "target": "main"}


@pytest.mark.parametrize(
    ("on", "event", "fires", "told"),
    [
        ("{push: {}}", {"kind": "push", "branch": "x"}, True, "push to a branch"),
        ("{push: {}}", {"kind": "tag", "tag": "v1"}, False, "waits for a push"),
        (
            "{git: {push: {branches: [main]}}}",
            {"kind": "push", "branch": "main"},
            True,
            '"main" matches "main"',
        ),
        ("{push: {branches: [main]}}", {"kind": "push", "branch": "dev"}, False, 'matches none of "main"'),
        (
            "{push: {branches: ['!main', '*']}}",
            {"kind": "push", "branch": "main"},
            False,
            'excluded by "!main"',
        ),
        ("{push: {branches: ['!main']}}", {"kind": "push", "branch": "f/x"}, True, "not excluded by"),
        ("{push: {paths: ['**/*.go']}}", {"kind": "push", "paths": ("a.txt", "m.go")}, True, 'path "m.go"'),
        ("{push: {paths: ['*.go']}}", {"kind": "push", "paths": ("a/m.go",)}, False, "none of the 1 changed"),
        (
            "{push: {paths: ['!Dispatchfile']}}",
            {"kind": "push", "paths": ("Dispatchfile",)},
            False,
            "none of",
        ),
        ("{push: {paths: ['*']}}", {"kind": "push", "paths": ()}, False, "no path changed"),
        ("{push: {tags: ['*']}}", {"kind": "push", "branch": "main"}, False, "no such condition"),
        ("{push: {tags: ['*']}}", {"kind": "tag", "tag": "v1"}, False, "write `on: tag: names`"),
        ("{tag: {}}", {"kind": "tag", "tag": "v1"}, True, "pushed tag"),
        ("{tag: {names: ['v*']}}", {"kind": "tag", "tag": "v1"}, True, 'tag "v1" matches "v*"'),
        ("{tag: {names: ['v*']}}", {"kind": "tag", "tag": "1"}, False, "matches none"),
        ("{pull_request: {}}", PR, True, "pull request"),
        ("{pull_request: {}}", {**PR, "chatop": ("test",)}, False, "has no chatops"),
        ("{pull_request: {chatops: [test]}}", PR, False, "not on pushes"),
        ("{pull_request: {chatops: [test]}}", {**PR, "chatop": ("test", "fast")}, True, 'says "/test"'),
        ("{pull_request: {chatops: [test]}}", {**PR, "chatop": ("tests",)}, False, "not one of"),
        ("{pull_request: {chatops: ['/test']}}", {**PR, "chatop": ("test",)}, False, "without the slash"),
        ("{pull_request: {chatops: ['t*']}}", {**PR, "chatop": ("test",)}, False, "not one of"),
        ("{pull_request: {branches: [main]}}", PR, True, 'target branch "main"'),
        ("{pull_request: {targets: [dev]}}", PR, False, "target branch"),
        ("{pull_request: {sources: ['d*']}}", PR, True, "source branch"),
        ("{pull_request: {labels: [ok, '!docs']}}", {**PR, "labels": ("ok", "x")}, True, "labels are as"),
        (
            "{pull_request: {labels: [ok, '!docs']}}",
            {**PR, "labels": ("ok", "docs")},
            False,
            '"docs" is there',
        ),
        ("{pull_request: {labels: [ok, e2e]}}", {**PR, "labels": ("ok",)}, False, '"e2e" is missing'),
        ("{pull_request: {labels: ['ok*']}}", {**PR, "labels": ("okay",)}, False, "missing"),
        ("{release: {tags: ['v*']}}", {"kind": "release", "tag": "v2"}, True, "matches"),
        ("{release: {}}", {"kind": "tag", "tag": "v2"}, False, "waits for a release"),
        ("{image: {push: {tags: ['1.*']}}}", {"kind": "image", "tag": "1.2"}, True, "matches"),
        ("{image: {push: {}}}", {"kind": "image"}, True, "pushed image"),
    ],
)
def test_decision_and_the_condition_that_decided(on: str, event: dict[str, Any], fires: bool, told: str):
    decision = decide(action(on), Event(**event))
    assert decision.fires is fires
    assert decision.reasons[-1].holds is fires
    assert told in decision.reasons[-1].message


@pytest.mark.parametrize(
    ("on", "event", "flag"),
    [
        ("{push: {branches: [main]}}", {"kind": "push"}, "--branch"),
        ("{push: {paths: ['*']}}", {"kind": "push", "branch": "main"}, "--base"),
        ("{pull_request: {paths: ['*']}}", PR, "--path"),
        ("{pull_request: {labels: [ok]}}", PR, "--label"),
        ("{pull_request: {targets: [main]}}", {"kind": "pull_request"}, "--target"),
        ("{pull_request: {sources: [main]}}", {"kind": "pull_request"}, "--source"),
        ("{image: {push: {tags: ['*']}}}", {"kind": "image"}, "--tag"),
    ],
)
def test_missing_fact_names_the_flag_and_the_place(on: str, event: dict[str, Any], flag: str):
    with pytest.raises(UsageError, match=r"Dispatchfile.yaml:6:") as caught:
        decide(action(on), Event(**event))
    assert flag in caught.value.help


def test_fact_is_asked_for_only_where_it_matters():
    found = decide(action("{push: {branches: [main], paths: ['*']}}"), Event("push", branch="dev"))
    assert [reason.field for reason in found.reasons] == ["on.push", "on.push.branches"]


def test_reason_points_at_the_pattern_that_decided():
    found = decide(action("{push: {branches: ['*', '!main']}}"), Event("push", branch="main"))
    span = found.reasons[-1].span
    assert span is not None
    assert span.text == "'!main'"


def test_bad_pattern_is_a_diagnostic_at_its_place():
    with pytest.raises(EvaluationError) as caught:
        decide(action("{push: {branches: ['a', 'x[']}}"), Event("push", branch="b"))
    (found,) = caught.value.diagnostics
    assert found.code == "DF303"
    assert found.span is not None
    assert found.span.text == "'x['"


def test_action_without_condition_never_fires():
    (only,) = pipeline(f"{TASKS}\nactions: [{{tasks: [unit]}}]").actions
    assert not decide(only, Event("push", branch="main")).fires


CRON = (
    TASKS
    + """
actions:
- {name: nightly, tasks: [unit], on: {cron: {schedule: "@daily"}}}
- {name: weekly, tasks: [unit], on: {cron: {schedule: "@weekly"}}}
- {tasks: [unit], on: {push: {}}}
"""
)


@pytest.mark.parametrize(
    ("due", "fires"),
    [
        ("nightly", [True, False, False]),
        ("@weekly", [False, True, False]),
        (None, [True, True, False]),
    ],
)
def test_cron_by_name_schedule_or_all(due: str | None, fires: list[bool]):
    decisions = decide_all(pipeline(CRON).actions, Event("cron", action=due))
    assert [decision.fires for decision in decisions] == fires


def test_unknown_cron_action_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="nigthly") as caught:
        decide_all(pipeline(CRON).actions, Event("cron", action="nigthly"))
    assert caught.value.help == 'did you mean "nightly"?'
