"""What statuses say, in our words."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.cluster import status
from dispatchfile.cluster.status import StepState


def step(**fields: Any) -> StepState:
    made = {"name": "a", "container": "step-a", **fields}
    return status.steps({"status": {"steps": [made]}})["a"]


def ended(code: int, reason: str = "Completed", **fields: Any) -> dict[str, Any]:
    times = {"startedAt": "2026-01-31T08:00:00Z", "finishedAt": "2026-01-31T08:00:05Z"}
    return {"terminated": {"exitCode": code, "reason": reason, **times}, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, StepState("step-a", running=False)),
        ({"waiting": {"reason": "PodInitializing"}}, StepState("step-a", running=False)),
        ({"running": {}}, StepState("step-a", running=True)),
        (ended(0), StepState("step-a", running=False, exit_code=0, seconds=5.0)),
        (ended(2, "Error"), StepState("step-a", running=False, exit_code=2, seconds=5.0)),
        (ended(137, "OOMKilled"), StepState("step-a", False, 137, "out-of-memory", 5.0)),
        (ended(1, "Error", terminationReason="Skipped"), StepState("step-a", False, 1, "stopped", 5.0)),
        (ended(1, "TaskRunTimeout"), StepState("step-a", False, 1, "timeout", 5.0)),
        (ended(1, "TaskRunCancelled"), StepState("step-a", False, 1, "stopped", 5.0)),
        (
            ended(3, "Error", terminationReason="Continued"),
            StepState("step-a", False, 3, "exited", 5.0, goes_on=True),
        ),
    ],
    ids=[
        "new",
        "waiting",
        "running",
        "well",
        "badly",
        "memory",
        "skipped",
        "timeout",
        "cancelled",
        "goes on",
    ],
)
def test_steps(fields: dict[str, Any], expected: StepState) -> None:
    assert step(**fields) == expected


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, ""),
        ({"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "X"}}}]}, ""),
        ({"phase": "Pending", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "PodInitializing"}}}]}, ""),
        (
            {"phase": "Pending", "containerStatuses": [
                {"name": "step-a", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no\nsuch image"}}}]},
            "step-a does not start (ImagePullBackOff): no such image",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [
                {"name": "prepare", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]},
            "prepare does not start (CreateContainerConfigError)",
        ),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]},
            "no node takes its pod: 0/3 nodes",
        ),
    ],
    ids=["new", "runs", "begins", "image", "init", "no node"],
)  # fmt: skip
def test_trouble(pod: dict[str, Any], expected: str) -> None:
    assert status.trouble({"status": pod}) == expected


def test_what_a_cluster_says_moves_no_cursor() -> None:
    conditions = [
        {"type": "Succeeded", "status": "False", "reason": "Failed", "message": "a\x1b[2J\nb\u202e"}
    ]
    assert status.succeeded({"status": {"conditions": conditions}}).message == "a [2J b"


def test_times() -> None:
    assert status.took({"status": {"startTime": "2026-01-31T08:00:00Z"}}) == 0
    assert (
        status.took(
            {"status": {"startTime": "2026-01-31T08:00:00Z", "completionTime": "2026-01-31T09:00:01Z"}}
        )
        == 3601
    )
    assert status.time_of("no time") == 0


def test_results_that_are_no_text_are_left_out() -> None:
    found = [{"name": "a", "value": "x"}, {"name": "b", "value": ["y"]}, {"name": "c"}]
    assert status.results({"status": {"results": found}}) == {"a": "x"}
