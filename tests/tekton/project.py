"""A repository with a Dispatchfile that both engines run: its clone on this machine, and its remote over HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from tests.gitops.git_server import GitServer
from tests.tekton import crds
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.pac_model import LOADER

Object = dict[str, Any]
USER, PASSWORD = "ci", "pa55 Word:of/git"
ACCOUNT = "builder"
IMAGES = ("--git-image", "dispatchfile/update-gitops-repo:latest")


class Project:
    """The clone at `folder`, with refs of these names besides master; its remote is served by `server` to the secret of the service account alone."""

    def __init__(self, folder: Path, server: GitServer, files: dict[str, str] | Path, *names: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder / "app"
        self.state = folder / "state"
        self.server = server
        self.secrets: list[Object] = [
            basic_auth("git", server.url, server.user, server.password),
        ]
        if isinstance(files, Path):
            shutil.copytree(files, self.folder, ignore=shutil.ignore_patterns("demo", "__pycache__"))
        else:
            self.folder.mkdir()
            for name, text in files.items():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text(text, encoding="utf-8")
        self.git("init", "-q", "-b", "master")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Begin")
        for name in names:
            self.git("update-ref", name, "HEAD")
        bare = server.folder / "ada" / "app.git"
        self.git("clone", "-q", "--mirror", ".", str(bare))
        self.git("remote", "add", "origin", f"{server.url}/ada/app.git")
        self.git("update-ref", "refs/remotes/origin/master", "HEAD")

    def git(self, *words: str) -> str:
        """Run git without the user's own settings; return what it prints."""
        return run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.test", *words],
            self.folder,
            self.state,
        )

    def dispatchfile(self, *words: str) -> str:
        """Run the program; return what it prints, and raise AssertionError with its errors when it fails."""
        return run([sys.executable, "-m", "dispatchfile", *words], self.folder, self.state)

    def objects(self, *words: str) -> list[Object]:
        """Return what is emitted for an event, and the service account that it asks for with its secrets."""
        text = self.dispatchfile("tekton", *IMAGES, "--service-account", ACCOUNT, *words)
        made = list(yaml.load_all(text, LOADER))
        assert not crds.CRDS.is_dir() or crds.validate_all(made, alpha="alpha" in words) == []
        return [*self.secrets, self.account(), *made]

    def account(self) -> Object:
        """Return the service account that has the secrets."""
        names = [{"name": one["metadata"]["name"]} for one in self.secrets]
        return {"kind": "ServiceAccount", "metadata": {"name": ACCOUNT}, "secrets": names}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the program, both its outputs in one pipe."""
        command = [sys.executable, "-m", "dispatchfile", *words]
        return subprocess.Popen(
            command, cwd=self.folder, env=environment(self.state), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )  # fmt: skip

    def both(self, event: Sequence[str], cluster: MiniTekton, here: Sequence[str] = (), there: Sequence[str] = ()) -> tuple[Object, Object]:  # fmt: skip
        """Run an event on this machine and on a cluster at the same time; return what `local` does, and the PipelineRun."""
        with ThreadPoolExecutor(1) as pool:
            local = pool.submit(self.local, *event, *here)
            run = cluster.run(*self.objects(*event, *there))
            return local.result(), run

    def local(self, *words: str) -> Object:
        """Run an event on this machine; return what is noted down of it, and the logs by (task, step)."""
        self.dispatchfile("run", "--progress", "quiet", *words)
        (found,) = (self.state / "state" / "dispatchfile" / "runs").glob("*/run.json")
        noted: Object = json.loads(found.read_text(encoding="utf-8"))
        logs = Path(noted["logs"])
        noted["texts"] = {
            (task, step): (logs / task / f"{step}.log").read_text(encoding="utf-8")
            for task, step in noted["steps"]
        }
        return noted


def run(words: list[str], folder: Path, state: Path) -> str:
    """Run a command in a folder, with nothing of the user's settings; return what it prints."""
    done = subprocess.run(
        words, cwd=folder, env=environment(state), capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment(state: Path) -> dict[str, str]:
    """Return an environment with nothing of the user's settings."""
    kept = {key: value for key, value in os.environ.items() if not re.match(r"GIT_|DISPATCHFILE_|XDG_", key)}
    env = {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "PYTHONUNBUFFERED": "1"}
    return env | {f"XDG_{what.upper()}_HOME": str(state / what) for what in ("state", "cache", "config")}


def basic_auth(name: str, url: str, user: str, password: str, *, kind: str = "git") -> Object:
    """Return the secret that `dispatchfile login` makes for a host: Tekton takes it from the service account."""
    values = {"username": user, "password": password}
    return {
        "kind": "Secret",
        "metadata": {"name": name, "annotations": {f"tekton.dev/{kind}-0": url}},
        "type": "kubernetes.io/basic-auth",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def opaque(name: str, **values: str) -> Object:
    """Return a secret of the user's own."""
    return {"kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "stringData": values}
