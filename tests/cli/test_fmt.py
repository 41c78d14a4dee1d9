"""`dispatchfile fmt` as a user calls it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile.cli.main import main

ROOT = Path(__file__).parent.parent.parent
UGLY = "a :  1\n"
NEAT = "a: 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_rewrites_in_place_and_tells_what(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ugly").write_text(UGLY)
    (folder / "neat").write_text(NEAT)
    (folder / "ugly").chmod(0o640)
    before = (folder / "neat").stat()
    assert main(["fmt", "ugly", "neat"]) == 0
    assert (folder / "ugly").read_text() == NEAT
    assert (folder / "ugly").stat().st_mode & 0o777 == 0o640
    assert (folder / "neat").stat().st_ino == before.st_ino
    assert capsys.readouterr() == ("", "formatted ugly\n")
    assert sorted(path.name for path in folder.iterdir()) == ["neat", "ugly"]
    assert main(["fmt", "ugly", "neat"]) == 0
    assert capsys.readouterr() == ("", "")


def test_no_argument_is_every_file_that_git_tracks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sub").mkdir()
    for name in ("Dispatchfile", "sub/Dispatchfile.cue", "sub/other", "Dispatchfile.cue"):
        (folder / name).write_text(UGLY)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "Dispatchfile", "sub"], check=True)
    assert main(["fmt"]) == 0
    assert capsys.readouterr().err == "formatted Dispatchfile\nformatted sub/Dispatchfile.cue\n"
    assert (folder / "sub/other").read_text() == UGLY
    assert main(["fmt", "-q", "."]) == 0
    assert (folder / "Dispatchfile.cue").read_text() == UGLY
    assert main(["-f", "Dispatchfile.cue", "fmt"]) == 0
    assert (folder / "Dispatchfile.cue").read_text() == NEAT


def test_check_names_what_would_change_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ugly").write_text(UGLY)
    (folder / "neat").write_text(NEAT)
    assert main(["fmt", "--check", "neat"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["fmt", "--check", "neat", "ugly"]) == 1
    assert capsys.readouterr() == ("ugly\n", "1 file would change; `dispatchfile fmt` formats\n")
    assert (folder / "ugly").read_text() == UGLY


def test_diff_shows_what_would_change_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ugly").write_text("b: 1\n" + UGLY)
    assert main(["fmt", "--diff", "--quiet", "ugly"]) == 1
    assert capsys.readouterr() == ("--- ugly\n+++ ugly\n@@ -1,2 +1,2 @@\n b: 1\n-a :  1\n+a: 1\n", "")
    assert (folder / "ugly").read_text() == "b: 1\n" + UGLY


def test_a_file_that_does_not_parse_is_left_alone_and_others_are_formatted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken").write_text("a:   [1 2]\n")
    (folder / "ugly").write_text(UGLY)
    assert main(["fmt", "broken", "ugly"]) == 3
    err = capsys.readouterr().err
    assert "broken:1:9" in err
    assert "error: broken: not formatted: 1 error\n" in err
    assert err.endswith("formatted ugly\n")
    assert (folder / "broken").read_text() == "a:   [1 2]\n"
    assert (folder / "ugly").read_text() == NEAT
    assert main(["fmt", "--check", "nowhere", "broken", "ugly"]) == 3
    assert main(["fmt", "nowhere"]) == 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given_input(monkeypatch, UGLY)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (NEAT, "")
    given_input(monkeypatch, "[1]")
    assert main(["fmt", "-", "--stdin-filename", "Dispatchfile.json"]) == 0
    assert capsys.readouterr().out == "[\n  1\n]\n"
    given_input(monkeypatch, "a: }")
    assert main(["fmt", "-", "--stdin-filename", "ci/Dispatchfile"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "ci/Dispatchfile:1:4" in err
    given_input(monkeypatch, UGLY)
    assert main(["fmt", "--check", "-"]) == 1
    assert capsys.readouterr().out == "<stdin>\n"


def test_standard_input_stays_utf_8_whatever_the_encoding_of_the_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dispatchfile", "fmt", "-"],
        input='a:   "é\u200b" // ü\r\n'.encode(),
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == 'a: "é\u200b" // ü\n'


def test_a_name_for_standard_input_without_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "neat").write_text(NEAT)
    assert main(["fmt", "neat", "--stdin-filename", "x"]) == 2
    assert "help: name - as the file" in capsys.readouterr().err


def test_a_byte_order_mark_and_line_ends_of_windows_go(folder: Path) -> None:
    (folder / "a").write_bytes(b"\xef\xbb\xbfa: 1\n")
    (folder / "b").write_bytes(b"a: 1\r\nb: 2\r\n")
    assert main(["fmt", "--check", "a"]) == 1
    assert main(["fmt", "a", "b"]) == 0
    assert (folder / "a").read_bytes() == b"a: 1\n"
    assert (folder / "b").read_bytes() == b"a: 1\nb: 2\n"
    assert main(["fmt", "--check", "a", "b"]) == 0


def test_a_symbolic_link_stays_one_and_none_leads_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "home").mkdir()
    (folder / "home/real").write_text(UGLY)
    (folder / "outside").write_text(UGLY)
    (folder / "home/link").symlink_to("real")
    (folder / "home/out").symlink_to("../outside")
    assert main(["fmt", "home/link"]) == 0
    assert (folder / "home/link").is_symlink()
    assert (folder / "home/real").read_text() == NEAT
    assert main(["fmt", "home/out"]) == 2
    assert (folder / "outside").read_text() == UGLY
    assert "symbolic link to a file outside" in capsys.readouterr().err


BUG = """
import sys
from dispatchfile.__main__ import run
from dispatchfile.cue import printer
printer._Printer.print = lambda self: "a: 2\\n"
sys.argv = ["dispatchfile", "fmt", "Dispatchfile"]
run()
"""


def test_a_layout_that_would_change_something_is_a_bug_and_leaves_the_file(folder: Path) -> None:
    (folder / "Dispatchfile").write_text(UGLY)
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BUG], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "formatting would change the text: the word '1'" in done.stderr
    assert len(list(folder.glob("dispatchfile/crashes/*"))) == 1
    assert (folder / "Dispatchfile").read_text() == UGLY


def test_a_bug_with_one_file_leaves_it_and_formats_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatchfile import fmt
    from dispatchfile.source import Source

    real = fmt.formatted

    def formatted(source: Source) -> str:
        if source.name == "b":
            raise AssertionError("formatting would change the text: its comments")
        return real(source)

    monkeypatch.setattr(fmt, "formatted", formatted)
    for name in ("a", "b", "c"):
        (folder / name).write_text(UGLY)
    with pytest.raises(AssertionError, match="its comments") as raised:
        main(["fmt", "a", "b", "c"])
    assert raised.value.__notes__ == ["while formatting b, which is left as it was"]
    assert [(folder / name).read_text() for name in ("a", "b", "c")] == [NEAT, UGLY, NEAT]
    assert capsys.readouterr().err == "formatted a\nformatted c\n"


def test_a_read_only_file_is_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").write_text(UGLY)
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs the tests may be allowed everything
    assert main(["fmt", "a"]) == 4
    assert (folder / "a").read_text() == UGLY
    assert "a: is read-only; not written" in capsys.readouterr().err
