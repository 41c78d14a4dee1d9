"""A Bitbucket Cloud look-alike (API 2.0)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tests.gitops.forges.base import NOW, Answer, Call, Pull, route
from tests.gitops.forges.described import DescribedServer

HERE = "/repositories/acme/gitops"
STATES = {"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}
STRATEGIES = ("merge_commit", "squash", "fast_forward", "rebase_fast_forward")


def uuid(number: int) -> str:
    return f"{{00000000-0000-4000-8000-{number:012}}}"


MEMBERS = [
    {"type": "user", "uuid": uuid(1), "account_id": "557058:00000000-0000-4000-8000-000000000001", "nickname": "ada", "display_name": "Ada L"},
    {"type": "user", "uuid": uuid(2), "account_id": "5f0000000000000000000002", "nickname": "Bob", "display_name": "Bob One"},
    {"type": "user", "uuid": uuid(3), "account_id": "5f0000000000000000000003", "nickname": "Bob", "display_name": "Bob Two"},
]  # fmt: skip


class CloudServer(DescribedServer):
    """`updates_the_same` is what a second pull request between two branches does: it changes the first one, or is
    refused. `lags` shows a new head from the second look on. `builds` are the statuses of the head."""

    prefix = "/2.0"
    # Lists can be filtered, paged and cut (the introduction to the API), whatever each operation says.
    always = frozenset({"q", "page", "pagelen", "sort", "fields"})
    gaps = (
        # A pull request's text is named in the words about an operation, and in no schema.
        r"pullrequests.*\('description' was unexpected\)",
        # People are described as accounts, which have no nickname; what answers hold are users, who have one.
        r"(author|reviewers\[\d\]|user): Unevaluated.*('account_id', 'nickname' were unexpected|'account_id', )",
        # A reviewer is named by the UUID alone, says the same text.
        r"^PUT .*\$\.reviewers\[\d\]: ('type' is a required|Unevaluated.*\('(uuid|account_id)' was unexpected)",
        # Types that others build on are generated as if nothing but themselves could stand there.
        r"\.type: '\w+' was expected",
        # What a webhook is to be is in the words about the operation too.
        r"^(POST|PUT) .*/hooks\S*: takes no body",
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.updates_the_same = True
        self.lags = True
        self.builds: list[dict[str, Any]] = []
        self.merges_slowly = False
        self.seen: dict[int, str] = {}

    @route("GET", f"{HERE}/pullrequests")
    def listed(self, call: Call) -> Answer:
        pulls = self.pulls
        if not self.ignores_filters:
            wanted = query_of(call.query.get("q", 'state = "OPEN"'))
            pulls = [
                one for one in pulls if all(field(one, name) in values for name, values in wanted.items())
            ]
        return self.page(call, [self.shape(pull) for pull in self.shown(pulls)], most=50)

    def page(self, call: Call, items: list[Any], *, most: int = 100) -> Answer:
        size = int(call.query.get("pagelen", 10))
        if size > most:
            return self.error(400, "Invalid pagelen")
        number = int(call.query.get("page", 1))
        shown = items[size * (number - 1) :][:size]
        answer: dict[str, Any] = {"values": shown, "pagelen": size, "page": number, "size": len(items)}
        if number * size < len(items):
            answer["next"] = self.link(call, page=number + 1)
        return 200, answer

    @route("GET", rf"{HERE}/refs/branches/(.+)")
    def branch(self, _call: Call, name: str) -> Answer:
        commit = self.sha(unquote(name))
        if not commit:
            return self.error(404, "No such branch")
        return 200, {"type": "branch", "name": unquote(name), "target": {"type": "commit", "hash": commit}}

    @route("POST", f"{HERE}/pullrequests")
    def create(self, call: Call) -> Answer:
        head, base = call.body["source"]["branch"]["name"], call.body["destination"]["branch"]["name"]
        if not self.sha(head) or not self.sha(base):
            return self.error(400, f"{'source' if not self.sha(head) else 'destination'}: branch not found")
        if self.sha(head) == self.sha(base):
            return self.error(400, "There are no changes to be pulled")
        same = self.opened(head, base)
        if same and not self.updates_the_same:
            return self.error(409, "Only one pull request may be open for a given source and target branch")
        pull = same or self.add(head, base, "", "")
        pull.title, pull.body = call.body["title"], call.body.get("description", "")
        self.seen[pull.number] = self.head_of(pull)
        return 201, self.shape(pull)

    @route("GET", rf"{HERE}/pullrequests/(\d+)")
    def one(self, _call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        answer = self.shape(pull)
        # What is found out at one look shows at the next.
        self.seen[pull.number] = self.head_of(pull)
        return 200, answer

    @route("PUT", rf"{HERE}/pullrequests/(\d+)")
    def edit(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        if pull.state != "open":
            return self.error(400, "This pull request is already closed.")
        if "title" not in call.body:
            return self.error(400, "title: This field is required.")
        pull.title, pull.body = call.body["title"], call.body.get("description", pull.body)
        reviewers = []
        for user in call.body.get("reviewers", ()):
            known = next(
                (one for one in MEMBERS if set(user.values()) & {one["uuid"], one["account_id"]}), None
            )
            if known is None:
                return self.error(400, "reviewers: Malformed reviewers list")
            reviewers.append(known["uuid"])
        pull.reviewers = reviewers
        return 200, self.shape(pull)

    @route("GET", rf"{HERE}/pullrequests/(\d+)/statuses")
    def statuses(self, call: Call, _number: str) -> Answer:
        pending = [{"type": "build", "key": "ci", "name": "unit tests", "state": "INPROGRESS"}]
        return self.page(call, pending if self.checks_pending else self.builds)

    @route("POST", rf"{HERE}/pullrequests/(\d+)/merge")
    def merged(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        if pull.state != "open":
            return self.error(400, "This pull request is already closed.")
        if self.conflicts(pull):
            return self.error(400, "You can't merge until you resolve all merge conflicts.")
        strategy = call.body.get("merge_strategy", "merge_commit")
        assert strategy in STRATEGIES
        self.seen[pull.number] = self.head_of(pull)
        self.merge(pull, "squash" if strategy == "squash" else "merge")
        if self.merges_slowly:
            return 202, None, {"Location": f"{self.endpoint}{call.path}/task-status/1"}
        return 200, self.shape(pull)

    @route("POST", rf"{HERE}/pullrequests/(\d+)/decline")
    def decline(self, _call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        if pull.state != "open":
            return self.error(400, "This pull request is already closed.")
        self.seen[pull.number] = self.head_of(pull)
        pull.state = "closed"
        return 200, self.shape(pull)

    @route("GET", rf"{HERE}/pullrequests/(\d+)/comments")
    def comments(self, call: Call, number: str) -> Answer:
        texts = self.by_number(number).comments
        shown = [comment(at, text) for at, text in enumerate(texts)]
        # Something that was said of a line of a file, and taken back.
        return self.page(call, [comment(99, "", deleted=True), *shown])

    @route("POST", rf"{HERE}/pullrequests/(\d+)/comments")
    def add_comment(self, call: Call, number: str) -> Answer:
        # The end of a text is trimmed.
        self.by_number(number).comments.append(call.body["content"]["raw"].strip())
        return 201, comment(1, call.body["content"]["raw"].strip())

    @route("GET", "/workspaces/acme/members")
    def members(self, call: Call) -> Answer:
        items = [{"type": "workspace_membership", "user": member} for member in MEMBERS]
        return self.page(call, items)

    @route("GET", f"{HERE}/hooks")
    def all_hooks(self, call: Call) -> Answer:
        return self.page(call, [without_secret(hook) for hook in self.hooks])

    @route("POST", f"{HERE}/hooks")
    def add_hook(self, call: Call) -> Answer:
        self.hooks.append({**call.body, "uuid": uuid(len(self.hooks) + 1)})
        return 201, without_secret(self.hooks[-1])

    @route("PUT", rf"{HERE}/hooks/([^/]+)")
    def edit_hook(self, call: Call, uid: str) -> Answer:
        hook = next(one for one in self.hooks if one["uuid"] == unquote(uid))
        hook.update(call.body)
        return 200, without_secret(hook)

    def error(self, status: int, message: str) -> Answer:
        return status, {"type": "error", "error": {"message": message}}

    def shape(self, pull: Pull) -> dict[str, Any]:
        head = self.head_of(pull)
        shown = self.seen.setdefault(pull.number, head) if self.lags else head
        own = pull.owner == self.owner
        repository = {
            "type": "repository",
            "full_name": f"{pull.owner}/gitops",
            "name": "gitops",
            "uuid": uuid(8),
        }
        return {
            "type": "pullrequest",
            "id": pull.number,
            "title": pull.title,
            "description": pull.body,
            "state": STATES[pull.state],
            "created_on": NOW,
            "author": MEMBERS[0],
            "links": {
                "self": {"href": f"{self.endpoint}{HERE}/pullrequests/{pull.number}"},
                "html": {"href": f"{self.url}/acme/gitops/pull-requests/{pull.number}"},
            },
            "source": {
                "branch": {"name": pull.head},
                "commit": {"hash": shown[:12]},
                # A fork that was deleted leaves nothing.
                "repository": repository if own or pull.owner != "deleted" else None,
            },
            "destination": {
                "branch": {"name": pull.base},
                "commit": {"hash": self.sha(pull.base)[:12]},
                "repository": {**repository, "full_name": "acme/gitops"},
            },
            "reviewers": [member for member in MEMBERS if member["uuid"] in pull.reviewers],
        }


def comment(number: int, text: str, *, deleted: bool = False) -> dict[str, Any]:
    return {"type": "pullrequest_comment", "id": number, "content": {"raw": text}, "deleted": deleted}


def field(pull: Pull, name: str) -> str:
    return {
        "state": STATES[pull.state],
        "source.branch.name": pull.head,
        "destination.branch.name": pull.base,
    }[name]


def query_of(text: str) -> dict[str, list[str]]:
    """The fields that a query compares, each with the values it may have; what it cannot read fails the test."""
    term = r'\(?([\w.]+) = "((?:[^"\\]|\\.)*)"\)?'
    assert re.fullmatch(rf"{term}(?: (?:AND|OR) {term})*", text), text
    found: dict[str, list[str]] = {}
    for name, value in re.findall(term, text):
        found.setdefault(name, []).append(re.sub(r"\\(.)", r"\1", value))
    return found


def without_secret(hook: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in hook.items() if key != "secret"} | {
        "secret_set": bool(hook.get("secret"))
    }
