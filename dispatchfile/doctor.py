"""What works on this machine: one function a question, each returns its findings and never raises for what it asks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from dispatchfile import __version__
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record

if TYPE_CHECKING:
    from docker import APIClient

    from dispatchfile.config import Setting

Status = Literal["ok", "warn", "fail"]

OLDEST_GIT = (2, 24)
"""The first version that knows `--end-of-options`, without which hostile names cannot be kept from being options."""
LITTLE_SPACE = 2 << 30
NO_SPACE = 200 << 20
"""Bytes free on a disk: below the first builds may fail, below the second they will."""
REGISTRY_SECONDS = 4.0


class Check(Record):
    """One finding: what was looked at, how it is, and for anything but "ok" what to do about it."""

    name: str
    status: Status
    message: str
    help: str = ""


def examine(settings: Mapping[str, Setting], images: Iterable[str], host: str = "") -> list[Check]:
    """Return all findings; `images` are those that the steps of the Dispatchfile name, `host` the engine to ask."""
    from dispatchfile.run.connect import connect, find_endpoint
    from dispatchfile.run.history import state_home

    checks = [Check("program", "ok", f"dispatchfile {__version__}"), git_program()]
    try:
        endpoint = find_endpoint(host)
        client = connect(host)
    except EnvironmentProblem as problem:
        checks.append(Check("engine", "fail", problem.message, problem.help))
    else:
        with client:
            about = client.info()
            checks.append(engine(about, client.version(), f"{endpoint.host}, found by {endpoint.found}"))
            checks += [views(client), default_registry(about), *step_images(client, images)]
        checks += disk("engine's data", Path(str(about.get("DockerRootDir", ""))))
    checks += [*credentials(), cluster()]
    checks += disk("run folders", state_home())
    checks += [configuration(settings)]
    return checks


def engine(about: Mapping[str, Any], version: Mapping[str, Any], where: str) -> Check:
    """Return which engine answered."""
    named = str((version.get("Platform") or {}).get("Name") or "")
    name = "Podman" if "podman" in json.dumps(version.get("Components") or "").lower() else "Docker"
    text = f"{name} {version.get('Version')} at {where}; storage {about.get('Driver')}, {about.get('NCPU')} processors"
    if about.get("OSType") != "linux":
        return Check(
            "engine", "fail", text, "steps are Linux containers; switch the engine to Linux containers"
        )
    if about.get("Driver") == "vfs":
        return Check("engine", "warn", text, "the storage driver vfs copies whole images; use overlay2")
    return Check("engine", "ok", text + (f" ({named})" if "Desktop" in named else ""))


def git_program() -> Check:
    """Return the version of git."""
    try:
        said = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Check("git", "fail", "git is not on PATH or does not run", "install git")
    found = re.search(r"(\d+)\.(\d+)\S*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        wanted = ".".join(str(part) for part in OLDEST_GIT)
        return Check("git", "fail", f"{said.strip()} is too old", f"install git {wanted} or newer")
    return Check("git", "ok", said.strip())


def views(client: APIClient) -> Check:
    """Return whether tasks can see a directory of this machine through an overlay, by laying one as a run does."""
    from dispatchfile.run.connect import last_line
    from dispatchfile.run.labels import RUN, labels_of_run
    from dispatchfile.run.sweep import remove_labelled

    name = f"doctor-{uuid.uuid4().hex}"
    try:
        _look_through_overlay(client, labels_of_run(name))
    except Exception as error:  # noqa: BLE001 whatever the engine and its library refuse with is the answer
        text = f"the engine cannot lay an overlay over files of this machine ({last_line(error)})"
        advice = (
            "runs work, but copy each working tree; faster: an engine on this machine, not in a virtual one"
        )
        return Check("working tree", "warn", text, advice)
    finally:
        remove_labelled(client, lambda labels: labels.get(RUN) == name)
    return Check("working tree", "ok", "seen by tasks through an overlay, without a copy")


def _look_through_overlay(client: APIClient, labels: dict[str, str]) -> None:
    from dispatchfile.run.archive import Archive
    from dispatchfile.run.images import ensure_pause_image
    from dispatchfile.run.seats import make_holder
    from dispatchfile.run.views import lay_view, overlay_options
    from dispatchfile.run.workspace import SCRATCH, volume

    ensure_pause_image(client)
    scratch = client.create_volume(labels=labels)
    holder = make_holder(client, None, labels, [volume(scratch["Name"], SCRATCH)])
    archive = Archive()
    lay_view(archive, 0)
    client.put_archive(holder, SCRATCH, archive.bytes())
    with tempfile.TemporaryDirectory(prefix="dispatchfile-doctor-") as folder:
        (Path(folder) / "probe").write_text("seen", encoding="utf-8")
        options = overlay_options(Path(folder), scratch["Mountpoint"], 0)
        view = client.create_volume(driver="local", driver_opts=options, labels=labels)
        looking = make_holder(client, None, labels, [volume(view["Name"], "/view")])
        for _ in client.get_archive(looking, "/view/probe")[0]:
            pass  # read to its end, so that the connection is free again


def default_registry(about: Mapping[str, Any]) -> Check:
    """Return whether the registry of images without a host answers from here."""
    import requests

    host = urlsplit(str(about.get("IndexServerAddress") or "")).hostname
    if not host:
        return Check("registry", "ok", "the engine names no default registry")
    try:
        answer = requests.get(f"https://{host}/v2/", timeout=REGISTRY_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return Check(
            "registry",
            "warn",
            f"{host} does not answer ({type(error).__name__})",
            "images must be on the engine already: build or `docker load` them, and run with --offline",
        )
    if answer.status_code in (200, 401):
        return Check("registry", "ok", f"{host} answers")
    return Check("registry", "warn", f"{host} answers HTTP {answer.status_code}", "is a proxy in the way?")


def credentials() -> list[Check]:
    """Return which registries and git hosts have a login, and what keeps logins from being used."""
    from dispatchfile.credentials import docker_config, git_helper, logins

    found: list[Check] = []
    known: list[str] = []
    try:
        config = docker_config.load(docker_config.file_of())
        missing = _missing_helpers(config)
        found += missing.values()
        places = sorted({*config.get("auths", {}), *config.get("credHelpers", {})} - missing.keys())
        known += [f"registries {', '.join(places)}"] if places else []
    except EnvironmentProblem as problem:
        found.append(Check("logins", "fail", problem.message, problem.help))
    try:
        hosts = [f"{login.url} ({login.user})" for login in logins.read()]
        known += [f"git {', '.join(hosts)}"] if hosts else []
        helpers = git_helper.names(os.environ)
        known += [f"git's credential helper {', '.join(helpers)}"] if helpers else []
    except EnvironmentProblem as problem:
        found.append(Check("logins", "fail", problem.message, problem.help))
    if known or not found:
        found.append(Check("logins", "ok", "; ".join(known) or "none; `dispatchfile login --help` says how"))
    return found


def _missing_helpers(config: Mapping[str, Any]) -> dict[str, Check]:
    """Return a finding for each registry whose helper is not there."""
    from dispatchfile.credentials.docker_helper import program_of

    helpers = dict(config.get("credHelpers", {}))
    if store := config.get("credsStore"):
        helpers["every other registry"] = store
    return {
        place: Check(
            "logins",
            "warn",
            f"{program_of(name)}, named in Docker's config.json for {place}, is not on PATH",
            "install it, or remove its line",
        )
        for place, name in helpers.items()
        if not shutil.which(program_of(name))
    }


def cluster() -> Check:
    """Return which cluster a run with `--engine tekton` goes to. It is not asked: that may need a login."""
    from importlib.util import find_spec

    from dispatchfile.kube import kubeconfig

    try:
        target = kubeconfig.find()
    except kubeconfig.Unconfigured:
        return Check("cluster", "ok", "none configured; runs are on this machine")
    except EnvironmentProblem as problem:
        return Check("cluster", "warn", problem.message, problem.help or "mend the kubeconfig")
    text = f'context "{target.context}", namespace {target.namespace}'
    if find_spec("lightkube") is None:
        return Check("cluster", "warn", f"{text}; no run gets there yet", "pip install 'dispatchfile[kube]'")
    return Check("cluster", "ok", text)


def disk(what: str, path: Path) -> list[Check]:
    """Return how much space is left where `path` is or will be; nothing when it is on another machine."""
    place = next((part for part in (path, *path.parents) if part.is_dir()), None)
    if place is None or not path.is_absolute() or (what.startswith("engine") and place != path):
        return []
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GB free for the {what} ({path})"
    if not os.access(place, os.W_OK) and not what.startswith("engine"):
        return [
            Check("disk", "fail", f"{place} is not writable", "set XDG_STATE_HOME to a directory of yours")
        ]
    if free < LITTLE_SPACE:
        status: Status = "fail" if free < NO_SPACE else "warn"
        return [
            Check(
                "disk", status, text, "`dispatchfile clean`, then `docker system df` shows what takes space"
            )
        ]
    return [Check("disk", "ok", text)]


def step_images(client: APIClient, images: Iterable[str]) -> list[Check]:
    """Return which images that a run of the steps needs are on the engine; kaniko's own is not one of them."""
    from dispatchfile.model.images import is_kaniko
    from dispatchfile.run.images import inspect_image
    from dispatchfile.run.standin import STAND_INS, stand_in

    wanted = dict.fromkeys(stand_in(ref, {}) for ref in images if not is_kaniko(ref))
    if not wanted:
        return []
    try:
        missing = [ref for ref in wanted if inspect_image(client, ref) is None]
    except EnvironmentProblem as problem:
        return [
            Check("images", "fail", problem.message, problem.help or "correct the name in the Dispatchfile")
        ]
    pulled = [ref for ref in missing if ref not in STAND_INS.values()]
    found = [
        Check(
            "images",
            "warn",
            f"not on the engine: {ref}, which runs the steps of {name} here",
            f"build it in a checkout of dispatchfile: runner/engine/images {name}",
        )
        for name, ref in STAND_INS.items()
        if ref in missing
    ]
    if pulled:
        text = f"not on the engine: {', '.join(pulled)}"
        found.append(Check("images", "warn", text, "the next run pulls them, unless --offline"))
    return found or [
        Check("images", "ok", f"all that the Dispatchfile needs are on the engine ({len(wanted)})")
    ]


def configuration(settings: Mapping[str, Setting]) -> Check:
    """Return the settings that are made, each with its origin."""
    made = [f"{name} = {setting.value} (from {setting.origin})" for name, setting in settings.items()]
    return Check("settings", "ok", ", ".join(made) or "none made; the defaults hold")
