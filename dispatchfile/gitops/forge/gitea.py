"""Gitea and Forgejo (API v1)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import ChecksPending, Forge, Method, NoAutoMerge, PullRequest, State
from dispatchfile.gitops.forge.http import MOST_PAGES, Api, Refused
from dispatchfile.gitops.forge.waiting import Waiting, conflict

_NEW_LABEL = "#ededed"
# Of thousands that bots left closed, the one that counts is among those that changed last.
_RECENT = 500
# 405 is Gitea's answer to a merge for many reasons; these are of a protected branch whose conditions are not met yet.
_MISSING = re.compile(
    r"not ready|status check|approval|review|requested changes|behind the base", re.IGNORECASE
)


class Gitea(Forge):
    """One repository, OWNER/NAME."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._here = f"/repos/{repository}"
        self._owner = repository.partition("/")[0]

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield pull requests; see `Forge.listed`."""
        # There is no filter by branch: what Gitea does not know (`head`) it ignores, and lists all.
        query = {"state": state, "sort": "recentupdate"}
        listed = self._pages("list pull requests", f"{self._here}/pulls", **query)
        for data in listed if state == "open" else itertools.islice(listed, _RECENT):
            pull = _plain(data)
            if data["base"]["ref"] == base and head in ("", pull.head) and _same_repository(data):
                yield pull

    def _pages(self, tried: str, path: str, **query: str) -> Iterator[Any]:
        """Yield the items of all pages by number: Gitea's links to the next one lead to what its settings call its URL."""
        seen = 0
        for page in range(1, MOST_PAGES + 1):
            answer = self._api.ask(tried, "GET", path, query={**query, "limit": "50", "page": str(page)})
            yield from answer.data or ()
            seen += len(answer.data or ())
            total = answer.headers.get("x-total-count", "")
            if not answer.data or (total.isdecimal() and seen >= int(total)):
                return
        raise EnvironmentProblem(f"cannot {tried}: {self._api.forge} lists more than {MOST_PAGES} pages")

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""
        wanted = {"head": head, "base": base, "title": title, "body": body}
        try:
            path = f"{self._here}/pulls"
            return _plain(self._api.send("open the pull request", "POST", path, wanted, repeatable=True))
        except Refused as refused:
            if refused.status not in (409, 422) or "already exist" not in refused.reason:
                raise
        found = self.find_open(head, base)
        if found is None:
            raise EnvironmentProblem(f"{self._api.forge} says that {head} has a pull request, but lists none")
        return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""
        wanted = {"title": title, "body": body}
        return _plain(self._api.send(f"change pull request {number}", "PATCH", self._pull(number), wanted))

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""
        tried, path = f"comment on pull request {number}", f"{self._here}/issues/{number}/comments"
        if all(comment["body"] != text for comment in self._api.get(tried, path)):
            self._api.send(tried, "POST", path, {"body": text})

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels to those that are there; one that neither repository nor organisation has is made."""
        tried = f"label pull request {number}"
        known = self._labels(tried)
        wanted = [known.get(label) or self._make_label(tried, label) for label in dict.fromkeys(labels)]
        path = f"{self._here}/issues/{number}/labels"
        self._api.send(tried, "POST", path, {"labels": wanted}, repeatable=True)

    def _labels(self, tried: str) -> dict[str, int]:
        known: dict[str, int] = {}
        try:
            for label in self._pages(tried, f"/orgs/{self._owner}/labels"):
                known.setdefault(label["name"], label["id"])
        except Refused as refused:
            # The owner is a person, or the token may not see the organisation.
            if refused.status not in (403, 404):
                raise
        for label in self._pages(tried, f"{self._here}/labels"):
            known[label["name"]] = label["id"]
        return known

    def _make_label(self, tried: str, name: str) -> int:
        path, wanted = f"{self._here}/labels", {"name": name, "color": _NEW_LABEL}
        return int(self._api.send(tried, "POST", path, wanted)["id"])

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
        tried, path = f"merge pull request {number}", self._pull(number)
        wanted: dict[str, Any] = {"Do": method or self._usual_method(tried), "head_commit_id": commit}
        waiting = Waiting(self._api.forge)
        while True:
            data = self._api.get(tried, path)
            if data["merged"]:
                return True
            if data["state"] != "open":
                raise EnvironmentProblem(f"{data['html_url']} is closed")
            if data["head"]["sha"] == commit and data["mergeable"]:
                try:
                    return self._api.ask(tried, "POST", f"{path}/merge", body=wanted).status != 201
                except Refused as refused:
                    if self._scheduled(refused, wanted):
                        return False
                    if _condition(refused):
                        _wait_for_checks(data, refused, wanted, when_checks_pass=when_checks_pass)
                    elif not _passing(refused):
                        raise
            elif waiting.over and data["head"]["sha"] == commit:
                # "Not mergeable" is also said while it is not known yet.
                raise conflict(data["html_url"], data["base"]["ref"])
            waiting.pause(data["html_url"])

    def _usual_method(self, tried: str) -> str:
        return str(self._api.get(tried, self._here).get("default_merge_style") or "merge")

    def _scheduled(self, refused: Refused, wanted: dict[str, Any]) -> bool:
        """Return whether it is refused since an earlier update asked the same."""
        return bool(
            wanted.get("merge_when_checks_succeed") and refused.status == 409 and "schedule" in refused.reason
        )

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without a merge, and say why in a comment."""
        self.comment(number, comment)
        self._api.send(f"close pull request {number}", "PATCH", self._pull(number), {"state": "closed"})

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url`, signed with `secret`; return whether a webhook was added."""
        tried, path = f"have pushes told to {url}", f"{self._here}/hooks"
        wanted = {
            "active": True,
            "events": ["push"],
            "config": {"url": url, "content_type": "json", "secret": secret},
        }
        for hook in self._pages(tried, path):
            if hook["config"].get("url") == url:
                # The secret is not shown; what is there may be another one.
                self._api.send(tried, "PATCH", f"{path}/{hook['id']}", wanted)
                return False
        self._api.send(tried, "POST", path, {"type": "gitea", **wanted})
        return True

    def _pull(self, number: int) -> str:
        return f"{self._here}/pulls/{number}"


def _condition(refused: Refused) -> bool:
    return refused.status == 405 and bool(_MISSING.search(refused.reason))


def _passing(refused: Refused) -> bool:
    """Return whether it passes by itself: right after a push Gitea still tests whether it merges; see if it did."""
    return refused.status >= 500 or (refused.status == 405 and "try again later" in refused.reason.lower())


def _wait_for_checks(data: Any, refused: Refused, wanted: dict[str, Any], *, when_checks_pass: bool) -> None:
    """Have the next try ask Gitea to merge after the checks; raises when that is not wanted, or was asked already."""
    if not when_checks_pass:
        raise ChecksPending(f"{data['html_url']} cannot be merged yet: {refused.reason}") from refused
    if "merge_when_checks_succeed" in wanted:
        raise NoAutoMerge(
            f"{data['html_url']} is not merged after its checks: {refused.reason}",
            help="Gitea 1.17 and newer can do that",
        ) from refused
    wanted["merge_when_checks_succeed"] = True


def _plain(data: Any) -> PullRequest:
    state = "merged" if data["merged"] else data["state"]
    head = data["head"]
    # The label is the branch's name also when that branch is gone; the ref is then that of the pull request.
    return PullRequest(
        data["number"],
        data["html_url"],
        data["title"],
        data["body"] or "",
        state,
        head.get("label") or head["ref"],
        head["sha"],
    )


def _same_repository(data: Any) -> bool:
    """Return whether the head is a branch of the base's own repository and not of a fork."""
    return bool(data["head"]["repo_id"] == data["base"]["repo_id"])
