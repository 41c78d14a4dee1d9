"""Webhook bodies of GitHub, GitLab, Bitbucket Cloud and Bitbucket Server as events.

Which forge and which event a body is from shows in its shape; the HTTP headers that say so are lost in a file.
A body comes from outside: every field is checked for presence and type, and names that git would refuse are refused.
"""

from __future__ import annotations

import json
import re

from dispatchfile.errors import UsageError
from dispatchfile.event.checkout import public_url
from dispatchfile.event.event import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn

    from dispatchfile.model.pipeline import ConditionKind

HASH = re.compile(r"[0-9a-f]{7,64}")
URL = re.compile(r"(https?|ssh|git)://[^\s/-][^\s/]*/\S*|[\w.]+@[\w.][\w.-]*:[^\s-]\S*")
NO_COMMIT = re.compile(r"0+")
UNSAFE_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|^[-/]|/$|\.lock$|@\{")  # git-check-ref-format(1)


def read(data: bytes, asked: ConditionKind | None = None) -> Event:
    """Return the event of a webhook's body; `asked` is the kind it must be of, when the user named one.

    Raises UsageError when the body is not JSON, not a known webhook, lacks a field, is not of the kind asked for,
    or is of something that runs nothing (a deleted branch, a closed pull request, a plain comment).
    """
    body = parse(data, "the event file")
    for name, fits, reader in SHAPES:
        if fits(body):
            event = reader(Body(body, name))
            if asked is not None and event.kind != asked:
                raise UsageError(
                    f"the event file is of {name}, which is not --event {asked.replace('_', '-')}",
                    help="leave --event out, or give the other file",
                )
            return event
    raise UsageError(
        "the event file is no webhook of GitHub, GitLab or Bitbucket that this program knows",
        help=f"known are {', '.join(name for name, _, _ in SHAPES)}",
    )


def parse(data: bytes | str, what: str) -> dict[str, Any]:
    """Return the JSON object of a webhook's body; `what` is what messages call it. Raises UsageError for anything else."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if "digits" in reason:
            reason = "it holds a number of thousands of digits"
        raise UsageError(f"{what} is not valid JSON: {reason}") from error
    if not isinstance(body, dict):
        raise UsageError(f"{what} is not a webhook: its JSON is no object")
    return body


class Body:
    """A webhook's body with checked access; a path such as `repository.clone_url` leads to a field."""

    what = "the event file"

    def __init__(self, data: Any, name: str, prefix: str = "") -> None:
        self.data = data
        self.name = name
        self.prefix = prefix

    def maybe(self, path: str) -> Any:
        """Return the field at a path, or None when anything on the way is missing."""
        found = self.data
        for label in path.split("."):
            found = found.get(label) if isinstance(found, dict) else None
        return found

    def text(self, path: str) -> str:
        """Return a text that must be there and not be empty."""
        found = self.maybe(path)
        if not isinstance(found, str) or not found:
            self.lacks(path, "a text")
        return found

    def number(self, path: str) -> int:
        """Return a number that must be there."""
        found = self.maybe(path)
        if not isinstance(found, int) or isinstance(found, bool):
            self.lacks(path, "a number")
        return found

    def items(self, path: str) -> list[Body]:
        """Return the objects of a list; none when the list is missing."""
        found = self.maybe(path)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            self.lacks(path, "a list of objects")
        return [type(self)(item, self.name, f"{self.prefix}{path}[{i}].") for i, item in enumerate(found)]

    def ref(self, path: str) -> str:
        """Return the name of a branch or tag."""
        name = self.text(path)
        if UNSAFE_NAME.search(name) or len(name) > 1000:
            raise UsageError(f"{self.prefix}{path} of {self.name} is no name git allows: {name[:80]!r}")
        return name

    def commit(self, path: str) -> str:
        """Return the hash of a commit, which some forges shorten."""
        found = self.text(path)
        if not HASH.fullmatch(found):
            raise UsageError(f"{self.prefix}{path} of {self.name} is no commit hash: {found[:80]!r}")
        return found

    def url(self, path: str) -> str:
        """Return the URL of a repository, without secrets; only what a forge sends, no path and no helper program."""
        found = self.text(path)
        if not URL.fullmatch(found):
            raise UsageError(f"{self.prefix}{path} of {self.name} is no clone URL: {found[:80]!r}")
        return public_url(found)

    def lacks(self, path: str, what: str) -> NoReturn:
        """Raise the UsageError for a missing or mistyped field."""
        found = "is missing" if self.maybe(path) is None else f"is not {what}"
        raise UsageError(f'{self.what} looks like {self.name} but "{self.prefix}{path}" {found}')

    def ignored(self, why: str) -> NoReturn:
        """Raise the UsageError for a webhook on which Dispatch runs nothing."""
        raise UsageError(f"this webhook ({self.name}) runs nothing: {why}")

    def chatop(self, path: str) -> tuple[str, ...]:
        """Return the words of a comment that is a command, without its slash."""
        first = (self.text(path).strip().splitlines() or [""])[0]
        words = first[1:].split()
        if not first.startswith("/") or first[1:2].isspace() or not words:
            self.ignored('only a comment that starts with a "/" and a word is a command')
        return tuple(words)


def _push(body: Body, ref: str, commit: str, url: str, commits: Sequence[Body]) -> Event:
    """Return the push of a branch or tag given by its full name."""
    if ref.startswith("refs/tags/"):
        return Event("tag", url=url, commit=commit, tag=ref.removeprefix("refs/tags/"))
    if not ref.startswith("refs/heads/"):
        body.ignored(f"{ref} is neither a branch nor a tag")
    paths = _paths(commits)
    return Event("push", url=url, commit=commit, branch=ref.removeprefix("refs/heads/"), paths=paths)


def _paths(commits: Iterable[Body]) -> tuple[str, ...] | None:
    """Return the paths that the commits of a push touch, or None when it carries none."""
    paths: dict[str, None] = {}
    for commit in commits:
        for kind in ("added", "modified", "removed"):
            listed = commit.maybe(kind) or []
            if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
                commit.lacks(kind, "a list of texts")
            paths.update(dict.fromkeys(listed))
    return tuple(paths) or None


def _names(items: Iterable[Body], field: str) -> tuple[str, ...]:
    return tuple(item.text(field) for item in items)


# GitHub


def _github_push(body: Body) -> Event:
    ref = body.ref("ref")
    if body.maybe("deleted") is True or NO_COMMIT.fullmatch(body.text("after")):
        body.ignored(f"it deletes {ref}")
    commit = body.commit("head_commit.id" if body.maybe("head_commit") else "after")
    return _push(body, ref, commit, body.url("repository.clone_url"), body.items("commits"))


def _github_pull_request(body: Body) -> Event:
    action = body.text("action")
    if action not in ("opened", "reopened", "synchronize"):
        body.ignored(f'its action is "{action}"; opened, reopened and synchronize run something')
    return Event(
        "pull_request",
        url=body.url("repository.clone_url"),
        commit=body.commit("pull_request.head.sha"),
        source=body.ref("pull_request.head.ref"),
        target=body.ref("pull_request.base.ref"),
        number=body.number("pull_request.number"),
        labels=_names(body.items("pull_request.labels"), "name"),
    )


def _github_comment(body: Body) -> Event:
    if body.text("action") != "created":
        body.ignored("only a new comment is a command")
    if not isinstance(body.maybe("issue.pull_request"), dict):
        body.ignored("the comment is on an issue, not on a pull request")
    return Event(
        "pull_request",
        url=body.url("repository.clone_url"),
        number=body.number("issue.number"),
        labels=_names(body.items("issue.labels"), "name"),
        chatop=body.chatop("comment.body"),
    )


def _github_release(body: Body) -> Event:
    action = body.text("action")
    if action != "published":
        body.ignored(f'its action is "{action}"; only published runs something')
    target = body.maybe("release.target_commitish")
    commit = target if isinstance(target, str) and re.fullmatch("[0-9a-f]{40}", target) else ""
    return Event(
        "release", url=body.url("repository.clone_url"), commit=commit, tag=body.ref("release.tag_name")
    )


# GitLab


def _gitlab_push(body: Body) -> Event:
    ref = body.ref("ref")
    if NO_COMMIT.fullmatch(body.text("after")):
        body.ignored(f"it deletes {ref}")
    commit = body.commit("checkout_sha" if body.maybe("checkout_sha") else "after")
    return _push(body, ref, commit, body.url("project.git_http_url"), body.items("commits"))


def _gitlab_merge_request(body: Body) -> Event:
    action = body.text("object_attributes.action")
    pushed = action == "update" and body.maybe("object_attributes.oldrev")
    if action not in ("open", "reopen") and not pushed:
        body.ignored(f'its action is "{action}" and it brings no commits')
    return _gitlab_request(body, "object_attributes", None)


def _gitlab_note(body: Body) -> Event:
    kind = body.text("object_attributes.noteable_type")
    if kind != "MergeRequest":
        body.ignored(f"the comment is on a {kind}, not on a merge request")
    return _gitlab_request(body, "merge_request", body.chatop("object_attributes.note"))


def _gitlab_request(body: Body, at: str, chatop: tuple[str, ...] | None) -> Event:
    labels = body.items("labels") or body.items(f"{at}.labels")
    return Event(
        "pull_request",
        url=body.url("project.git_http_url"),
        commit=body.commit(f"{at}.last_commit.id"),
        source=body.ref(f"{at}.source_branch"),
        target=body.ref(f"{at}.target_branch"),
        number=body.number(f"{at}.iid"),
        labels=_names(labels, "title"),
        chatop=chatop,
    )


# Bitbucket Cloud


def _cloud_push(body: Body) -> Event:
    change = _only_change(body, body.items("push.changes"), lambda item: item.maybe("new") is None)
    kind = change.text("new.type")
    prefix = {"branch": "refs/heads/", "tag": "refs/tags/"}.get(kind) or change.ignored(f"it is of a {kind}")
    ref = prefix + change.ref("new.name")
    return _push(body, ref, change.commit("new.target.hash"), body.url("repository.links.html.href"), ())


def _cloud_pull_request(body: Body) -> Event:
    state = body.text("pullrequest.state")
    if state != "OPEN":
        body.ignored(f"the pull request is {state.lower()}")
    return Event(
        "pull_request",
        url=body.url("repository.links.html.href"),
        commit=body.commit("pullrequest.source.commit.hash"),
        source=body.ref("pullrequest.source.branch.name"),
        target=body.ref("pullrequest.destination.branch.name"),
        number=body.number("pullrequest.id"),
        chatop=body.chatop("comment.content.raw") if body.maybe("comment") else None,
    )


# Bitbucket Server


def _server_push(body: Body) -> Event:
    change = _only_change(body, body.items("changes"), lambda item: item.maybe("type") == "DELETE")
    ref = change.ref("ref.id")
    return _push(body, ref, change.commit("toHash"), _server_url(body, "repository"), ())


def _server_pull_request(body: Body) -> Event:
    key = body.text("eventKey")
    if key not in ("pr:opened", "pr:from_ref_updated", "pr:comment:added"):
        body.ignored(f"{key} is neither a push to a pull request nor a comment")
    return Event(
        "pull_request",
        url=_server_url(body, "pullRequest.toRef.repository"),
        commit=body.commit("pullRequest.fromRef.latestCommit"),
        source=body.ref("pullRequest.fromRef.displayId"),
        target=body.ref("pullRequest.toRef.displayId"),
        number=body.number("pullRequest.id"),
        chatop=body.chatop("comment.text") if key == "pr:comment:added" else None,
    )


def _server_url(body: Body, at: str) -> str:
    """Return the HTTP clone URL; older servers send none."""
    for link in body.items(f"{at}.links.clone"):
        if link.maybe("name") in ("http", "https"):
            return link.url("href")
    return ""


def _only_change(body: Body, changes: Sequence[Body], deletes: Callable[[Body], bool]) -> Body:
    made = [change for change in changes if not deletes(change)]
    if not made:
        body.ignored("it only deletes")
    if len(made) > 1:
        raise UsageError(
            f"the webhook ({body.name}) pushes {len(made)} branches or tags at once; leave one of them"
        )
    return made[0]


SHAPES: tuple[tuple[str, Callable[[dict[str, Any]], bool], Callable[[Body], Event]], ...] = (
    ("a GitLab push", lambda b: b.get("object_kind") in ("push", "tag_push"), _gitlab_push),
    ("a GitLab merge request", lambda b: b.get("object_kind") == "merge_request", _gitlab_merge_request),
    ("a GitLab comment", lambda b: b.get("object_kind") == "note", _gitlab_note),
    ("a Bitbucket Server push", lambda b: b.get("eventKey") == "repo:refs_changed", _server_push),
    (
        "a Bitbucket Server pull request",
        lambda b: str(b.get("eventKey")).startswith("pr:"),
        _server_pull_request,
    ),
    ("a Bitbucket Cloud push", lambda b: "push" in b and "repository" in b, _cloud_push),
    ("a Bitbucket Cloud pull request", lambda b: "pullrequest" in b, _cloud_pull_request),
    ("a GitHub comment", lambda b: "issue" in b and "comment" in b, _github_comment),
    ("a GitHub release", lambda b: "release" in b and "action" in b, _github_release),
    ("a GitHub pull request", lambda b: "pull_request" in b and "action" in b, _github_pull_request),
    ("a GitHub push", lambda b: "ref" in b and "after" in b, _github_push),
)
