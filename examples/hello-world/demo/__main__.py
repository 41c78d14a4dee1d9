"""Play the whole story on this machine: a push, the tasks in containers, the image, the GitOps repository, the deployment.

Makes everything below .cache/demo, anew each time, and takes it down again at the end: the working repository from this
folder, a bare GitOps repository, an image registry on a loopback port, the application on the Docker engine.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from scenery import (
    FOLDER,
    Registry,
    git,
    make_gitops_repository,
    make_working_repository,
    registry,
    shown,
    title,
)
from visitor import Visitor, page

APP = "hello-world"
WORK, GITOPS = FOLDER / "hello-world", FOLDER / "hello-world-gitops.git"
# The demo's own memory of applications; the user's is left alone.
ENVIRONMENT = {**os.environ, "XDG_STATE_HOME": str(FOLDER / "state")}


class Failed(Exception):
    """Something did not come out as the story goes."""


def main() -> int:
    """Play the story and tell it; return the exit code."""
    with registry() as images:
        try:
            first_push(images)
            url = deploy()
            change_by_hand(url)
            second_push(images, url)
        except (Failed, subprocess.CalledProcessError) as error:
            print(f"\nerror: {error}", file=sys.stderr)
            return error.returncode if isinstance(error, subprocess.CalledProcessError) else 1
        finally:
            take_down(images)
    return 0


def first_push(images: Registry) -> None:
    """Run what a push to master runs, and merge what comes of it."""
    make_gitops_repository(GITOPS)
    make_working_repository(WORK, registry=images.address, gitops=GITOPS)
    title("A repository with a Dispatchfile, a GitOps repository, an image registry")
    print(f"  working repository  {shown(WORK)}")
    print(f"  GitOps repository   {shown(GITOPS)} (bare)")
    print(f"  image registry      {images.address}")
    title("Somebody pushes to master")
    print(f"$ cd {shown(WORK)}")
    dispatchfile("run", "--event", "push", "--branch", "master", cwd=WORK)
    title("The GitOps repository has a change to review; somebody merges it")
    merge(images)


def deploy() -> str:
    """Let the application follow the GitOps repository; return the URL of its page."""
    title("The deployment follows the repository")
    dispatchfile("gitops", "app", "create", APP, "--repo", str(GITOPS))
    found = dispatchfile("gitops", "app", "get", APP, "--json", shows=False)
    addresses = re.findall(r'"(http://[^"]+)"', found)
    if not addresses:
        raise Failed(f"the application has no address:\n{found}")
    url = addresses[0]
    answers(url, "Hello, world!")
    return url


def change_by_hand(url: str) -> None:
    """Change a container behind the repository's back; see it, and bring the repository's state back."""
    title("Somebody changes it by hand")
    names = (
        "docker ps --filter label=dispatchfile.app=hello-world --filter label=dispatchfile.role=main --format"
    )
    container = min(run(*shlex.split(names), "{{.Names}}", shows=False).split())
    run("docker", "update", "--memory", "128m", "--memory-swap", "128m", container)
    dispatchfile("gitops", "app", "diff", APP, code=1)
    dispatchfile("gitops", "app", "sync", APP)
    answers(url, "Hello, world!")


def second_push(images: Registry, url: str) -> None:
    """Push another page; it travels the same way by itself, while somebody asks for the page all the time."""
    title("A second push, while somebody reads the page all the time")
    file = WORK / "www/hello-world/index.html"
    file.write_text(
        file.read_text(encoding="utf-8").replace("Hello, world!", "Hello, world! Again."), encoding="utf-8"
    )
    git(WORK, "commit", "--quiet", "--all", "--message", "Say hello again")
    command = ["gitops", "agent", "--interval", "2"]
    print(f"$ dispatchfile {' '.join(command)} &", flush=True)
    with (FOLDER / "agent.log").open("w", encoding="utf-8") as log, Visitor(url) as visitor:
        agent = subprocess.Popen(
            [sys.executable, "-m", "dispatchfile", *command], env=ENVIRONMENT, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            dispatchfile("run", "--event", "push", "--branch", "master", cwd=WORK)
            merge(images)
            commit = git(GITOPS, "rev-parse", "master").strip()
            wait_for_revision(commit)
            dispatchfile("gitops", "app", "wait", APP, "--sync", "--health", "--timeout", "120")
            answers(url, "Hello, world! Again.")
            time.sleep(1)
        finally:
            agent.terminate()
            agent.wait(30)
    print((FOLDER / "agent.log").read_text(encoding="utf-8").rstrip())
    print(f"  {visitor.summary()}")
    if visitor.failures:
        raise Failed(f"the page did not always answer: {visitor.failures[0]}")
    if not visitor.saw("Hello, world!", "Hello, world! Again."):
        raise Failed("the reader did not see the first page and then the second")
    dispatchfile("gitops", "app", "history", APP)


def merge(images: Registry) -> None:
    """Merge the one update branch of the GitOps repository into master, and tell what it brings."""
    branches = git(GITOPS, "for-each-ref", "--format=%(refname:short)", "refs/heads/").split()
    updates = [branch for branch in branches if branch != "master"]
    if len(updates) != 1:
        raise Failed(f"one update branch was expected, not {updates}")
    branch = updates[0]
    change = git(GITOPS, "diff", "--unified=0", "master", branch, "--", "application.yaml")
    lines = [line for line in change.splitlines() if re.match(r"[-+]\s+(- )?image:", line)]
    found = re.search(r"\+.*image: *\S+/(\S+?):\S+@(sha256:[0-9a-f]{64})", change)
    if found is None:
        raise Failed(f"no image with a digest was written:\n{change}")
    name, digest = found.groups()
    print(git(GITOPS, "log", "-1", "--format=  commit %h by %an: %s", branch).rstrip())
    print(f"  on branch {branch}, application.yaml:")
    print(*(f"    {line}" for line in lines), sep="\n")
    if images.held(name, digest) != digest:
        raise Failed(f"the registry does not hold {digest}")
    print(f"  ✓ the registry holds {name}@{digest[:19]}…")
    run("git", "-C", shown(GITOPS), "fetch", "--quiet", ".", f"{branch}:master")


def wait_for_revision(commit: str) -> None:
    """Return once the agent has seen a commit."""
    for _ in range(120):
        if commit in dispatchfile("gitops", "app", "get", APP, "--json", shows=False):
            return
        time.sleep(0.5)
    raise Failed(f"the agent did not see the commit {commit[:12]} within a minute")


def answers(url: str, text: str) -> None:
    """Ask for a page and print its heading; raise Failed when it holds another text."""
    print(f"$ curl -L {url}", flush=True)
    found = page(url)
    print(f"  {(re.findall('<h1>.*</h1>', found) or [found])[0]}")
    if text not in found:
        raise Failed(f"{url} was to answer with {text!r}")


def take_down(images: Registry) -> None:
    """Remove the application from the engine, and the names of images whose registry goes away."""
    title("And everything is taken down again")
    if (FOLDER / "state").exists():
        dispatchfile("gitops", "app", "delete", APP, "--yes", "--data")
    images.forget()


def dispatchfile(*words: str, cwd: Path | None = None, code: int = 0, shows: bool = True) -> str:
    """Run this program as a user would; return what it printed when it is not shown. Raises for another exit code."""
    return run(
        sys.executable,
        "-m",
        "dispatchfile",
        *words,
        cwd=cwd,
        code=code,
        shows=shows,
        told=("dispatchfile", *words),
    )


def run(
    *command: str, cwd: Path | None = None, code: int = 0, shows: bool = True, told: tuple[str, ...] = ()
) -> str:
    """Run a command, telling it first where its output is shown. Raises CalledProcessError for another exit code."""
    if shows:
        print(f"$ {shlex.join(told or command)}", flush=True)
    done = subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, text=True, check=False, stdout=None if shows else subprocess.PIPE
    )
    if done.returncode != code:
        raise subprocess.CalledProcessError(done.returncode or 1, shlex.join(told or command), done.stdout)
    return done.stdout or ""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
