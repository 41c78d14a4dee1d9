"""Brings a run to a cluster: is Tekton there, and the one object that is created."""

from __future__ import annotations

import re

from dispatchfile.cluster.kinds import GROUP, PIPELINE_RUNS, VERSION
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube.client import CONFIG_MAPS
from dispatchfile.kube.problems import Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.kube.client import Cluster, Object

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

    A name that is taken, for its end is random, is tried anew; nothing else is, for it could run twice.
    """
    for left in range(TRIES, 0, -1):
        try:
            return cluster.create(PIPELINE_RUNS, run)
        except Refused as problem:
            if problem.reason != "AlreadyExists" or left == 1:
                raise
        except Unreachable as problem:
            problem.help = f"it may be there all the same: kubectl -n {cluster.namespace} get pipelineruns"
            raise
    raise AssertionError("every try returns or raises")
