"""Which options of `run` are for which engine: one that does nothing there is an error, and not passed over."""

from __future__ import annotations

from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

OF_DOCKER = {
    "jobs": "the cluster decides how many tasks run at once",
    "fail_fast": "on a cluster nothing new is started after a failure, and what runs goes on",
    "shell_on_failure": "to look around on a cluster: kubectl debug",
    "publish": "a run on a cluster publishes what its service account may",
    "revision": "a cluster always runs a commit: --commit REV",
    "untracked": "a cluster fetches a commit, and nothing from this machine",
    "env": "a cluster's steps have the variables that the Dispatchfile gives them",
    "env_file": "a cluster's steps have the variables that the Dispatchfile gives them",
    "secret": "secrets of steps are on the cluster: kubectl create secret generic NAME --from-literal KEY=VALUE",
    "secret_file": "secrets of steps are on the cluster: kubectl create secret generic NAME --from-file KEY=FILE",
    "pull": "the cluster pulls images as imagePullPolicy of the steps says",
    "offline": "a cluster asks registries and remotes by itself",
    "kaniko": "on a cluster kaniko's own image builds",
    "platform": "the cluster's nodes decide",
    "network": "on a cluster every task has a pod of its own",
    "docker_host": "to choose a cluster: --context NAME",
    "artifacts": "on a cluster storage resources are in buckets, or on the run's volume",
    "keep": "the cluster keeps pods as long as their PipelineRun is there",
}
"""Options that only the Docker engine takes, and what to do on a cluster instead."""
OF_TEKTON = (
    "context", "namespace", "service_account", "workspace", "volume_size", "results", "git_image", "storage_image",
    "gitops_image",
)  # fmt: skip
"""Options that only a cluster takes."""


def check(args: argparse.Namespace) -> None:
    """Settle on an engine; raises UsageError for an option that is given and does nothing there."""
    args.engine = args.engine or "docker"
    if args.engine == "tekton":
        for name, instead in OF_DOCKER.items():
            if _is_given(args, name):
                raise UsageError(f"{_option(name)} does not go with --engine tekton", help=instead)
        return
    for name in OF_TEKTON:
        if _is_given(args, name):
            raise UsageError(f"{_option(name)} is for runs on a cluster", help="add --engine tekton")


def is_of_other_engine(name: str, engine: str) -> bool:
    """Return whether an option is not one of this engine's."""
    return name in OF_DOCKER if engine == "tekton" else name in OF_TEKTON


def _is_given(args: argparse.Namespace, name: str) -> bool:
    """Return whether the command line gives an option; what a setting says is for whichever engine takes it."""
    value = getattr(args, name)
    setting = getattr(args, "settings", {}).get(name.replace("_", "-"))
    return value not in (None, False) and (setting is None or setting.value != value)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
