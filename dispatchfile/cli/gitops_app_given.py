"""The application that the options of `gitops app create` and `set` describe."""

from __future__ import annotations

from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.apps.app import App


def repository(given: str | None) -> str:
    """Return a repository as it is kept: a URL without user and password, or an absolute path."""
    from dispatchfile.remote import parse

    if not given:
        raise UsageError("no repository is given", help="--repo URL names it")
    remote = parse(given)
    if remote.scheme == "file":
        return str(Path(remote.path).expanduser().resolve())
    return remote.url


def described(args: argparse.Namespace, app: App) -> App:
    """Return an application with what the arguments say of it."""
    from dispatchfile.apps.export import check_path
    from dispatchfile.apps.source import check_revision

    given: dict[str, object] = {}
    for option in ("auto_sync", "prune", "self_heal", "strict", "recurse"):
        if getattr(args, option) is not None:
            given[option] = getattr(args, option) == "on"
    names = {"engine": "engine", "namespace": "namespace", "context": "context", "dest_server": "server", "argocd_namespace": "control", "project": "project"}  # fmt: skip
    for option, field in names.items():
        if getattr(args, option, None):
            given[field] = getattr(args, option)
    if args.path:
        given["path"] = check_path(args.path)
    if args.revision:
        given["revision"] = check_revision(args.revision)
    if args.values:
        given["values"] = tuple(args.values)
    if args.settings_of_helm:
        given["settings"] = tuple(args.settings_of_helm)
    if getattr(args, "allow_host_path", None):
        given["host_paths"] = tuple(map(_folder, args.allow_host_path))
    if getattr(args, "allow_privileged", False):
        given["privileged"] = True
    changed: App = replace(app, **given)
    _check_engine(changed)
    return changed


def _check_engine(app: App) -> None:
    """Raise UsageError for what does nothing with the engine."""
    if app.engine != "argocd" and app.server:
        raise UsageError(
            "--dest-server is for Argo CD", help="choose a cluster with --context, or add --engine argocd"
        )
    if app.engine == "local" and app.context:
        raise UsageError("--context names a cluster", help="add --engine kube or --engine argocd")
    if app.engine != "local" and (app.host_paths or app.privileged):
        raise UsageError(
            "--allow-host-path and --allow-privileged are for the local engine",
            help="on a cluster its own admission decides",
        )


def _folder(given: str) -> str:
    path = Path(given).expanduser().resolve()
    if not path.is_dir():
        raise UsageError(f"--allow-host-path {given}: there is no such folder")
    return str(path)
