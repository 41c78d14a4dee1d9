"""A Gitea look-alike: what Gitea 1.22 and 1.23 were seen to do, and what its source says of merging."""

from __future__ import annotations

import re
from typing import Any

from tests.gitops.forges.base import NOW, Answer, Call, Pull, route
from tests.gitops.forges.described import DescribedServer

HERE = "/repos/acme/gitops"
USER = {"id": 1, "login": "ada", "full_name": ""}


class GiteaServer(DescribedServer):
    """`public_url` is what Gitea believes to be reached at; its links to next pages lead there."""

    prefix = "/api/v1"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.labels = [{"id": 7, "name": "deploy", "color": "00aabb"}]
        self.organisation_labels: list[dict[str, Any]] | None = None
        self.public_url = "https://git.example.test"
        self.default_merge_style = "merge"
        self.merge_styles = ("merge", "rebase", "squash")
        self.most_items = 50

    def authorizations(self) -> set[str]:
        return {f"token {self.token}", f"Bearer {self.token}"}

    @route("GET", HERE)
    def described(self, _call: Call) -> Answer:
        return 200, self.repository_shape() | {"default_merge_style": self.default_merge_style}

    def repository_shape(self, owner: str = "") -> dict[str, Any]:
        owner = owner or self.owner
        return {
            "id": 1 if owner == self.owner else 2,
            "name": self.name,
            "full_name": f"{owner}/{self.name}",
            "default_branch": self.default_branch(),
            "html_url": f"{self.url}/{owner}/{self.name}",
        }

    @route("GET", f"{HERE}/pulls")
    def listed(self, call: Call) -> Answer:
        wanted = call.query.get("state", "open")
        pulls = [one for one in self.pulls if wanted == "all" or (one.state == "open") == (wanted == "open")]
        return self.page(call, [self.shape(pull) for pull in self.shown(pulls)])

    def page(self, call: Call, items: list[Any]) -> Answer:
        size, number = min(int(call.query.get("limit", 30)), self.most_items), int(call.query.get("page", 1))
        shown = items[size * (number - 1) :][:size]
        following = f"{self.public_url}{self.prefix}{call.path}?page={number + 1}"
        return 200, shown, {"X-Total-Count": str(len(items)), "Link": f'<{following}>; rel="next"'}

    @route("POST", f"{HERE}/pulls")
    def create(self, call: Call) -> Answer:
        head, base = call.body["head"], call.body["base"]
        if not self.sha(head) or not self.sha(base):
            return self.error(404, "The target couldn't be found.")
        same = self.opened(head, base)
        if same:
            told = f"id: {same.number}, issue_id: {same.number}, head_repo_id: 1, base_repo_id: 1"
            words = f"pull request already exists for these targets [{told}, head_branch: {head}, base_branch: {base}]"
            return self.error(409, words)
        return 201, self.shape(self.add(head, base, call.body["title"], call.body.get("body", "")))

    @route("GET", rf"{HERE}/pulls/(\d+)")
    def one(self, _call: Call, number: str) -> Answer:
        if int(number) > len(self.pulls):
            return self.error(404, "The target couldn't be found.")
        pull = self.by_number(number)
        self.knows(pull)
        return 200, self.shape(pull)

    @route("PATCH", rf"{HERE}/pulls/(\d+)")
    def edit(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        pull.title = call.body.get("title", pull.title)
        pull.body = call.body.get("body", pull.body)
        self.head_of(pull)
        pull.state = call.body.get("state", pull.state)
        return 201, self.shape(pull)

    @route("POST", rf"{HERE}/pulls/(\d+)/merge")
    def merged(self, call: Call, number: str) -> Answer:
        pull, later = self.by_number(number), call.body.get("merge_when_checks_succeed", False)
        if pull.state != "open":
            return self.error(404 if pull.state == "closed" else 405, "")
        if pull.looked != self.head_of(pull) or self.conflicts(pull):
            return self.error(405, "Please try again later")
        if self.checks_pending and not later:
            return self.error(405, "not ready to be merged: Not all required status checks successful")
        if call.body["Do"] not in self.merge_styles:
            return self.error(
                405, f"{call.body['Do']} is not allowed an allowed merge style for this repository"
            )
        if self.checks_pending:
            if pull.auto_merge:
                return self.error(409, f"pull request is already scheduled to auto merge [pull_id: {number}]")
            pull.auto_merge = call.body
            return 201, None
        if call.body.get("head_commit_id", self.head_of(pull)) != self.head_of(pull):
            return self.error(409, "head out of date")
        self.merge(pull, call.body["Do"])
        return 200, None

    @route("GET", rf"{HERE}/issues/(\d+)/comments")
    def comments(self, _call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        return 200, [{"id": at, "body": text, "user": USER} for at, text in enumerate(pull.comments)]

    @route("POST", rf"{HERE}/issues/(\d+)/comments")
    def add_comment(self, call: Call, number: str) -> Answer:
        self.by_number(number).comments.append(call.body["body"])
        return 201, {"id": 1, "body": call.body["body"], "user": USER}

    @route("GET", f"{HERE}/labels")
    def own_labels(self, call: Call) -> Answer:
        return self.page(call, self.labels)

    @route("GET", "/orgs/acme/labels")
    def shared_labels(self, call: Call) -> Answer:
        if self.organisation_labels is None:
            return self.error(404, "The target couldn't be found.")
        return self.page(call, self.organisation_labels)

    @route("POST", f"{HERE}/labels")
    def add_label(self, call: Call) -> Answer:
        if not re.fullmatch("#?[0-9a-fA-F]{6}", call.body["color"]):
            return self.error(422, "bad color code")
        self.labels.append(
            {**call.body, "color": call.body["color"].lstrip("#"), "id": 100 + len(self.labels)}
        )
        return 201, self.labels[-1]

    @route("POST", rf"{HERE}/issues/(\d+)/labels")
    def label(self, call: Call, number: str) -> Answer:
        known = {label["id"]: label for label in [*self.labels, *(self.organisation_labels or [])]}
        pull = self.by_number(number)
        # An id that nobody has is passed over in silence.
        names = [known[one]["name"] for one in call.body["labels"] if one in known]
        pull.labels += [name for name in names if name not in pull.labels]
        return 200, [label for label in known.values() if label["name"] in pull.labels]

    @route("POST", rf"{HERE}/pulls/(\d+)/requested_reviewers")
    def review(self, call: Call, number: str) -> Answer:
        for login in call.body["reviewers"]:
            if login == "nobody":
                return self.error(404, f"user does not exist [uid: 0, name: {login}]")
        pull = self.by_number(number)
        asked = [*call.body["reviewers"], *(f"acme/{team}" for team in call.body.get("team_reviewers", ()))]
        pull.reviewers += [name for name in asked if name not in pull.reviewers]
        return 201, [{"id": 1, "state": "REQUEST_REVIEW", "user": {**USER, "login": name}} for name in asked]

    @route("GET", f"{HERE}/hooks")
    def all_hooks(self, call: Call) -> Answer:
        return self.page(call, [without_secret(hook) for hook in self.hooks])

    @route("POST", f"{HERE}/hooks")
    def add_hook(self, call: Call) -> Answer:
        if call.body["type"] not in ("gitea", "slack") or call.body["config"]["content_type"] not in (
            "json",
            "form",
        ):
            return self.error(422, "Invalid hook type")
        self.hooks.append({**call.body, "id": len(self.hooks) + 1})
        return 201, without_secret(self.hooks[-1])

    @route("PATCH", rf"{HERE}/hooks/(\d+)")
    def edit_hook(self, call: Call, number: str) -> Answer:
        hook = self.hooks[int(number) - 1]
        hook.update({**call.body, "config": {**hook["config"], **call.body.get("config", {})}})
        return 200, without_secret(hook)

    def error(self, status: int, message: str) -> Answer:
        return status, {"message": message, "url": f"{self.public_url}/api/swagger"}

    def shape(self, pull: Pull) -> dict[str, Any]:
        head = self.head_of(pull)
        own = pull.owner == self.owner
        there = bool(self.sha(pull.head))
        known = pull.looked == head
        return {
            "id": pull.number,
            "number": pull.number,
            "html_url": f"{self.url}/acme/gitops/pulls/{pull.number}",
            "title": pull.title,
            "body": pull.body,
            "state": "open" if pull.state == "open" else "closed",
            "merged": pull.state == "merged",
            "merged_at": NOW if pull.state == "merged" else None,
            "mergeable": known and pull.state == "open" and not self.conflicts(pull),
            "labels": [label for label in self.labels if label["name"] in pull.labels],
            "head": {
                "label": pull.head,
                # A branch that is gone leaves the pull request's own ref.
                "ref": pull.head if there else f"refs/pull/{pull.number}/head",
                "sha": head,
                "repo_id": 1 if own else 2,
                "repo": self.repository_shape(pull.owner),
            },
            "base": {
                "label": pull.base,
                "ref": pull.base,
                "sha": self.sha(pull.base),
                "repo_id": 1,
                "repo": self.repository_shape(),
            },
        }

    def finish_checks(self) -> None:
        """What Gitea does once the checks have passed."""
        self.checks_pending = False
        for pull in self.pulls:
            if pull.auto_merge and pull.state == "open":
                self.merge(pull, pull.auto_merge["Do"])


def without_secret(hook: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in hook["config"].items() if key != "secret"}
    return {
        "id": hook["id"],
        "type": hook["type"],
        "active": hook["active"],
        "events": hook["events"],
        "config": config,
    }
