"""The agent as a process, on the real engine: what people see, also when it is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.apps.repository import GitOps, git
from tests.notify.receiver import Receiver

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("toolbox", "proxy_image")]
SECRET = "a-secret-of-the-tests"

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: dispatchfile/toolbox:latest
        imagePullPolicy: Never
        command: [sh, -c, "mkdir /w; echo MESSAGE >/w/index.html; exec httpd -f -p 8080 -h /w"]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


class Loop:
    """An application "agent-N", its repository, and agents that come and go."""

    def __init__(self, gitops: GitOps, home: Path, receiver: Receiver) -> None:
        self.name = f"agent-{os.getpid()}"
        self.gitops = gitops
        self.log = home / "agent.log"
        self.environment = {
            **os.environ,
            "DISPATCHFILE_WEBHOOK_URL": receiver.url,
            "DISPATCHFILE_WEBHOOK_SECRET": SECRET,
        }
        self.agents: list[subprocess.Popen[bytes]] = []

    def app(self, verb: str, *argv: str) -> str:
        command = [sys.executable, "-m", "dispatchfile", "gitops", "app", verb, self.name, *argv]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def agent(self, *argv: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "dispatchfile",
            "gitops",
            "agent",
            "--listen",
            "off",
            "--interval",
            "1",
            *argv,
        ]
        with self.log.open("ab") as log:
            self.agents.append(subprocess.Popen(command, env=self.environment, stderr=log))
        return self.agents[-1]

    def view(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.app("get", "-o", "json"))
        return found

    def push(self, message: str) -> str:
        return self.gitops.commit({"web.yaml": WEB.replace("MESSAGE", message)}, message)

    def serves(self, message: str, commit: str) -> None:
        """Wait until a commit is deployed, and its page answers."""
        self.until(lambda: (self.view()["synced"], self.page()) == (commit, message))

    def page(self) -> str:
        urls = self.view()["urls"]
        try:
            with urllib.request.urlopen(urls[0], timeout=2) as answer:  # type: ignore[index] # a list
                return str(answer.read().decode().strip())
        except (OSError, IndexError) as error:
            return repr(error)

    def until(self, true: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.2)


@pytest.fixture
def running(gitops: GitOps, tmp_path: Path) -> Iterator[tuple[Loop, Receiver]]:
    with Receiver() as receiver:
        made = Loop(gitops, tmp_path, receiver)
        made.push("one")
        made.app("create", "--repo", gitops.url, "--no-sync")
        try:
            yield made, receiver
        finally:
            for process in made.agents:
                process.kill()
                process.wait(10)
            made.app("delete", "--yes", "--data")


def test_the_loop(running: tuple[Loop, Receiver]) -> None:
    loop, receiver = running
    first = loop.agent()
    loop.serves("one", git(loop.gitops.folder, "rev-parse", "HEAD"))
    second = loop.agent()
    loop.until(lambda: f"kept by the agent with process {first.pid}" in loop.log.read_text())
    loop.serves("two", loop.push("two"))
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    loop.until(lambda: "taken over" in loop.log.read_text())
    loop.serves("three", loop.push("three"))
    loop.gitops.commit({"web.yaml": "kind: ["}, "broken")
    loop.until(lambda: "ComparisonError" in loop.log.read_text())
    assert (loop.page(), loop.view()["sync"]) == ("three", "Unknown")
    loop.serves("four", loop.push("four"))
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 0
    told = [posted.data["what"] for posted in receiver.posted]
    assert told == ["sync-started", "sync-succeeded"] * 4
    assert all(posted.is_signed_with(SECRET) for posted in receiver.posted)


@pytest.mark.parametrize("delay", [0.5, 1.5])
def test_killed_in_the_middle(running: tuple[Loop, Receiver], delay: float) -> None:
    loop, receiver = running
    first = loop.agent()
    loop.serves("one", git(loop.gitops.folder, "rev-parse", "HEAD"))
    told = len(receiver.posted)
    commit = loop.push("two")
    loop.until(lambda: len(receiver.posted) > told)
    time.sleep(delay)
    first.kill()
    first.wait(10)
    loop.agent()
    loop.until(lambda: loop.view()["synced"] == commit)
    loop.until(lambda: (loop.view()["sync"], loop.view()["health"]) == ("Synced", "Healthy"))
    assert loop.page() == "two"
    own = ["docker", "ps", "-a", "--filter", f"label=dispatchfile.app={loop.name}", "--format", "{{.Names}}"]
    pods = [name for name in subprocess.check_output(own, text=True).split() if "_Service" not in name]
    assert len(pods) == 2, pods
