"""Keys for ssh, the hosts that are known, and how git is told of both."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from dispatchfile.credentials import logins, place, private, program
from dispatchfile.credentials.place import Place
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.remote import Remote

_BEGINS = "-----BEGIN "
_SYSTEM = Path("/etc/ssh/ssh_known_hosts")


def read_key(path: Path, env: Mapping[str, str] = os.environ) -> str:
    """Return a private key that works without a passphrase. Raises UsageError, EnvironmentProblem."""
    text = private.read(path)
    if text is None:
        raise UsageError(f"there is no key {path}", help="--private-key-path names a file of ssh-keygen")
    if not text.startswith(_BEGINS) or "PRIVATE KEY-----" not in text.partition("\n")[0]:
        public = " (it is the public half)" if path.suffix == ".pub" else ""
        raise UsageError(f"{path} holds no private key{public}", help="give the file without .pub")
    if not text.endswith("\n"):
        raise UsageError(f"the last line of {path} has no end, which ssh wants", help=f"echo >>{path}")
    answer = program.ask(["ssh-keygen", "-y", "-P", "", "-f", str(path.absolute())], "", env=env)
    if answer.code:
        raise UsageError(
            f"{path} is no key that works without a passphrase",
            help="nobody can type one there; make a key for this use alone: ssh-keygen -N '' -f FILE",
        )
    return text


def known_hosts(where: Place, files: Sequence[Path] = (), env: Mapping[str, str] = os.environ) -> str:
    """Return the lines of known_hosts for a server, from `files` or the user's and the machine's own. Raises EnvironmentProblem.

    A server that nobody has vouched for is not asked for its key: whoever stands in between would give his own.
    """
    name = f"[{where.host}]:{where.port}" if where.port else where.host
    looked = files or (private.home(env) / ".ssh/known_hosts", _SYSTEM)
    for file in looked:
        if not file.is_file():
            continue
        answer = program.ask(["ssh-keygen", "-F", name, "-f", str(file.absolute())], "", env=env)
        if lines := [line for line in answer.output.splitlines() if line and not line.startswith("#")]:
            return "".join(f"{line}\n" for line in lines)
    port = f"-p {where.port} " if where.port else ""
    raise EnvironmentProblem(
        f"the key of {where.server} is not known (looked in {', '.join(map(str, looked))})",
        help=f"ssh-keyscan {port}{where.host} >FILE, compare `ssh-keygen -lf FILE` with what the server's "
        "operator publishes, and give --known-hosts FILE",
    )


def environment(remote: Remote, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables with which git uses the key that a login noted for a remote; none without such a login.

    What the user set GIT_SSH_COMMAND to stays. Raises EnvironmentProblem.
    """
    if remote.scheme != "ssh" or "GIT_SSH_COMMAND" in env:
        return {}
    try:
        login = logins.best(place.of_ssh(remote), env=env)
    except UsageError:
        return {}
    if login is None or login.kept != "ssh":
        return {}
    return command(login.key, login.known_hosts)


def command(key: str, known_hosts: str) -> dict[str, str]:
    """Return the variables with which git uses this key alone, and no servers but those in `known_hosts` when it is named."""
    options = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", f"IdentityFile={_value(key)}"]
    if known_hosts:
        files = f"UserKnownHostsFile={_value(known_hosts)}"
        options += ["-o", files, "-o", "StrictHostKeyChecking=yes"]
    return {"GIT_SSH_COMMAND": shlex.join(["ssh", *options])}


def _value(path: str) -> str:
    """Return a path as ssh_config has it: in quotes, and with what would be a placeholder doubled."""
    return '"' + path.replace("%", "%%") + '"'
