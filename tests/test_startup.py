"""What a command does not need, it does not load: the start of the program stays short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "hello-world" / "Dispatchfile"
HEAVY = ("docker", "git", "networkx", "lark", "yaml", "rich", "requests", "github", "dataclasses", "asyncio")

PROBE = """
import sys
from dispatchfile.cli.main import main
code = main(sys.argv[2:])
loaded = [name for name in sys.argv[1].split(",") if name in sys.modules]
print("loaded:", *loaded, file=sys.stderr)
sys.exit(code)
"""


def loaded_by(*argv: str, names: tuple[str, ...] = HEAVY) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, ",".join(names), *argv],
        capture_output=True,
        text=True,
        cwd=ROOT / "examples" / "hello-world",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = next(line for line in done.stderr.splitlines() if line.startswith("loaded:"))
    return told.split()[1:]


@pytest.mark.parametrize(
    "argv",
    [
        ("--version",),
        ("--help",),
        ("plan", "--help"),
        ("run", "--help"),
        ("gitops", "update", "--help"),
        ("gitops", "app", "sync", "--help"),
        ("gitops", "app", "list"),
        ("gitops", "creds", "list"),
        ("login", "--status"),
        ("tekton", "-q", "build"),
        ("render", "--output", "json", str(EXAMPLE)),
        ("lint", "--no-cache", "--fail-on", "error", str(EXAMPLE)),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded(argv: tuple[str, ...]) -> None:
    assert loaded_by(*argv) == []


@pytest.mark.parametrize(
    "argv",
    [
        ("render", str(EXAMPLE)),
        ("render", "--output", "json", str(EXAMPLE)),
        ("lint", "--fail-on", "error", str(EXAMPLE)),
        ("fmt", "--check", str(EXAMPLE)),
        ("--help",),
    ],
)
def test_no_module_of_the_standard_library_is_loaded_for_a_trifle(
    argv: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trifles = ("pathlib", "shutil", "urllib", "locale", "tempfile", "subprocess", "textwrap", "logging")
    ours = set(loaded_by(*argv, names=trifles))
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert ours - set(bare.stdout.split()) == set()


def test_yaml_is_written_without_the_others() -> None:
    assert set(loaded_by("render", str(EXAMPLE))) <= {"yaml"}


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded_by("--version", names=("argparse", "docker")) == ["argparse"]
