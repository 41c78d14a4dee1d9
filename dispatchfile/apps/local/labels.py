"""Labels that say whose a container, network or volume is; all of the engine's memory that is not in its objects.

Names on the engine are NAMESPACE, pod and container with "_" between them, after the application's; none of these holds
a "_" itself, so that two never meet.
"""

from __future__ import annotations

import re

from dispatchfile.apps.manifest import Key
from dispatchfile.errors import UsageError

APP = "dispatchfile.app"
OBJECT = "dispatchfile.object"
"""KIND/NAMESPACE/NAME of the manifest that it was made for."""
ROLE = "dispatchfile.role"
POD = "dispatchfile.pod"
CONTAINER = "dispatchfile.container"
HASH = "dispatchfile.hash"
"""Of all that a pod was made of; another one wanted means another pod."""
PARTS = "dispatchfile.parts"
"""How many containers the pod has when it is whole, those included that have ended."""
POD_LABELS = "dispatchfile.pod-labels"
PORTS = "dispatchfile.ports"
GIVEN = "dispatchfile.given"
"""Of the pod's spec, as JSON: how it is asked whether it is ready, and how it ends; another may be wanted by now."""
JOB = "dispatchfile.job"
"""Of a pod that a CronJob or a Job runs: the name of the Job."""

# Values of ROLE.
MAIN, INIT, PAUSE, PROXY, FILLER = "main", "init", "pause", "proxy", "filler"

# Kinds that this engine brings about, and their groups.
GROUPS = {
    "ConfigMap": "",
    "PersistentVolumeClaim": "",
    "Pod": "",
    "Secret": "",
    "Service": "",
    "DaemonSet": "apps",
    "Deployment": "apps",
    "ReplicaSet": "apps",
    "StatefulSet": "apps",
    "CronJob": "batch",
    "Job": "batch",
    "Ingress": "networking.k8s.io",
}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def object_of(key: Key) -> str:
    """Return the value of the label OBJECT."""
    return f"{key.kind}/{key.namespace}/{key.name}"


def key_of_object(text: str) -> Key | None:
    """Return what the label OBJECT says; None for what this program did not write."""
    parts = text.split("/")
    if len(parts) != 3 or parts[0] not in GROUPS:
        return None
    return Key(GROUPS[parts[0]], *parts)


def engine_name(app: str, *parts: str) -> str:
    """Return a name for the engine. Raises UsageError for parts that no object of Kubernetes can be called."""
    for part in parts:
        if _NAME.fullmatch(part) is None:
            raise UsageError(
                f'"{part}" cannot be the name of an object: small letters, digits, dashes and dots are'
            )
    return "_".join((app, *parts))


def network_name(app: str) -> str:
    """Return the name of the network that all containers of an application are on."""
    return f"dispatchfile_{app}"
