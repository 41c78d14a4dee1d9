"""`dispatchfile lint` as a user runs it, in repositories of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile.cli import lint
from dispatchfile.cli.main import main
from dispatchfile.lint.rules.security import untagged_image
from tests.lint.samples import SOUND, UNTAGGED, YAML

OLD = SOUND.replace("resource: src", "resource src")
MISSPELT = SOUND.replace('["src"]', '["scr"]')


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    for name in ("CACHE", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    return folder


def track(repo: Path, **files: str) -> None:
    """Write files into the repository (`__` is a slash, `_` a point) and let git track them."""
    for name, text in files.items():
        path = repo / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "add", "."], cwd=repo, check=True)


def run(*argv: str, stdin: str | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dispatchfile", "lint", *argv],
        input=None if stdin is None else stdin.encode(),
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
        cwd=cwd,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def places(output: str) -> list[str]:
    return [line.split(" ")[0] for line in output.splitlines()]


# Which files


def test_without_arguments_all_that_git_tracks(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, ci__Dispatchfile_yaml=YAML, ci__Dispatchfile_tmpl="]", ci__other="]")
    (repo / "new").mkdir()
    (repo / "new/Dispatchfile").write_text("]")
    subprocess.run(["git", "rm", "-q", "--cached", "ci/Dispatchfile.tmpl"], check=True)
    code, out, _ = run("--output-format", "concise")
    assert (code, places(out)) == (1, ["Dispatchfile:5:33:", "ci/Dispatchfile.yaml:11:14:"])
    code, out, _ = run("--output-format", "concise", cwd=repo / "ci")
    assert (code, places(out)) == (1, ["../Dispatchfile:5:33:", "Dispatchfile.yaml:11:14:"])


def test_a_tracked_file_that_is_gone_is_left_out(repo: Path) -> None:
    track(repo, Dispatchfile=SOUND, ci__Dispatchfile=UNTAGGED)
    (repo / "ci/Dispatchfile").unlink()
    assert run()[0] == 0


def test_when_git_tracks_none(repo: Path) -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "error: git tracks no Dispatchfile in this repository" in err
    (repo / "Dispatchfile").write_text(SOUND)
    assert "help: git add Dispatchfile, or name the file" in run()[2]


def test_without_a_repository_the_one_of_the_folder(repo: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "no Dispatchfile in this directory" in run(cwd=elsewhere)[2]
    (elsewhere / "Dispatchfile.yaml").write_text(YAML)
    code, out, _ = run("--output-format", "concise", cwd=elsewhere)
    assert (code, places(out)) == (1, ["Dispatchfile.yaml:11:14:"])


def test_folders(repo: Path, tmp_path: Path) -> None:
    track(repo, Dispatchfile="]", ci__Dispatchfile=UNTAGGED, ci__deep__Dispatchfile_cue=UNTAGGED)
    (repo / "ci/untracked").mkdir()
    (repo / "ci/untracked/Dispatchfile").write_text("]")
    wanted = ["ci/Dispatchfile:5:33:", "ci/deep/Dispatchfile.cue:5:33:"]
    assert places(run("ci", "--output-format", "concise")[1]) == wanted
    assert places(run("--output-format=concise", "ci/", "ci/Dispatchfile")[1]) == wanted
    plain = tmp_path / "plain"
    (plain / ".hidden").mkdir(parents=True)
    (plain / "a").mkdir()
    (plain / "a/Dispatchfile.json").write_text("]")
    (plain / ".hidden/Dispatchfile").write_text("]")
    assert len(places(run(str(plain), "--output-format", "concise")[1])) == 1
    (tmp_path / "empty").mkdir()
    code, _, err = run(str(tmp_path / "empty"))
    assert code == 2
    assert "no Dispatchfile below" in err


def test_links_are_followed_inside_of_the_repository_alone(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password ]")
    (repo / "pipeline.cue").write_text(UNTAGGED)
    (repo / "a").mkdir()
    (repo / "b").mkdir()
    (repo / "a/Dispatchfile").symlink_to("../pipeline.cue")
    (repo / "b/Dispatchfile").symlink_to(tmp_path / "secret")
    track(repo)
    code, out, err = run("--output-format", "concise")
    assert (code, places(out)) == (1, ["a/Dispatchfile:5:33:"])
    assert "password" not in out + err


def test_one_bad_name_does_not_hide_the_others(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, bad__Dispatchfile="")
    (repo / "bad/Dispatchfile").write_bytes(b"a: \xff\n")
    code, out, err = run("nosuch", "Dispatchfile", "bad/Dispatchfile", "--output-format", "concise")
    assert (code, places(out)) == (2, ["Dispatchfile:5:33:", "bad/Dispatchfile:1:4:"])
    assert "error: nosuch: no such file" in err
    code, out, err = run("nosuch")
    assert (code, out) == (2, "")
    assert "found" not in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: 1\nb: \xe4\n", "Dispatchfile:2:4: error[DF001]: the file is not UTF-8 on line 2: byte 0xe4"),
        (b"a: 1\n\0", "Dispatchfile:2:1: error[DF001]: the file holds a NUL byte on line 2"),
        (b"a" * (4 * 1024 * 1024 + 1), "Dispatchfile:1:1: error[DF001]: the file is larger than 4 MiB"),
    ],
    ids=["latin-1", "nul", "large"],
)
def test_what_is_no_text_is_a_finding(repo: Path, content: bytes, told: str) -> None:
    (repo / "Dispatchfile").write_bytes(content)
    code, out, _ = run("Dispatchfile", "--output-format", "concise")
    assert code == 1
    assert out.startswith(told)


# What is shown


def test_a_finding_in_full(repo: Path) -> None:
    track(repo, Dispatchfile=MISSPELT)
    code, out, err = run()
    assert code == 1
    assert out.startswith('error[DF201]: task "test" takes "scr", which is neither a resource nor a task\n')
    assert out.endswith(
        "Found 1 error, 0 warnings in 1 file.  1 can be mended by --fix --unsafe-fixes.  "
        "Run `dispatchfile explain DF201` for details.\n"
    )
    assert err == ""


def test_nothing_found_leaves_stdout_empty(repo: Path) -> None:
    track(repo, Dispatchfile=SOUND)
    assert run() == (0, "", "Nothing found in 1 file.\n")
    assert run("-q") == (0, "", "")


@pytest.mark.parametrize("kind", lint.FORMATS)
def test_formats(repo: Path, kind: str) -> None:
    track(repo, Dispatchfile=UNTAGGED)
    code, out, _ = run("--output-format", kind)
    assert code == 1
    if kind == "json":
        (found,) = json.loads(out)
        assert (found["code"], found["line"], found["column"]) == ("DF601", 5, 33)
    elif kind == "sarif":
        assert json.loads(out)["runs"][0]["results"][0]["ruleId"] == "DF601"
    elif kind == "github":
        assert out.startswith("::warning title=dispatchfile (DF601),file=Dispatchfile,line=5,col=33,")
    else:
        assert "warning[DF601]" in out


@pytest.mark.parametrize("kind", ["json", "sarif", "github"])
def test_nothing_found_in_formats_for_programs(repo: Path, kind: str) -> None:
    track(repo, Dispatchfile=SOUND)
    code, out, err = run("--output-format", kind)
    assert (code, err) == (0, "")
    if kind == "json":
        assert json.loads(out) == []
    elif kind == "sarif":
        assert json.loads(out)["runs"][0]["results"] == []
    else:
        assert out == ""


def test_the_format_from_the_environment(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track(repo, Dispatchfile=UNTAGGED)
    monkeypatch.setenv("DISPATCHFILE_OUTPUT_FORMAT", "json")
    assert json.loads(run()[1])[0]["code"] == "DF601"
    assert run("--output-format", "concise")[1].startswith("Dispatchfile:5:33: ")
    monkeypatch.setenv("DISPATCHFILE_OUTPUT_FORMAT", "xml")
    code, _, err = run()
    assert code == 2
    assert 'the output format "xml" of DISPATCHFILE_OUTPUT_FORMAT is not known' in err


def test_statistics(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, a__Dispatchfile=OLD, ci__Dispatchfile=OLD)
    code, out, _ = run("--statistics")
    lines = out.splitlines()
    assert code == 1
    assert lines[:2] == ["2  DF704  deprecated-field-chain  (--fix)", "1  DF601  untagged-image"]
    assert [one["count"] for one in json.loads(run("--statistics", "--output-format", "json")[1])] == [2, 1]
    assert run("--statistics", "--output-format", "github")[0] == 2


def test_the_summary_names_the_worst_finding_to_explain(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, ci__Dispatchfile=UNTAGGED + "task: lost: steps: 1\n")
    told = run()[1].rstrip()
    assert told.startswith("warning[DF601]")
    assert told.endswith("Run `dispatchfile explain DF103` for details.")


def test_infos_are_counted(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED)
    (repo / ".dispatchfile.toml").write_text('[lint]\nseverity = {DF601 = "info"}\n')
    code, out, _ = run()
    assert code == 0
    assert "Found 0 errors, 0 warnings, 1 info in 1 file." in out


# What is chosen, and the exit code


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), ["DF601", "DF704"]),
        (("--select", "DF7"), ["DF704"]),
        (("--select", "DF6,deprecated-field-chain"), ["DF601", "DF704"]),
        (("--select", "DF6", "--select", "DF7", "--ignore", "DF704"), ["DF601"]),
        (("--ignore", "untagged-image"), ["DF704"]),
        (("--ignore", "DF"), []),
    ],
    ids=" ".join,
)
def test_rules_are_chosen(repo: Path, options: tuple[str, ...], codes: list[str]) -> None:
    track(repo, Dispatchfile=UNTAGGED.replace("resource: src", "resource src"))
    code, out, _ = run("--output-format", "json", *options)
    assert sorted(one["code"] for one in json.loads(out)) == codes
    assert code == (1 if codes else 0)


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (UNTAGGED, (), 1),
        (UNTAGGED, ("--fail-on", "error"), 0),
        (UNTAGGED, ("--fail-on", "info"), 1),
        (MISSPELT, ("--fail-on", "error"), 1),
        (SOUND, ("--fail-on", "info"), 0),
    ],
)
def test_the_exit_code(repo: Path, text: str, options: tuple[str, ...], code: int) -> None:
    track(repo, Dispatchfile=text)
    assert run(*options)[0] == code


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--select", "DF99"), '"DF99" in --select is no rule'),
        (("--ignore", "untaged-image"), 'did you mean "untagged-image"?'),
        (("--ignore", "DF001"), "DF001 in --ignore is always on"),
        (("--unsafe-fixes",), "add --fix, or --diff to see them"),
        (("--stdin-filename", "x"), "--stdin-filename is for standard input"),
        (("--fail-on", "never"), "--fail-on"),
        (("--output-format", "jsno"), 'did you mean "json"?'),
        (("--slect", "DF6"), 'did you mean "--select"?'),
    ],
    ids=" ".join,
)
def test_wrong_options(repo: Path, options: tuple[str, ...], told: str) -> None:
    track(repo, Dispatchfile=SOUND)
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    assert told in err


def test_settings_of_the_project(repo: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, old__Dispatchfile=OLD)
    settings = repo / ".dispatchfile.toml"
    settings.write_text('[lint]\nfail-on = "error"\nper-file-ignores = {"old/**" = ["DF7"]}\n')
    assert places(run("--output-format", "concise")[1]) == ["Dispatchfile:5:33:"]
    assert run()[0] == 0
    assert run("--fail-on", "warning")[0] == 1
    assert places(run("--output-format", "concise", cwd=repo / "old")[1]) == ["../Dispatchfile:5:33:"]
    settings.write_text('[lint]\nignore = ["DF6"]\nseverity = {DF704 = "error"}\n')
    assert "error[DF704]" in run()[1]
    assert [one["code"] for one in json.loads(run("--select", "DF6", "--output-format", "json")[1])] == [
        "DF601"
    ]
    settings.write_text('[lint]\nignore = ["DF6"]\nslect = []\n')
    code, _, err = run()
    assert code == 2
    assert 'unknown setting "lint.slect" in ' in err
    assert 'did you mean "select"?' in err


# Fixing


def test_fix_writes_and_tells_what_is_left(repo: Path) -> None:
    track(repo, Dispatchfile=OLD, ci__Dispatchfile=UNTAGGED)
    code, out, _ = run("--fix")
    assert code == 1
    assert (repo / "Dispatchfile").read_text() == SOUND
    assert (repo / "ci/Dispatchfile").read_text() == UNTAGGED
    assert "DF704" not in out
    assert "Mended 1 finding.  Found 0 errors, 1 warning in 1 file." in out
    assert run("--fix", "Dispatchfile") == (0, "", "Nothing found in 1 file.\n")


def test_unsafe_fixes(repo: Path) -> None:
    track(repo, Dispatchfile=MISSPELT)
    assert run("--fix")[0] == 1
    assert (repo / "Dispatchfile").read_text() == MISSPELT
    assert run("--fix", "--unsafe-fixes")[0] == 0
    assert (repo / "Dispatchfile").read_text() == SOUND


def test_a_fix_keeps_mode_mark_line_ends_and_links(repo: Path) -> None:
    path = repo / "real.cue"
    path.write_bytes(b"\xef\xbb\xbf" + OLD.rstrip("\n").replace("\n", "\r\n").encode())
    path.chmod(0o754)
    (repo / "Dispatchfile").symlink_to("real.cue")
    assert run("--fix", "Dispatchfile")[0] == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + SOUND.rstrip("\n").replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o754
    assert (repo / "Dispatchfile").is_symlink()
    assert {path.name for path in repo.iterdir()} == {".git", "Dispatchfile", "real.cue"}


def test_a_fix_writes_nothing_outside_of_the_repository(repo: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(OLD)
    (repo / "Dispatchfile").symlink_to(outside)
    (repo / "other").mkdir()
    (repo / "other/Dispatchfile").write_text(OLD)
    code, _, err = run("--fix", "Dispatchfile", "other/Dispatchfile")
    assert code == 2
    assert "is a symbolic link to a file outside of this repository; not written" in err
    assert outside.read_text() == OLD
    assert (repo / "other/Dispatchfile").read_text() == SOUND


def test_diff_shows_and_writes_nothing(repo: Path) -> None:
    track(repo, Dispatchfile=OLD, ci__Dispatchfile=UNTAGGED)
    code, out, _ = run("--diff")
    assert code == 1
    assert out.startswith("--- Dispatchfile\n+++ Dispatchfile\n@@ ")
    assert "ci/Dispatchfile" not in out
    assert (repo / "Dispatchfile").read_text() == OLD
    done = subprocess.run(["git", "apply", "-p0"], input=out.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (repo / "Dispatchfile").read_text() == SOUND
    assert run("--diff") == (0, "", "")


@pytest.mark.parametrize(
    "name", ["new\nline", "esc\x1b[31m", 'quo"te\\', os.fsdecode(b"lat\xe9in")], ids=ascii
)
def test_git_applies_a_diff_whatever_the_file_is_called(repo: Path, name: str) -> None:
    path = repo / name / "Dispatchfile"
    path.parent.mkdir()
    path.write_text(OLD)
    code, out, _ = run("--diff", str(path.relative_to(repo)))
    assert code == 1
    assert out.replace("\n", "").isprintable()
    subprocess.run(["git", "apply", "-p0", "-"], cwd=repo, input=out.encode(), check=True)
    assert run("--diff", str(path.relative_to(repo)))[0] == 0


def test_diff_shows_no_secret(repo: Path) -> None:
    track(repo, Dispatchfile=f'{OLD}password: "https://me:a93d-77Cq01xe@git.example.com/a"\n')
    code, out, _ = run("--diff")
    assert code == 1
    assert "+resource: src" in out
    assert "a93d" not in out


def test_a_change_within_the_time_of_linting_is_not_overwritten(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    track(repo, Dispatchfile=OLD)
    found = lint._found

    def edited(*args: object) -> object:
        (repo / "Dispatchfile").write_text(OLD + "// from the editor\n")
        return found(*args)

    monkeypatch.setattr(lint, "_found", edited)
    assert main(["lint", "--fix"]) == 4
    assert (repo / "Dispatchfile").read_text() == OLD + "// from the editor\n"
    assert "has changed in the meantime" in capsys.readouterr().err


# Standard input


def test_standard_input(repo: Path) -> None:
    code, out, _ = run("-", "--output-format", "concise", stdin=UNTAGGED)
    assert (code, places(out)) == (1, ["<stdin>:5:33:"])
    code, out, _ = run(
        "--stdin-filename", "ci/Dispatchfile.yaml", "--output-format", "concise", "-", stdin=YAML
    )
    assert (code, places(out)) == (1, ["ci/Dispatchfile.yaml:11:14:"])


def test_standard_input_is_mended_onto_standard_output(repo: Path) -> None:
    assert run("-", "--fix", stdin=OLD) == (0, SOUND, "Mended 1 finding.  Nothing found in 1 file.\n")
    code, out, err = run(
        "-", "--fix", "--output-format", "concise", stdin=OLD.replace("golang:1.22", "golang")
    )
    assert (code, out) == (1, UNTAGGED)
    assert "DF601" in err
    assert run("-", "--fix", stdin=UNTAGGED)[1] == UNTAGGED
    mended = run("-", "--fix", stdin=OLD.replace("\n", "\r\n"))[1]
    assert mended == SOUND.replace("\n", "\r\n")


def test_what_is_mended_comes_out_byte_for_byte_in_any_locale(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    text = OLD + "// grüße 🚀\n"
    assert run("-", "--fix", stdin=text)[1] == SOUND + "// grüße 🚀\n"
    assert "+resource: src" in run("-", "--diff", stdin=text)[1]


# Bugs, the cache


def test_a_bug_in_a_rule_is_told_after_the_findings(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    track(repo, Dispatchfile=MISSPELT, ci__Dispatchfile=OLD)
    monkeypatch.setattr(untagged_image, "check", lambda subject: 1 / 0)
    with pytest.raises(Exception, match="the rule DF601 failed"):
        main(["lint", "--output-format", "concise"])
    assert places(capsys.readouterr().out) == ["Dispatchfile:4:12:", "ci/Dispatchfile:1:1:"]


def test_a_bug_met_while_fixing_leaves_that_file_and_mends_the_others(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(repo, Dispatchfile=OLD, ci__Dispatchfile=OLD)
    check = untagged_image.check

    def crash(subject):
        if subject.source.name == "Dispatchfile" and subject.source.text == SOUND:
            raise ZeroDivisionError
        return check(subject)

    monkeypatch.setattr(untagged_image, "check", crash)
    with pytest.raises(Exception, match="the rule DF601 failed"):
        main(["lint", "--fix"])
    assert (repo / "Dispatchfile").read_text() == OLD
    assert (repo / "ci/Dispatchfile").read_text() == SOUND


def test_a_second_run_gives_the_same(repo: Path, tmp_path: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED, ci__Dispatchfile=OLD, x__Dispatchfile_yaml=YAML)
    first = run()
    assert len(list((tmp_path / "CACHE/dispatchfile/lint").iterdir())) == 3
    assert run() == first
    assert run("--no-cache") == first


def test_no_cache_writes_none(repo: Path, tmp_path: Path) -> None:
    track(repo, Dispatchfile=UNTAGGED)
    run("--no-cache")
    assert not (tmp_path / "CACHE").exists()


@pytest.mark.parametrize("where", ["setting", "variable"])
def test_the_cache_is_where_the_settings_say(repo: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    track(repo, Dispatchfile=UNTAGGED)
    if where == "setting":
        (repo / "home/dispatchfile").mkdir(parents=True)
        (repo / "home/dispatchfile/config.toml").write_text('cache-dir = "kept"\n')
        monkeypatch.setenv("XDG_CONFIG_HOME", str(repo / "home"))
    else:
        monkeypatch.setenv("DISPATCHFILE_CACHE_DIR", "kept")
    run()
    assert len(list((repo / "kept/lint").iterdir())) == 1
