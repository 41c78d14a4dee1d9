"""PipelineRuns: names, labels, values, limits of time, the shared volume."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.errors import UsageError
from dispatchfile.event.event import Event
from dispatchfile.plan.graph import make
from dispatchfile.record import replace
from dispatchfile.tekton import emit, names, runs
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.parts import duration
from tests.tekton import admission, crds, events
from tests.tekton.events import PUSH
from tests.tekton.sources import pipeline_of

COMMIT = events.COMMIT


@pytest.mark.parametrize(
    ("url", "owner", "name"),
    [
        ("https://git.example.com/acme/shop.git", "acme", "shop"),
        ("https://user@git.example.com:8443/acme/shop", "acme", "shop"),
        ("git@git.example.com:acme/shop.git", "acme", "shop"),
        ("ssh://git@git.example.com/acme/shop.git", "acme", "shop"),
        ("https://git.example.com/group/sub/shop.git", "group/sub", "shop"),
        ("/srv/git/shop.git", "", "shop"),
        ("file:///srv/git/shop.git", "", "shop"),
        ("", "", ""),
    ],
)
def test_owner_and_name(url: str, owner: str, name: str) -> None:
    assert runs.owner_and_name(url) == (owner, name)


def test_a_url_that_git_must_not_be_given_is_an_error() -> None:
    with pytest.raises(UsageError, match="not allowed"):
        runs.owner_and_name("ext::sh -c id")


@pytest.mark.parametrize(
    ("words", "commit", "prefix"),
    [
        (("acme", "shop", "main"), COMMIT, "acme-shop-main-4bf92f3-"),
        (("acme", "shop", "feature/Cart_2"), COMMIT, "acme-shop-feature-cart-2-4bf92f3-"),
        (("group/sub", "shop", "pr-17"), COMMIT, "group-sub-shop-pr-17-4bf92f3-"),
        (("", "shop", "v1.2.3"), COMMIT, "shop-v1-2-3-4bf92f3-"),
        (("acme", "shop", "main"), "", "acme-shop-main-"),
        (("", "", "Ünïcode"), COMMIT, "n-code-4bf92f3-"),
        (("", "", "日本"), COMMIT, "4bf92f3-"),
        (("a" * 40, "shop", "main"), COMMIT, f"{'a' * 40}-shop-mai-4bf92f3-"),
        (("a" * 48, "shop", "main"), COMMIT, f"{'a' * 48}-4bf92f3-"),
        (("", "", ""), "", ""),
    ],
    ids=["plain", "branch", "group", "tag", "no commit", "accents", "no letters", "cut", "cut at a dash", "nothing"],
)  # fmt: skip
def test_what_runs_are_called(words: tuple[str, ...], commit: str, prefix: str) -> None:
    assert runs.generate_name(words, commit) == prefix
    assert len(prefix) <= 58


@given(st.lists(st.text(max_size=60), min_size=3, max_size=3), st.sampled_from(("", COMMIT)))
def test_every_run_has_a_name(words: list[str], commit: str) -> None:
    prefix = runs.generate_name(words, commit)
    assert prefix == "" or re.fullmatch(admission.LABEL, f"{prefix}x1y2z")
    assert len(prefix) <= 58


@given(st.text(max_size=100))
def test_every_label_is_one(text: str) -> None:
    value = names.label_value(text)
    assert re.fullmatch(admission.LABEL_VALUE, value)
    assert len(value) <= 63


TASKS = """
resource: "src": {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}
task: "a": {inputs: ["src"], steps: [{name: "run", image: "toolbox:1", args: ["$(context.git.branch)"]}]}
task: "b": {deps: ["a"], steps: [{name: "run", image: "toolbox:1"}], timeout: "30m"}
actions: [{tasks: ["b"], on: push: {}}]
"""


def run_of(text: str, options: Options | None = None, event: Event = PUSH) -> dict[str, Any]:
    made = emit.emit(make(pipeline_of(text), event), options or Options("shop"))
    assert crds.validate_all(made.objects) == []
    return made.objects[1]


def test_a_run_is_named_and_labelled_as_dispatch_did() -> None:
    event = replace(PUSH, branch="feature/Cart")
    metadata = run_of(TASKS, event=event)["metadata"]
    assert metadata == {
        "generateName": "acme-shop-feature-cart-4bf92f3-",
        "labels": {"build": "feature-Cart", "commit": COMMIT, "owner": "acme", "repository": "shop"},
        "annotations": {"tasks": "b"},
    }


def test_a_run_gives_the_values_that_its_pipeline_takes() -> None:
    assert run_of(TASKS)["spec"]["params"] == [
        {"name": "git-url", "value": events.URL},
        {"name": "git-commit", "value": COMMIT},
        {"name": "git-branch", "value": "main"},
    ]


def test_values_reach_a_run_as_they_are() -> None:
    nasty = 'x";touch /pwned;"$(reboot)\n\té'
    spec = run_of(TASKS, event=replace(PUSH, branch=nasty))["spec"]
    assert {"name": "git-branch", "value": nasty} in spec["params"]


@pytest.mark.parametrize(
    "name",
    ["$(tasks.a.results.digest)", "$(context.pipelineRun.name)", "$(params.git-url)", '$(params["x"])', "$(workspaces.dispatch.path)"],
)  # fmt: skip
def test_a_value_that_tekton_takes_for_a_variable_is_an_error(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_of(TASKS, event=replace(PUSH, branch=f"x/{name}"))
    assert caught.value.message == (
        f'the value of git-branch holds "{name}", which Tekton takes for a variable of its own'
    )


@pytest.mark.parametrize(
    "name", ["$(date)", "$$", "$(tt.params.x)", "$(context.git.branch)", "$(params)", "$params.x"]
)
def test_what_tekton_leaves_alone_is_a_value(name: str) -> None:
    params = run_of(TASKS, event=replace(PUSH, branch=f"x/{name}"))["spec"]["params"]
    assert {"name": "git-branch", "value": f"x/{name}"} in params


def test_what_the_options_say() -> None:
    options = Options("shop", namespace="ci", service_account="builder", timeout=5400.0)
    run = run_of(TASKS, options)
    assert run["metadata"]["namespace"] == "ci"
    assert run["spec"]["taskRunTemplate"] == {"serviceAccountName": "builder"}
    assert run["spec"]["timeouts"] == {"pipeline": "1h30m"}


def with_timeouts(*timeouts: str | None) -> str:
    """Return a chain of tasks that may take so long each."""
    lines = []
    for number, timeout in enumerate(timeouts):
        given = f', timeout: "{timeout}"' if timeout else ""
        deps = f', deps: ["t{number - 1}"]' if number else ""
        lines.append(f'task: "t{number}": {{steps: [{{name: "run", image: "toolbox:1"}}]{given}{deps}}}')
    return "\n".join([*lines, f'actions: [{{tasks: ["t{len(timeouts) - 1}"], on: push: {{}}}}]'])


@pytest.mark.parametrize(
    ("timeouts", "asked", "limit"),
    [
        ((None,), None, None),
        (("30m", "1h"), None, None),
        (("2h",), None, "2h"),
        (("90m", "10m"), None, "1h40m"),
        (("90m", None), None, "2h30m"),
        (("0", "10m"), None, None),
        (("2h",), 600.0, "10m"),
        ((None,), 0.0, "0"),
        ((None,), 90.5, "1m30s500ms"),
    ],
    ids=["none", "short", "long", "chain", "an hour for the other", "none of its own", "asked", "asked for none", "parts"],
)  # fmt: skip
def test_a_run_lasts_as_long_as_its_tasks_may(
    timeouts: tuple[str | None, ...], asked: float | None, limit: str | None
) -> None:
    spec = run_of(with_timeouts(*timeouts), Options("shop", timeout=asked))["spec"]
    assert spec.get("timeouts", {}).get("pipeline") == limit


def test_beside_each_other_tasks_take_no_longer_than_the_slowest() -> None:
    text = with_timeouts("2h") + '\ntask: "u": {steps: [{name: "run", image: "toolbox:1"}], timeout: "3h"}'
    text = text.replace('tasks: ["t0"]', 'tasks: ["t0", "u"]')
    assert run_of(text)["spec"]["timeouts"] == {"pipeline": "3h"}


@pytest.mark.parametrize(
    ("asked", "own"), [(None, None), (1800.0, None), (3600.0, None), (7200.0, "2h"), (0.0, "0")]
)
def test_a_task_without_a_limit_has_that_of_a_long_run(asked: float | None, own: str | None) -> None:
    """Tekton would end it after an hour, also in a run that may take longer."""
    plan = make(pipeline_of(with_timeouts(None, "5m")), PUSH)
    tasks = emit.emit(plan, Options("shop", timeout=asked)).objects[0]["spec"]["tasks"]
    assert [task.get("timeout") for task in tasks] == [own, "5m"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (1, "1s"), (60, "1m"), (3661, "1h1m1s"), (86400, "24h"), (0.25, "250ms"), (3600.5, "1h500ms")],
)
def test_durations(seconds: float, text: str) -> None:
    from dispatchfile.model.quantities import duration as read

    assert duration(seconds) == text
    assert read(text) == pytest.approx(seconds)


def test_a_volume_is_claimed_for_the_run_and_given_back() -> None:
    run = run_of(TASKS, Options("shop", workspace="pvc", volume_size="5Gi"))
    assert run["metadata"]["annotations"]["tekton.dev/auto-cleanup-pvc"] == "true"
    assert run["spec"]["workspaces"] == [
        {
            "name": "dispatch",
            "volumeClaimTemplate": {
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
            },
        }
    ]
    assert "workspaces" not in run_of(TASKS)["spec"]


def test_a_run_alone_carries_its_pipeline() -> None:
    plan = make(pipeline_of(TASKS), PUSH)
    whole = emit.emit(plan, Options("shop"), "pipeline").objects[0]
    run = emit.emit(plan, Options("shop"), "run").objects[0]
    assert run["spec"]["pipelineSpec"] == whole["spec"]
    assert "pipelineRef" not in run["spec"]
