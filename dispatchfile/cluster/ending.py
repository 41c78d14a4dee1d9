"""What the end of a run on a cluster means here: which error it is, and what the user can still do."""

from __future__ import annotations

import shlex

from dispatchfile.cluster import status
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, Interrupted, TimedOut
from dispatchfile.kube.problems import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.cluster.status import Condition
    from dispatchfile.kube.client import Object
    from dispatchfile.kube.kubeconfig import Target
    from dispatchfile.run.outcome import Outcome


class Leaving(Interrupted):
    """The user leaves a run that goes on, or that is about to be cancelled."""

    def __init__(self, target: Target, name: str, signal_number: int, *, cancelling: bool = False) -> None:
        what = "is being cancelled" if cancelling else "goes on"
        super().__init__(f"left: {name} {what} in namespace {target.namespace}", signal_number=signal_number)
        self.help = how_to_go_on(target, name)


def how_to_go_on(target: Target, name: str) -> str:
    """Return how to follow and how to cancel a run without this program."""
    ask, patch = kubectl(target), shlex.quote('{"spec":{"status":"Cancelled"}}')
    return (
        f"follow it: {ask} get pipelinerun {name} -w; "
        f"cancel it: {ask} patch pipelinerun {name} --type merge -p {patch}"
    )


def kubectl(target: Target) -> str:
    """Return how a command of kubectl for this cluster and namespace begins."""
    from dispatchfile.kube.kubeconfig import IN_CLUSTER

    context = () if target.context == IN_CLUSTER else ("--context", target.context)
    return shlex.join(["kubectl", *context, "-n", target.namespace])


def error_of(
    run: Object, outcomes: Mapping[str, Outcome], reasons: Mapping[str, Condition], cancelled_by: int
) -> DispatchfileError | None:
    """Return the error that ended a run early, or None where its tasks tell how it ended.

    `reasons` are the conditions of the TaskRuns by task, `cancelled_by` the signal by which the user cancelled, or 0.
    """
    told = status.succeeded(run)
    if told.status == "True":
        return None
    if told.reason in status.TIMED_OUT:
        limit = ((run.get("spec") or {}).get("timeouts") or {}).get("pipeline")
        return TimedOut(
            f"the run took longer than {one_line(limit) or 'the cluster allows'}",
            help="--timeout sets the limit of a run",
        )
    if told.reason in status.CANCELLED:
        if cancelled_by:
            return Interrupted("the run was cancelled", signal_number=cancelled_by)
        return EnvironmentProblem("somebody cancelled the run on the cluster")
    for name, condition in reasons.items():
        if condition.status == "False" and condition.reason in status.OF_THE_CLUSTER:
            return EnvironmentProblem(f"{name}: {condition.reason}: {condition.message}")
    if any(outcome.status == "failed" for outcome in outcomes.values()):
        return None
    kind = EnvironmentProblem if told.reason in status.OF_THE_CLUSTER else DispatchfileError
    return kind(f"the cluster ended the run: {': '.join(filter(None, (told.reason, told.message)))}")
