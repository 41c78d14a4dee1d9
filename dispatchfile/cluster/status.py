"""What the status of a PipelineRun, a TaskRun, one of its steps or a pod says, in our words.

Conditions and reasons: tektoncd/pipeline docs/pipelineruns.md and docs/taskruns.md, "Monitoring execution status".
"""

from __future__ import annotations

from dispatchfile.kube.problems import one_line
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.kube.client import Object

TIMED_OUT = ("PipelineRunTimeout", "TaskRunTimeout", "ReachedTimeout")
CANCELLED = (
    "Cancelled",
    "CancelledRunFinally",
    "StoppedRunFinally",
    "PipelineRunCancelled",
    "TaskRunCancelled",
)
OF_THE_CLUSTER = (
    "TaskRunImagePullFailed", "PodCreationFailed", "PodAdmissionFailed", "ExceededNodeResources",
    "ExceededResourceQuota", "CreateContainerConfigError", "TaskRunResolutionFailed", "FailedResolution",
    "CouldntGetTask", "CouldntGetPipeline", "CreateRunFailed", "CreateContainerError",
)  # fmt: skip
"""Reasons of a failed TaskRun or PipelineRun that no step and no Dispatchfile is to blame for."""
OF_THE_POD = {"Skipped": "stopped", "Cancelled": "stopped", "TimeoutExceeded": "timeout"}
"""Reasons that Tekton gives for the end of a step (v0.54 and later), and what a run calls them."""
NO_ROOM = frozenset({"PodInitializing", "ContainerCreating"})
"""Reasons to wait that pass by themselves."""


class Condition(Record):
    """The condition `Succeeded`: its status is True, False or Unknown, which is also that of nothing begun."""

    status: str
    reason: str
    message: str

    @property
    def is_over(self) -> bool:
        """Return whether the end is there."""
        return self.status in ("True", "False")


class StepState(Record):
    """A step as its TaskRun tells it: `exit_code` is None until it has ended, `seconds` what it took."""

    container: str
    running: bool
    exit_code: int | None = None
    reason: str = "exited"
    seconds: float = 0.0
    goes_on: bool = False


def succeeded(run: Object) -> Condition:
    """Return the condition of a PipelineRun or TaskRun."""
    for condition in (run.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Succeeded":
            reason, message = one_line(condition.get("reason")), one_line(condition.get("message"))
            return Condition(str(condition.get("status")), reason, message)
    return Condition("Unknown", "", "")


def steps(task_run: Object) -> dict[str, StepState]:
    """Return the steps of a TaskRun by their names on the cluster."""
    found = (task_run.get("status") or {}).get("steps") or ()
    return {str(step.get("name")): _step(step) for step in found}


def _step(step: dict[str, Any]) -> StepState:
    container = str(step.get("container") or f"step-{step.get('name')}")
    ended = step.get("terminated")
    if ended is None:
        return StepState(container, "running" in step)
    told = str(step.get("terminationReason") or "")
    reason = "out-of-memory" if ended.get("reason") == "OOMKilled" else OF_THE_POD.get(told, "exited")
    if ended.get("reason") in CANCELLED:
        reason = "stopped"
    if ended.get("reason") in TIMED_OUT:
        reason = "timeout"
    seconds = max(0.0, time_of(ended.get("finishedAt")) - time_of(ended.get("startedAt")))
    return StepState(
        container, running=False, exit_code=int(ended.get("exitCode") or 0), reason=reason, seconds=seconds,
        goes_on=told == "Continued",
    )  # fmt: skip


def took(run: Object) -> float:
    """Return the seconds from the start of a PipelineRun or TaskRun to its end, 0 when one is not known."""
    status = run.get("status") or {}
    start, end = time_of(status.get("startTime")), time_of(status.get("completionTime"))
    return max(0.0, end - start) if start and end else 0.0


def time_of(text: object) -> float:
    """Return a time of Kubernetes (RFC 3339) in seconds since the epoch; 0.0 for none."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else 0.0
    except (ValueError, OverflowError):
        return 0.0


def results(task_run: Object) -> dict[str, str]:
    """Return the results of a TaskRun that are text, by name."""
    found = (task_run.get("status") or {}).get("results") or ()
    return {str(one.get("name")): one["value"] for one in found if isinstance(one.get("value"), str)}


def trouble(pod: Object) -> str:
    """Return in a line what keeps a pod from starting; "" when nothing does, or it is only slow."""
    status = pod.get("status") or {}
    if status.get("phase") not in (None, "", "Pending"):
        return ""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _said("no node takes its pod", condition)
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") and waiting["reason"] not in NO_ROOM:
            name = one_line(container.get("name"))
            return _said(f"{name} does not start ({one_line(waiting['reason'])})", waiting)
    return ""


def _said(what: str, told: dict[str, Any]) -> str:
    message = one_line(told.get("message"))
    return f"{what}: {message}" if message else what
