"""Which engine brings an application about, and which keeper answers for it."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dispatchfile.apps.app import App
    from dispatchfile.apps.engine import Engine
    from dispatchfile.apps.keeper import Keeper
    from dispatchfile.notify import Occasion


class Settings(Record):
    """What this machine, and no repository, decides about engines.

    `docker_host` and `proxy_image` are "" for what is found and built in; `home` is where state is kept, None for
    $XDG_STATE_HOME/dispatchfile.
    """

    docker_host: str = ""
    proxy_image: str = ""
    home: Path | None = None


def engine_of(app: App, settings: Settings) -> Engine:
    """Return the engine of an application that this program brings about. Raises EnvironmentProblem."""
    if app.engine == "kube":
        from dispatchfile.apps.kube.engine import KubeEngine

        return KubeEngine(app.context)
    from dispatchfile.apps.local.engine import LocalEngine
    from dispatchfile.apps.store import folder_of

    folder = folder_of(app.name, settings.home) / "engine"
    return LocalEngine(folder, docker_host=settings.docker_host, proxy_image=settings.proxy_image)


def keeper_of(app: App, settings: Settings, tell: Callable[[Occasion], None] | None = None) -> Keeper:
    """Return who answers for an application: Argo CD where it is the engine, else this program.

    `tell` gets what others may want to hear of; Argo CD has notifications of its own.
    """
    if app.engine == "argocd":
        from dispatchfile.apps.argocd.keeper import ArgoKeeper

        return ArgoKeeper(app.context, app.control)
    from dispatchfile.apps.own import OwnKeeper

    return OwnKeeper(settings, tell=tell or (lambda _occasion: None))
