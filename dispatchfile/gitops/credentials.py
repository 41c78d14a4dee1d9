"""Tokens: where they come from, how git gets them, and that nobody else sees them.

git asks the program in GIT_ASKPASS, a script of ours that prints an environment variable: the token stands neither in
an argument list nor in a URL, a file or git's own trace. It goes to the host it was found for and to no other: the
script compares the host in git's question, and redirects are not followed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.mask import Masker
from dispatchfile.record import Record
from dispatchfile.remote import Remote

_ASKPASS = """\
#!/bin/sh
# Answers git's question for a user name or a password, when it asks for the right host.
case "$1" in
Username*"$DISPATCHFILE_ASKPASS_URL'"*|Username*"$DISPATCHFILE_ASKPASS_URL/"*) printf '%s\\n' "$DISPATCHFILE_ASKPASS_USER" ;;
Password*"$DISPATCHFILE_ASKPASS_PLACE'"*|Password*"$DISPATCHFILE_ASKPASS_PLACE/"*) printf '%s\\n' "$DISPATCHFILE_ASKPASS_TOKEN" ;;
*) exit 1 ;;
esac
"""


class Credential(Record, hidden=("token",)):
    """A user and a token for one host; `source` says where they were found."""

    user: str
    token: str
    source: str


def variables(host: str) -> tuple[str, ...]:
    """Return the environment variables that may hold the token of a host, the first one first."""
    if host == "github.com":
        return "DISPATCHFILE_GIT_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"
    if _first_label(host) == "github":
        return "DISPATCHFILE_GIT_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"
    if _first_label(host) == "gitlab":
        return "DISPATCHFILE_GIT_TOKEN", "GITLAB_TOKEN"
    return ("DISPATCHFILE_GIT_TOKEN",)


def find(remote: Remote, env: Mapping[str, str] = os.environ, *, directory: Path) -> Credential | None:
    """Return the credential for a remote, or None.

    A variable of `variables` wins, then a password in the URL, then the user's git credential helpers. Raises
    EnvironmentProblem for a token that would travel in plain text.
    """
    if not remote.host:
        return None
    found = _from_environment(remote, env)
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


def git_environment(remote: Remote, credential: Credential | None, folder: Path) -> dict[str, str]:
    """Return the variables that let git use the credential for this remote alone; writes a script into `folder`."""
    base = {"GIT_TERMINAL_PROMPT": "0", "GIT_TRACE_REDACT": "1"}
    if credential is None or remote.scheme not in ("http", "https"):
        return base
    script = folder / "askpass"
    with os.fdopen(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w") as file:
        file.write(_ASKPASS)
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    place = f"{host}:{remote.port}" if remote.port else host
    return {
        **base,
        "GIT_ASKPASS": str(script),
        "SSH_ASKPASS": str(script),
        "DISPATCHFILE_ASKPASS_URL": f"{remote.scheme}://{place}",
        "DISPATCHFILE_ASKPASS_PLACE": f"@{place}",
        "DISPATCHFILE_ASKPASS_USER": credential.user,
        "DISPATCHFILE_ASKPASS_TOKEN": credential.token,
    }


def masker(*remotes: Remote, credential: Credential | None) -> Masker:
    """Return what hides every token that is known here, also in base64 and with its user in front."""
    secrets = [remote.password for remote in remotes if remote.password]
    if credential:
        secrets += [credential.token, f"{credential.user}:{credential.token}"]
    return Masker(secrets)


def _from_environment(remote: Remote, env: Mapping[str, str]) -> Credential | None:
    # The user of an ssh URL is the server's login name ("git"), not one of the forge's.
    user = remote.user if remote.scheme != "ssh" else ""
    for name in variables(remote.host):
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
