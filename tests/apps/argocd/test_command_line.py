"""Every verb of `gitops app` where Argo CD does the work; the repository is read over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ci
from tests.apps.kube.samples import SHOP
from tests.apps.kube.test_command_line import Command
from tests.apps.repository import GitOps, git
from tests.cluster import workloads
from tests.cluster.api_server import ApiServer
from tests.cluster.argo import ArgoController
from tests.cluster.schemas import Schemas
from tests.gitops.git_server import GitServer

TOKEN = "pa55-Word-of-git"


@pytest.fixture
def served(gitops: GitOps, tmp_path: Path) -> Iterator[GitServer]:
    gitops.commit({"prod/shop.yaml": SHOP}, "the shop opens")
    folder = tmp_path / "served"
    folder.mkdir()
    git(folder, "clone", "-q", "--bare", gitops.url, str(folder / "shop.git"))
    git(gitops.folder, "remote", "add", "origin", str(folder / "shop.git"))
    with GitServer(folder, user="x-access-token", password=TOKEN) as made:
        yield made


def push(gitops: GitOps, text: str) -> str:
    commit = gitops.commit({"prod/shop.yaml": text})
    git(gitops.folder, "push", "-q", "origin", "main")
    return commit


@pytest.fixture
def app(served: GitServer, gitops: GitOps, tmp_path: Path) -> Iterator[tuple[Command, ApiServer]]:
    def repository(revision: str) -> tuple[str, list[dict[str, Any]]]:
        commit = git(served.folder / "shop.git", "rev-parse", revision)
        text = git(served.folder / "shop.git", "show", f"{commit}:prod/shop.yaml")
        return commit, list(yaml.safe_load_all(text))

    with (
        ApiServer(schemas=Schemas(), aggregated=True) as server,
        workloads.running(server),
        ArgoController(server, repository),
    ):
        command = Command(tmp_path, server.kubeconfig(tmp_path / "kubeconfig"))
        command.environment["DISPATCHFILE_GIT_TOKEN"] = TOKEN
        yield command, server


def test_the_life_of_an_application(
    app: tuple[Command, ApiServer], served: GitServer, gitops: GitOps
) -> None:
    command, server = app
    url = f"http://127.0.0.1:{served.server_address[1]}/shop.git"
    create = ("create", "shop", "--repo", url, "--path", "prod", "--engine", "argocd", "--namespace", "ci")
    printed = command(*create, "--dry-run", "-o", "yaml")
    assert TOKEN not in printed
    assert yaml.safe_load(printed)["kind"] == "Application"
    command(*create, "--auto-sync", "off")
    shown = json.loads(command("get", "shop", "-o", "json"))
    assert (shown["sync"], shown["health"]) == ("OutOfSync", "Missing")
    command("diff", "shop", "--exit-code", code=20)
    assert "Service ci/web: serverside-applied" in command("sync", "shop")
    assert command("diff", "shop") == ""

    server.cluster.change("Deployment", "ci", "web", lambda found: found["spec"].update(replicas=5))
    drift = command("diff", "shop", "--exit-code", code=20)
    assert [line for line in drift.splitlines() if line[:1] in "+-"] == [
        "-  replicas: 5",
        "+  replicas: 2",
    ], drift
    assert server.cluster.get("Deployment", "ci", "web")["spec"]["replicas"] == 5

    push(gitops, SHOP.replace("web:1", "web:2").partition("---\napiVersion: v1\nkind: Secret")[0])
    command("refresh", "shop")
    command("sync", "shop", "--prune")
    assert server.cluster.list("Secret", "ci") == []
    command("rollback", "shop", "0")
    template = server.cluster.get("Deployment", "ci", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "shop/web:1"
    assert len(command("history", "shop", "-o", "id").split()) == 3
    command("set", "shop", "--auto-sync", "on", "--prune", "on")
    command("wait", "shop", "--timeout", "20s")
    command("rollback", "shop", "0", code=2)
    command("delete", "shop", "--yes")
    assert server.cluster.list("Deployment") == []
    assert "shop" not in command("list")


def test_kubectl_applies_what_is_printed(app: tuple[Command, ApiServer], served: GitServer) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        ci.skip("kubectl is not on PATH")
    command, server = app
    url = f"http://127.0.0.1:{served.server_address[1]}/shop.git"
    create = ("create", "shop", "--repo", url, "--path", "prod", "--engine", "argocd", "--namespace", "ci")
    text = command(*create, "--dry-run", "-o", "yaml")
    applied = subprocess.run(
        [kubectl, "apply", "--server-side", "-f", "-"], env=command.environment, input=text, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert applied.returncode == 0, applied.stderr
    assert command("list", "-o", "name").strip() == ""
    assert command("list", "--engine", "argocd", "-o", "name").strip() == "shop"
    command(*create)
    command("wait", "shop", "--timeout", "20s")
    assert len(server.cluster.list("Deployment")) == 1


def test_no_argo(tmp_path: Path) -> None:
    with ApiServer(schemas=Schemas()) as server:
        command = Command(tmp_path, server.kubeconfig(tmp_path / "kubeconfig"))
        url = "https://git.test/shop.git"
        said = command("create", "shop", "--repo", url, "--engine", "argocd", code=4)
        assert 'Argo CD is not installed in this cluster (context "fake")' in said
        assert "no application" in command("get", "shop", code=2)
