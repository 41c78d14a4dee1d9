"""The cluster that Argo CD lives in."""

from __future__ import annotations

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.kube import kubeconfig
from dispatchfile.kube.client import Cluster, Kind
from dispatchfile.kube.problems import Refused

GROUP, VERSION = "argoproj.io", "v1alpha1"
APPLICATIONS = Kind(GROUP, VERSION, "applications")


def installation(context: str, control: str) -> Cluster:
    """Return a connection to the cluster of a context, in the namespace `control` of Argo CD.

    Raises UsageError for a context that is not there, and EnvironmentProblem where the cluster cannot be reached or
    has no Argo CD.
    """
    cluster = Cluster(kubeconfig.find(context, control))
    try:
        served = _serves(cluster)
    except BaseException:
        cluster.close()
        raise
    if not served:
        cluster.close()
        raise EnvironmentProblem(
            f'Argo CD is not installed in this cluster (context "{cluster.target.context}")',
            help="install it, choose another with --context, or let dispatchfile apply: --engine kube",
        )
    return cluster


def _serves(cluster: Cluster) -> bool:
    """Return whether there are Applications; Argo's Workflows and Rollouts are of the same group."""
    try:
        told = cluster.document(f"/apis/{GROUP}/{VERSION}")
    except Refused as problem:
        if problem.code == 404:
            return False
        raise
    return any(
        isinstance(one, dict) and one.get("name") == APPLICATIONS.plural
        for one in told.get("resources") or ()
    )
