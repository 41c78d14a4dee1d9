"""Webhooks as GitHub sends them: bodies with the fields that matter, and some around them that must not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dispatchfile.record import Record

SHA = "7d1b31e74ee336d15cbd21741bc88a537ed063a0"
OLDER = "e3ad0a6b3fb1f5b3a1c6d9d4f0b2a7c8e9f01234"
TAG_OBJECT = "0f5c2a9e7d6b4c3a2918f7e6d5c4b3a291807060"
NONE = "0" * 40

REPOSITORY: dict[str, Any] = {
    "id": 186853002,
    "name": "shop",
    "full_name": "acme/shop",
    "private": True,
    "owner": {"name": "acme", "login": "acme", "id": 21031067, "type": "Organization"},
    "html_url": "https://github.example/acme/shop",
    "url": "https://github.example/acme/shop",
    "git_url": "git://github.example/acme/shop.git",
    "ssh_url": "git@github.example:acme/shop.git",
    "clone_url": "https://github.example/acme/shop.git",
    "created_at": 1557933565,
    "size": 1048576,
    "default_branch": "main",
}
SENDER = {"login": "ada", "id": 21031067, "type": "User", "site_admin": False}


class Webhook(Record):
    """A request: the header `X-GitHub-Event` ("" where it is not GitHub's), the body, and what GitHub would answer.

    `files` are the paths that GitHub's API lists for the pull request.
    """

    event: str
    body: Mapping[str, Any]
    files: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the body as it is sent."""
        return json.dumps(self.body)


def push(
    ref: str, paths: Iterable[str] = (), *, after: str = SHA, head: str | None = SHA, **other: Any
) -> Webhook:
    """Return a push; the paths are spread over two commits, as added, modified and removed."""
    paths = tuple(paths)
    commits = [
        {"id": OLDER, "tree_id": OLDER, "distinct": True, "message": "One\n\nand \"more\"", "timestamp":
         "2024-03-01T10:00:00+01:00", "author": {"name": "Ada", "email": "ada@example.com"},
         "added": list(paths[::3]), "removed": [], "modified": list(paths[1::3])},
        {"id": SHA, "tree_id": SHA, "distinct": True, "message": "Two", "timestamp": "2024-03-01T10:05:00+01:00",
         "author": {"name": "Ada", "email": "ada@example.com"}, "added": [], "removed": list(paths[2::3]),
         "modified": []},
    ] if paths else []  # fmt: skip
    body = {
        "ref": ref,
        "before": OLDER,
        "after": after,
        "repository": REPOSITORY,
        "pusher": {"name": "ada", "email": "ada@example.com"},
        "sender": SENDER,
        "created": False,
        "deleted": after == NONE,
        "forced": False,
        "base_ref": None,
        "compare": "https://github.example/acme/shop/compare/e3ad0a6b3fb1...7d1b31e74ee3",
        "commits": commits,
        "head_commit": None if head is None else {"id": head, "message": "Two", "added": [], "removed": [],
                                                  "modified": []},
        **other,
    }  # fmt: skip
    return Webhook("push", body)


def branch(name: str, paths: Iterable[str] = ("README.md",), **other: Any) -> Webhook:
    """Return a push to a branch."""
    return push(f"refs/heads/{name}", paths, **other)


def tag(name: str, *, annotated: bool = False) -> Webhook:
    """Return the push of a tag; of an annotated one `after` is the tag, not the commit."""
    return push(f"refs/tags/{name}", after=TAG_OBJECT if annotated else SHA, before=NONE, created=True)


def deleted(ref: str) -> Webhook:
    """Return the deletion of a branch or tag."""
    return push(ref, after=NONE, head=None)


def pull_request(
    source: str = "feature/cart",
    target: str = "main",
    labels: Iterable[str] = (),
    action: str = "synchronize",
    number: int = 12,
    files: Iterable[str] = (),
    **other: Any,
) -> Webhook:
    """Return an event of a pull request from a fork."""
    body = {
        "action": action,
        "number": number,
        "pull_request": {
            "url": f"https://github.example/api/repos/acme/shop/pulls/{number}",
            "id": 279147437,
            "number": number,
            "state": "open",
            "draft": False,
            "title": "A cart",
            "user": SENDER,
            "body": "Closes #3 $(uid)",
            "labels": _labels(labels),
            "head": {"label": f"fork:{source}", "ref": source, "sha": SHA, "user": SENDER, "repo": {
                "full_name": "fork/shop", "clone_url": "https://github.example/fork/shop.git"}},
            "base": {"label": f"acme:{target}", "ref": target, "sha": OLDER, "user": SENDER, "repo": REPOSITORY},
            "merged": False,
            "mergeable": None,
            **other,
        },
        "repository": REPOSITORY,
        "sender": SENDER,
    }  # fmt: skip
    return Webhook("pull_request", body, tuple(files))


def comment(
    text: str,
    labels: Iterable[str] = (),
    action: str = "created",
    number: int = 12,
    *,
    issue: bool = False,
    author: str = "NONE",
) -> Webhook:
    """Return a comment on a pull request, or on an issue."""
    body = {
        "action": action,
        "issue": {
            "number": number,
            "title": "A cart",
            "user": SENDER,
            "labels": _labels(labels),
            "state": "open",
            **({} if issue else {"pull_request": {"url": f"https://github.example/api/pulls/{number}"}}),
        },
        "comment": {
            "id": 99,
            "user": SENDER,
            "created_at": "2024-03-01T10:00:00Z",
            "author_association": author,
            "body": text,
        },
        "repository": REPOSITORY,
        "sender": SENDER,
    }
    return Webhook("issue_comment", body)


def release(
    tag_name: str, action: str = "published", target: str = "main", *, draft: bool = False
) -> Webhook:
    """Return an event of a release."""
    body = {
        "action": action,
        "release": {
            "id": 17372790,
            "tag_name": tag_name,
            "target_commitish": target,
            "name": None,
            "draft": draft,
            "prerelease": False,
            "author": SENDER,
            "assets": [],
            "body": None,
        },
        "repository": REPOSITORY,
        "sender": SENDER,
    }
    return Webhook("release", body)


def notification(*tags: str | None, action: str = "push", repository: str = "team/app") -> Webhook:
    """Return what a Distribution registry tells: an event for each of the tags; None is a layer."""
    events = [_pushed(name, action, repository) for name in tags]
    return Webhook("", {"events": events})


def _pushed(name: str | None, action: str, repository: str) -> dict[str, Any]:
    media = (
        "application/octet-stream" if name is None else "application/vnd.docker.distribution.manifest.v2+json"
    )
    target = {
        "mediaType": media,
        "size": 708,
        "digest": f"sha256:{'a' * 64}",
        "length": 708,
        "repository": repository,
    }
    return {
        "id": "asdf-asdf-asdf-asdf-0",
        "timestamp": "2006-01-02T15:04:05Z",
        "action": action,
        "target": target if name is None else {**target, "tag": name},
        "request": {"id": "asdfasdf", "addr": "10.0.0.1", "host": "registry.example", "method": "PUT",
                    "useragent": "test/0.1"},
        "actor": {"name": "ada"},
        "source": {"addr": "hostname.local:5000", "instanceID": "1"},
    }  # fmt: skip


def _labels(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"id": at, "name": name, "color": "d73a4a", "default": False} for at, name in enumerate(names)]
