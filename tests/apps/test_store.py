"""What is kept of an application is believed only where nobody else could have written it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatchfile.apps.app import App
from dispatchfile.apps.store import Store
from dispatchfile.errors import EnvironmentProblem

USES: dict[str, Callable[[Store], object]] = {
    "app": Store.app,
    "state": Store.state,
    "deployed": Store.deployed,
    "lock": lambda store: store.locked(0).__enter__(),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store("web", tmp_path)
    made.save_app(App("web", "/nowhere"))
    return made


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o720], ids=oct)
def test_a_folder_that_others_can_change_is_not_believed(
    store: Store, mode: int, use: Callable[[Store], object]
) -> None:
    store.folder.chmod(mode)
    with pytest.raises(EnvironmentProblem, match="others than you may change") as caught:
        use(store)
    assert "chmod 700" in caught.value.help


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_folder_of_another_user_is_not_believed(
    store: Store, monkeypatch: pytest.MonkeyPatch, use: Callable[[Store], object]
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: store.folder.stat().st_uid + 1)
    with pytest.raises(EnvironmentProblem, match="others than you may change"):
        use(store)


def test_the_folder_as_it_is_made_is_the_users_own(store: Store) -> None:
    assert store.folder.stat().st_mode & 0o777 == 0o700
    with store.locked(0):
        assert store.app().repository == "/nowhere"
