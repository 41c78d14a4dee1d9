"""Bitbucket Server and Data Center (API 1.0). It has no labels; what changes a pull request names its version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import (
    ChecksPending,
    Forge,
    Method,
    NoAutoMerge,
    PullRequest,
    State,
    Unsupported,
)
from dispatchfile.gitops.forge.http import Api, Refused
from dispatchfile.gitops.forge.waiting import Waiting, conflict, merged

_STATES = {"OPEN": "open", "MERGED": "merged", "DECLINED": "closed"}
_STRATEGIES = {"merge": "no-ff", "squash": "squash", "rebase": "rebase-ff-only"}
_TRIES = 5
_BRANCH = "refs/heads/"


class BitbucketServer(Forge):
    """One repository, PROJECT/NAME, or ~USER/NAME of a person."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._project, _, self._slug = repository.partition("/")
        self._here = f"/projects/{self._project}/repos/{self._slug}"

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield pull requests; see `Forge.listed`."""
        theirs = "OPEN" if state == "open" else "DECLINED"
        # The filters only save pages: the answer is matched here again.
        end = {"direction": "OUTGOING", "at": _BRANCH + head} if head else {"at": _BRANCH + base}
        query = {"state": theirs, "limit": "100", **end}
        for data in self._api.pages("list pull requests", f"{self._here}/pull-requests", **query):
            pull = _plain(data)
            to = data["toRef"]
            same = data["state"] == theirs and to["id"] == _BRANCH + base and self._own(to)
            if same and head in ("", pull.head) and self._own(data["fromRef"]):
                yield pull

    def _own(self, ref: Any) -> bool:
        """Return whether a ref is one of this repository and not of a fork."""
        repository = ref["repository"]
        named = (repository["project"]["key"].lower(), repository["slug"].lower())
        return named == (self._project.lower(), self._slug.lower())

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""
        repository = {"slug": self._slug, "project": {"key": self._project}}
        wanted = {
            "title": title,
            "description": body,
            "fromRef": {"id": _BRANCH + head, "repository": repository},
            "toRef": {"id": _BRANCH + base, "repository": repository},
        }
        path = f"{self._here}/pull-requests"
        try:
            return _plain(self._api.send("open the pull request", "POST", path, wanted, repeatable=True))
        except Refused as refused:
            # 409 stands for other things too, such as a branch without a new commit.
            found = self.find_open(head, base) if refused.status == 409 else None
            if found is None:
                raise
            return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""
        tried = f"change pull request {number}"
        for tries in range(1, _TRIES + 1):
            data = self._get(tried, number)
            # A change without its reviewers takes them all away.
            reviewers = [{"user": {"name": one["user"]["name"]}} for one in data.get("reviewers", ())]
            wanted = {"version": data["version"], "title": title, "description": body, "reviewers": reviewers}
            try:
                return _plain(self._api.send(tried, "PUT", self._pull(number), wanted))
            except Refused as refused:
                # Somebody else changed it since: with a closed one that would not help.
                if refused.status != 409 or data["state"] != "OPEN" or tries == _TRIES:
                    raise
        raise AssertionError("the last try returns or raises")

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""
        tried, pull = f"comment on pull request {number}", self._pull(number)
        for activity in self._api.pages(tried, f"{pull}/activities", limit="100"):
            if activity["action"] == "COMMENTED" and activity["comment"]["text"].strip() == text.strip():
                return
        self._api.send(tried, "POST", f"{pull}/comments", {"text": text})

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Raise Unsupported: pull requests have no labels."""
        raise Unsupported(
            f"pull request {number} gets no label {', '.join(labels)}: Bitbucket Server has none"
        )

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users, named by their slugs, for a review."""
        tried = f"ask for reviews of pull request {number}"
        for user in users:
            try:
                name = self._api.get(tried, f"/users/{quote(user, safe='')}")["name"]
            except Refused as refused:
                if refused.status != HTTPStatus.NOT_FOUND:
                    raise
                raise EnvironmentProblem(
                    f"cannot {tried}: Bitbucket Server knows no user {user}", help="check --reviewer"
                ) from None
            wanted = {"user": {"name": name}, "role": "REVIEWER"}
            self._api.send(tried, "POST", f"{self._pull(number)}/participants", wanted, repeatable=True)

    def merge(self, number: int, commit: str, *, method: Method = "", when_checks_pass: bool = False) -> bool:
        """Merge a pull request whose head is `commit`; see `Forge.merge`."""
        tried = f"merge pull request {number}"
        waiting = Waiting(self._api.forge)
        while True:
            data = self._get(tried, number)
            pull = _plain(data)
            if pull.state == "merged":
                return merged(pull, commit)
            if pull.state == "closed":
                raise EnvironmentProblem(f"{pull.url} is declined")
            if pull.is_of(commit) and self._tip(tried, pull.head) == commit:
                vetoes = self._vetoes(tried, data)
                if vetoes and not when_checks_pass:
                    raise ChecksPending(f"{pull.url} cannot be merged yet: {vetoes}")
                wanted = {
                    "version": data["version"],
                    **({"strategyId": _STRATEGIES[method]} if method else {}),
                    **({"autoMerge": True} if vetoes else {}),
                }
                if vetoes is not None and not self._ask_to_merge(tried, data, wanted, vetoes):
                    return False
            waiting.pause(pull.url)

    def _tip(self, tried: str, branch: str) -> str:
        """Return the commit of a branch; pull requests are told of a push some time after it."""
        listed = self._api.pages(
            tried, f"{self._here}/branches", filterText=branch, boostMatches="true", limit="100"
        )
        return next((str(one["latestCommit"]) for one in listed if one["id"] == _BRANCH + branch), "")

    def _vetoes(self, tried: str, data: Any) -> str | None:
        """Return what stands against a merge, "" for nothing, None while that is not known. Raises on a conflict."""
        answer = self._api.get(tried, f"{self._pull(data['id'])}/merge")
        if answer["conflicted"] and answer.get("outcome") != "UNKNOWN":
            raise conflict(_url(data), data["toRef"]["displayId"])
        vetoes = [veto.get("detailedMessage") or veto.get("summaryMessage", "") for veto in answer["vetoes"]]
        if answer.get("outcome") == "UNKNOWN":
            return None
        return "; ".join(vetoes) or ("" if answer.get("canMerge", True) else "it may not be merged")

    def _ask_to_merge(self, tried: str, data: Any, wanted: dict[str, Any], vetoes: str) -> bool:
        """Ask for a merge, now or after what `vetoes` says; return whether the next look tells more about it."""
        path = f"{self._pull(data['id'])}/merge?version={data['version']}"
        try:
            answer = self._api.send(tried, "POST", path, wanted)
        except Refused as refused:
            if vetoes and refused.status in (403, 409) and not _stale(refused):
                # Before 8.15 there was no auto-merge, and the wish for it was not understood.
                raise NoAutoMerge(
                    f"{_url(data)} is not merged after its checks: {refused.reason}",
                    help="Data Center 8.15 and newer can do that; switch auto-merge on in the repository's settings",
                ) from refused
            if not _stale(refused) and refused.status < 500:
                raise
            return True
        return not vetoes or bool(answer["state"] == "MERGED")

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without a merge, and say why in a comment."""
        tried = f"close pull request {number}"
        self.comment(number, comment)
        for tries in range(1, _TRIES + 1):
            data = self._get(tried, number)
            if data["state"] != "OPEN":
                return
            path = f"{self._pull(number)}/decline?version={data['version']}"
            try:
                self._api.send(tried, "POST", path, {"version": data["version"]}, repeatable=True)
            except Refused as refused:
                if not _stale(refused) or tries == _TRIES:
                    raise

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url`, signed with `secret`; return whether a webhook was added."""
        tried, path = f"have pushes told to {url}", f"{self._here}/webhooks"
        wanted = {
            "name": "dispatchfile",
            "url": url,
            "active": True,
            "events": ["repo:refs_changed"],
            "configuration": {"secret": secret},
        }
        for hook in self._api.pages(tried, path):
            if hook["url"] == url:
                # The secret may be another one.
                self._api.send(tried, "PUT", f"{path}/{hook['id']}", wanted)
                return False
        self._api.send(tried, "POST", path, wanted)
        return True

    def _pull(self, number: int) -> str:
        return f"{self._here}/pull-requests/{number}"

    def _get(self, tried: str, number: int) -> Any:
        return self._api.get(tried, self._pull(number))


def _stale(refused: Refused) -> bool:
    """Return whether a change was refused since the pull request has changed since it was read."""
    return refused.status == 409 and bool(re.search(r"out.of.date|version", refused.reason, re.IGNORECASE))


def _url(data: Any) -> str:
    return str(data["links"]["self"][0]["href"])


def _plain(data: Any) -> PullRequest:
    source = data["fromRef"]
    return PullRequest(
        data["id"],
        _url(data),
        data["title"],
        data.get("description") or "",
        _STATES[data["state"]],
        source["id"].removeprefix(_BRANCH),
        source["latestCommit"],
    )
