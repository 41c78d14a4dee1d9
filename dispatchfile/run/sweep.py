"""Remove what runs left on the engine: those whose process is gone, or all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dispatchfile.record import Record
from dispatchfile.run.connect import asking
from dispatchfile.run.labels import KEEP, RUN, is_dead

if TYPE_CHECKING:
    from docker import APIClient


IN_USE_PAUSES = (0.1, 0.4, 1.0)
"""Seconds to wait for a container that another process is removing to let go of its volume."""


class Swept(Record):
    """What was removed: how many containers, volumes and images, of which runs."""

    containers: int
    volumes: int
    images: int
    runs: tuple[str, ...]


def sweep(client: APIClient, *, kept: bool = False) -> Swept:
    """Remove the containers, volumes and images of dead runs; with `kept` also those that a run was told to keep."""

    def dead(labels: Mapping[str, str]) -> bool:
        return is_dead(labels) and (kept or KEEP not in labels)

    return remove_labelled(client, dead)


def remove_labelled(client: APIClient, which: Callable[[Mapping[str, str]], bool]) -> Swept:
    """Remove everything of this program's runs whose labels `which` accepts."""
    only = {"label": RUN}
    runs: dict[str, None] = {}
    with asking("look for what earlier runs left"):
        containers = _chosen(client.containers(all=True, filters=only), which, runs)
        volumes = _chosen(client.volumes(filters=only).get("Volumes") or [], which, runs)
        images = _chosen(client.images(filters=only), which, runs)
        for item in containers:
            discard(client.remove_container, item["Id"], force=True, v=True)
        for item in volumes:
            discard(client.remove_volume, item["Name"], force=True)
        for item in images:
            discard(client.remove_image, item["Id"], force=True)
    return Swept(len(containers), len(volumes), len(images), tuple(runs))


def discard(remove: Callable[..., object], name: str, **options: bool) -> None:
    """Remove something; that it is gone already, or is being removed by another process, is as good."""
    import docker

    for pause in (*IN_USE_PAUSES, None):
        try:
            remove(name, **options)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            said = str(error.explanation) if error.status_code == 409 else ""
            if "in progress" in said:
                return
            if pause is None or "in use" not in said:
                raise
            time.sleep(pause)
        else:
            return


def _chosen(
    items: list[dict[str, Any]], which: Callable[[Mapping[str, str]], bool], runs: dict[str, None]
) -> list[dict[str, Any]]:
    chosen = [item for item in items if which(item.get("Labels") or {})]
    runs.update((item["Labels"][RUN], None) for item in chosen)
    return chosen
