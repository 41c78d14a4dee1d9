"""Repositories, and a state and a git that know nothing of the machine's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.apps.repository import GitOps


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State, cache and git's settings of this test alone; no token of the machine's user is seen."""
    settings = tmp_path / "gitconfig"
    settings.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.endswith("_TOKEN") or name.startswith(
            ("DISPATCHFILE_", "GIT_AUTHOR", "GIT_COMMITTER", "GIT_TRACE")
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def gitops(tmp_path: Path) -> GitOps:
    return GitOps(tmp_path / "gitops")
