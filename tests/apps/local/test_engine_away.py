"""The Docker engine goes away in the middle: that is told as such, whatever was asked for, and done the next time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from dispatchfile.apps.app import App
from dispatchfile.apps.local.engine import LocalEngine
from dispatchfile.run.connect import Unanswered
from tests.apps.local.apps_on_engine import TOOLBOX, bench

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("toolbox", "proxy_image")]

WEB = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{a: "1"}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {{name: a, image: "{TOOLBOX}", imagePullPolicy: Never, command: [sleep, "600"],
         envFrom: [{{configMapRef: {{name: settings}}}}], volumeMounts: [{{name: data, mountPath: /data}}]}}
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
---
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: a, image: "{TOOLBOX}", imagePullPolicy: Never, command: ["true"]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
"""


def _away_after(engine: LocalEngine, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine answer so many requests, and then none."""
    send, left = engine._client.send, iter(range(count))

    def answered(*given: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise requests.ConnectionError("Connection aborted.", ConnectionRefusedError(111, "refused"))
        return send(*given, **options)

    monkeypatch.setattr(engine._client, "send", answered)


def test_a_sync_in_the_middle_of_which_the_engine_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    with bench(tmp_path) as made:
        for count in (0, 2, 4, 6, 9, 12, 15, 18, 22, 26):
            with monkeypatch.context() as patched:
                _away_after(made.engine, count, patched)
                try:
                    done = made.apply(WEB)
                except Unanswered as problem:
                    told.append(problem.message)
                else:  # what was brought about before needs fewer requests
                    assert {one.done for one in done.values()} == {"Synced"}, (count, done)
        assert len(told) >= 6
        assert all(text.endswith("the engine stopped answering (refused)") for text in told), told
        assert {one.done for one in made.apply(WEB).values()} == {"Synced"}
        assert {one.sync for one in made.observe(WEB).values()} == {"Synced"}
        assert sorted(pod.key.kind for pod in made.pods()) == ["Deployment", "Job"]


def test_an_application_that_runs_nothing_needs_no_network(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
        named = f"dispatchfile_{made.app.name}"
        assert made.client.networks(names=[named]) == []
        assert made.engine.urls(App(made.app.name, "/x")) == []
