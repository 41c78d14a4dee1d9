"""A repository with a pipeline, pushed to a remote, and the command line in front of a fake cluster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PIPELINE = """\
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
  app: {type: image, param: {url: "me/app:$(context.build.name)", digest: $(inputs.resources.app.digest)}}
task:
  test:
    inputs: [src]
    steps: [{name: unit, image: busybox, command: [make, test]}]
  build:
    inputs: [src]
    outputs: [app]
    steps:
    - {name: version, image: busybox, command: [cat, VERSION]}
    - {name: push, image: busybox, args: ["$(outputs.resources.app.url)"]}
  deploy:
    inputs: [app, build, test]
    steps: [{name: set, image: busybox, args: ["$(inputs.resources.app.digest)", "$(inputs.tasks.build.version)"]}]
actions:
- tasks: [deploy]
  on: {push: {branches: [main]}}
"""
URL = "https://git.test/me/app.git"


def git(*words: str, cwd: Path) -> str:
    settings = ("-c", "user.name=T", "-c", "user.email=t@test", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *settings, *words], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, message: str = "first") -> str:
    git("add", ".", cwd=folder)
    git("commit", "-qm", message, cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def make(folder: Path, pipeline: str = PIPELINE) -> Path:
    """Make a repository with a commit that its remote has."""
    folder.mkdir()
    (folder / "Dispatchfile.yaml").write_text(pipeline, encoding="utf-8")
    git("init", "-q", cwd=folder)
    commit(folder)
    git("init", "-q", "--bare", str(folder.with_suffix(".git")), cwd=folder)
    git("remote", "add", "origin", URL, cwd=folder)
    git("config", f"url.{folder.with_suffix('.git')}.pushInsteadOf", URL, cwd=folder)
    git("push", "-q", "origin", "main", cwd=folder)
    return folder


def environment(home: Path, kubeconfig: Path) -> dict[str, str]:
    """Return the environment of a user who has this kubeconfig, and nothing else."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    root = str(Path(__file__).parent.parent.parent)
    return {
        **kept, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "KUBECONFIG": str(kubeconfig),
        "PYTHONPATH": root, "TERM": "xterm-256color",
    }  # fmt: skip
