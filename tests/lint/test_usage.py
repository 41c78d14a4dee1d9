"""Which events can run a task."""

from __future__ import annotations

import pytest

from dispatchfile.lint import engine
from dispatchfile.lint.usage import events, sharers
from dispatchfile.source import Source

ONE = {
    "push": ("git: push: {}", {"push", "any branch"}),
    "branches in full": ('push: branches: ["main", "!x*"]', {"push"}),
    "branches by a pattern": ('push: branches: ["main", "release/*"]', {"push", "any branch"}),
    "all branches but one": ('push: branches: ["!main"]', {"push", "any branch"}),
    "tags of a push": ('push: {tags: ["*"], branches: ["a"]}', {"push", "tag"}),
    "tag": ("tag: {}", {"tag"}),
    "pull request": ("pull_request: {}", {"pull_request"}),
    "comment": ('pull_request: chatops: ["a"]', {"pull_request", "chatop"}),
    "cron": ('cron: schedule: "@daily"', {"cron"}),
    "two at once": ("{push: {}, tag: {}}", {"unknown"}),
}


@pytest.mark.parametrize(("on", "words"), ONE.values(), ids=ONE)
def test_events_of_an_action(on: str, words: set[str]) -> None:
    text = f'task: t: {{}}\nactions: [{{tasks: ["t"], on: {on}}}]'
    assert events(engine.subject(Source("Dispatchfile.cue", text))) == {"t": words}


def test_events_reach_what_a_task_needs() -> None:
    text = """
resource: r: type: "image"
task: {a: {}, b: {inputs: ["a"], outputs: ["r"]}, c: {inputs: ["r"]}, d: {deps: ["c"]}, e: {inputs: ["e"]}}
actions: [{tasks: ["d", "nobody"], on: tag: {}}, {tasks: ["b"], on: release: {}}]
"""
    found = events(engine.subject(Source("Dispatchfile.cue", text)))
    assert found == {"a": {"tag", "release"}, "b": {"tag", "release"}, "c": {"tag"}, "d": {"tag"}, "e": set()}


def test_sharers_are_the_tasks_with_a_field_in_one_place() -> None:
    text = '_in: ["a"]\ntask: {a: {}, b: inputs: _in, c: inputs: _in, d: inputs: ["a"]}'
    source = Source("Dispatchfile.cue", text)
    found = sharers(engine.subject(source), "inputs")
    assert {text[span.start : span.end]: names for span, names in found.items() if len(names) > 1} == {
        '["a"]': ["b", "c"]
    }
