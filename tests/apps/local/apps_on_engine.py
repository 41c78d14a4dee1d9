"""An application on the real engine, for the tests of its workloads."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from dispatchfile.apps.app import App
from dispatchfile.apps.local.engine import LocalEngine
from dispatchfile.apps.local.snapshot import Found, take
from dispatchfile.apps.manifest import Manifest, key_of
from dispatchfile.apps.status import Resource, Result

TOOLBOX = "dispatchfile/toolbox:latest"
_NUMBERS = itertools.count()


class Bench:
    """An application, its engine, and what was said."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.app = App(f"w6-{os.getpid()}-{next(_NUMBERS)}", "https://git.example.test/r.git", **settings)
        self.folder = folder
        self.engine = LocalEngine(folder)
        self.client = self.engine._client
        self.said: list[str] = []

    def apply(self, text: str, seconds: float = math.inf) -> dict[str, Result]:
        wanted, until = manifests(text), time.monotonic() + seconds
        done = self.engine.apply(self.app, wanted, wanted, self.said.append, until)
        return {one.key.name: one for one in done}

    def observe(self, text: str) -> dict[str, Resource]:
        return {
            f"{one.key.kind}/{one.key.name}": one for one in self.engine.observe(self.app, manifests(text))
        }

    def pods(self) -> list[Found]:
        return list(take(self.client, self.app.name).pods)

    def exec(self, pod: Found, *command: str, container: str = "") -> str:
        """Return what a command in a pod's container prints."""
        part = next(part for part in pod.main if container in ("", part.part))
        made = self.client.exec_create(part.id, list(command))["Id"]
        return self.client.exec_start(made).decode()


def manifests(text: str) -> list[Manifest]:
    found = []
    for one in yaml.safe_load_all(text):
        one["metadata"].setdefault("namespace", "default")
        found.append(Manifest(key_of(one, "default"), one))
    return found


@contextmanager
def bench(folder: Path, **settings: Any) -> Iterator[Bench]:
    made = Bench(folder, **settings)
    try:
        yield made
    finally:
        made.engine.delete(made.app, made.said.append, data=True)
        left = made.client.containers(all=True, filters={"label": f"dispatchfile.app={made.app.name}"})
        made.engine.close()
        assert left == []


def workload(kind: str, name: str, pod: str, **spec: Any) -> str:
    """Return a Deployment or its like; `pod` is the spec of its pods as YAML."""
    spec = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": yaml.safe_load(pod)},
        **spec,
    }
    group = "batch" if kind in ("Job", "CronJob") else "apps"
    if group == "batch":
        del spec["selector"]
    return yaml.safe_dump(
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}, sort_keys=False
    )


def container(shell: str, **fields: Any) -> dict[str, Any]:
    return {"name": "main", "image": TOOLBOX, "command": ["sh", "-c", shell], **fields}


def pod(shell: str, **fields: Any) -> str:
    """Return the spec of a pod of one container that runs a shell command."""
    return yaml.safe_dump({"terminationGracePeriodSeconds": 0, "containers": [container(shell, **fields)]})
