"""A Bitbucket Server look-alike (API 1.0, Data Center 8)."""

from __future__ import annotations

from typing import Any

from tests.gitops.forges.base import Answer, Call, Pull, route
from tests.gitops.forges.described import DescribedServer

# Project keys are found in any case.
HERE = "/projects/(?:acme|ACME)/repos/gitops"
PULLS = f"{HERE}/pull-requests"
STATES = {"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}
STRATEGIES = ("no-ff", "squash", "rebase-ff-only")
USERS = {"ada": "Ada", "bob-1": "bob@1"}
"""Names by slug."""


class StashServer(DescribedServer):
    """`auto_merges` is whether the repository's settings allow it, None for a server that is too old to know of it.
    A new head shows from the second look on, and each change of a pull request gives it a new version."""

    prefix = "/rest/api/1.0"
    described_prefix = "/api/latest"
    gaps = (
        # Said since 4.10, described without it.
        r"^GET .*/merge: .*'canMerge' was unexpected",
        # The body is described as an answer is, which has its version only there.
        r"^PUT .*/pull-requests/\{pullRequestId\}: .*'version' was unexpected",
        # The number by which a webhook is changed.
        r"/webhooks.*'id' was unexpected",
        # What an activity is about.
        r"/activities: .*'comment' was unexpected",
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, repository="scm/acme/gitops.git", **more)
        self.versions: dict[int, int] = {}
        self.seen: dict[int, str] = {}
        self.auto_merges: bool | None = True
        self.stale = 0

    @route("GET", PULLS)
    def listed(self, call: Call) -> Answer:
        state, at = call.query.get("state", "OPEN"), call.query.get("at", "")
        pulls = [one for one in self.pulls if state in ("ALL", STATES[one.state])]
        if at and not self.ignores_filters:
            end = "head" if call.query.get("direction") == "OUTGOING" else "base"
            pulls = [one for one in pulls if f"refs/heads/{getattr(one, end)}" == at]
        return self.page(call, [self.shape(pull) for pull in self.shown(pulls)])

    def page(self, call: Call, items: list[Any]) -> Answer:
        start, limit = int(call.query.get("start", 0)), min(int(call.query.get("limit", 25)), 100)
        shown = items[start : start + limit]
        last = start + limit >= len(items)
        told = {"size": len(shown), "limit": limit, "start": start, "isLastPage": last, "values": shown}
        return 200, told if last else {**told, "nextPageStart": start + limit}

    @route("GET", f"{HERE}/branches")
    def branches(self, call: Call) -> Answer:
        listed = self.git("for-each-ref", "--format=%(refname) %(refname:short) %(objectname)", "refs/heads")
        parts = [line.split() for line in listed.splitlines()]
        found = [{"id": ref, "displayId": short, "latestCommit": commit} for ref, short, commit in parts]
        return self.page(call, [one for one in found if call.query.get("filterText", "") in one["displayId"]])

    @route("POST", PULLS)
    def create(self, call: Call) -> Answer:
        head, base = (call.body[end]["id"].removeprefix("refs/heads/") for end in ("fromRef", "toRef"))
        if not self.sha(head) or not self.sha(base):
            return self.error(404, f'Repository "gitops" has no branch "{head}"', "NoSuchBranchException")
        if self.sha(head) == self.sha(base):
            words = f'Branch "{head}" is already up-to-date with branch "{base}" in repository "gitops"'
            return self.error(409, words, "EmptyPullRequestException")
        if self.opened(head, base):
            words = "Only one pull request may be open for a given source and target branch"
            return self.error(409, words, "DuplicatePullRequestException")
        return 201, self.shape(self.add(head, base, call.body["title"], call.body.get("description", "")))

    @route("GET", rf"{PULLS}/(\d+)")
    def one(self, _call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        answer = self.shape(pull)
        self.seen[pull.number] = self.head_of(pull)
        return 200, answer

    @route("PUT", rf"{PULLS}/(\d+)")
    def edit(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        if self.out_of_date(pull, call):
            return self.outdated()
        pull.title, pull.body = call.body["title"], call.body.get("description", "")
        pull.reviewers = [one["user"]["name"] for one in call.body.get("reviewers", ())]
        return 200, self.changed(pull)

    def out_of_date(self, pull: Pull, call: Call) -> bool:
        """Whether a change names another version, or somebody changes it in this very moment."""
        if self.stale:
            self.stale -= 1
            self.changed(pull)
        given = int(call.query.get("version", (call.body or {}).get("version", -1)))
        return given != self.versions.get(pull.number, 0)

    def changed(self, pull: Pull) -> dict[str, Any]:
        self.versions[pull.number] = self.versions.get(pull.number, 0) + 1
        return self.shape(pull)

    def outdated(self) -> Answer:
        words = "You are attempting to modify a pull request based on out-of-date information."
        return self.error(409, words, "PullRequestOutOfDateException")

    @route("GET", rf"{PULLS}/(\d+)/merge")
    def mergeable(self, _call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        known, conflicts = self.knows(pull), self.conflicts(pull)
        outcome = "UNKNOWN" if not known else "CONFLICTED" if conflicts else "CLEAN"
        vetoes = self.vetoes()
        can = known and not conflicts and not vetoes
        return 200, {"canMerge": can, "conflicted": known and conflicts, "outcome": outcome, "vetoes": vetoes}

    def vetoes(self) -> list[dict[str, str]]:
        told = {
            "summaryMessage": "Not all required builds are successful yet",
            "detailedMessage": "You need 1 more build",
        }
        return [told] if self.checks_pending else []

    @route("POST", rf"{PULLS}/(\d+)/merge")
    def merged(self, call: Call, number: str) -> Answer:
        pull, later = self.by_number(number), call.body.get("autoMerge", False)
        if self.out_of_date(pull, call):
            return self.outdated()
        if pull.state != "open":
            return self.error(409, "This pull request is not open", "IllegalPullRequestStateException")
        if self.conflicts(pull):
            return self.error(
                409, "The pull request has conflicts and cannot be merged.", "PullRequestMergeVetoedException"
            )
        if later and self.auto_merges is False:
            return self.error(403, "Auto-merge is not enabled", "AutoMergeDisabledException")
        if self.checks_pending and later and self.auto_merges:
            pull.auto_merge = call.body
            return 200, self.changed(pull)
        if self.checks_pending:
            return self.error(
                409, "Not all required builds are successful yet", "PullRequestMergeVetoedException"
            )
        strategy = call.body.get("strategyId", "no-ff")
        assert strategy in STRATEGIES
        self.seen[pull.number] = self.head_of(pull)
        self.merge(pull, "squash" if strategy == "squash" else "merge")
        return 200, self.changed(pull)

    @route("POST", rf"{PULLS}/(\d+)/decline")
    def decline(self, call: Call, number: str) -> Answer:
        pull = self.by_number(number)
        if self.out_of_date(pull, call):
            return self.outdated()
        if pull.state != "open":
            return self.error(409, "This pull request is not open", "IllegalPullRequestStateException")
        self.seen[pull.number] = self.head_of(pull)
        pull.state = "closed"
        return 200, self.changed(pull)

    @route("GET", rf"{PULLS}/(\d+)/activities")
    def activities(self, call: Call, number: str) -> Answer:
        said = [
            {"id": at, "action": "COMMENTED", "comment": {"id": at, "text": text}}
            for at, text in enumerate(self.by_number(number).comments)
        ]
        return self.page(call, [*said, {"id": 99, "action": "OPENED"}])

    @route("POST", rf"{PULLS}/(\d+)/comments")
    def add_comment(self, call: Call, number: str) -> Answer:
        self.by_number(number).comments.append(call.body["text"])
        return 201, {"id": 1, "text": call.body["text"]}

    @route("POST", rf"{PULLS}/(\d+)/participants")
    def participate(self, call: Call, number: str) -> Answer:
        name = call.body["user"]["name"]
        if name not in USERS.values():
            return self.error(404, f"{name} is not a user", "NoSuchUserException")
        pull = self.by_number(number)
        pull.reviewers += [name] if name not in pull.reviewers else []
        return 200, {"role": "REVIEWER", "user": {"name": name}, "approved": False, "status": "UNAPPROVED"}

    @route("GET", r"/users/([\w.-]+)")
    def user_of(self, _call: Call, slug: str) -> Answer:
        if slug not in USERS:
            return self.error(404, f"{slug} does not exist", "NoSuchUserException")
        return 200, {"name": USERS[slug], "slug": slug, "id": 1, "type": "NORMAL", "active": True}

    @route("GET", f"{HERE}/webhooks")
    def all_hooks(self, call: Call) -> Answer:
        return self.page(call, self.hooks)

    @route("POST", f"{HERE}/webhooks")
    def add_hook(self, call: Call) -> Answer:
        self.hooks.append({**call.body, "id": len(self.hooks) + 1})
        return 200, self.hooks[-1]

    @route("PUT", rf"{HERE}/webhooks/(\d+)")
    def edit_hook(self, call: Call, number: str) -> Answer:
        self.hooks[int(number) - 1].update(call.body)
        return 200, self.hooks[int(number) - 1]

    def error(self, status: int, message: str, name: str = "") -> Answer:
        told = {"context": None, "message": message, "exceptionName": f"com.atlassian.bitbucket.pull.{name}"}
        return status, {"errors": [told]}

    def shape(self, pull: Pull) -> dict[str, Any]:
        head = self.head_of(pull)
        shown = self.seen.setdefault(pull.number, head)
        return {
            "id": pull.number,
            "version": self.versions.get(pull.number, 0),
            "title": pull.title,
            # An empty text is left out.
            **({"description": pull.body} if pull.body else {}),
            "state": STATES[pull.state],
            "open": pull.state == "open",
            "closed": pull.state != "open",
            "fromRef": self.ref(pull.head, shown, pull.owner),
            "toRef": self.ref(pull.base, self.sha(pull.base), self.owner),
            "reviewers": [{"user": {"name": name}, "role": "REVIEWER"} for name in pull.reviewers],
            "links": {
                "self": [{"href": f"{self.url}/projects/ACME/repos/gitops/pull-requests/{pull.number}"}]
            },
        }

    def ref(self, branch: str, commit: str, owner: str) -> dict[str, Any]:
        key = "ACME" if owner == self.owner else f"~{owner.upper()}"
        repository = {"slug": "gitops", "name": "gitops", "project": {"key": key}}
        return {
            "id": f"refs/heads/{branch}",
            "displayId": branch,
            "latestCommit": commit,
            "repository": repository,
        }
