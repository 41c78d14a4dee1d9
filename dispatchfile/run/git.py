"""The user's git, called so that nothing in a repository or a URL makes it do more than it was asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitenv import ANY_PROTOCOL, git_command, git_environment


def git(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    protocols: str = ANY_PROTOCOL,
) -> bytes:
    """Return what git printed. Raises EnvironmentProblem with git's own last words when it fails or is not there."""
    try:
        done = subprocess.run(
            [*git_command(), *arguments],
            cwd=cwd,
            env={**quiet_environment(protocols), **(env or {})},
            input=b"" if stdin is None else stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise EnvironmentProblem("git is not installed", help="install git 2.30 or newer") from None
    if done.returncode:
        words = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        said = next(
            (line for line in words if line.startswith(("fatal:", "error:"))), words[-1] if words else ""
        )
        raise EnvironmentProblem(
            f"git {arguments[0]} failed: {without_userinfo_text(said) or done.returncode}"
        )
    return done.stdout


def quiet_environment(protocols: str = ANY_PROTOCOL) -> dict[str, str]:
    """Return the environment for git: nor does its ssh ask anything."""
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **git_environment(protocols)}


def without_userinfo_text(text: str) -> str:
    """Return a message of git with user names and passwords in URLs left out."""
    return re.sub(r"(https?://)[^/@\s]+@", r"\1", text)


def object_directories(repository: Path) -> list[Path]:
    """Return where the objects of a repository lie: its own directory first, then those it borrows from."""
    found = git(["rev-parse", "--git-path", "objects"], cwd=repository).decode().rstrip("\n")
    waiting = [(repository / found).resolve()]
    seen: list[Path] = []
    while waiting:
        directory = waiting.pop(0)
        if directory in seen or not directory.is_dir():
            continue
        seen.append(directory)
        alternates = directory / "info/alternates"
        if alternates.is_file():
            lines = alternates.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            waiting += [(directory / line).resolve() for line in lines if line and not line.startswith("#")]
    return seen


def config_value(text: str) -> str:
    """Return a value or subsection as git's configuration files quote it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
