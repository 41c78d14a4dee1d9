"""Tasks on a real engine, for the tests of the backend."""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dispatchfile.model.pipeline import Limits
from dispatchfile.run.backend import Input, Output, RunSpec, StepResult, StepSpec, TaskSpec, VolumeSpec
from dispatchfile.run.docker import DockerBackend
from dispatchfile.run.handles import DockerTask

_NUMBERS = itertools.count()


class Bench:
    """An open backend, and the last output of a step."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.notices: list[str] = []
        self.backend = DockerBackend(self.notices.append)
        self.run_id = f"test-{os.getpid()}-{next(_NUMBERS)}"
        self.backend.open(RunSpec(self.run_id, folder, folder, "project", **settings))

    def task(
        self,
        *inputs: Input,
        outputs: tuple[Output, ...] = (),
        volumes: tuple[VolumeSpec, ...] = (),
        name: str = "task",
    ) -> DockerTask:
        return self.backend.open_task(TaskSpec(name, inputs, outputs, volumes))

    def step(
        self, task: DockerTask, image: str, script: str = "", **fields: Any
    ) -> tuple[StepResult, str, str]:
        """Run a shell script (or `command`, `args` as given) as a step; return result, stdout and stderr."""
        sink = Collected()
        timeout = fields.pop("timeout", None)
        created = self.backend.create_step(task, step_spec(image, script, **fields))
        return self.backend.run_step(created, sink, timeout), sink.text("stdout"), sink.text("stderr")


class Collected:
    """A sink that keeps everything, and tells when the first bytes came."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.begun = threading.Event()

    def __call__(self, stream: str, data: bytes) -> None:
        self.data[stream] += data
        self.begun.set()

    def text(self, stream: str) -> str:
        return self.data[stream].decode()


def step_spec(image: str, script: str = "", **fields: Any) -> StepSpec:
    command = ("/bin/sh", "-ec", script) if script else None
    defaults: dict[str, Any] = {
        "task": "task",
        "name": "step",
        "command": command,
        "args": None,
        "env": {},
        "working_dir": "",
        "mounts": (),
        "limits": Limits(),
    }
    return StepSpec(image=image, **{**defaults, **fields})


@contextmanager
def bench(folder: Path, **settings: Any) -> Iterator[Bench]:
    made = Bench(folder, **settings)
    try:
        yield made
    finally:
        made.backend.close()


def git(folder: Path, *arguments: str) -> str:
    """Run git without the user's own settings; return what it printed."""
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.test",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.test",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def repository(folder: Path, files: dict[str, str], commits: int = 1) -> str:
    """Make a repository with a few commits on `main`; return the last one's id."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    for number in range(commits):
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + ("" if number == commits - 1 else f" {number}"))
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", f"commit {number}")
    return git(folder, "rev-parse", "HEAD")
