"""GitHub and GitHub Enterprise: REST (2022-11-28), and GraphQL for the one thing that only it can do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.forges import GITHUB_AUTO_MERGE, graphql_of
from dispatchfile.gitops.forge import ChecksPending, Forge, Method, NoAutoMerge, PullRequest, State
from dispatchfile.gitops.forge.http import Api, Refused
from dispatchfile.gitops.forge.waiting import Waiting, conflict

# What `mergeable_state` says of a pull request that waits for a required check, a review or the newest base.
_WAITING = ("blocked", "behind")
# GraphQL's refusal where nothing is waited for: meanwhile the checks have passed, or none is required.
_NOTHING_TO_WAIT_FOR = ("clean status", "unstable status")
_MERGE_TRIES = 5


class GitHub(Forge):
    """One repository, OWNER/NAME."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._here = f"/repos/{repository}"
        self._owner = repository.partition("/")[0]

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield pull requests; see `Forge.listed`."""
        # The filters only save pages: not every server honours them, so the answer is matched here again.
        query = {"state": state, "base": base, "per_page": "100"}
        if head:
            query["head"] = f"{self._owner}:{head}"
        for data in self._api.pages("list pull requests", f"{self._here}/pulls", **query):
            pull = _plain(data)
            if data["base"]["ref"] == base and head in ("", pull.head) and _same_repository(data):
                yield pull

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""
        wanted = {"head": head, "base": base, "title": title, "body": body}
        try:
            return _plain(
                self._api.send(
                    "open the pull request", "POST", f"{self._here}/pulls", wanted, repeatable=True
                )
            )
        except Refused as refused:
            if refused.status != 422 or "already exists" not in refused.reason:
                raise
        found = self.find_open(head, base)
        if found is None:
            raise EnvironmentProblem(f"GitHub says that {head} has a pull request, but lists none")
        return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""
        wanted = {"title": title, "body": body}
        return _plain(self._api.send(f"change pull request {number}", "PATCH", self._pull(number), wanted))

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""
        tried, path = f"comment on pull request {number}", f"{self._here}/issues/{number}/comments"
        if all(comment["body"] != text for comment in self._api.pages(tried, path, per_page="100")):
            self._api.send(tried, "POST", path, {"body": text})

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels to those that are there; one that the repository does not know yet is made."""
        path = f"{self._here}/issues/{number}/labels"
        self._api.send(
            f"label pull request {number}", "POST", path, {"labels": list(labels)}, repeatable=True
        )

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users, and teams written as ORGANISATION/TEAM, for a review."""
        teams = [user.partition("/")[2] for user in users if "/" in user]
        people = [user for user in users if "/" not in user]
        self._api.send(
            f"ask for reviews of pull request {number}",
            "POST",
            f"{self._pull(number)}/requested_reviewers",
            {"reviewers": people, **({"team_reviewers": teams} if teams else {})},
            repeatable=True,
        )

    def merge(self, number: int, commit: str, *, method: Method = "", when_checks_pass: bool = False) -> bool:
        """Merge a pull request whose head is `commit`; see `Forge.merge`."""
        wanted = {"sha": commit, **({"merge_method": method} if method else {})}
        for tries in range(1, _MERGE_TRIES + 1):
            data = self._settled(number, commit)
            waiting = data["mergeable_state"] in _WAITING
            if data["merged"]:
                return True
            if waiting and when_checks_pass:
                return self._merge_later(data, commit, method)
            try:
                self._api.send(f"merge pull request {number}", "PUT", f"{self._pull(number)}/merge", wanted)
            except Refused as refused:
                if refused.status == 405 and waiting:
                    raise ChecksPending(
                        f"{data['html_url']} cannot be merged yet: {refused.reason}"
                    ) from refused
                # "Base branch was modified. Review and try the merge again." and its like pass by themselves.
                if refused.status != 405 or "try" not in refused.reason or tries == _MERGE_TRIES:
                    raise
                time.sleep(0.5 * tries)
            else:
                return True
        raise AssertionError("the last try returns or raises")

    def _merge_later(self, data: Any, commit: str, method: Method) -> bool:
        wanted = {"pullRequestId": data["node_id"], "expectedHeadOid": commit}
        if method:
            wanted["mergeMethod"] = method.upper()
        tried = f"have pull request {data['number']} merged when its checks pass"
        answer = self._api.send(
            tried,
            "POST",
            graphql_of(self._api.endpoint),
            {"query": GITHUB_AUTO_MERGE, "variables": {"input": wanted}},
            repeatable=True,
        )
        if not answer.get("errors"):
            return False
        reason = "; ".join(str(error.get("message", "")) for error in answer["errors"])
        if any(words in reason.lower() for words in _NOTHING_TO_WAIT_FOR):
            return self.merge(data["number"], commit, method=method)
        raise NoAutoMerge(
            f"cannot {tried}: GitHub answered: {reason}",
            help="allow auto-merge in the repository's settings",
        )

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without a merge, and say why in a comment."""
        self.comment(number, comment)
        self._api.send(f"close pull request {number}", "PATCH", self._pull(number), {"state": "closed"})

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url`, signed with `secret`; return whether a webhook was added."""
        tried, path = f"have pushes told to {url}", f"{self._here}/hooks"
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        for hook in self._api.pages(tried, path, per_page="100"):
            if hook["config"].get("url") == url:
                # The secret is not shown; what is there may be another one.
                wanted = {"active": True, "events": ["push"], "config": config}
                self._api.send(tried, "PATCH", f"{path}/{hook['id']}", wanted)
                return False
        self._api.send(
            tried, "POST", path, {"name": "web", "active": True, "events": ["push"], "config": config}
        )
        return True

    def _pull(self, number: int) -> str:
        return f"{self._here}/pulls/{number}"

    def _settled(self, number: int, commit: str) -> Any:
        """Return the pull request once GitHub knows its new head and whether it merges; both take a while."""
        waiting = Waiting("GitHub")
        while True:
            data = self._api.get(f"merge pull request {number}", self._pull(number))
            known = data["head"]["sha"] == commit
            if data["merged"] or (known and data["mergeable"]):
                return data
            if known and data["mergeable"] is False:
                raise conflict(data["html_url"], data["base"]["ref"])
            waiting.pause(data["html_url"])


def _plain(data: Any) -> PullRequest:
    state = "merged" if data["merged_at"] else data["state"]
    head = data["head"]
    return PullRequest(
        data["number"], data["html_url"], data["title"], data["body"] or "", state, head["ref"], head["sha"]
    )


def _same_repository(data: Any) -> bool:
    """Return whether the head is a branch of the base's own repository and not of a fork."""
    head = data["head"].get("repo")
    return bool(head) and head["full_name"] == data["base"]["repo"]["full_name"]
