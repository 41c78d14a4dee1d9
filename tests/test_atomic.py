"""Files are written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from dispatchfile import atomic


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755], ids=oct)
def test_the_file_is_as_asked(tmp_path: Path, mode: int, lasting: bool) -> None:
    path = tmp_path / ("n" * 255)  # as long as a name may be
    path.write_bytes(b"old and longer")
    atomic.write(path, b"new", mode, lasting=lasting)
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"new", mode)
    assert list(tmp_path.iterdir()) == [path]


def test_a_symlink_gives_way(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("other")
    atomic.write(tmp_path / "link", b"new")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "other").read_bytes() == b"kept"


def test_nothing_is_left_of_what_cannot_be_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "folder/inner").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        atomic.write(tmp_path / "folder", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is full")
def test_nothing_is_left_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    opened = os.open

    def full(name: Path, *_: int) -> int:
        os.close(opened(name, os.O_CREAT | os.O_WRONLY, 0o600))
        return opened("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_and_writers_at_the_same_time_see_whole_files(tmp_path: Path) -> None:
    path, texts = tmp_path / "file", {bytes([65 + number]) * 100_000 for number in range(4)}
    atomic.write(path, min(texts))

    def write(text: bytes) -> None:
        for _ in range(20):
            atomic.write(path, text)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(path.read_bytes())
    assert seen <= texts
    assert list(tmp_path.iterdir()) == [path]


def test_an_ordinary_file_is_as_the_user_has_it() -> None:
    before = os.umask(0o027)
    try:
        assert atomic.usual_mode() == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
