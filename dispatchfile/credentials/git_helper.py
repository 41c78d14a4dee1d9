"""Git's credential helpers: asked for a token, given one, told to forget it (`git help credential`)."""

from __future__ import annotations

from collections.abc import Mapping

from dispatchfile.credentials import program
from dispatchfile.credentials.place import Place
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitenv import git_command

TEMPORARY = "cache"
"""The helper that keeps what it is given in memory, for 15 minutes unless told otherwise."""
_NO_PROMPT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
# A path that no repository has: where helpers are told paths (credential.useHttpPath), a server's login is not found.
_ANY_PATH = "dispatchfile/login"


def helpers(place: Place, env: Mapping[str, str]) -> list[str]:
    """Return the helpers that the user's git is set up with for a server, as the settings name them."""
    general = _git(env, "config", "--null", "--get-all", "credential.helper").output.split("\0")
    special = _git(env, "config", "--null", "--get-urlmatch", "credential.helper", place.url).output.split(
        "\0"
    )
    found: list[str] = []
    for helper in (*general[:-1], *special[:-1]):
        # An empty one takes back those before it.
        found = [*dict.fromkeys((*found, helper))] if helper else []
    return found


def names(env: Mapping[str, str]) -> list[str]:
    """Return the helpers for all servers that have no own. Raises EnvironmentProblem."""
    return helpers(Place("https", "localhost"), env)


def fill(
    place: Place, user: str, env: Mapping[str, str], *, path: str = "", directory: str = "/"
) -> tuple[str, str] | None:
    """Return user and token that the helpers know, or None; nobody is asked for them."""
    answer = _git(
        env, "credential", "fill", text=_question(place, path=path, username=user), directory=directory
    )
    fields = dict(line.split("=", 1) for line in answer.output.splitlines() if "=" in line)
    if answer.code or not fields.get("password"):
        return None
    return fields.get("username", ""), fields["password"]


def approve(place: Place, user: str, token: str, env: Mapping[str, str]) -> bool:
    """Give a token to the helpers; return whether they then know it. Raises EnvironmentProblem."""
    _git(env, "credential", "approve", text=_question(place, username=user, password=token))
    return fill(place, user, env, path=_ANY_PATH) == (user, token)


def reject(place: Place, user: str, env: Mapping[str, str]) -> None:
    """Have the helpers forget a token."""
    _git(env, "credential", "reject", text=_question(place, username=user))


def _question(place: Place, **fields: str) -> str:
    """Return what helpers are told, one field a line. Raises UsageError for a value that would be more than its line."""
    lines = {"protocol": place.scheme, "host": place.server, **fields}
    for name, value in lines.items():
        if any(ord(letter) < 32 for letter in value):
            raise UsageError(f"the {name} holds a control character, which git's helpers do not take")
    return "".join(f"{name}={value}\n" for name, value in lines.items() if value) + "\n"


def _git(env: Mapping[str, str], *words: str, text: str = "", directory: str = "/") -> program.Answer:
    """Return git's answer; in the folder "/" it sees the settings of the user and of the machine alone."""
    try:
        return program.ask(
            [*git_command("core.askPass="), *words], text, env={**env, **_NO_PROMPT}, directory=directory
        )
    except program.Unusable as problem:
        if words[0] == "config":
            raise
        raise EnvironmentProblem(
            f"git's credential helper gives no answer: {problem.message}",
            help="see `git config --show-origin --get-all credential.helper`",
        ) from None
