"""Pull requests: what an update needs of a forge, and which forge a remote belongs to."""

from __future__ import annotations

import base64
from typing import Protocol

from dispatchfile.credentials import Credential, variables
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.remote import Remote

_OTHERS = {"gitlab": "gitlab", "bitbucket": "bitbucket-cloud", "gitea": "gitea", "codeberg": "gitea"}


class PullRequest(Record):
    """A pull request; `state` is "open", "merged" or "closed"."""

    number: int
    url: str
    title: str
    body: str
    state: str
    head_commit: str


class Forge(Protocol):
    """A repository on a forge. Every method raises EnvironmentProblem when the forge refuses or cannot be reached."""

    def find_open(self, head: str, base: str) -> PullRequest | None:
        """Return the open pull request from branch `head` of this repository to `base`."""

    def find_declined(self, head: str, base: str, commit: str) -> PullRequest | None:
        """Return the pull request for exactly this commit that was closed without a merge."""

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels."""

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users for a review."""

    def merge(self, number: int, commit: str) -> bool:
        """Merge a pull request whose head is `commit`; return False when the forge will do it after its checks."""


def api_endpoint(remote: Remote, *, provider: str, endpoint: str) -> str | None:
    """Return the API endpoint of the GitHub that a remote belongs to, or None when it belongs to none.

    `provider` and `endpoint` are what the user said, or empty.
    """
    if provider not in ("", "github") or unsupported(remote, provider=provider, endpoint=endpoint):
        return None
    if endpoint:
        return endpoint.rstrip("/")
    if remote.host == "github.com":
        return "https://api.github.com"
    if remote.local or not (provider or remote.host.partition(".")[0] == "github"):
        return None
    return f"https://{remote.host}/api/v3"


def unsupported(remote: Remote, *, provider: str, endpoint: str) -> UnsupportedForge | None:
    """Return the error for a forge on which pull requests cannot be made yet; None for any other remote."""
    if provider not in ("", "github"):
        return UnsupportedForge(provider, remote)
    name = next((name for name in _OTHERS if name in remote.host.split(".")), None)
    return UnsupportedForge(_OTHERS[name], remote) if name and not provider and not endpoint else None


class UnsupportedForge(EnvironmentProblem):
    """A forge for which pull requests cannot be made yet."""

    def __init__(self, name: str, remote: Remote) -> None:
        super().__init__(
            f"pull requests on {name} are not supported yet",
            help=f"the branch is pushed; open the pull request at {remote.web}",
        )


def connect(remote: Remote, endpoint: str, credential: Credential | None, way: str = "") -> Forge:
    """Return the forge at an API endpoint. Raises EnvironmentProblem without a token or without PyGithub.

    `way` is a runner's own to the API of this remote: it holds the token, and gets the endpoint in base64.
    """
    if credential is None and way:
        from dispatchfile.gitops.forge.github import GitHub

        name = base64.urlsafe_b64encode(endpoint.encode()).decode().rstrip("=")
        return GitHub(f"{way}/api/{name}", remote.repository, None)
    if credential is None:
        names = " or ".join(f"${name}" for name in variables(remote.host))
        raise EnvironmentProblem(
            f"a pull request on {remote.host} needs a token",
            help=f"put one into {names}, or push the branch alone: -create-pull-request=false",
        )
    from dispatchfile.gitops.forge.github import GitHub

    return GitHub(endpoint, remote.repository, credential)
