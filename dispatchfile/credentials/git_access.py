"""What git itself is told, so that a login made with this program opens a remote for it as for us."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dispatchfile.credentials import Credential, logins, place, ssh
from dispatchfile.errors import UsageError
from dispatchfile.remote import Remote


def variables(remote: Remote, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that let git in at a remote, and at what else the same login is for, such as submodules.

    None where git finds its way itself: by the URL's password, by its helpers, which have the token, or without a
    login. The token is in the environment alone, which `ps` shows to nobody else. Raises EnvironmentProblem.
    """
    if remote.scheme == "ssh":
        return ssh.environment(remote, env)
    if remote.scheme not in ("http", "https") or remote.password:
        return {}
    try:
        login = logins.best(place.of_remote(remote), remote.user, env)
    except UsageError:
        return {}  # a host or a path that no login can be for
    if login is None or login.kept in ("git", "ssh"):
        return {}
    token = logins.token_of(login, env)
    if token is None:
        return {}
    header = f"Authorization: {Credential(login.user, token, '').basic}"
    at = int(env.get("GIT_CONFIG_COUNT") or 0)
    return {
        "GIT_CONFIG_COUNT": str(at + 1),
        f"GIT_CONFIG_KEY_{at}": f"http.{login.url}.extraHeader",
        f"GIT_CONFIG_VALUE_{at}": header,
    }
