"""What a remote means when it refuses to talk."""

from __future__ import annotations

import re

from dispatchfile.credentials import variables
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.remote import Remote

_REFUSED = re.compile(
    r"Authentication failed|could not read (Username|Password)|Permission denied|returned error: 40[13]"
)
_MISSING = re.compile(r"repository '.*' (not found|does not exist)|does not appear to be a git repository")


def refusal(remote: Remote, output: str, *, check: str) -> EnvironmentProblem | None:
    """Return what git's output says about the remote, or None when it is something else.

    `check` is what to look at when there is no such repository.
    """
    if _REFUSED.search(output):
        names = ", ".join(f"${name}" for name in variables(remote.host))
        return EnvironmentProblem(
            f"{remote.url} refused: {last(output)}",
            help=f"give a token in {names}, or log git in to that host",
        )
    if _MISSING.search(output):
        return EnvironmentProblem(f"there is no repository at {remote.url}", help=check)
    return None


def last(output: str) -> str:
    """Return the line of git's output that tells most."""
    lines = [line.strip() for line in output.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "rejected" in line or "fatal:" in line or "remote:" in line]
    return (telling or lines or ["no message"])[-1]
