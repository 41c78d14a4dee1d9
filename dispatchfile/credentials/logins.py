"""The logins that were made with this program: for which server, as whom, and where the token is.

The list is one file of the user's, `logins.json`. It holds a token itself only as a last resort: when neither git's
credential helpers nor a keyring took it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dispatchfile.credentials import git_helper, keyring, place, private
from dispatchfile.credentials.entry import check_token, check_user
from dispatchfile.credentials.place import Place
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record, replace

Kept = Literal["git", "keyring", "secret-tool", "file", "ssh"]
KEPT = ("git", "keyring", "secret-tool", "file", "ssh")
_VERSION = 1


class Login(Record, hidden=("token",)):
    """A login. `url` is a place's; `kind` a forge's, "git", or "" where `gitops creds` made it; `by` says which did.

    `kept` says where the token is: with "file" it is `token`; with "ssh" there is none, and `key` and `known_hosts`
    are the paths of files for ssh.
    """

    url: str
    kind: str
    user: str
    kept: Kept
    by: Literal["login", "creds"] = "login"
    token: str = ""
    key: str = ""
    known_hosts: str = ""


def file_of(env: Mapping[str, str]) -> Path:
    """Return the path of the list."""
    return private.data_home(env) / "logins.json"


def read(env: Mapping[str, str] = os.environ) -> list[Login]:
    """Return all logins. Raises EnvironmentProblem for a list that others may read, or that is none."""
    path = file_of(env)
    text = private.read(path)
    if text is None:
        return []
    broken = EnvironmentProblem(f"{path} is damaged", help="remove it, and log in again")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise broken from None
    if not isinstance(data, dict) or not isinstance(data.get("logins"), list):
        raise broken
    if data.get("version") != _VERSION:
        raise EnvironmentProblem(f"{path} was written by another version of dispatchfile", help="update it")
    if not all(map(_is_login, data["logins"])):
        raise broken
    return [Login(**entry) for entry in data["logins"]]


def _is_login(entry: object) -> bool:
    """Return whether an entry of the list is one that this program wrote."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        return False
    if not {"url", "kind", "user", "kept"} <= entry.keys() <= set(Login._fields) or entry["kept"] not in KEPT:
        return False
    try:
        check_user(entry["user"])
        return place.parse(entry["url"]).url == str(entry["url"])
    except UsageError:
        return False


def best(wanted: Place, user: str = "", env: Mapping[str, str] = os.environ) -> Login | None:
    """Return the login for a place: of those that hold there the one with the longest path. Raises EnvironmentProblem."""
    fitting = [
        login
        for login in read(env)
        if place.parse(login.url).holds(wanted) and (not user or not login.user or login.user == user)
    ]
    return max(fitting, key=lambda login: len(login.url), default=None)


def token_of(login: Login, env: Mapping[str, str] = os.environ) -> str | None:
    """Return the token of a login, None when it is not where it was put. Raises EnvironmentProblem."""
    if login.kept == "file":
        return login.token
    if login.kept == "git":
        found = git_helper.fill(place.parse(login.url), login.user, env)
        return found[1] if found else None
    return keyring.get(login.kept, login.url, env) if login.kept in keyring.KINDS else None


def forge_of(host: str, env: Mapping[str, str] = os.environ) -> str | None:
    """Return the kind of forge that a login noted for HOST or HOST:PORT, or None. Raises EnvironmentProblem."""
    try:
        asked = place.parse(host)
    except UsageError:
        return None
    for login in read(env):
        there = place.parse(login.url)
        same = there.host == asked.host and (asked.port is None or there.port == asked.port)
        if same and login.kind not in ("", "git"):
            return login.kind
    return None


def keep(login: Login, token: str, env: Mapping[str, str] = os.environ, *, git: bool = True) -> Login:
    """Put a token where it is kept best, note the login in place of one for the same URL, and return it.

    `git` lets git's helpers have it. Raises EnvironmentProblem, and UsageError for what is no name or no token.
    """
    check_user(login.user)
    check_token(token, "token")
    with _changing(env) as all_logins:
        kept = _put(login, token, env, git=git)
        made = replace(login, kept=kept, token=token if kept == "file" else "")
        _note(all_logins, made, env)
    return made


def keep_key(login: Login, env: Mapping[str, str] = os.environ) -> None:
    """Note a login over ssh. Raises EnvironmentProblem."""
    with _changing(env) as all_logins:
        _note(all_logins, login, env)


def forget(url: str, env: Mapping[str, str] = os.environ) -> Login | None:
    """Remove the login for a URL and its token; return it, or None when there is none. Raises EnvironmentProblem."""
    with _changing(env) as all_logins:
        found = next((login for login in all_logins if login.url == url), None)
        if found:
            _remove_token(found, env)
            all_logins.remove(found)
    return found


def _put(login: Login, token: str, env: Mapping[str, str], *, git: bool) -> Kept:
    where = place.parse(login.url)
    if git and not where.path and git_helper.helpers(where, env):
        if git_helper.approve(where, login.user, token, env):
            return "git"
        git_helper.reject(where, login.user, env)
    for kind in keyring.there(env):
        if keyring.put(kind, login.url, token, env):
            return kind
    return "file"


def _note(all_logins: list[Login], made: Login, env: Mapping[str, str]) -> None:
    before = next((login for login in all_logins if login.url == made.url), None)
    if before:
        if before.kept != made.kept or (before.kept == "git" and before.user != made.user):
            _remove_token(before, env)
        # Credentials for reading do not take away what is known of the forge.
        made = made if made.kind else replace(made, kind=before.kind)
        all_logins.remove(before)
    all_logins.append(made)


def _remove_token(login: Login, env: Mapping[str, str]) -> None:
    if login.kept == "git":
        git_helper.reject(place.parse(login.url), login.user, env)
    elif login.kept in keyring.KINDS:
        keyring.forget(login.kept, login.url, env)


@contextmanager
def _changing(env: Mapping[str, str]) -> Iterator[list[Login]]:
    """Give out the list to be changed, and write it when that went well."""
    with private.locked(env):
        all_logins = read(env)
        yield all_logins
        entries = [_entry(login) for login in sorted(all_logins, key=lambda login: login.url)]
        text = json.dumps({"version": _VERSION, "logins": entries}, indent=2, ensure_ascii=False)
        private.write(file_of(env), f"{text}\n")


def _entry(login: Login) -> dict[str, Any]:
    return {
        name: value for name in login._fields if (value := getattr(login, name)) or name in ("kind", "user")
    }
