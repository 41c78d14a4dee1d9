"""What git itself is told, so that a login made with this program opens a remote for it as for us."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dispatchfile.credentials import Credential, certificates, host_variables, logins, place, ssh
from dispatchfile.credentials.place import Place
from dispatchfile.errors import UsageError
from dispatchfile.remote import Remote


def variables(remote: Remote, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that let git in at a remote, and at what else the same login is for, such as submodules.

    As in `find`, a variable that holds the token of this very host wins. There are none where git finds its way itself:
    by the URL's password, by its helpers, which have the token, or without a login. The token is in the environment
    alone, which `ps` shows to nobody else. Raises EnvironmentProblem.
    """
    if remote.scheme == "ssh":
        return ssh.environment(remote, env)
    if remote.scheme not in ("http", "https"):
        return {}
    try:
        where = place.of_remote(remote)
    except UsageError:
        return {}  # a host or a path that no login can be for
    settings = {}
    if file := certificates.of(where.url, env):
        settings[f"http.{where.scheme}://{where.server}.sslCAInfo"] = str(file)
    if not remote.password and (known := _known(remote, where, env)):
        url, credential = known
        settings[f"http.{url}.extraHeader"] = f"Authorization: {credential.basic}"
    # The setting is for this server alone; where a variable names what to trust, git looks at nothing else.
    trust = {"GIT_SSL_CAINFO": str(file)} if file and "GIT_SSL_CAINFO" in env else {}
    return {**_as_variables(settings, env), **trust}


def _known(remote: Remote, where: Place, env: Mapping[str, str]) -> tuple[str, Credential] | None:
    """Return what lets in at a remote, and the URL that it is for."""
    for name in host_variables(remote.host) if remote.scheme == "https" else ():
        if token := env.get(name, "").strip():
            return f"https://{where.server}", Credential(remote.user or "x-access-token", token, f"${name}")
    login = logins.best(where, remote.user, env)
    if login and login.kept not in ("git", "ssh") and (token := logins.token_of(login, env) or ""):
        return login.url, Credential(login.user, token, f"the login for {login.url}")
    return None


def _as_variables(settings: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Return settings of git as its variables for them, behind those that are there."""
    given = env.get("GIT_CONFIG_COUNT", "")
    at = int(given) if given.isdecimal() else 0
    made = {"GIT_CONFIG_COUNT": str(at + len(settings))} if settings else {}
    for number, (name, value) in enumerate(settings.items(), at):
        made |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return made
