"""A user of the tests' own: home, settings of git and Docker, programs on PATH."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from dispatchfile.credentials import keyring

INSTALLED = keyring.there
"""Which keyrings there are; a user has none unless a test gives this back."""


class User:
    """A user at `home`; `env` is their environment, `bin` the first folder on PATH."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bin = folder / "bin"
        self.home.mkdir()
        self.bin.mkdir()
        kept = {name: os.environ[name] for name in ("TERM", "LANG") if name in os.environ}
        self.env = {
            **kept,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }

    @property
    def logins(self) -> Path:
        return self.home / ".local/share/dispatchfile/logins.json"

    @property
    def docker(self) -> Path:
        return self.home / ".docker/config.json"

    def git_settings(self, text: str) -> None:
        (self.home / ".gitconfig").write_text(text, encoding="utf-8")

    def program(self, name: str, text: str) -> Path:
        """Put a program on PATH: Python, or anything else with a first line of its own."""
        path = self.bin / name
        path.write_text(text if text.startswith("#!") else f"#!{sys.executable} -I\n{text}", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """The user, also as the environment of this process."""
    made = User(tmp_path)
    for name in ("XDG_DATA_HOME", "DOCKER_CONFIG", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keyring, "there", lambda _env: [])
    return made
