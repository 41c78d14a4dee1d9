"""Every example does what its README says: each `dispatchfile …` line in it is run, in a repository made of the folder.

A line ends with exit code 0 unless a comment behind it says `# exits with 1`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile import fmt, front
from dispatchfile.lint.engine import inspect
from dispatchfile.migrate.migrate import migrate
from dispatchfile.source import Source

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
OLD = ROOT / "examples" / "old-syntax"


def commands(example: Path) -> list[str]:
    """Return the command lines in the fenced blocks of an example's README."""
    text = (example / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?ms)^```\w*\n(.*?)^```", text)
    return [line for block in blocks for line in block.splitlines() if line.startswith("dispatchfile ")]


def cases() -> list[object]:
    found: list[object] = []
    for example in EXAMPLES:
        for line in commands(example):
            marks = [pytest.mark.docker] if line.split()[1] == "run" else []
            found.append(pytest.param(example, line, id=f"{example.name}: {line[13:]}", marks=marks))
    return found


@pytest.fixture
def repository(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of the example, with nothing of the user's settings or past runs in reach."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "DISPATCHFILE_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "repository"
    shutil.copytree(
        request.getfixturevalue("example"), folder, ignore=shutil.ignore_patterns("demo", "__pycache__")
    )
    for words in (
        ["init", "--quiet", "--initial-branch=master"],
        ["add", "--all"],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", "Begin"],
        ["remote", "add", "origin", "https://git.example.com/ada/example.git"],
        ["branch", "topic"],
        *(["tag", name] for name in re.findall(r"--tag (\S+)", request.getfixturevalue("line"))),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(("example", "line"), cases())
def test_what_the_readme_says_works(
    example: Path, line: str, repository: Path, request: pytest.FixtureRequest
) -> None:
    if line.split()[1] == "run":
        request.getfixturevalue("toolbox")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line, comments=True)],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = re.search(r"# exits with (\d+)", line)
    assert done.returncode == (int(said[1]) if said else 0), f"{line}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip() or (said and done.stderr.strip()), "it says something"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_complete(example: Path) -> None:
    assert (example / "Dispatchfile").is_file()
    assert len(commands(example)) >= 2, "the README shows commands to try"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_written_as_we_would_write_it_today(example: Path) -> None:
    source = front.open_source(str(example / "Dispatchfile"))
    assert fmt.formatted(source) == source.text
    found = [one.code for one in inspect(source)]
    if example != OLD:
        assert not found
    else:
        assert set(found) == {"DF701", "DF702", "DF703", "DF704"}, "it shows what is old, and nothing else"


def test_the_old_example_is_migrated_to_what_we_would_write_today() -> None:
    source = front.open_source(str(OLD / "Dispatchfile"))
    newer = Source("Dispatchfile", migrate(source).text)
    assert inspect(newer) == ()
    assert fmt.formatted(newer) == newer.text
    assert re.findall("//.*", newer.text) == re.findall("//.*", source.text)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_rendering_what_was_rendered_changes_nothing(example: Path, tmp_path: Path) -> None:
    def render(file: Path) -> str:
        return subprocess.run(
            [sys.executable, "-m", "dispatchfile", "render", str(file)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    once = render(example / "Dispatchfile")
    (tmp_path / "Dispatchfile").write_text(once, encoding="utf-8")
    assert render(tmp_path / "Dispatchfile") == once
