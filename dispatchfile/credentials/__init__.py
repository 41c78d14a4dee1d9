"""Tokens for git hosts: where they come from.

`find` is what the other rooms ask. The modules beside it hold what `dispatchfile login` made (`logins.py`), in the
tools that own such secrets (`git_helper.py`, `keyring.py`, `docker_config.py`), and what a cluster gets of it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dispatchfile.errors import EnvironmentProblem, UsageError
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


def forge_of(host: str, env: Mapping[str, str] = os.environ) -> str | None:
    """Return the kind of forge that a login noted for HOST or HOST:PORT, or None. Raises EnvironmentProblem."""
    from dispatchfile.credentials import logins

    return logins.forge_of(host, env)


def find(
    remote: Remote,
    env: Mapping[str, str] = os.environ,
    *,
    directory: Path,
    names: Sequence[str] | None = None,
) -> Credential | None:
    """Return the credential for a remote, or None.

    A variable wins (of `names`, which are those of `variables` unless given), then a password in the URL, then the
    logins made with this program, the longest URL first, then the user's git credential helpers. Raises EnvironmentProblem
    for a token that would travel in plain text, and where something that keeps tokens cannot be asked.
    """
    if not remote.host:
        return None
    found = _from_environment(remote, env, variables(remote.host) if names is None else names)
    if found is None and remote.password and remote.scheme in ("http", "https"):
        found = Credential(remote.user or "git", remote.password, "the remote's URL")
    if found is None:
        found = _from_logins(remote, env)
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


def _from_logins(remote: Remote, env: Mapping[str, str]) -> Credential | None:
    """Return what a login of this program says, unless its token is with git's helpers, which are asked anyway."""
    from dispatchfile.credentials import logins, place

    user = remote.user if remote.scheme != "ssh" else ""
    try:
        wanted = place.of_remote(remote)
    except UsageError:
        return None  # a host or a path that no login can be for
    login = logins.best(wanted, user, env)
    if login is None or login.kept in ("git", "ssh"):
        return None
    if token := logins.token_of(login, env):
        return Credential(login.user or "git", token, f"the login for {login.url}")
    return None


def _from_helpers(remote: Remote, env: Mapping[str, str], directory: Path) -> Credential | None:
    """Ask `git credential fill`, which never prompts here."""
    from dispatchfile.credentials import git_helper
    from dispatchfile.credentials.place import Place

    scheme = "https" if remote.scheme == "ssh" else remote.scheme
    where = Place(scheme, remote.host, remote.port if remote.scheme != "ssh" else None)
    user = remote.user if remote.scheme != "ssh" else ""
    found = git_helper.fill(where, user, env, path=remote.path.lstrip("/"), directory=str(directory))
    return Credential(found[0] or "git", found[1], "git's credential helper") if found else None


def _first_label(host: str) -> str:
    return host.partition(".")[0].lower()
