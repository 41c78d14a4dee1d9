from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from dispatchfile.credentials import private
from dispatchfile.errors import EnvironmentProblem


def test_nothing_there(tmp_path: Path) -> None:
    assert private.read(tmp_path / "a/b") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622], ids=oct)
def test_what_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "f"
    file.write_text("s3cret")
    file.chmod(mode)
    with pytest.raises(EnvironmentProblem, match="others than you may read") as caught:
        private.read(file)
    assert f"chmod 600 {file}" in caught.value.help
    assert private.read(file, secret=False) == "s3cret"


def test_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    folder.chmod(0o777)
    private.write(folder / "f", "x")
    with pytest.raises(EnvironmentProblem, match="others than you may change"):
        private.read(folder / "f")
    folder.chmod(0o1777)
    assert private.read(folder / "f") == "x"


def test_it_is_written_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private.write(tmp_path / "new/f", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "new/f").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["f"]


def test_symlinks_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("old")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/alias").symlink_to("file")
    private.write(tmp_path / "link/alias", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/alias").is_symlink()
    assert (tmp_path / "real/file").read_text() == "new"
    (tmp_path / "dangling").symlink_to("elsewhere/f")
    private.write(tmp_path / "dangling", "new")
    assert (tmp_path / "elsewhere/f").read_text() == "new"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "bytes").chmod(0o600)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(private.LARGEST + 1)
    large.chmod(0o600)
    for name, said in [("pipe", "is no file"), ("", "is no file"), ("loop", "cannot read"), ("bytes", "no text"), ("large", "larger")]:  # fmt: skip
        with pytest.raises(EnvironmentProblem, match=said):
            private.read(tmp_path / name)


def test_a_write_that_fails_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private.write(tmp_path / "f", "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        private.write(tmp_path / "f", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_text() == "old"


def test_one_at_a_time(tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path)}
    with private.locked(env):
        with pytest.raises(EnvironmentProblem, match="another login is going on"), private.locked(env, 0.1):
            pass
        entered: list[bool] = []

        def enter() -> None:
            with private.locked(env):
                entered.append(True)

        other = threading.Thread(target=enter)
        other.start()
        assert not entered
    other.join(10)
    assert entered == [True]


@pytest.mark.parametrize(
    ("env", "home"),
    [
        ({"XDG_DATA_HOME": "/data", "HOME": "/h"}, "/data/dispatchfile"),
        ({"HOME": "/h"}, "/h/.local/share/dispatchfile"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/h"}, "/h/.local/share/dispatchfile"),
    ],
)
def test_where(env: dict[str, str], home: str) -> None:
    assert str(private.data_home(env)) == home
