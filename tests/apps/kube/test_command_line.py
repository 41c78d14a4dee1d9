"""Every verb of `gitops app` on a cluster, by the engine that applies itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.kube.samples import SHOP
from tests.apps.repository import GitOps
from tests.cluster import project, workloads
from tests.cluster.api_server import ApiServer


class Command:
    """dispatchfile gitops app, for a user who has this kubeconfig."""

    def __init__(self, home: Path, kubeconfig: Path) -> None:
        self.environment = {
            **project.environment(home, kubeconfig), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CACHE_HOME": str(home / "cache")
        }  # fmt: skip

    def __call__(self, *words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "dispatchfile", "gitops", "app", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def app(server: ApiServer, kubeconfig: Path, tmp_path: Path, gitops: GitOps) -> Iterator[Command]:
    gitops.commit({"prod/shop.yaml": SHOP}, "the shop opens")
    with workloads.running(server):
        yield Command(tmp_path, kubeconfig)


def create(app: Command, gitops: GitOps, *words: str) -> str:
    where = ("--repo", gitops.url, "--path", "prod", "--engine", "kube", "--namespace", "ci", *words)
    return app("create", "shop", *where)


def test_the_life_of_an_application(app: Command, gitops: GitOps, server: ApiServer) -> None:
    said = create(app, gitops)
    assert "apps/Deployment ci/web: created" in said
    shown = json.loads(app("get", "shop", "-o", "json"))
    assert (shown["sync"], shown["health"]) == ("Synced", "Healthy")
    assert app("diff", "shop") == ""
    assert "shop" in app("list")

    server.cluster.change("Deployment", "ci", "web", lambda found: found["spec"].update(replicas=5))
    drift = app("diff", "shop", "--exit-code", code=20)
    lines = [line for line in drift.splitlines() if line[:1] in "+-"]
    assert lines == ["-  replicas: 5", "+  replicas: 2"]
    app("diff", "shop", code=1)
    app("sync", "shop")
    assert server.cluster.get("Deployment", "ci", "web")["spec"]["replicas"] == 2

    gitops.commit(
        {"prod/shop.yaml": SHOP.replace("web:1", "web:2").partition("---\napiVersion: v1\nkind: Secret")[0]}
    )
    app("refresh", "shop")
    assert server.cluster.list("Secret", "ci")
    assert "login" in app("sync", "shop", "--prune")
    assert server.cluster.list("Secret", "ci") == []
    history = json.loads(app("history", "shop", "-o", "json"))
    first = history[0]["number"] if isinstance(history, list) else history["deployments"][0]["number"]
    app("rollback", "shop", str(first), code=2)
    app("set", "shop", "--auto-sync", "off")
    app("rollback", "shop", str(first))
    template = server.cluster.get("Deployment", "ci", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "shop/web:1"
    app("wait", "shop", "--health", "--timeout", "10s")
    app("delete", "shop", "--yes")
    assert server.cluster.list("Deployment") == []
    assert server.cluster.list("ConfigMap", "ci") == []


def test_what_does_not_come_up(app: Command, gitops: GitOps, server: ApiServer) -> None:
    gitops.commit({"prod/shop.yaml": SHOP.replace("shop/web:1", "shop/broken:1")})
    where = ("--repo", gitops.url, "--path", "prod", "--engine", "kube", "--namespace", "ci")
    said = app("create", "shop", *where, code=1)
    assert "no pod came up" in said
    assert json.loads(app("get", "shop", "-o", "json"))["health"] == "Degraded"


def test_a_typo_and_a_namespace_that_is_not_there(app: Command, gitops: GitOps, server: ApiServer) -> None:
    gitops.commit({"prod/shop.yaml": SHOP.replace("replicas: 2", "replica: 2")})
    where = ("--repo", gitops.url, "--path", "prod", "--engine", "kube")
    said = app("create", "shop", *where, "--namespace", "ci", code=1)
    assert ".spec.replica: field not declared in schema" in said
    gitops.commit({"prod/shop.yaml": SHOP})
    said = app("create", "other", *where, "--namespace", "nowhere", code=4)
    assert 'there is no namespace "nowhere"' in said


def test_a_mistyped_context_leaves_nothing(app: Command, gitops: GitOps) -> None:
    where = ("--repo", gitops.url, "--path", "prod", "--engine", "kube", "--namespace", "ci")
    assert 'there is no context "fale"' in app("create", "shop", *where, "--context", "fale", code=2)
    assert "shop" not in app("list")
    app("create", "shop", *where, "--context", "fake")


def test_a_cluster_that_is_not_there(app: Command, gitops: GitOps, server: ApiServer) -> None:
    create(app, gitops)
    app.environment["KUBECONFIG"] = "/nowhere"
    assert "no cluster is configured" in app("get", "shop", code=4)
    app("diff", "shop", code=4)
    app("sync", "shop", code=4)
