"""GitHub and GitHub Enterprise, by PyGithub (extra `forges`)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dispatchfile.credentials import Credential
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import PullRequest
from dispatchfile.remote import is_loopback, parse

if TYPE_CHECKING:
    from github.PullRequest import PullRequest as ApiPullRequest

# Seconds. A rate limit that asks for more is told to the user instead of slept through.
LONGEST_WAIT = 60
MERGEABLE_WAIT = 30.0


class GitHub:
    """One repository, OWNER/NAME, on the GitHub whose REST API is at `endpoint`; a relay needs no credential."""

    def __init__(self, endpoint: str, repository: str, credential: Credential | None) -> None:
        try:
            import github
        except ImportError as error:
            raise EnvironmentProblem(
                "pull requests on GitHub need PyGithub", help="pip install 'dispatchfile[forges]'"
            ) from error
        # PyGithub writes each refused request to stderr by itself; what matters is in our errors.
        logging.getLogger("github").setLevel(logging.ERROR)
        host = parse(endpoint)
        if credential and host.scheme != "https" and not is_loopback(host.host):
            raise EnvironmentProblem(
                f"{endpoint} would get the token in plain text", help="-api-endpoint must be https"
            )
        self._owner = repository.partition("/")[0]
        client = github.Github(
            auth=github.Auth.Token(credential.token) if credential else None,
            base_url=endpoint,
            per_page=100,
            seconds_between_requests=0 if is_loopback(host.host) else 0.25,
            seconds_between_writes=0 if is_loopback(host.host) else 1,
            lazy=True,
            retry=github.GithubRetry(
                total=3, secondary_rate_wait=LONGEST_WAIT, max_rate_limit_wait=LONGEST_WAIT
            ),
        )
        self._repository = client.get_repo(repository)

    def find_open(self, head: str, base: str) -> PullRequest | None:
        """Return the open pull request from branch `head` of this repository to `base`."""
        return next(self._listed("open", head, base), None)

    def find_declined(self, head: str, base: str, commit: str) -> PullRequest | None:
        """Return the pull request for exactly this commit that was closed without a merge."""
        closed = self._listed("closed", head, base)
        return next((pull for pull in closed if pull.state == "closed" and pull.head_commit == commit), None)

    def _listed(self, state: str, head: str, base: str) -> Iterator[PullRequest]:
        with _refusals("list pull requests"):
            # The filter only saves pages: not every server honours it, so the answer is matched here again.
            listed = self._repository.get_pulls(state=state, base=base, head=f"{self._owner}:{head}")
            for pull in listed:
                if pull.head.ref == head and pull.base.ref == base and _same_repository(pull):
                    yield _plain(pull)

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""
        import github

        with _refusals("open the pull request"):
            try:
                return _plain(self._repository.create_pull(base=base, head=head, title=title, body=body))
            except github.GithubException as error:
                if error.status != 422 or "already exists" not in str(error.data):
                    raise
        found = self.find_open(head, base)
        if found is None:
            raise EnvironmentProblem(f"GitHub says that {head} has a pull request, but lists none")
        return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""
        with _refusals(f"change pull request {number}"):
            pull = self._repository.get_pull(number)
            pull.edit(title=title, body=body)
            return _plain(pull)

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""
        with _refusals(f"comment on pull request {number}"):
            pull = self._repository.get_pull(number)
            if all(comment.body != text for comment in pull.get_issue_comments()):
                pull.create_issue_comment(text)

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels."""
        with _refusals(f"label pull request {number}"):
            self._repository.get_pull(number).add_to_labels(*labels)

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users for a review."""
        with _refusals(f"ask for reviews of pull request {number}"):
            self._repository.get_pull(number).create_review_request(reviewers=list(users))

    def merge(self, number: int, commit: str) -> bool:
        """Merge a pull request whose head is `commit`; return False when GitHub will do it after its checks."""
        with _refusals(f"merge pull request {number}"):
            pull = self._mergeable(number, commit)
            if pull.merged:
                return True
            if pull.mergeable_state == "blocked":
                pull.enable_automerge(expected_head_oid=commit)
                return False
            return pull.merge(sha=commit).merged

    def _mergeable(self, number: int, commit: str) -> ApiPullRequest:
        """Return the pull request once GitHub knows its new head and whether it merges; both take a while."""
        end = time.monotonic() + MERGEABLE_WAIT
        pause = 0.25
        while True:
            pull = self._repository.get_pull(number)
            if pull.merged or (pull.head.sha == commit and pull.mergeable):
                return pull
            if pull.head.sha == commit and pull.mergeable is False:
                raise EnvironmentProblem(
                    f"{pull.html_url} cannot be merged: it conflicts with {pull.base.ref}",
                    help="run the update again; it starts from the newest base",
                )
            if time.monotonic() > end:
                raise EnvironmentProblem(
                    f"GitHub did not say within {MERGEABLE_WAIT:.0f} s whether {pull.html_url} can be merged",
                    help="it is open; merge it there, or run the update again",
                )
            time.sleep(pause)
            pause = min(pause * 2, 4.0)


def _plain(pull: ApiPullRequest) -> PullRequest:
    state = "merged" if pull.merged_at else pull.state
    return PullRequest(pull.number, pull.html_url, pull.title, pull.body or "", state, pull.head.sha)


def _same_repository(pull: ApiPullRequest) -> bool:
    """Return whether the head is a branch of the base's own repository and not of a fork."""
    head = pull.raw_data["head"].get("repo")
    return bool(head) and head["full_name"] == pull.raw_data["base"]["repo"]["full_name"]


@contextmanager
def _refusals(action: str) -> Iterator[None]:
    """Turn what PyGithub raises into an EnvironmentProblem that says what was tried."""
    import github
    import requests

    try:
        yield
    except github.RateLimitExceededException as error:
        raise EnvironmentProblem(
            f"cannot {action}: GitHub's rate limit is used up",
            help="run the update again later; it goes on where it stopped",
        ) from error
    except github.GithubException as error:
        raise EnvironmentProblem(
            f"cannot {action}: GitHub answered {error.status}: {_reason(error.data)}",
            help=_advice(error.status),
        ) from error
    except requests.RequestException as error:
        raise EnvironmentProblem(
            f"cannot {action}: GitHub cannot be reached: {type(error).__name__}",
            help="the branch is pushed; run the update again to go on",
        ) from error


def _reason(data: object) -> str:
    if not isinstance(data, dict):
        return str(data)
    details = [item.get("message", "") for item in data.get("errors", ()) if isinstance(item, dict)]
    return "; ".join(str(text) for text in (data.get("message", ""), *details) if text)


def _advice(status: int) -> str:
    if status in (401, 403):
        return "the token needs the right to write contents and pull requests of this repository"
    if status == 404:
        return "check the repository's name, and that the token may see it"
    return ""
