"""Whether the engine can lay an overlay over directories of this machine: tried once, then remembered.

Trying costs half as much as a whole step, so a success is remembered in the cache folder for this start of the engine
(its socket is made anew each time) and the file system of the directory. A refusal is tried again by the next run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dispatchfile.run.archive import Archive
from dispatchfile.run.checkouts import cache_folder
from dispatchfile.run.connect import asking
from dispatchfile.run.seats import make_holder, path_exists
from dispatchfile.run.views import lay_view, overlay_options
from dispatchfile.run.workspace import volume

if TYPE_CHECKING:
    from docker import APIClient


def probe_overlay(client: APIClient, run_id: str, labels: Mapping[str, str], lower: Path) -> str:
    """Return why the engine cannot mount an overlay over a directory of this machine; "" when it can."""
    proof = _proof(client, lower)
    if proof is not None and proof.exists():
        return ""
    refusal = _try(client, run_id, labels, lower)
    if proof is not None and not refusal:
        try:
            proof.parent.mkdir(parents=True, exist_ok=True)
            proof.touch()
        except OSError:
            return ""  # what cannot be remembered is tried again
    return refusal


def _proof(client: APIClient, lower: Path) -> Path | None:
    """Return the file that stands for a success; None for an engine without a socket of its own on this machine."""
    path = getattr(client.get_adapter(client.base_url), "socket_path", None)
    try:
        made = Path(path).stat() if path else None
    except OSError:
        return None
    if made is None:
        return None
    engine = f"{path} {made.st_dev} {made.st_ino} {made.st_mtime_ns} {lower.stat().st_dev}"
    return cache_folder().parent / "overlay" / hashlib.sha256(engine.encode()).hexdigest()[:32]


def _try(client: APIClient, run_id: str, labels: Mapping[str, str], lower: Path) -> str:
    """Return why an overlay over a directory of this machine cannot be mounted, by mounting one; "" when it can."""
    import docker
    import requests

    name = f"dispatchfile-{run_id}-probe"
    entry = next((entry.name for entry in sorted(lower.iterdir())), "")
    with asking("try an overlay"):
        base = client.create_volume(name, labels=dict(labels))["Mountpoint"]
        holder = make_holder(client, None, labels, [volume(name, "/scratch")])
        seen = ""
        try:
            archive = Archive()
            lay_view(archive, 0)
            client.put_archive(holder, "/scratch", archive.bytes())
            options = overlay_options(lower, base, 0)
            client.create_volume(f"{name}-view", driver="local", driver_opts=options, labels=dict(labels))
            seen = make_holder(client, None, labels, [volume(f"{name}-view", "/view")])
            if not path_exists(client, seen, f"/view/{entry}"):
                return "it does not see this machine's directories"
        except requests.HTTPError as error:
            return str(error)[-160:]
        except docker.errors.APIError as error:
            return str(error.explanation).splitlines()[-1][-160:]
        finally:
            for container in filter(None, (seen, holder)):
                client.remove_container(container, force=True)
            for made in (f"{name}-view", name):
                client.remove_volume(made, force=True)
    return ""
