"""A disk that is full or read-only: what only reads goes on, what cannot be kept is told, and no application ends others."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dispatchfile import atomic
from dispatchfile.apps.agent.hold import Hold
from dispatchfile.apps.app import App
from dispatchfile.apps.local.looked import Looked
from dispatchfile.apps.local.snapshot import snapshot
from dispatchfile.apps.local.tending import Counts
from dispatchfile.apps.store import Store
from dispatchfile.errors import EnvironmentProblem
from tests.apps.agent.house import House
from tests.apps.repository import GitOps, deployment


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, *_given: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(atomic, "write", write)


@pytest.fixture
def web(gitops: GitOps) -> House:
    gitops.commit({"web.yaml": deployment("web")})
    house = House()
    house.create("web", gitops.url)
    house.keeper().refresh("web")
    return house


def test_what_is_known_is_told_and_what_cannot_be_kept_too(
    web: House, request: pytest.FixtureRequest
) -> None:
    assert web.agent is None
    request.getfixturevalue("full")
    assert web.keeper().view("web").sync == "OutOfSync"
    with pytest.raises(EnvironmentProblem, match=r"cannot be kept in .*No space") as caught:
        web.keeper().refresh("web")
    assert caught.value.help == "make room on the disk"
    assert web.engine.calls == []


def test_the_agent_says_it_and_goes_on(web: House, gitops: GitOps, request: pytest.FixtureRequest) -> None:
    web.create("other", gitops.url)
    request.getfixturevalue("full")
    assert web.make().once() is False
    assert web.said("other: the state of other cannot be kept")
    assert web.said("web: the state of web cannot be kept")


def test_an_application_that_the_disk_refuses_ends_no_other(web: House, gitops: GitOps) -> None:
    web.create("other", gitops.url)
    folder = Store("other").folder
    (folder / "agent.lock").mkdir()
    assert web.make().once() is False
    assert web.said("other: ")
    assert web.said("web: Synced")


def test_the_hold_of_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match=r"agent\.lock cannot be made: Not a directory"):
        Hold(tmp_path / "file" / "web").take()


def test_what_was_looked_at_is_a_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    client: Any = None
    looked = Looked(client, tmp_path / "file" / "web", App("web", "/x"))
    looked._last = 1
    labels = {
        "dispatchfile.app": "web", "dispatchfile.object": "Pod/default/a", "dispatchfile.pod": "default/a",
        "dispatchfile.role": "main",
    }  # fmt: skip
    seen = snapshot([{"Id": "1", "Names": ["/a"], "State": "running", "Labels": labels}], "web")
    assert seen.pods
    looked.save(seen)
    with pytest.raises(EnvironmentProblem, match="what probes found cannot be kept"):
        Counts(tmp_path / "file" / "web").save([])
