"""A cluster with a fake Argo CD, and the keeper in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile.apps.app import App
from dispatchfile.apps.argocd import keeper as keeper_module
from dispatchfile.apps.argocd import operations
from dispatchfile.apps.argocd.keeper import ArgoKeeper
from tests.apps.kube.samples import SHOP
from tests.cluster.api_server import ApiServer
from tests.cluster.argo import ArgoController
from tests.cluster.schemas import Schemas


class Commits:
    """A repository: commits by their number, `HEAD` the last one."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.gone = ""

    def commit(self, text: str) -> str:
        self.texts.append(text)
        return self.name(len(self.texts) - 1)

    def name(self, number: int) -> str:
        return f"{number:x}" * 40

    def __call__(self, revision: str) -> tuple[str, list[dict[str, Any]]]:
        if self.gone:
            raise LookupError(self.gone)
        names = [self.name(number) for number in range(len(self.texts))]
        at = len(names) - 1 if revision in ("HEAD", "main") else names.index(revision)
        return names[at], [made for made in yaml.safe_load_all(self.texts[at]) if made]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(schemas=Schemas(), aggregated=True) as made:
        yield made


@pytest.fixture
def commits() -> Commits:
    made = Commits()
    made.commit(SHOP)
    return made


@pytest.fixture
def argo(server: ApiServer, commits: Commits) -> Iterator[ArgoController]:
    with ArgoController(server, commits) as made:
        yield made


@pytest.fixture
def keeper(
    argo: ArgoController, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArgoKeeper]:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    monkeypatch.setattr(keeper_module, "LOOK_S", 0.02)
    monkeypatch.setattr(operations, "LOOK_S", 0.02)
    monkeypatch.setattr(keeper_module, "PATIENCE_S", 10.0)
    made = ArgoKeeper()
    yield made
    made.close()


@pytest.fixture
def app() -> App:
    return App(
        "shop",
        "https://git.test/me/gitops.git",
        path="prod",
        engine="argocd",
        namespace="ci",
        auto_sync=False,
    )
