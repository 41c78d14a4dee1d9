"""What the engine sends is written below its target and nowhere else."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.archive import unpack


def sent(*members: tuple[str, bytes, str]) -> list[bytes]:
    """Return the chunks of a tar with members (path, type, content or link)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, kind, content in members:
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.uid = kind, 0o4755, 12345
            data = content.encode() if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            info.linkname = content if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(data))
    raw = buffer.getvalue()
    return [raw[at : at + 700] for at in range(0, len(raw), 700)]


def test_a_tree_arrives_as_the_users_own(tmp_path: Path) -> None:
    chunks = sent(
        ("out", tarfile.DIRTYPE, ""),
        ("out/bin", tarfile.DIRTYPE, ""),
        ("out/bin/tool", tarfile.REGTYPE, "run"),
        ("out/again", tarfile.LNKTYPE, "out/bin/tool"),
        ("out/elsewhere", tarfile.SYMTYPE, "/etc/passwd"),
        ("out/null", tarfile.CHRTYPE, ""),
    )
    unpack(chunks, tmp_path / "kept")
    tool = tmp_path / "kept" / "bin" / "tool"
    assert tool.read_text() == "run"
    assert (tool.stat().st_uid, tool.stat().st_mode & 0o7777) == (os.getuid(), 0o755)
    assert (tmp_path / "kept" / "again").samefile(tool)
    assert (tmp_path / "kept" / "elsewhere").readlink() == Path("/etc/passwd"), "kept as a link, not followed"
    assert not (tmp_path / "kept" / "null").exists()


@pytest.mark.parametrize(
    "members",
    [
        [("out/../../outside", tarfile.REGTYPE, "x")],
        [("out/way", tarfile.SYMTYPE, ".."), ("out/way/outside", tarfile.REGTYPE, "x")],
        [("out/file", tarfile.SYMTYPE, "../outside"), ("out/file", tarfile.REGTYPE, "x")],
        [("out/way", tarfile.SYMTYPE, "../.."), ("out/link", tarfile.LNKTYPE, "out/way/secret")],
    ],
    ids=["dots", "through a link", "over a link", "hard link"],
)
def test_nothing_is_written_elsewhere(members: list[tuple[str, bytes, str]], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(EnvironmentProblem, match="leads outside"):
        unpack(sent(("out", tarfile.DIRTYPE, ""), *members), tmp_path / "a" / "kept")
    assert [path.name for path in tmp_path.rglob("outside")] == []
