from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.client import Client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for the tests of a module; each test opens documents of its own."""
    made = Client(tmp_path_factory.mktemp("lsp"))
    made.initialize()
    yield made
    assert made.stop() == 0
    log = Path(made.folder / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A folder of its own for each test's document."""
    return f"{abs(hash(request.node.name))}/Dispatchfile"
