"""Repositories for tests, as a person makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(where: Path, *args: str) -> str:
    """Run git as a person would; return what it prints."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *person, *args], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


class GitOps:
    """A repository with a working tree that is what remotes are."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        git(folder, "init", "-q", "-b", "main")

    @property
    def url(self) -> str:
        return str(self.folder)

    def commit(self, files: dict[str, str | None], message: str = "change") -> str:
        """Write files (None removes one) and commit; return the commit."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return self.commit_all(message)

    def commit_all(self, message: str = "change") -> str:
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")


def deployment(name: str, image: str = "web:1", **metadata: object) -> str:
    """Return the manifest of a Deployment, as JSON, which is YAML."""
    import json

    labels = {"app": name}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, **metadata},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "web", "image": image}]},
                },
            },
        },
        indent=1,
    )


def config(name: str, data: dict[str, str] | None = None, **metadata: object) -> str:
    """Return the manifest of a ConfigMap, as above."""
    import json

    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {}},
        indent=1,
    )
