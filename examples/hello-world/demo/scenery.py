"""What the story plays on: the repositories, and an image registry on a loopback port."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE.parent.parent / ".cache" / "demo"
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
# The user's own git settings (signing, hooks, templates) have no part in it.
GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.com" for who in ("AUTHOR", "COMMITTER")},
}


def make_gitops_repository(bare: Path) -> None:
    """Make a bare repository whose master holds the template and the manifest of what is deployed now."""
    checkout = FOLDER / "gitops-first-commit"
    shutil.copytree(HERE / "gitops", checkout)
    template = (checkout / "application.yaml.tmpl").read_text(encoding="utf-8")
    now = template.replace("$({ .imageName })", "hello-world:not-yet-built")
    (checkout / "application.yaml").write_text(now, encoding="utf-8")
    commit_all(checkout, "Deploy hello-world")
    git(FOLDER, "clone", "--quiet", "--bare", str(checkout), str(bare))
    shutil.rmtree(checkout)


def make_working_repository(work: Path, *, registry: str, gitops: Path) -> None:
    """Make a repository from this folder, its Dispatchfile told where images and manifests live."""
    shutil.copytree(HERE, work, ignore=shutil.ignore_patterns("demo", "gitops"))
    file = work / "Dispatchfile"
    text = file.read_text(encoding="utf-8")
    for name, value in {"registry": registry, "gitopsUrl": str(gitops)}.items():
        text, times = re.subn(rf'(?m)^({name}: *)".*"$', rf'\g<1>"{value}"', text)
        if times != 1:
            raise ValueError(f"{name} must stand once at the head of the Dispatchfile")
    file.write_text(text, encoding="utf-8")
    commit_all(work, "Say hello")


def commit_all(folder: Path, message: str) -> None:
    """Make a repository of a folder, with one commit on master."""
    git(folder, "init", "--quiet", "--initial-branch=master")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *args: str) -> str:
    """Return what a git command prints."""
    environment = {**os.environ, **GIT_ENVIRONMENT}
    return subprocess.run(
        ["git", *args], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


class Registry:
    """An image registry on a free loopback port; `address` is its HOST:PORT."""

    def __init__(self, storage: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        storage.mkdir()
        config = storage / "config.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{self.address}'}}\n"
            f"storage: {{filesystem: {{rootdirectory: '{storage}'}}}}\n",
            encoding="utf-8",
        )
        with (storage / "log").open("w") as log:
            # A session of its own: Ctrl-C is for the run, which still needs the registry while it cleans up.
            self.process = subprocess.Popen(
                ["docker-registry", "serve", str(config)], stdout=log, stderr=log, start_new_session=True
            )

    def held(self, name: str, digest: str) -> str | None:
        """Return the digest under which the registry holds an image, None when it does not."""
        status, found = ask(self.address, f"/v2/{name}/manifests/{digest}")
        return found if status == 200 else None

    def forget(self) -> None:
        """Remove the engine's own names of the images, which would outlive the registry."""
        listed = ["docker", "images", "--quiet", "--filter", f"reference={self.address}/*"]
        found = subprocess.run(listed, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        if found:
            subprocess.run(["docker", "rmi", "--force", *set(found)], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def registry() -> Iterator[Registry]:
    """Clear the folder of the last time, and run an image registry while the context lasts."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    found = Registry(FOLDER / "registry")
    try:
        wait_for(found.address, found.process)
        yield found
    finally:
        found.process.terminate()
        found.process.wait(10)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Return once the registry answers; raise RuntimeError when it does not."""
    for _ in range(100):
        try:
            if ask(address, "/v2/")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
        if server.poll() is not None:
            break
    raise RuntimeError(f"the registry did not start: {(FOLDER / 'registry' / 'log').read_text()}")


def ask(address: str, path: str) -> tuple[int, str | None]:
    """Return the status of a HEAD request to the registry and the digest it answers with."""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("HEAD", path, headers={"Accept": ", ".join(MANIFESTS)})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Docker-Content-Digest")
    finally:
        connection.close()


def shown(path: Path) -> str:
    """Return a path as the user would type it."""
    return os.path.relpath(path)


def title(text: str) -> None:
    """Print a heading."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(f"\n\033[1m{text}\033[0m" if bold else f"\n{text}", flush=True)
