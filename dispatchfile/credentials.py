"""Tokens for git hosts: where they come from."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.remote import Remote


class Credential(Record, hidden=("token",)):
    """A user and a token for one host; `source` says where they were found."""

    user: str
    token: str
    source: str

    @property
    def basic(self) -> str:
        """Return the value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()


def host_variables(host: str) -> tuple[str, ...]:
    """Return the environment variables that hold the token of this very host and of no other."""
    return {"github.com": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab.com": ("GITLAB_TOKEN",)}.get(host, ())


def variables(host: str) -> tuple[str, ...]:
    """Return the environment variables that may hold the token of a host, the first one first."""
    if own := host_variables(host):
        return "DISPATCHFILE_GIT_TOKEN", *own
    if _first_label(host) == "github":
        return "DISPATCHFILE_GIT_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"
    if _first_label(host) == "gitlab":
        return "DISPATCHFILE_GIT_TOKEN", "GITLAB_TOKEN"
    return ("DISPATCHFILE_GIT_TOKEN",)


def find(
    remote: Remote,
    env: Mapping[str, str] = os.environ,
    *,
    directory: Path,
    names: Sequence[str] | None = None,
) -> Credential | None:
    """Return the credential for a remote, or None.

    A variable wins (of `names`, which are those of `variables` unless given), then a password in the URL, then the
    user's git credential helpers. Raises EnvironmentProblem for a token that would travel in plain text.
    """
    if not remote.host:
        return None
    found = _from_environment(remote, env, variables(remote.host) if names is None else names)
    if found is None and remote.password and remote.scheme in ("http", "https"):
        found = Credential(remote.user or "git", remote.password, "the remote's URL")
    if found is None:
        found = _from_helpers(remote, env, directory)
    if found and remote.scheme == "http" and not remote.local:
        raise EnvironmentProblem(
            f"{remote.url} is plain http: the token from {found.source} would be readable on its way",
            help="use https",
        )
    return found


def _from_environment(remote: Remote, env: Mapping[str, str], names: Sequence[str]) -> Credential | None:
    # The user of an ssh URL is the server's login name ("git"), not one of the forge's.
    user = remote.user if remote.scheme != "ssh" else ""
    for name in names:
        # A file's line end that came with the token is no part of it.
        if token := env.get(name, "").strip():
            return Credential(user or "x-access-token", token, f"${name}")
    return None


def _from_helpers(remote: Remote, env: Mapping[str, str], directory: Path) -> Credential | None:
    """Ask `git credential fill`, which never prompts here."""
    place = f"{remote.host}:{remote.port}" if remote.port and remote.scheme != "ssh" else remote.host
    scheme = "https" if remote.scheme == "ssh" else remote.scheme
    question = f"protocol={scheme}\nhost={place}\npath={remote.path.lstrip('/')}\n"
    if remote.user and remote.scheme != "ssh":
        question += f"username={remote.user}\n"
    answer = subprocess.run(
        ["git", "-c", "core.askPass=", "credential", "fill"],
        input=f"{question}\n",
        env={**env, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": ""},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    fields = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
    if answer.returncode or not fields.get("password"):
        return None
    return Credential(fields.get("username") or "git", fields["password"], "git's credential helper")


def _first_label(host: str) -> str:
    return host.partition(".")[0].lower()
