"""What runs take on the stand-in for a cluster: git over HTTP, and images of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitops.git_server import GitServer
from tests.tekton.mini_tekton import MiniTekton
from tests.tekton.project import PASSWORD, USER


@pytest.fixture
def served(tmp_path: Path) -> Iterator[GitServer]:
    """git over HTTP, for a user and a password."""
    folder = tmp_path / "srv"
    folder.mkdir()
    with GitServer(folder, user=USER, password=PASSWORD) as server:
        yield server


@pytest.fixture
def cluster(tmp_path: Path, toolbox: str, update_image: str) -> MiniTekton:
    """A cluster whose pods reach the servers on this machine's loopback."""
    return MiniTekton(tmp_path / "cluster", network="host")
