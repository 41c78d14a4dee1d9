from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.run import overlay


class Adapter:
    def __init__(self, socket: Path) -> None:
        self.socket_path = str(socket)


class Engine:
    """As much of an engine's client as says which engine it is."""

    base_url = "http+docker://localhost"

    def __init__(self, socket: Path | None) -> None:
        self._adapter = Adapter(socket) if socket else object()

    def get_adapter(self, _url: str) -> object:
        return self._adapter


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the next tries answer; one is taken off for each try that is made."""
    answers: list[str] = []
    monkeypatch.setattr(overlay, "_try", lambda *_: answers.pop())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return answers


def probe(engine: Engine, lower: Path) -> str:
    return overlay.probe_overlay(engine, "run", {}, lower)


def test_a_success_is_remembered_until_the_engine_starts_anew(tries: list[str], tmp_path: Path) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    tries += [""]
    assert [probe(Engine(socket), tmp_path) for _ in range(3)] == ["", "", ""]
    assert tries == []
    socket.rename(tmp_path / "old.sock")
    socket.touch()
    tries += ["cannot"]
    assert probe(Engine(socket), tmp_path) == "cannot"


def test_a_refusal_is_not_remembered(tries: list[str], tmp_path: Path) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    tries += ["", "cannot"]
    assert [probe(Engine(socket), tmp_path) for _ in range(2)] == ["cannot", ""]


def test_an_engine_elsewhere_is_asked_each_time(tries: list[str], tmp_path: Path) -> None:
    tries += ["", ""]
    assert [probe(Engine(None), tmp_path) for _ in range(2)] == ["", ""]
    assert tries == []


def test_without_a_cache_folder_it_is_tried_each_time(tries: list[str], tmp_path: Path) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    (tmp_path / "cache").write_text("a file")
    tries += ["", ""]
    assert [probe(Engine(socket), tmp_path) for _ in range(2)] == ["", ""]
    assert tries == []
