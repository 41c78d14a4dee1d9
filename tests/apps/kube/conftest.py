"""A fake cluster with the published schemas, and the engine in front of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dispatchfile.apps.app import App
from dispatchfile.apps.kube.engine import KubeEngine
from tests import ci
from tests.cluster.api_server import ApiServer
from tests.cluster.schemas import Schemas

Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=[True, False], ids=["aggregated", "old discovery"])
def any_server(request: pytest.FixtureRequest) -> Iterator[ApiServer]:
    with ApiServer(schemas=Schemas(), aggregated=request.param) as made:
        yield made


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(schemas=Schemas(), aggregated=True) as made:
        yield made


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = server.kubeconfig(tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


@pytest.fixture
def engine(kubeconfig: Path) -> Iterator[KubeEngine]:
    made = KubeEngine()
    yield made
    made.close()


@pytest.fixture
def app() -> App:
    return App("shop", "https://git.test/me/shop.git", engine="kube", namespace="ci")


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    """Return a function that runs kubectl, the independent client, on the same cluster."""
    program = shutil.which("kubectl")
    if program is None:
        ci.skip("kubectl is not on PATH")
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)}

    def run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *words], env=environment, input=text, capture_output=True, text=True, check=False
        )

    return run
