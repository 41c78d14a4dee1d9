"""Bitbucket Cloud (API 2.0). It has no labels, does not merge by itself, and takes no head to pin a merge to."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

_STATES = {"OPEN": "open", "MERGED": "merged", "DECLINED": "closed", "SUPERSEDED": "closed"}
_STRATEGIES = {"merge": "merge_commit", "squash": "squash", "rebase": "rebase_fast_forward"}
_MERGE = "pullrequest_merge_parameters"
# What tells a person's identifiers from a name: a UUID in braces, or Atlassian's account id.
_UUID = re.compile(r"\{[0-9a-fA-F-]{36}\}")
_ACCOUNT = re.compile(r"[0-9a-f]{24}|\d+:[0-9a-fA-F-]{36}")


class BitbucketCloud(Forge):
    """One repository, WORKSPACE/NAME."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._repository = repository
        self._here = f"/repositories/{repository}"

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield pull requests; see `Forge.listed`."""
        states = [theirs for theirs, ours in _STATES.items() if ours == state]
        # The filter only saves pages: the answer is matched here again.
        ends = {"destination": base, **({"source": head} if head else {})}
        among = " OR ".join(f'state = "{state}"' for state in states)
        wanted = [f"({among})", *(f"{end}.branch.name = {_quoted(name)}" for end, name in ends.items())]
        query = {"q": " AND ".join(wanted), "pagelen": "50"}
        for data in self._api.pages("list pull requests", f"{self._here}/pullrequests", **query):
            pull = _plain(data)
            same = data["state"] in states and data["destination"]["branch"]["name"] == base
            if same and head in ("", pull.head) and self._own(data):
                yield pull

    def _own(self, data: Any) -> bool:
        """Return whether the source is a branch of this repository; a deleted fork leaves no repository at all."""
        source = data["source"].get("repository") or {}
        return str(source.get("full_name", "")).lower() == self._repository.lower()

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; when there is one already, return that."""
        wanted = {
            "type": "pullrequest",
            "title": title,
            "description": body,
            "source": {"branch": {"name": head}},
            "destination": {"branch": {"name": base}},
        }
        path = f"{self._here}/pullrequests"
        try:
            return _plain(self._api.send("open the pull request", "POST", path, wanted, repeatable=True))
        except Refused as refused:
            # The words are not documented: whatever was wrong with it, one that is there now is the answer.
            found = self.find_open(head, base) if refused.status in (400, 409) else None
            if found is None:
                raise
            return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a pull request."""
        tried = f"change pull request {number}"
        return _plain(self._change(tried, number, self._get(tried, number), title=title, description=body))

    def _change(self, tried: str, number: int, data: Any, **fields: Any) -> Any:
        # A change without its reviewers takes them all away; without a title it is refused.
        wanted = {"type": "pullrequest", "title": data["title"], "reviewers": _known(data), **fields}
        return self._api.send(tried, "PUT", self._pull(number), wanted)

    def comment(self, number: int, text: str) -> None:
        """Write a comment, unless the same one is there already."""
        tried, path = f"comment on pull request {number}", f"{self._pull(number)}/comments"
        comments = self._api.pages(tried, path, pagelen="100")
        if all(
            comment["deleted"] or comment["content"]["raw"].strip() != text.strip() for comment in comments
        ):
            wanted = {"type": "pullrequest_comment", "content": {"raw": text}}
            self._api.send(tried, "POST", path, wanted)

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Raise Unsupported: there are no labels."""
        raise Unsupported(
            f"pull request {number} gets no label {', '.join(labels)}: Bitbucket Cloud has none"
        )

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users for a review: UUIDs in braces, account ids, or nicknames of members of the workspace."""
        tried = f"ask for reviews of pull request {number}"
        members = self._members(tried) if any(_UUID.fullmatch(user) is None for user in users) else []
        data = self._get(tried, number)
        have = {user.get(name) for user in data.get("reviewers") or () for name in ("uuid", "account_id")}
        wanted = [self._person(tried, user, members) for user in dict.fromkeys(users)]
        new = [user for user in wanted if have.isdisjoint(user.values())]
        if new:
            self._change(tried, number, data, reviewers=[*_known(data), *new])

    def _members(self, tried: str) -> list[Any]:
        """Return the members of the workspace; none when the token may not see them."""
        workspace = quote(self._repository.partition("/")[0], safe="")
        try:
            listed = list(self._api.pages(tried, f"/workspaces/{workspace}/members", pagelen="100"))
        except Refused as refused:
            if refused.status not in (401, 403, 404):
                raise
            return []
        return [item["user"] for item in listed]

    def _person(self, tried: str, user: str, members: list[Any]) -> dict[str, str]:
        """Return a user as the API takes one, by the UUID where it is known."""
        if _UUID.fullmatch(user):
            return {"uuid": user}
        names = ("account_id", "nickname", "username")
        found = [one for one in members if user in (one.get(name) for name in names)]
        if len(found) == 1:
            return {"uuid": found[0]["uuid"]}
        if not found and _ACCOUNT.fullmatch(user):
            return {"account_id": user}
        seen = (
            f"{len(found)} members"
            if found
            else "no member"
            if members
            else "no member that the token may see,"
        )
        raise EnvironmentProblem(
            f'cannot {tried}: the workspace has {seen} "{user}"',
            help="name the person by account id or by UUID in braces",
        )

    def merge(self, number: int, commit: str, *, method: Method = "", when_checks_pass: bool = False) -> bool:
        """Merge a pull request whose head is `commit`; see `Forge.merge`."""
        tried = f"merge pull request {number}"
        wanted = {"type": _MERGE, **({"merge_strategy": _STRATEGIES[method]} if method else {})}
        waiting = Waiting(self._api.forge)
        while True:
            data = self._get(tried, number)
            pull = _plain(data)
            if pull.state == "merged":
                return merged(pull, commit)
            if pull.state == "closed":
                raise EnvironmentProblem(f"{pull.url} is declined")
            if pull.is_of(commit) and self._tip(tried, pull.head).startswith(commit):
                self._checked(tried, pull, later=when_checks_pass)
                try:
                    self._api.send(tried, "POST", f"{self._pull(number)}/merge", wanted)
                except Refused as refused:
                    self._refusal(refused, data, later=when_checks_pass)
            # Merged, or it takes long (202, 555); the next look tells, and which head it was.
            waiting.pause(pull.url)

    def _tip(self, tried: str, branch: str) -> str:
        """Return the commit of a branch; pull requests are told of a push some time after it."""
        answer = self._api.get(tried, f"{self._here}/refs/branches/{quote(branch, safe='')}")
        return str(answer["target"]["hash"])

    def _checked(self, tried: str, pull: PullRequest, *, later: bool) -> None:
        """Return when all builds have passed. Only paid plans can have Bitbucket itself insist on it."""
        for status in self._api.pages(tried, f"{self._pull(pull.number)}/statuses", pagelen="100"):
            name = status.get("name") or status.get("key")
            if status["state"] in ("FAILED", "STOPPED"):
                raise EnvironmentProblem(f"{pull.url} cannot be merged: the build {name} has failed")
            if status["state"] == "INPROGRESS":
                raise _pending(pull.url, f"the build {name} goes on", later=later)

    def _refusal(self, refused: Refused, data: Any, *, later: bool) -> None:
        """Raise what a refused merge means; return when the next look will tell."""
        url = data["links"]["html"]["href"]
        if "conflict" in refused.reason.lower():
            raise conflict(url, data["destination"]["branch"]["name"]) from refused
        if refused.status == 400 and re.search(r"merge check|approv", refused.reason, re.IGNORECASE):
            raise _pending(url, refused.reason, later=later) from refused
        if refused.status != 409 and refused.status < 500:
            raise refused

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without a merge, and say why in a comment."""
        tried = f"close pull request {number}"
        self.comment(number, comment)
        try:
            self._api.send(tried, "POST", f"{self._pull(number)}/decline", repeatable=True)
        except Refused:
            # It cannot be declined twice.
            if self._get(tried, number)["state"] == "OPEN":
                raise

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url`, signed with `secret`; return whether a webhook was added."""
        tried, path = f"have pushes told to {url}", f"{self._here}/hooks"
        wanted = {
            "type": "webhook_subscription",
            "description": "dispatchfile",
            "url": url,
            "active": True,
            "secret": secret,
            "events": ["repo:push"],
        }
        for hook in self._api.pages(tried, path, pagelen="100"):
            if hook["url"] == url:
                # The secret is not shown; what is there may be another one.
                self._api.send(tried, "PUT", f"{path}/{quote(hook['uuid'], safe='')}", wanted)
                return False
        self._api.send(tried, "POST", path, wanted)
        return True

    def _pull(self, number: int) -> str:
        return f"{self._here}/pullrequests/{number}"

    def _get(self, tried: str, number: int) -> Any:
        return self._api.get(tried, self._pull(number))


def _pending(url: str, why: str, *, later: bool) -> EnvironmentProblem:
    if later:
        return NoAutoMerge(
            f"Bitbucket Cloud does not merge {url} by itself: {why}",
            help="merge it there when it can be, or wait for it: -merge-pull-request",
        )
    return ChecksPending(f"{url} cannot be merged yet: {why}")


def _known(data: Any) -> list[dict[str, str]]:
    return [{"uuid": user["uuid"]} for user in data.get("reviewers") or ()]


def _quoted(text: str) -> str:
    """Return a string of the API's query language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(data: Any) -> PullRequest:
    source = data["source"]
    return PullRequest(
        data["id"],
        data["links"]["html"]["href"],
        data["title"],
        data.get("description") or "",
        _STATES[data["state"]],
        source["branch"]["name"],
        (source.get("commit") or {}).get("hash", ""),
    )
