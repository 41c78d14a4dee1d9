"""A GitLab look-alike, with its project in a group below a group.

GitLab publishes no description of its API in a package. What is asked and what is answered here is held against what
two clients that others wrote know of it: gitbeaker's types, and python-gitlab's lists of filters and fields.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gitlab.v4 import objects

from tests.gitops.forges.base import Answer, Call, ForgeServer, Pull, route
from tests.gitops.forges.gitbeaker import gitlab

PROJECT = r"/projects/(?:7|acme%2Fplatform%2Fgitops)"
MERGES = rf"{PROJECT}/merge_requests"
_HOOK = {
    *objects.ProjectHookManager._create_attrs.required,
    *objects.ProjectHookManager._create_attrs.optional,
}
_PAGES = {"page", "per_page"}
# What a request may hold and what its answer does: the names of gitbeaker's types. Its hooks are told by python-gitlab.
_TYPES = [
    ("GET", MERGES, "", "MergeRequestSchema"),
    ("POST", MERGES, "CreateMergeRequestOptions", "ExpandedMergeRequestSchema"),
    ("GET", rf"{MERGES}/\d+", "", "ExpandedMergeRequestSchema"),
    ("PUT", rf"{MERGES}/\d+", "EditMergeRequestOptions", "ExpandedMergeRequestSchema"),
    ("PUT", rf"{MERGES}/\d+/merge", "AcceptMergeRequestOptions", "ExpandedMergeRequestSchema"),
    ("GET", rf"{MERGES}/\d+/notes", "", "MergeRequestNoteSchema"),
    ("POST", rf"{MERGES}/\d+/notes", "", "MergeRequestNoteSchema"),
    ("GET", "/users", "", "SimpleUserSchema"),
    ("GET", PROJECT, "", "ProjectSchema"),
]
# GitLab 16 has this status; the types have its older name alone, broken_status.
_GAP = "'conflict' is not valid"
# What the client takes as arguments of their own, beside the options.
_ARGUMENTS = {"CreateMergeRequestOptions": ("source_branch", "target_branch", "title")}


class GitLabServer(ForgeServer):
    """The project acme/platform/gitops. `no_auto_merge`: it has no pipeline that auto-merge could wait for."""

    prefix = "/api/v4"
    owner = "acme/platform"

    def __init__(self, folder: Path, *, token: str) -> None:
        super().__init__(folder, token=token)
        self.no_auto_merge = False
        self.users = {"ada": 11, "grace": 12}

    def authorizations(self) -> set[str]:
        return {f"Bearer {self.token}"}

    def check(self, call: Call) -> None:
        where = f"{call.method} {call.path}"
        if call.method == "GET":
            known = {*objects.ProjectMergeRequestManager._list_filters, *objects.UserManager._list_filters}
            self.objections += [f"{where}: filter {name}" for name in set(call.query) - known - _PAGES]
        elif "/hooks" in call.path:
            self.objections += [f"{where}: field {name}" for name in set(call.body) - _HOOK]
        elif call.path.endswith("/notes"):
            self.objections += [f"{where}: field {name}" for name in set(call.body) - {"body"}]
        else:
            body = self._types(call)[0]
            left = {name: call.body[name] for name in call.body if name not in _ARGUMENTS.get(body, ())}
            self.objections += [f"{where}: {error}" for error in gitlab().errors(gitlab().body(body), left)]

    def answer_to(self, call: Call) -> Answer:
        found = super().answer_to(call)
        if found[0] < 300 and "/hooks" not in call.path:
            schema = gitlab().answer(self._types(call)[1])
            for item in found[1] if isinstance(found[1], list) else [found[1]]:
                told = gitlab().errors(schema, json.loads(json.dumps(item)))
                where = f"answer to {call.method} {call.path}"
                self.objections += [f"{where}: {error}" for error in told if _GAP not in error]
        return found

    def _types(self, call: Call) -> tuple[str, str]:
        for method, pattern, body, answer in _TYPES:
            if method == call.method and re.fullmatch(pattern, call.path):
                return body, answer
        raise AssertionError(f"{call.method} {call.path} is nothing that a client asks")

    @route("GET", PROJECT)
    def described(self, call: Call) -> Answer:
        return 200, {
            "id": 7,
            "path_with_namespace": f"{self.owner}/{self.name}",
            "default_branch": self.default_branch(),
        }

    @route("GET", MERGES)
    def listed(self, call: Call) -> Answer:
        query, pulls = call.query, self.pulls
        states = {"opened": "open", "closed": "closed", "merged": "merged"}
        state = states.get(query.get("state", "all"))
        pulls = [pull for pull in pulls if state in (None, pull.state)]
        if not self.ignores_filters:
            pulls = [
                pull
                for pull in pulls
                if query.get("source_branch", pull.head) == pull.head
                and query.get("target_branch", pull.base) == pull.base
            ]
        return self.page([self.shape(pull) for pull in self.shown(pulls)], call)

    @route("POST", MERGES)
    def create(self, call: Call) -> Answer:
        body = call.body
        head, base = body["source_branch"], body["target_branch"]
        if there := self.opened(head, base):
            message = f"Another open merge request already exists for this source branch: !{there.number}"
            return 409, {"message": [message]}
        if not self.sha(head):
            return 400, {"message": {"base": [f'Source branch "{head}" does not exist']}}
        return 201, self.shape(self.add(head, base, body["title"], body.get("description") or ""))

    @route("GET", rf"{MERGES}/(\d+)")
    def one(self, call: Call, number: str) -> Answer:
        return 200, self.shape(self.by_number(number), full=True)

    @route("PUT", rf"{MERGES}/(\d+)")
    def change(self, call: Call, number: str) -> Answer:
        pull, body = self.by_number(number), call.body
        pull.title = body.get("title", pull.title)
        pull.body = body.get("description", pull.body)
        pull.labels += [
            name for name in body.get("add_labels", "").split(",") if name and name not in pull.labels
        ]
        if "reviewer_ids" in body:
            names = {number: name for name, number in self.users.items()}
            pull.reviewers = [names[number] for number in body["reviewer_ids"]]
        if body.get("state_event") == "close":
            self.head_of(pull)
            pull.state = "closed"
        return 200, self.shape(pull, full=True)

    @route("PUT", rf"{MERGES}/(\d+)/merge")
    def merge_now(self, call: Call, number: str) -> Answer:
        pull, body = self.by_number(number), call.body or {}
        head = self.head_of(pull)
        later = body.get("auto_merge") or body.get("merge_when_pipeline_succeeds")
        if body.get("sha", head) != head:
            return 409, {"message": f"SHA does not match HEAD of source branch: {head}"}
        if pull.state != "open" or pull.looked != head or self.conflicts(pull):
            return 405, {"message": "405 Method Not Allowed"}
        if self.checks_pending and (not later or self.no_auto_merge):
            return 405, {"message": "405 Method Not Allowed"}
        if self.checks_pending:
            pull.auto_merge = body
            return 200, self.shape(pull, full=True)
        self.merge(pull, "squash" if body.get("squash") else "merge")
        return 200, self.shape(pull, full=True)

    @route("GET", rf"{MERGES}/(\d+)/notes")
    def notes(self, call: Call, number: str) -> Answer:
        texts = enumerate(self.by_number(number).comments, 1)
        return self.page([{"id": at, "body": text, "system": False} for at, text in texts], call)

    @route("POST", rf"{MERGES}/(\d+)/notes")
    def note(self, call: Call, number: str) -> Answer:
        self.by_number(number).comments.append(call.body["body"])
        return 201, {"id": 1, "body": call.body["body"]}

    @route("GET", "/users")
    def find_users(self, call: Call) -> Answer:
        wanted = call.query.get("username", "").lower()
        return 200, [{"id": at, "username": name} for name, at in self.users.items() if name == wanted]

    @route("GET", f"{PROJECT}/hooks")
    def list_hooks(self, call: Call) -> Answer:
        return self.page([_shown(hook) for hook in self.hooks], call)

    @route("POST", f"{PROJECT}/hooks")
    def add_hook(self, call: Call) -> Answer:
        self.hooks.append({"id": len(self.hooks) + 1, **call.body})
        return 201, _shown(self.hooks[-1])

    @route("PUT", rf"{PROJECT}/hooks/(\d+)")
    def change_hook(self, call: Call, number: str) -> Answer:
        self.hooks[int(number) - 1].update(call.body)
        return 200, _shown(self.hooks[int(number) - 1])

    def page(self, items: list[Any], call: Call) -> Answer:
        size, number = int(call.query.get("per_page", 20)), int(call.query.get("page", 1))
        more = len(items) > size * number
        headers = {"X-Next-Page": str(number + 1) if more else ""}
        if more:
            headers["Link"] = f'<{self.link(call, page=number + 1)}>; rel="next"'
        return 200, items[size * (number - 1) :][:size], headers

    def shape(self, pull: Pull, *, full: bool = False) -> dict[str, Any]:
        """A merge request as the API shows it; `full` as alone, which makes GitLab find out whether it merges."""
        states = {"open": "opened"}
        shown = {
            "id": 1000 + pull.number,
            "iid": pull.number,
            "project_id": 7,
            "title": pull.title,
            "description": pull.body or None,
            "state": states.get(pull.state, pull.state),
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": 7 if pull.owner == self.owner else 8,
            "target_project_id": 7,
            "sha": self.head_of(pull),
            "web_url": f"{self.url}/{self.owner}/{self.name}/-/merge_requests/{pull.number}",
            "labels": pull.labels,
            "reviewers": [{"id": self.users[name], "username": name} for name in pull.reviewers],
            "merge_when_pipeline_succeeds": pull.auto_merge is not None,
            "detailed_merge_status": "unchecked",
        }
        if full and pull.state == "open" and self.knows(pull):
            pending = "ci_still_running" if self.checks_pending else "mergeable"
            shown["detailed_merge_status"] = "conflict" if self.conflicts(pull) else pending
        elif pull.state != "open":
            shown["detailed_merge_status"] = "not_open"
        return shown


def _shown(hook: dict[str, Any]) -> dict[str, Any]:
    """A webhook without its token, which GitLab never shows."""
    return {name: value for name, value in hook.items() if name != "token"}
