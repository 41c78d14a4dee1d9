"""The whole local engine under a client that asks throughout: rollouts, scaling, and a program killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.local.apps_on_engine import Bench
from tests.apps.local.asking import Asking
from tests.apps.local.pods_on_engine import WEB

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parent.parent.parent.parent
PATH = "/cgi-bin/web"
# It takes a moment until its server listens, and longer to be ready.
SLOW_WEB = (
    "trap exit TERM; " + WEB.replace("exec httpd", "sleep 0.5; (sleep 0.5; touch /ready) & httpd") + " & wait"
)


def site(version: str, replicas: int) -> str:
    script = SLOW_WEB.replace("\n", "\n            ")
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: hello}}
spec: {{type: NodePort, selector: {{app: hello}}, ports: [{{port: 80, targetPort: web}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: hello}}
spec: {{defaultBackend: {{service: {{name: hello, port: {{number: 80}}}}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: hello}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: hello}}}}
  template:
    metadata: {{labels: {{app: hello}}}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
        - name: web
          image: dispatchfile/toolbox:latest
          env: [{{name: NAME, value: "{version}"}}]
          ports: [{{name: web, containerPort: 8080}}]
          readinessProbe: {{exec: {{command: [test, -e, /ready]}}, periodSeconds: 1}}
          command:
          - sh
          - -c
          - |
            {script}
"""


@pytest.fixture
def bench(tmp_path: Path, toolbox: str, proxy_image: str) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.engine.delete(made.app, lambda line: None, data=True)
    made.engine.close()


def places(bench: Bench) -> list[tuple[int, str]]:
    urls = bench.engine.urls(bench.app)
    return [(int(url.split("/")[2].rpartition(":")[2]), PATH) for url in urls]


def settled(bench: Bench, text: str) -> set[tuple[str, str | None]]:
    return {(one.sync, one.health) for one in bench.observe(text).values()}


def test_no_request_fails_over_rollouts_and_scaling(bench: Bench):
    assert {one.done for one in bench.apply(site("v0", 2)).values()} == {"Synced"}
    steps = [("v1", 2), ("v1", 3), ("v2", 1)]
    with Asking(*places(bench)) as asking:
        for version, replicas in steps:
            results = bench.apply(site(version, replicas))
            assert {one.done for one in results.values()} == {"Synced"}, results
    assert asking.failures == []
    served = [answer.split()[0] for answer in asking.answers]
    assert list(dict.fromkeys(served)) == ["v0", "v1", "v2"]
    assert settled(bench, site("v2", 1)) == {("Synced", "Healthy")}


PROGRAM = """
import sys
from pathlib import Path
from dispatchfile.apps.local.engine import LocalEngine
from tests.apps.local.apps_on_engine import manifests
from dispatchfile.apps.app import App
wanted = manifests(sys.stdin.read())
engine = LocalEngine(Path(sys.argv[2]))
engine.apply(App(sys.argv[1], "https://git.example.test/r.git"), wanted, wanted, lambda line: None)
"""


@pytest.mark.parametrize("moment", [1.5, 3.5], ids=str)
def test_a_rollout_that_was_killed_ends_as_if_it_had_not_been(bench: Bench, moment: float):
    bench.apply(site("v0", 2))
    with Asking(*places(bench), kinds=("GET new", "POST keep")) as asking:
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, bench.app.name, str(bench.folder)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert program.stdin is not None
        program.stdin.write(site("v1", 2).encode())
        program.stdin.close()
        time.sleep(moment)
        program.send_signal(signal.SIGKILL)
        program.wait()
        again = Bench(bench.folder)
        again.app = bench.app
        assert {one.done for one in again.apply(site("v1", 2)).values()} == {"Synced"}
        again.engine.close()
        mark = len(asking.answers)
        time.sleep(1)
    assert asking.failures == []
    assert {answer.split()[0] for answer in asking.answers[mark:]} == {"v1"}
    assert len(bench.pods()) == 2
    assert settled(bench, site("v1", 2)) == {("Synced", "Healthy")}
