"""Nothing is removed or filled that is not the application's own: a repository chooses names, the label says whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import APP
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.sweep import discard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import APIClient


def check_own(what: str, name: str, found: Mapping[str, Any], app: str) -> None:
    """Raise EnvironmentProblem for a container, network or volume of that name without the application's label."""
    labels = (found.get("Config") or found).get("Labels") or {}
    if labels.get(APP) != app:
        owner = f"the application {labels[APP]}" if labels.get(APP) else "somebody else"
        raise EnvironmentProblem(
            f"the {what} {name} belongs to {owner}, and is left alone",
            help=f"rename or remove it, or give the application {app} another name",
        )


def remove_own(client: APIClient, name: str, app: str) -> None:
    """Remove a container of the application by its name; that there is none is as good. Raises as `check_own`."""
    import docker

    try:
        found = client.inspect_container(name)
    except docker.errors.NotFound:
        return
    check_own("container", name, found, app)
    discard(client.remove_container, found["Id"], force=True, v=True)
