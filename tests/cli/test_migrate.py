"""The command line of `migrate`: what it prints, what it writes, and what it leaves alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from dispatchfile.cli.main import main
from tests.migrate.test_migrate import NEW, OLD, YAML


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dispatchfile").write_text(OLD)
    return tmp_path


def test_shows_the_difference_and_changes_nothing(folder, capsys) -> None:
    assert main(["migrate"]) == 1
    told = capsys.readouterr()
    assert '-task "test"' in told.out
    assert '+task: "test"' in told.out
    assert told.err == "1 file would change; --write does it\n"
    assert (folder / "Dispatchfile").read_text() == OLD


def test_a_flavour_that_neither_name_nor_first_line_tells(folder, capsys) -> None:
    (folder / "Dispatchfile").write_text(YAML.removeprefix("#!yaml\n"))
    assert main(["lint", "--flavour", "yaml", "--no-cache", "--fail-on", "error"]) == 0
    assert main(["--flavour", "yaml", "fmt", "--check"]) == 0
    capsys.readouterr()
    assert main(["render", "--flavour=yaml"]) == 0
    assert capsys.readouterr().out.startswith("#!yaml\n")
    assert main(["migrate", "--flavour", "yaml", "--to", "cue"]) == 0
    assert capsys.readouterr().out.startswith("#!cue\n")
    assert main(["render"]) == 3


def test_write(folder, capsys) -> None:
    (folder / "Dispatchfile").chmod(0o640)
    assert main(["migrate", "--write"]) == 0
    assert (folder / "Dispatchfile").read_text() == NEW
    assert (folder / "Dispatchfile").stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().err == "migrated Dispatchfile\n"
    assert main(["migrate", "--write"]) == main(["migrate"]) == main(["migrate", "--check"]) == 0
    assert capsys.readouterr() == ("", "")
    assert [path.name for path in folder.iterdir()] == ["Dispatchfile"]


def test_check(folder, capsys) -> None:
    assert main(["migrate", "--check"]) == 1
    assert capsys.readouterr().out == "Dispatchfile\n"


def test_every_file_that_git_tracks(folder, capsys) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    (folder / "ci").mkdir()
    (folder / "ci" / "Dispatchfile.yaml").write_text(YAML)
    subprocess.run(["git", "add", "."], check=True)
    assert main(["migrate", "--check"]) == 1
    assert capsys.readouterr().out == "Dispatchfile\n"
    assert main(["migrate", "--to", "json"]) == 2
    assert "--to prints one file, and these are 2" in capsys.readouterr().err
    assert main(["migrate", "--to", "json", "--write"]) == 0
    assert json.loads((folder / "ci" / "Dispatchfile.json").read_text())["task"]
    assert not (folder / "ci" / "Dispatchfile.yaml").exists()


def test_to_prints(folder, capsys) -> None:
    assert main(["migrate", "--to", "yaml"]) == 0
    told = capsys.readouterr()
    assert told.out == YAML
    assert "note: Dispatchfile: the helper field user served references only and is left out\n" in told.err
    assert (folder / "Dispatchfile").read_text() == OLD
    assert main(["-q", "migrate", "--to", "json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["actions"]
    assert told.err == ""


def staged() -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "."], check=True)


def test_without_an_extension_the_name_stays(folder, capsys) -> None:
    staged()
    assert main(["migrate", "--to", "yaml", "--write"]) == 0
    assert (folder / "Dispatchfile").read_text() == YAML
    staged()
    assert main(["migrate", "--to", "json", "--write"]) == 0
    text = (folder / "Dispatchfile").read_text()
    assert text.startswith("#!json\n{\n")
    assert main(["render"]) == 0
    staged()
    assert main(["migrate", "--to", "cue", "--write"]) == 0
    assert (folder / "Dispatchfile").read_text().startswith("#!cue\nresource: ")


def test_an_extension_goes_with_the_flavour_and_nothing_is_overwritten(folder, capsys) -> None:
    (folder / "Dispatchfile").rename(folder / "ci.cue")
    (folder / "ci.yaml").write_text("mine")
    assert main(["migrate", "--to", "yaml", "--write", "ci.cue"]) == 2
    assert "ci.yaml: exists already; not overwritten" in capsys.readouterr().err
    assert (folder / "ci.yaml").read_text() == "mine"
    assert (folder / "ci.cue").read_text() == OLD
    (folder / "ci.yaml").unlink()
    staged()
    assert main(["migrate", "--to", "yaml", "--write", "ci.cue"]) == 0
    assert capsys.readouterr().err.endswith("migrated ci.cue to ci.yaml\n")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "ci.yaml"]
    assert (folder / "ci.yaml").read_text() == YAML


def test_the_line_of_the_flavour_goes_where_the_extension_says_it(folder) -> None:
    (folder / "ci.json").write_text(YAML)
    staged()
    assert main(["migrate", "--to", "json", "--write", "ci.json"]) == 0
    assert json.loads((folder / "ci.json").read_text())["task"]


@pytest.mark.parametrize("changed", [False, True], ids=["no repository", "changed since"])
def test_what_git_does_not_have_is_not_converted_away(folder, capsys, changed) -> None:
    (folder / "ci.cue").write_text(OLD)
    if changed:
        staged()
        for name in ("ci.cue", "Dispatchfile"):
            (folder / name).write_text(f"{OLD}// new\n")
    before = (folder / "Dispatchfile").read_text()
    assert main(["migrate", "--to", "yaml", "--write", "ci.cue"]) == 0
    assert "note: ci.cue stays: git does not have its text" in capsys.readouterr().err
    assert (folder / "ci.cue").read_text() == before
    assert (folder / "ci.yaml").read_text().startswith(YAML)
    assert main(["migrate", "--to", "yaml", "--write", "Dispatchfile"]) == 2
    assert "not converted in place: git does not have this text" in capsys.readouterr().err
    assert (folder / "Dispatchfile").read_text() == before


def test_a_repository_makes_git_run_nothing(folder, capsys) -> None:
    """Its settings say where git fetches an object that is lacking, and with which program."""
    name = subprocess.run(["git", "hash-object", "Dispatchfile"], capture_output=True, text=True, check=True)
    for arguments in (
        ("init", "--quiet"),
        ("config", "core.repositoryFormatVersion", "1"),
        ("config", "extensions.partialClone", "origin"),
        ("config", "remote.origin.url", "ssh://git.example.com/x"),
        ("config", "core.sshCommand", f"touch {folder}/ran; false"),
        ("config", "core.fsmonitor", f"touch {folder}/ran; false"),
        ("update-index", "--add", "--cacheinfo", f"100644,{name.stdout.strip()},Dispatchfile"),
    ):
        subprocess.run(["git", *arguments], check=True)
    (folder / "ran").unlink(missing_ok=True)
    assert main(["migrate", "--to", "yaml", "--write"]) == 2
    assert "git does not have this text" in capsys.readouterr().err
    assert not (folder / "ran").exists()


def test_links_are_not_followed_out_of_the_repository(folder, tmp_path_factory, capsys) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    outside = tmp_path_factory.mktemp("outside") / "x.cue"
    outside.write_text(OLD)
    (folder / "link.cue").symlink_to(outside)
    assert main(["migrate", "--write", "link.cue"]) == 2
    assert main(["migrate", "--write", "--to", "yaml", "link.cue"]) == 2
    assert "symbolic link" in capsys.readouterr().err
    assert outside.read_text() == OLD
    assert (folder / "link.cue").is_symlink()
    assert not (folder / "link.yaml").exists()


def test_standard_input(folder, monkeypatch, capsys) -> None:
    class Input:
        buffer = io.BytesIO(OLD.encode())

    monkeypatch.setattr(sys, "stdin", Input)
    assert main(["migrate", "-"]) == 0
    assert capsys.readouterr().out == NEW


def test_one_bad_file_does_not_stop_the_others(folder, capsys) -> None:
    (folder / "bad.cue").write_text("task: {\n")
    assert main(["migrate", "--write", "bad.cue", "Dispatchfile", "none.cue"]) == 3
    told = capsys.readouterr().err
    assert "bad.cue: not migrated" in told
    assert "none.cue: no such file" in told
    assert (folder / "bad.cue").read_text() == "task: {\n"
    assert (folder / "Dispatchfile").read_text() == NEW


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--write", "--diff"], "--write, --diff, and --check exclude each other"),
        (["--to", "toml"], '"toml" is not known'),
        (["--wirte"], 'did you mean "--write"?'),
    ],
)
def test_usage(folder, capsys, options, message) -> None:
    assert main(["migrate", *options]) == 2
    assert message in capsys.readouterr().err
