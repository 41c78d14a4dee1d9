"""Docker's logins: its config.json, and the helpers that this names. What the engine pulls and pushes with comes from there.

docker/cli, cli/config: `credHelpers` has helpers by registry, `credsStore` the one for all others; a registry that has
neither has its login in `auths`, in base64. All else in the file is somebody else's, and stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dispatchfile.credentials import docker_helper, place, private
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record

_DEFAULT = ("docker", "hub", "docker hub", "dockerhub")


class DockerLogin(Record):
    """A login to a registry; `helper` keeps it, or config.json itself when empty. `user` is empty where it is not told."""

    server: str
    user: str
    helper: str
    problem: str = ""


def file_of(env: Mapping[str, str] = os.environ) -> Path:
    """Return the path of Docker's config.json."""
    folder = env.get("DOCKER_CONFIG")
    return (Path(folder) if folder else private.home(env) / ".docker") / "config.json"


def server_of(text: str) -> str:
    """Return the name under which Docker keeps the login to a registry. Raises UsageError.

    `text` is HOST, HOST:PORT or a URL; nothing, or a name of Docker's own registry, is the default registry.
    """
    from docker.auth import INDEX_NAME, INDEX_URL

    if text.lower() in ("", *_DEFAULT):
        return str(INDEX_URL)
    where = place.parse(text)
    if where.scheme == "ssh":
        raise UsageError(f"{text} is no registry", help="write HOST, HOST:PORT, or a URL")
    if where.host == INDEX_NAME or where.host.endswith(f".{INDEX_NAME}"):
        return str(INDEX_URL)
    return where.server


def store(server: str, user: str, password: str, env: Mapping[str, str] = os.environ) -> str:
    """Keep a login where Docker looks for it; return the helper that has it, "" when config.json has. Raises EnvironmentProblem."""
    with private.locked(env):
        path = file_of(env)
        data = load(path)
        helper = _helper(data, server)
        if helper:
            docker_helper.store(helper, server, user, password, env)
        entry = {} if helper else {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        auths = data.setdefault("auths", {})
        if not helper or auths.get(server) != entry:
            auths[server] = entry  # of a login that a helper has, Docker notes the name alone
            _write(path, data, secret=not helper)
    return helper


def remove(server: str, env: Mapping[str, str] = os.environ) -> bool:
    """Remove a login; return whether there was one. Raises EnvironmentProblem."""
    with private.locked(env):
        path = file_of(env)
        data = load(path)
        found = False
        if helper := _helper(data, server):
            found = docker_helper.get(helper, server, env) is not None
            if found:
                docker_helper.erase(helper, server, env)
        auths = data.get("auths", {})
        if spellings := [key for key in auths if _same(key, server)]:
            found = True
            for key in spellings:
                del auths[key]
            _write(path, data, secret=False)
    return found


def get(server: str, env: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Return user and password of a login, or None. Raises EnvironmentProblem."""
    data = load(file_of(env))
    if helper := _helper(data, server):
        return docker_helper.get(helper, server, env)
    for key, entry in data.get("auths", {}).items():
        if _same(key, server):
            return _decoded(entry)
    return None


def listed(env: Mapping[str, str] = os.environ) -> list[DockerLogin]:
    """Return all logins, without asking for their values; a helper that cannot be asked is told as its `problem`.

    Raises EnvironmentProblem for a file that is not Docker's config.
    """
    data = load(file_of(env))
    found: dict[str, DockerLogin] = {}
    for key, entry in data.get("auths", {}).items():
        if decoded := _decoded(entry):
            found[key] = DockerLogin(key, decoded[0], "")
    helpers = dict(data.get("credHelpers", {}))
    for server, helper in helpers.items():
        found[server] = _asked(helper, server, env)
    if name := data.get("credsStore"):
        try:
            known = docker_helper.listed(name, env)
        except EnvironmentProblem as problem:
            return [*found.values(), DockerLogin("", "", name, problem.message)]
        found |= {
            server: DockerLogin(server, user, name) for server, user in known.items() if server not in helpers
        }
    return sorted(found.values(), key=lambda login: login.server)


def auths(path: Path, env: Mapping[str, str] = os.environ) -> dict[str, dict[str, str]]:
    """Return the logins of a config.json with their values, as a cluster takes them. Raises EnvironmentProblem."""
    data = load(path)
    found: dict[str, dict[str, str]] = {}
    servers = [*data.get("auths", {}), *data.get("credHelpers", {})]
    if name := data.get("credsStore"):
        servers += docker_helper.listed(name, env)
    for server in dict.fromkeys(servers):
        helper = _helper(data, server)
        known = docker_helper.get(helper, server, env) if helper else None
        known = known or _decoded(data.get("auths", {}).get(server))
        if known:
            user, password = known
            auth = base64.b64encode(f"{user}:{password}".encode()).decode()
            found[server] = {"username": user, "password": password, "auth": auth}
    return found


def _asked(helper: str, server: str, env: Mapping[str, str]) -> DockerLogin:
    try:
        known = docker_helper.get(helper, server, env)
    except EnvironmentProblem as problem:
        return DockerLogin(server, "", helper, problem.message)
    return DockerLogin(server, known[0] if known else "", helper, "" if known else "it knows no login for it")


def load(path: Path) -> dict[str, Any]:
    """Return a config.json, {} when there is none. Docker lets others read it, so does this. Raises EnvironmentProblem."""
    text = private.read(path, secret=False)
    if text is None or not text.strip():
        return {}
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else "it is no JSON"
        raise EnvironmentProblem(
            f"{path} cannot be read: {why}", help="mend the file, or move it away"
        ) from None
    checks: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("auths", _is_table(dict)),
        ("credHelpers", _is_table(str)),
        ("credsStore", lambda value: isinstance(value, str)),
    )
    if not isinstance(data, dict):
        raise EnvironmentProblem(f"{path} is no config of Docker", help="mend the file, or move it away")
    for name, fits in checks:
        if data.get(name) is None:
            data.pop(name, None)
        elif not fits(data[name]):
            raise EnvironmentProblem(
                f'"{name}" in {path} is not what Docker has there', help="mend the file, or move it away"
            )
    return data


def _is_table(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(isinstance(one, kind) for one in value.values())


def _no_number(text: str) -> float:
    raise ValueError(text)


def _write(path: Path, data: dict[str, Any], *, secret: bool) -> None:
    """Write config.json in Docker's own layout; nobody else may read it once a secret of ours is in it."""
    try:
        mode = 0o600 if secret or not path.exists() else path.stat().st_mode & 0o777
        text = json.dumps(data, indent="\t", ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {path}: {error.strerror}") from None
    except UnicodeEncodeError:  # an escaped half of a character, which only stays one when it is escaped
        text = json.dumps(data, indent="\t", allow_nan=False)
    except ValueError:
        raise EnvironmentProblem(f"{path} holds a number that cannot be written again") from None
    private.write(path, f"{text}\n", mode=mode)


def _helper(data: Mapping[str, Any], server: str) -> str:
    """Return the helper for a registry, "" for none. Docker takes the name as it is written, and so does this."""
    return str(data.get("credHelpers", {}).get(server) or data.get("credsStore", ""))


def _same(key: str, server: str) -> bool:
    """Return whether a key of the file means a server; older programs wrote URLs there."""
    if key == server:
        return True
    try:
        return server_of(key.removesuffix("/").removesuffix("/v1").removesuffix("/v2")) == server
    except UsageError:
        return False


def _decoded(entry: object) -> tuple[str, str] | None:
    """Return user and password of an entry of `auths`, None when it holds none."""
    if not isinstance(entry, dict):
        return None
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return "<token>", token
    try:
        text = base64.b64decode(str(entry.get("auth", "")), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password.rstrip("\0")) if colon else None
