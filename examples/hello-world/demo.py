"""Play the whole story on this machine: a push, the tasks in containers, the image, the commit in the GitOps repository.

Makes everything below .cache/demo, anew each time: the working repository from this folder, a bare GitOps repository,
and the storage of an image registry that listens on a loopback port as long as the demo runs.
"""

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

HERE = Path(__file__).resolve().parent
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


def main() -> int:
    """Play the story and tell it; return the exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with registry(FOLDER / "registry") as address:
        work, gitops = FOLDER / "hello-world", FOLDER / "hello-world-gitops.git"
        make_gitops_repository(gitops)
        make_working_repository(work, registry=address, gitops=gitops)
        title("A repository with a Dispatchfile, a GitOps repository, an image registry")
        print(f"  working repository  {shown(work)}")
        print(f"  GitOps repository   {shown(gitops)} (bare)")
        print(f"  image registry      {address}")
        title("Somebody pushes to master")
        print(f"$ cd {shown(work)}")
        print("$ dispatchfile run --event push --branch master", flush=True)
        try:
            subprocess.run(
                [sys.executable, "-m", "dispatchfile", "run", "--event", "push", "--branch", "master"],
                cwd=work,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            print(f"\nerror: the run ended with exit code {error.returncode}", file=sys.stderr)
            return error.returncode
        finally:
            # The registry has the image; the engine's own name for it would outlive the registry.
            subprocess.run(
                ["docker", "rmi", f"{address}/hello-world:master"], capture_output=True, check=False
            )
        return tell(gitops, address)


def tell(gitops: Path, address: str) -> int:
    """Print what the run left in the GitOps repository and check its digest against the registry."""
    branches = git(gitops, "for-each-ref", "--format=%(refname:short)", "refs/heads/").split()
    updates = [branch for branch in branches if branch != "master"]
    if len(updates) != 1:
        print(f"error: one update branch was expected, not {updates}", file=sys.stderr)
        return 1
    branch = updates[0]
    change = git(gitops, "diff", "--unified=0", "master", branch, "--", "application.yaml")
    lines = [line for line in change.splitlines() if re.match(r"[-+]\s+(- )?image:", line)]
    found = re.search(r"\+.*image: *\S+/(\S+?):\S+@(sha256:[0-9a-f]{64})", change)
    if found is None:
        print(f"error: no image with a digest was written:\n{change}", file=sys.stderr)
        return 1
    name, digest = found.groups()
    status, held = ask(address, f"/v2/{name}/manifests/{digest}")

    title("The GitOps repository has a change to review")
    print(git(gitops, "log", "-1", "--format=  commit %h by %an: %s", branch).rstrip())
    print(f"  on branch {branch}, application.yaml:")
    print(*(f"    {line}" for line in lines), sep="\n")
    if status != 200 or held != digest:
        print(f"error: the registry does not hold {digest}: HTTP {status}", file=sys.stderr)
        return 1
    print(f"  ✓ the registry holds {name}@{digest[:19]}…")
    title("Yours to do")
    print(f"  review  git -C {shown(gitops)} diff master {branch}")
    print(f"  merge   git -C {shown(gitops)} fetch . {branch}:master")
    return 0


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
    shutil.copytree(HERE, work, ignore=shutil.ignore_patterns("demo.py", "gitops", "__pycache__"))
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


@contextmanager
def registry(storage: Path) -> Iterator[str]:
    """Run an image registry on a free loopback port; the value is its HOST:PORT."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    storage.mkdir()
    config = storage / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{storage}'}}}}\n",
        encoding="utf-8",
    )
    with (storage / "log").open("w") as log:
        # A session of its own: Ctrl-C is for the run, which still needs the registry while it cleans up.
        server = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
