"""Pull requests: what an update needs of a forge, whichever it is."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Literal, Protocol

from dispatchfile import late
from dispatchfile.credentials import Credential, variables
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.forges import Place, authorization, place_of
from dispatchfile.record import Record
from dispatchfile.remote import Remote

__all__ = ["ChecksPending", "Forge", "NoAutoMerge", "Place", "PullRequest", "connect", "place_of"]

Method = Literal["", "merge", "squash", "rebase"]
State = Literal["open", "closed"]
MERGEABLE_WAIT = 30.0
"""Seconds until a forge has to know whether a pull request merges; all find out some time after a push."""

_SHOWN = 12  # digits of a commit; Bitbucket Cloud shows no more
_CLASSES = {
    "github": ("github", "GitHub"),
    "gitlab": ("gitlab", "GitLab"),
    "gitea": ("gitea", "Gitea"),
    "forgejo": ("gitea", "Gitea"),
    "bitbucket-cloud": ("bitbucket_cloud", "BitbucketCloud"),
    "bitbucket-server": ("bitbucket_server", "BitbucketServer"),
}


class PullRequest(Record):
    """A pull request from branch `head` of the same repository; `state` is "open", "merged" or "closed".

    `head_commit` is the first twelve digits alone on Bitbucket Cloud.
    """

    number: int
    url: str
    title: str
    body: str
    state: str
    head: str
    head_commit: str

    def is_of(self, commit: str) -> bool:
        """Return whether a commit is the one at its head."""
        return len(self.head_commit) >= _SHOWN and commit.startswith(self.head_commit)


class ChecksPending(EnvironmentProblem):
    """A pull request cannot be merged yet: a check, a build or a review is missing."""


class NoAutoMerge(EnvironmentProblem):
    """The forge, or this repository, does not merge by itself when checks have passed."""


class Unsupported(EnvironmentProblem):
    """The forge has no such thing as what was asked for beside the pull request; an update says so and goes on."""


class Forge(Protocol):
    """A repository on a forge. Every method raises EnvironmentProblem when the forge refuses or cannot be reached.

    Branches of forks are nobody's: a pull request counts only when its head is a branch of the repository itself.
    """

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield the pull requests to `base` in this state, from branch `head` or all; merged ones may be among the closed."""

    def find_open(self, head: str, base: str) -> PullRequest | None:
        """Return the open pull request from branch `head` of this repository to `base`."""
        return next(self.listed("open", base, head), None)

    def find_declined(self, head: str, base: str, commit: str) -> PullRequest | None:
        """Return the pull request for exactly this commit that was closed without a merge."""
        closed = self.listed("closed", base, head)
        return next((pull for pull in closed if pull.state == "closed" and pull.is_of(commit)), None)

    def open_to(self, base: str) -> Iterator[PullRequest]:
        """Yield the open pull requests from branches of this repository to `base`."""
        return self.listed("open", base)

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels to those that are there."""

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users for a review, besides those who are asked already."""

    def merge(self, number: int, commit: str, *, method: Method = "", when_checks_pass: bool = False) -> bool:
        """Merge a pull request whose head is `commit`, and no other; return whether it is merged now.

        It waits until the forge knows the head and whether it merges. `method` is the repository's own when empty.
        Where checks are missing it raises ChecksPending; `when_checks_pass` asks the forge to merge after them and
        returns False, or raises NoAutoMerge where the forge does not do that.
        """

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without a merge, and say why in a comment."""

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url`, signed with `secret`; return whether a webhook was added and not there before."""


def connect(remote: Remote, place: Place, credential: Credential | None, way: str = "") -> Forge:
    """Return the forge of a remote. Raises EnvironmentProblem without a token.

    `way` is a runner's own to the API of this remote: it holds the token, and gets kind and endpoint in its path.
    """
    endpoint, shown = place.endpoint, ""
    if credential:
        shown = authorization(place.kind, credential)
    elif way:
        name = base64.urlsafe_b64encode(endpoint.encode()).decode().rstrip("=")
        endpoint = f"{way}/api/{place.kind}/{name}"
    else:
        names = " or ".join(f"${name}" for name in variables(remote.host))
        raise EnvironmentProblem(
            f"a pull request on {remote.host} needs a token",
            help=f"put one into {names}, or push the branch alone: -create-pull-request=false",
        )
    from dispatchfile.gitops.forge.http import Api

    module, name = _CLASSES[place.kind]
    api = Api(place.name, endpoint, shown, direct=bool(way and not credential))
    made: Forge = getattr(late.module(f"dispatchfile.gitops.forge.{module}"), name)(api, place.repository)
    return made
