"""A GitHub look-alike.

What is asked of it is held against GitHub's own description of its API: each path, query parameter and body has to be
in there. `objections` collects what is not; the fixture asserts that there are none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gitops.forges.base import NOW, Answer, Call, ForgeServer, Pull, route
from tests.gitops.forges.openapi import Description

HERE = r"/repos/acme/gitops"


class GitHubServer(ForgeServer):
    """The repository acme/gitops of a GitHub Enterprise. `no_auto_merge`: the repository does not allow it."""

    prefix = "/api/v3"

    def __init__(self, folder: Path, description: Description, *, token: str) -> None:
        super().__init__(folder, token=token)
        self.description = description
        self.no_auto_merge = False

    def authorizations(self) -> set[str]:
        return {f"Bearer {self.token}", f"token {self.token}"}

    def check(self, call: Call) -> None:
        if call.path != "/graphql":
            self.objections += self.description.objections(call)

    def api_path(self, path: str) -> str | None:
        # GraphQL is beside the REST API, not below it.
        return "/graphql" if path == "/api/graphql" else super().api_path(path)

    @route("GET", HERE)
    def described(self, call: Call) -> Answer:
        return 200, self.repository_shape()

    @route("GET", f"{HERE}/pulls")
    def listed(self, call: Call) -> Answer:
        """Pull requests, newest first; a `head` without an owner is ignored, as GitHub does."""
        query, pulls = call.query, self.pulls
        state = query.get("state", "open")
        pulls = [pull for pull in pulls if state == "all" or (pull.state == "open") == (state == "open")]
        if not self.ignores_filters:
            pulls = [pull for pull in pulls if query.get("base", pull.base) == pull.base]
        if ":" in query.get("head", "") and not self.ignores_filters:
            pulls = [pull for pull in pulls if query["head"] == f"{pull.owner}:{pull.head}"]
        return self.page([self.shape(pull) for pull in self.shown(pulls)], call)

    @route("POST", f"{HERE}/pulls")
    def create(self, call: Call) -> Answer:
        body = call.body
        head, base = body["head"], body["base"]
        if self.opened(head, base):
            return self.invalid(f"A pull request already exists for {self.owner}:{head}.")
        if not self.sha(head) or self.sha(head) == self.sha(base):
            return self.invalid(f"No commits between {base} and {head}")
        return 201, self.shape(self.add(head, base, body["title"], body.get("body") or ""))

    def invalid(self, message: str) -> Answer:
        errors = [{"resource": "PullRequest", "code": "custom", "message": message}]
        return 422, {"message": "Validation Failed", "errors": errors}

    @route("GET", rf"{HERE}/pulls/(\d+)")
    def one(self, call: Call, number: str) -> Answer:
        return 200, self.shape(self.by_number(number), full=True)

    @route("PATCH", rf"{HERE}/pulls/(\d+)")
    def change(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        for name, value in call.body.items():
            setattr(pull, name, value)
        return 200, self.shape(pull, full=True)

    @route("GET", rf"{HERE}/issues/(\d+)/comments")
    def comments(self, call: Call, number: str) -> Answer:
        texts = enumerate(self.by_number(number).comments, 1)
        return self.page([{"id": at, "body": text} for at, text in texts], call)

    @route("POST", rf"{HERE}/issues/(\d+)/comments")
    def comment(self, call: Call, number: str) -> Answer:
        self.by_number(number).comments.append(call.body["body"])
        return 201, {"id": 1, "body": call.body["body"]}

    @route("POST", rf"{HERE}/issues/(\d+)/labels")
    def label(self, call: Call, number: str) -> Answer:
        labels = self.by_number(number).labels
        given = call.body["labels"] if isinstance(call.body, dict) else call.body
        labels += [name for name in given if name not in labels]
        return 200, [{"name": name} for name in labels]

    @route("POST", rf"{HERE}/pulls/(\d+)/requested_reviewers")
    def ask_for_review(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        asked = [*call.body.get("reviewers", ()), *call.body.get("team_reviewers", ())]
        pull.reviewers += [name for name in asked if name not in pull.reviewers]
        return 201, self.shape(pull)

    @route("PUT", rf"{HERE}/pulls/(\d+)/merge")
    def merge_now(self, call: Call, number: str) -> Answer:
        pull, body = self.by_number(number), call.body or {}
        head = self.head_of(pull)
        if body.get("sha", head) != head:
            return 409, {"message": "Head branch was modified. Review and try the merge again."}
        if pull.looked != head:
            return 405, {"message": "Please try again later."}
        if self.checks_pending:
            return 405, {"message": 'Required status check "build" is expected.'}
        if self.conflicts(pull):
            return 405, {"message": "Pull Request is not mergeable"}
        commit = self.merge(pull, body.get("merge_method", "merge"))
        return 200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}

    @route("POST", "/graphql")
    def graphql(self, call: Call) -> Answer:
        query, variables = call.body["query"], call.body["variables"]
        if "enablePullRequestAutoMerge" not in query:
            return 200, {"data": {"node": self.node(variables["id"])}}
        pull = self.by_number(variables["input"]["pullRequestId"].removeprefix("PR_"))
        problem = ""
        if self.no_auto_merge:
            problem = "Auto merge is not allowed for this repository"
        elif not self.checks_pending:
            problem = "Pull request Pull request is in clean status"
        elif variables["input"].get("expectedHeadOid", self.head_of(pull)) != self.head_of(pull):
            problem = "Head OID does not match"
        if problem:
            errors = [{"type": "UNPROCESSABLE", "message": problem}]
            return 200, {"data": {"enablePullRequestAutoMerge": None}, "errors": errors}
        pull.auto_merge = variables["input"]
        return 200, {"data": {"enablePullRequestAutoMerge": {"clientMutationId": None}}}

    def node(self, name: str) -> dict[str, Any] | None:
        number = name.removeprefix("PR_")
        if not number.isdecimal() or int(number) > len(self.pulls):
            return None
        return {"repository": {"nameWithOwner": f"{self.owner}/{self.name}"}}

    @route("GET", f"{HERE}/hooks")
    def list_hooks(self, call: Call) -> Answer:
        hidden = [{**hook, "config": {**hook["config"], "secret": "********"}} for hook in self.hooks]
        return self.page(hidden, call)

    @route("POST", f"{HERE}/hooks")
    def add_hook(self, call: Call) -> Answer:
        self.hooks.append({"id": len(self.hooks) + 1, **call.body})
        return 201, self.hooks[-1]

    @route("PATCH", rf"{HERE}/hooks/(\d+)")
    def change_hook(self, call: Call, number: str) -> Answer:
        self.hooks[int(number) - 1].update(call.body)
        return 200, self.hooks[int(number) - 1]

    def page(self, items: list[Any], call: Call) -> Answer:
        """A page of a list, and the Link to the next one as GitHub gives it."""
        size, number = int(call.query.get("per_page", 30)), int(call.query.get("page", 1))
        shown = items[size * (number - 1) :][:size]
        headers = {}
        if len(items) > size * number:
            headers["Link"] = (
                f'<{self.link(call, page=number + 1)}>; rel="next", <{self.link(call)}>; rel="last"'
            )
        return 200, shown, headers

    def repository_shape(self) -> dict[str, Any]:
        return {
            "id": 1,
            "name": self.name,
            "full_name": f"{self.owner}/{self.name}",
            "default_branch": self.default_branch(),
            "url": f"{self.endpoint}/repos/{self.owner}/{self.name}",
        }

    def shape(self, pull: Pull, *, full: bool = False) -> dict[str, Any]:
        """A pull request as the API shows it; `full` as alone, with what GitHub finds out about merging it."""
        place = f"/repos/{self.owner}/{self.name}"
        head = self.head_of(pull)
        shown = {
            "id": pull.number,
            "number": pull.number,
            "node_id": f"PR_{pull.number}",
            "title": pull.title,
            "body": pull.body,
            "state": "open" if pull.state == "open" else "closed",
            "merged_at": NOW if pull.state == "merged" else None,
            "url": f"{self.endpoint}{place}/pulls/{pull.number}",
            "issue_url": f"{self.endpoint}{place}/issues/{pull.number}",
            "html_url": f"{self.url}/{self.owner}/{self.name}/pull/{pull.number}",
            "head": {"ref": pull.head, "sha": head, "repo": {"full_name": f"{pull.owner}/{self.name}"}},
            "base": {"ref": pull.base, "sha": self.sha(pull.base), "repo": self.repository_shape()},
        }
        if not full:
            return shown
        shown |= {"merged": pull.state == "merged", "mergeable": None, "mergeable_state": "unknown"}
        if self.knows(pull):
            bad = self.conflicts(pull)
            state = "dirty" if bad else "blocked" if self.checks_pending else "clean"
            shown |= {"mergeable": not bad, "mergeable_state": state}
        return shown
