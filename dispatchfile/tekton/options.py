"""What the user asks of the emitted objects beyond what the Dispatchfile says."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Workspace = Literal["emptydir", "pvc"]
    Results = Literal["stdout-wrapper", "sh", "alpha"]

GIT_IMAGE = "alpine/git:2.47.2"
"""Has git, ssh, a POSIX shell with its small programs, and sha256sum: all that the emitter's own steps need."""
STORAGE_IMAGE = "google/cloud-sdk:slim"
"""Has gsutil."""


class Options(Record):
    """How to emit.

    `name` is what object names begin with, `timeout` the run's in seconds (0: none; None: the cluster's default).
    `workspace` says where git inputs come from: a clone in each task, or one volume that the tasks share; `results`
    how the output of a step becomes a result. `images` maps images of steps to others, as `run --image` does.
    """

    name: str
    namespace: str = ""
    service_account: str = ""
    timeout: float | None = None
    workspace: Workspace = "emptydir"
    volume_size: str = "1Gi"
    results: Results = "stdout-wrapper"
    git_image: str = GIT_IMAGE
    storage_image: str = STORAGE_IMAGE
    gitops_image: str = ""
    images: Mapping[str, str] = {}
