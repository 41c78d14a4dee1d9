"""GitLab: merge requests by REST, API v4, as of GitLab 15 to 18."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import ChecksPending, Forge, Method, NoAutoMerge, PullRequest, State
from dispatchfile.gitops.forge.http import Api, Refused
from dispatchfile.gitops.forge.waiting import Waiting, conflict

# `detailed_merge_status` while GitLab still finds out.
_UNKNOWN = ("unchecked", "checking", "preparing", "approvals_syncing", "cannot_be_merged_rechecking")
# What ends by itself, by a pipeline or by a person, and then lets it be merged.
_PENDING = {
    "ci_must_pass": "its pipeline has to succeed",
    "ci_still_running": "its pipeline is still running",
    "not_approved": "an approval is missing",
    "requested_changes": "a reviewer asked for changes",
    "discussions_not_resolved": "a discussion is not resolved",
    "external_status_checks": "an external check is missing",
    "status_checks_must_pass": "an external check is missing",
    "blocked_status": "another merge request has to be merged first",
    "merge_request_blocked": "another merge request has to be merged first",
    "draft_status": "it is a draft",
    "security_policy_violations": "a security policy asks for an approval",
    "need_rebase": "it has to be rebased",
    "merge_time": "it may not be merged before a set time",
}
_CONFLICTS = ("conflict", "broken_status", "cannot_be_merged")
_STATES = {"opened": "open", "locked": "open"}
_MERGE_TRIES = 5


class GitLab(Forge):
    """One project, GROUP/…/NAME."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._here = f"/projects/{quote(repository, safe='')}"
        self._list = f"{self._here}/merge_requests"

    def listed(self, state: State, base: str, head: str = "") -> Iterator[PullRequest]:
        """Yield merge requests; see `Forge.listed`."""
        query = {"state": "opened" if state == "open" else state, "target_branch": base, "per_page": "100"}
        if head:
            query["source_branch"] = head
        for data in self._api.pages("list merge requests", self._list, **query):
            # The filters save pages; what counts is matched here.
            pull = _plain(data)
            same = data["source_project_id"] == data["target_project_id"]
            if same and data["target_branch"] == base and head in ("", pull.head):
                yield pull

    def create(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a merge request; when there is one already, return that."""
        wanted = {"source_branch": head, "target_branch": base, "title": title, "description": body}
        try:
            return _plain(
                self._api.send("open the merge request", "POST", self._list, wanted, repeatable=True)
            )
        except Refused as refused:
            # 409 "Another open merge request already exists for this source branch: !7"
            if refused.status != 409:
                raise
        found = self.find_open(head, base)
        if found is None:
            raise EnvironmentProblem(f"GitLab says that {head} has a merge request, but lists none")
        return found

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Change the title and the text of a merge request."""
        return _plain(self._change(f"change merge request {number}", number, title=title, description=body))

    def comment(self, number: int, text: str) -> None:
        """Write a note, unless the same one is there already."""
        tried, path = f"comment on merge request {number}", f"{self._one(number)}/notes"
        if all(note["body"] != text for note in self._api.pages(tried, path, per_page="100")):
            self._api.send(tried, "POST", path, {"body": text})

    def add_labels(self, number: int, labels: tuple[str, ...]) -> None:
        """Add labels to those that are there; one that the project does not know yet is made."""
        bad = next((label for label in labels if "," in label), None)
        if bad:
            raise EnvironmentProblem(f'GitLab takes no comma in a label: "{bad}"', help="give two labels")
        self._change(f"label merge request {number}", number, add_labels=",".join(labels))

    def request_reviewers(self, number: int, users: tuple[str, ...]) -> None:
        """Ask users for a review, besides those who are asked already."""
        tried = f"ask for reviews of merge request {number}"
        asked = [user["id"] for user in self._api.get(tried, self._one(number)).get("reviewers") or ()]
        wanted = list(dict.fromkeys([*asked, *(self._user(tried, user) for user in users)]))
        if wanted != asked:
            self._change(tried, number, reviewer_ids=wanted)

    def _user(self, tried: str, name: str) -> int:
        """Return the number that GitLab knows a user by."""
        for user in self._api.get(tried, "/users", username=name.removeprefix("@")):
            if user["username"].lower() == name.removeprefix("@").lower():
                return int(user["id"])
        raise EnvironmentProblem(f"cannot {tried}: GitLab knows no user {name}", help="check --reviewer")

    def merge(self, number: int, commit: str, *, method: Method = "", when_checks_pass: bool = False) -> bool:
        """Merge a merge request whose head is `commit`; see `Forge.merge`."""
        if method == "rebase":
            # Whether merging makes a merge commit is a setting of the project here; squashing is the request's.
            raise EnvironmentProblem(
                "GitLab merges as the project is set up to, or with --merge-method=squash",
                help="leave --merge-method away, and set the project's merge method",
            )
        tried = f"merge merge request {number}"
        wanted: dict[str, Any] = {"sha": commit, **({"squash": method == "squash"} if method else {})}
        for tries in range(1, _MERGE_TRIES + 1):
            data = self._settled(tried, number, commit)
            if data["state"] == "merged":
                return True
            waits_for = _PENDING.get(data.get("detailed_merge_status", ""), "")
            if waits_for and not when_checks_pass:
                raise ChecksPending(f"{data['web_url']} cannot be merged yet: {waits_for}")
            # `auto_merge` is GitLab 17.11's name for the older one.
            later = {"merge_when_pipeline_succeeds": True, "auto_merge": True} if waits_for else {}
            try:
                done = self._api.send(tried, "PUT", f"{self._one(number)}/merge", {**wanted, **later})
            except Refused as refused:
                # 405 and 422 come right after a push too, until the pipeline of the new head is there.
                if refused.status not in (405, 422):
                    raise
                if tries == _MERGE_TRIES:
                    raise _never(data, waits_for, refused) from refused
            else:
                if done["state"] == "merged" or waits_for:
                    return bool(done["state"] == "merged")
            time.sleep(0.3 * 2**tries)
        raise EnvironmentProblem(f"GitLab took the wish to merge {data['web_url']}, and did not merge it")

    def close(self, number: int, comment: str) -> None:
        """Close a merge request without a merge, and say why in a note."""
        self.comment(number, comment)
        self._change(f"close merge request {number}", number, state_event="close")

    def ensure_webhook(self, url: str, secret: str) -> bool:
        """Have pushes told to `url` with `secret` as their token; return whether a webhook was added."""
        tried, path = f"have pushes told to {url}", f"{self._here}/hooks"
        wanted = {"url": url, "push_events": True, "token": secret, "enable_ssl_verification": True}
        for hook in self._api.pages(tried, path, per_page="100"):
            if hook["url"] == url:
                # The token is not shown; what is there may be another one.
                self._api.send(tried, "PUT", f"{path}/{hook['id']}", wanted)
                return False
        self._api.send(tried, "POST", path, wanted)
        return True

    def _one(self, number: int) -> str:
        return f"{self._list}/{number}"

    def _change(self, tried: str, number: int, **wanted: Any) -> Any:
        return self._api.send(tried, "PUT", self._one(number), wanted)

    def _settled(self, tried: str, number: int, commit: str) -> Any:
        """Return the merge request once GitLab knows its new head and whether it merges; both take a while."""
        waiting = Waiting("GitLab")
        while True:
            data = self._api.get(tried, self._one(number))
            # GitLab before 15.6 has `merge_status` alone.
            status = data.get("detailed_merge_status") or data.get("merge_status", "")
            if data["state"] == "merged":
                return data
            if data["sha"] == commit and status not in _UNKNOWN:
                if status in _CONFLICTS:
                    raise conflict(data["web_url"], data["target_branch"])
                if data["state"] == "closed":
                    raise EnvironmentProblem(f"{data['web_url']} cannot be merged: it was closed")
                return data
            waiting.pause(data["web_url"])


def _never(data: Any, waits_for: str, refused: Refused) -> EnvironmentProblem:
    if not waits_for:
        return refused
    return NoAutoMerge(
        f"GitLab does not merge {data['web_url']} by itself later, although {waits_for}",
        help="merge it there when it can be, or wait for it: -merge-pull-request",
    )


def _plain(data: Any) -> PullRequest:
    state = _STATES.get(data["state"], data["state"])
    return PullRequest(
        *(data["iid"], data["web_url"], data["title"], data["description"] or ""),
        *(state, data["source_branch"], data["sha"] or ""),
    )
