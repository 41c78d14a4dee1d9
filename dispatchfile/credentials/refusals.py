"""What a remote means when it refuses to talk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatchfile.credentials import Credential, variables
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.remote import Remote

_REFUSED = re.compile(
    r"Authentication failed|could not read (Username|Password)|Permission denied|returned error: 40[13]"
)
_NOBODY = re.compile(r"could not read (Username|Password)")
_STRANGER = re.compile(r"Host key verification failed")
_UNTRUSTED = re.compile(r"certificate verif|SSL certificate problem|certificate.*not trusted", re.IGNORECASE)
_AWAY = re.compile(
    r"Could not resolve host|Failed to connect|Connection (refused|timed out|reset)|No route to host"
    r"|Operation timed out|Empty reply from server|returned error: 50[0234]|early EOF"
)
_MISSING = re.compile(r"repository '.*' (not found|does not exist)|does not appear to be a git repository")


def refusal(
    remote: Remote,
    output: str,
    *,
    check: str,
    credential: Credential | None = None,
    names: Sequence[str] | None = None,
) -> EnvironmentProblem | None:
    """Return what git's output says about the remote, or None when it is something else.

    `check` is what to look at when there is no such repository; `credential` is what git was given, `names` are the
    variables that would be looked at (those of `variables` unless given).
    """
    if remote.scheme == "ssh" and (_REFUSED.search(output) or _STRANGER.search(output)):
        key = f"dispatchfile login git --git-server {remote.host} --private-key-path FILE"
        known = " --known-hosts FILE" if _STRANGER.search(output) else ""
        return EnvironmentProblem(
            f"{remote.url} refused: {_denial(output)}", help=f"see `ssh -T {remote.host}`, or: {key}{known}"
        )
    if _REFUSED.search(output):
        # What git says when it has nothing (more) to offer is about its prompt.
        why = "" if _NOBODY.search(output) else last(output)
        if credential:
            return EnvironmentProblem(
                f"{remote.url} does not take the token from {credential.source}"
                + (f": {why}" if why else ""),
                help="is it complete, not expired, and may it read and write this repository?",
            )
        looked = ", ".join(f"${name}" for name in (variables(remote.host) if names is None else names))
        return EnvironmentProblem(
            f"{remote.url} refused: {why or 'it wants a token, and none is known'}",
            help="keep a token with `dispatchfile login`" + (f", or give one in {looked}" if looked else ""),
        )
    if _UNTRUSTED.search(output):
        server = f"{remote.host}:{remote.port}" if remote.port else remote.host
        return EnvironmentProblem(
            f"the certificate of {server} is not trusted: {last(output)}",
            help=f"if it has an authority of its own: dispatchfile gitops cert add-tls {server} --from FILE",
        )
    if _AWAY.search(output):
        return EnvironmentProblem(
            f"{remote.url} cannot be reached: {last(output)}",
            help="check the URL and the network, and run it again: nothing is lost",
        )
    if _MISSING.search(output):
        return EnvironmentProblem(f"there is no repository at {remote.url}", help=check)
    return None


def _denial(output: str) -> str:
    """Return ssh's own words; git's last ones only say that it could not read."""
    lines = [line.strip() for line in output.splitlines()]
    return next((line for line in lines if _REFUSED.search(line) or _STRANGER.search(line)), last(output))


def last(output: str) -> str:
    """Return the line of git's output that tells most."""
    lines = [line.strip() for line in output.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "rejected" in line or "fatal:" in line or "remote:" in line]
    told = (telling or lines or ["no message"])[-1]
    # The URL is named already.
    return re.sub(r"^(git [\w-]+ failed: )?(fatal: unable to access '[^']*': )?", "", told)
