"""Docker's credential helpers, programs called `docker-credential-NAME`, and the protocol they speak.

docker/docker-credential-helpers: the verb is the argument, the question stands on stdin, the answer on stdout, where
an error is told too, with exit code 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dispatchfile.credentials import program
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.mask import Masker

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNKNOWN = "credentials not found"
_LONGEST_REASON = 200


def store(helper: str, server: str, user: str, secret: str, env: Mapping[str, str]) -> None:
    """Give a helper a user and a secret, and see that it then knows them. Raises EnvironmentProblem."""
    asked = {"ServerURL": server, "Username": user, "Secret": secret}
    _ask(helper, "store", json.dumps(asked), env, secret)
    if get(helper, server, env) != (user, secret):
        raise EnvironmentProblem(
            f"docker-credential-{helper} said that it took the login for {server}, and does not know it",
            help="name another helper, or none, in Docker's config.json (credsStore, credHelpers)",
        )


def get(helper: str, server: str, env: Mapping[str, str]) -> tuple[str, str] | None:
    """Return user and secret that a helper knows for a server, or None. Raises EnvironmentProblem."""
    answer = _ask(helper, "get", server, env)
    if answer is None:
        return None
    found = _object(helper, answer)
    user, secret = found.get("Username"), found.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str):
        raise _rubbish(helper)
    return (user, secret) if secret else None


def erase(helper: str, server: str, env: Mapping[str, str]) -> None:
    """Have a helper forget a server, if it knows it. Raises EnvironmentProblem."""
    _ask(helper, "erase", server, env)


def listed(helper: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the users by the servers that a helper knows. Raises EnvironmentProblem."""
    found = _object(helper, _ask(helper, "list", "", env) or "{}")
    if not all(isinstance(user, str) for user in found.values()):
        raise _rubbish(helper)
    return found


def program_of(helper: str) -> str:
    """Return a helper's program. Raises EnvironmentProblem for a name that would be one elsewhere than on PATH."""
    if _NAME.fullmatch(helper) is None:
        raise EnvironmentProblem(
            f"Docker's config.json names the credential helper {helper!r}, which is no name of one",
            help="it is what follows docker-credential- in the name of a program on PATH",
        )
    return f"docker-credential-{helper}"


def _ask(helper: str, verb: str, question: str, env: Mapping[str, str], secret: str = "") -> str | None:
    """Return what a helper prints, None when it knows nothing of the server. Raises EnvironmentProblem."""
    name = program_of(helper)
    try:
        answer = program.ask([name, verb], question, env=env)
    except program.Unusable as problem:
        raise EnvironmentProblem(
            f"{problem.message}; Docker's config.json names it",
            help="install it, or remove its line (credsStore, credHelpers)",
        ) from None
    if answer.code == 0:
        return answer.output
    if _UNKNOWN in answer.output.lower() and verb in ("get", "erase"):
        return None
    said = " ".join(answer.output.split())
    if secret and (secret in said or Masker([secret]).text(said) != said):
        said = ""
    said = said[:_LONGEST_REASON]
    reason = said or f"exit code {answer.code}"
    raise EnvironmentProblem(f"{name} {verb} failed: {reason}", help="does it work for `docker login`?")


def _object(helper: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _rubbish(helper) from None
    if not isinstance(found, dict):
        raise _rubbish(helper)
    return found


def _rubbish(helper: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"docker-credential-{helper} printed what no credential helper should",
        help="see what `docker-credential-… list` prints, or name another helper in Docker's config.json",
    )
