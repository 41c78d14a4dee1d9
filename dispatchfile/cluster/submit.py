"""Brings a run to a cluster: is Tekton there, and the one object that is created."""

from __future__ import annotations

import re
import time

from dispatchfile.cluster.ending import kubectl
from dispatchfile.cluster.kinds import GROUP, PIPELINE_RUNS, VERSION
from dispatchfile.errors import EnvironmentProblem, Interrupted
from dispatchfile.kube.client import CONFIG_MAPS
from dispatchfile.kube.problems import Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.kube.client import Cluster, Object
    from dispatchfile.kube.kubeconfig import Target

FLOOR = (0, 50)
"""The oldest Tekton that runs what is emitted: from here on v1 is what it keeps, and beta fields are on."""
TRIES = 5


def check_tekton(cluster: Cluster) -> None:
    """Raise EnvironmentProblem when the cluster has no Tekton, or one that is too old as far as it says."""
    where = f'context "{cluster.target.context}"'
    if not cluster.serves(GROUP, VERSION):
        raise EnvironmentProblem(
            f"there is no Tekton of v0.50 or newer on the cluster ({where})",
            help="install Tekton Pipelines there, or choose another cluster with --context",
        )
    try:
        told = cluster.get(CONFIG_MAPS, "pipelines-info", namespace="tekton-pipelines")
    except Refused:
        return  # where it is told, and to whom, is the cluster's to decide
    found = re.match(r"v?(\d+)\.(\d+)", str((told.get("data") or {}).get("version", "")))
    if found and (int(found[1]), int(found[2])) < FLOOR:
        raise EnvironmentProblem(
            f"Tekton on the cluster is {found[0]} ({where}), and v0.50 or newer is needed",
            help="upgrade it there",
        )


def submit(cluster: Cluster, run: Object) -> Object:
    """Create the PipelineRun and return it as the cluster keeps it; raises what the cluster refuses.

    A name that is taken, for its end is random, is tried anew, and so is what a busy server has not looked at
    (HTTP 429); nothing else is, for it could run twice.
    """
    for left in range(TRIES, 0, -1):
        try:
            return cluster.create(PIPELINE_RUNS, run)
        except Refused as problem:
            if left == 1 or (problem.reason != "AlreadyExists" and problem.code != 429):
                if problem.code == 504:
                    problem.help = _look(cluster.target)
                raise
            if problem.code == 429:
                time.sleep(problem.retry_after or 1.0)
        except Unreachable as problem:
            problem.help = _look(cluster.target)
            raise
    raise AssertionError("every try returns or raises")


def unsure(target: Target, signal_number: int) -> Interrupted:
    """Return the error of a signal that came while a run was submitted."""
    error = Interrupted("interrupted while the run was brought to the cluster", signal_number=signal_number)
    error.help = _look(target)
    return error


def _look(target: Target) -> str:
    return f"it may be there all the same: {kubectl(target)} get pipelineruns"
