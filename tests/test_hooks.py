"""The hooks that other repositories use, tried as `pre-commit` itself tries them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ci

ROOT = Path(__file__).parent.parent

DISPATCHFILE = """\
resource: src: {type: "git", param: url: "$(context.git.url)"}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
"""


class Repository:
    """A repository in which the hooks are tried; they are installed once for all tests of this module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "DISPATCHFILE_"))
        }
        self.environment = {
            **kept,
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        identity = "[user]\n name = Tester\n email = tester@example.com\n[safe]\n directory = *\n"
        (folder / "gitconfig").write_text(identity, encoding="utf-8")
        self.git("init", "-q")
        self.project = self.snapshot(folder / "project")

    def snapshot(self, folder: Path) -> Path:
        """Return a repository of this project as it stands, so that its hooks are installed once, committed or not."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "as it stands"]):
            subprocess.run(["git", *arguments], cwd=folder, env=self.environment, check=True)
        return folder

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.git("add", name)

    def hook(self, name: str) -> subprocess.CompletedProcess[str]:
        """Try one hook of this project on all files of the repository."""
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", str(self.project), name, "--all-files", "--color", "never"],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the hooks installed."""
    made = Repository(tmp_path_factory.mktemp("hooks"))
    made.write("README", "nothing\n")
    done = made.hook("dispatchfile-lint")
    if done.returncode and "no files to check" not in done.stdout:
        ci.skip(f"pre-commit cannot install the hook here: {(done.stdout + done.stderr)[-500:]}")
    return made


def test_lint_passes_a_good_file_and_names_the_line_of_a_bad_one(repository: Repository):
    repository.write("Dispatchfile", DISPATCHFILE)
    done = repository.hook("dispatchfile-lint")
    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout
    repository.write("Dispatchfile", DISPATCHFILE.replace('["src"]', '["scr"]'))
    repository.write("notes.cue", "a: b\n")
    done = repository.hook("dispatchfile-lint")
    assert done.returncode == 1
    assert "Dispatchfile:4:12" in done.stdout
    assert "DF201" in done.stdout
    assert "notes.cue" not in done.stdout


def test_fmt_changes_the_file_and_fails_so_that_it_is_looked_at(repository: Repository):
    repository.write("Dispatchfile", DISPATCHFILE)
    repository.write("ci/Dispatchfile.cue", DISPATCHFILE.replace("  inputs:", "      inputs:"))
    done = repository.hook("dispatchfile-fmt")
    assert done.returncode == 1, done.stdout
    assert "files were modified by this hook" in done.stdout
    assert (repository.folder / "ci/Dispatchfile.cue").read_text(encoding="utf-8") == DISPATCHFILE
    assert repository.hook("dispatchfile-fmt").returncode == 0


def test_files_for_a_cluster_are_held_against_the_dispatchfile(repository: Repository):
    repository.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
    repository.write("Dispatchfile", DISPATCHFILE)
    done = repository.hook("dispatchfile-tekton")
    assert done.returncode == 1, done.stdout
    assert ".tekton/shop-push.yaml" in done.stdout
    emit = [sys.executable, "-m", "dispatchfile", "tekton", "--target", "pac", "--out", ".tekton"]
    environment = {**repository.environment, "PYTHONPATH": str(repository.project)}
    subprocess.run(emit, cwd=repository.folder, env=environment, check=True, capture_output=True)
    repository.git("add", ".tekton")
    done = repository.hook("dispatchfile-tekton")
    assert done.returncode == 0, done.stdout
