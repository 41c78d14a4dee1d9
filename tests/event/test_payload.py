"""Webhook bodies, reduced to the documented fields that matter and some that must not."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile.errors import UsageError
from dispatchfile.event import payload
from dispatchfile.event.event import Event

SHA = "7d1b31e74ee336d15cbd21741bc88a537ed063a0"
OLD = "e3ad0a6b3fb1f5b3a1c6d9d4f0b2a7c8e9f01234"
ZERO = "0" * 40

HUB = {
    "id": 186853002,
    "name": "shop",
    "full_name": "acme/shop",
    "private": True,
    "html_url": "https://github.example/acme/shop",
    "clone_url": "https://github.example/acme/shop.git",
    "ssh_url": "git@github.example:acme/shop.git",
    "default_branch": "main",
}
HUB_URL = HUB["clone_url"]

HUB_PUSH: dict[str, Any] = {
    "ref": "refs/heads/main",
    "before": OLD,
    "after": SHA,
    "created": False,
    "deleted": False,
    "forced": False,
    "repository": HUB,
    "pusher": {"name": "ada", "email": "ada@example.com"},
    "commits": [
        {"id": OLD, "message": "One", "added": ["a.go"], "removed": [], "modified": ["docs/x.md"]},
        {"id": SHA, "message": "Two", "added": [], "removed": ["b.go"], "modified": ["a.go"]},
    ],
    "head_commit": {"id": SHA, "message": "Two", "added": [], "removed": ["b.go"], "modified": ["a.go"]},
}
HUB_TAG = {**HUB_PUSH, "ref": "refs/tags/v1.0", "before": ZERO, "after": OLD, "created": True, "commits": []}
HUB_DELETE = {**HUB_PUSH, "after": ZERO, "deleted": True, "head_commit": None, "commits": []}
HUB_PR: dict[str, Any] = {
    "action": "synchronize",
    "number": 12,
    "pull_request": {
        "number": 12,
        "state": "open",
        "head": {
            "ref": "feature/cart",
            "sha": SHA,
            "repo": {"clone_url": "https://github.example/fork/shop.git"},
        },
        "base": {"ref": "main", "sha": OLD, "repo": HUB},
        "labels": [{"id": 1, "name": "ok-to-test"}, {"id": 2, "name": "e2e"}],
    },
    "repository": HUB,
}
HUB_COMMENT: dict[str, Any] = {
    "action": "created",
    "issue": {"number": 12, "labels": [{"name": "e2e"}], "pull_request": {"url": "https://github.example/x"}},
    "comment": {"id": 99, "body": "/test fast  all\r\nplease", "user": {"login": "ada"}},
    "repository": HUB,
}
HUB_RELEASE: dict[str, Any] = {
    "action": "published",
    "release": {"tag_name": "v2.0", "target_commitish": "main", "draft": False, "prerelease": False},
    "repository": HUB,
}

LAB = {
    "id": 15,
    "name": "shop",
    "git_http_url": "https://ci:s3cret@gitlab.example/acme/shop.git",
    "default_branch": "main",
}
LAB_URL = "https://gitlab.example/acme/shop.git"
LAB_PUSH: dict[str, Any] = {
    "object_kind": "push",
    "event_name": "push",
    "before": OLD,
    "after": SHA,
    "ref": "refs/heads/dev",
    "checkout_sha": SHA,
    "project": LAB,
    "commits": [{"id": SHA, "added": ["CHANGELOG"], "modified": ["app/run.rb"], "removed": []}],
    "total_commits_count": 1,
}
LAB_TAG = {
    **LAB_PUSH,
    "object_kind": "tag_push",
    "ref": "refs/tags/v3",
    "before": ZERO,
    "after": OLD,
    "commits": [],
}
LAB_DELETE = {**LAB_PUSH, "after": ZERO, "checkout_sha": None, "commits": []}
LAB_MR: dict[str, Any] = {
    "object_kind": "merge_request",
    "project": LAB,
    "labels": [{"id": 206, "title": "e2e"}],
    "object_attributes": {
        "iid": 4,
        "source_branch": "dev",
        "target_branch": "main",
        "state": "opened",
        "action": "update",
        "oldrev": OLD,
        "last_commit": {"id": SHA, "message": "x"},
    },
}
LAB_NOTE: dict[str, Any] = {
    "object_kind": "note",
    "project": LAB,
    "object_attributes": {"id": 1, "note": "/deploy now", "noteable_type": "MergeRequest"},
    "merge_request": {
        "iid": 4, "source_branch": "dev", "target_branch": "main", "last_commit": {"id": SHA}, "labels": [],
    },
}  # fmt: skip

CLOUD = {"full_name": "acme/shop", "links": {"html": {"href": "https://bitbucket.example/acme/shop"}}}
CLOUD_URL = "https://bitbucket.example/acme/shop"
CLOUD_PUSH: dict[str, Any] = {
    "actor": {"nickname": "ada"},
    "repository": CLOUD,
    "push": {
        "changes": [
            {
                "new": {"type": "branch", "name": "main", "target": {"type": "commit", "hash": SHA}},
                "old": {"type": "branch", "name": "main", "target": {"hash": OLD}},
                "created": False, "closed": False, "forced": False,
            }
        ]
    },
}  # fmt: skip
CLOUD_PR: dict[str, Any] = {
    "repository": CLOUD,
    "pullrequest": {
        "id": 7,
        "state": "OPEN",
        "source": {"branch": {"name": "dev"}, "commit": {"hash": SHA[:12]}, "repository": {}},
        "destination": {"branch": {"name": "main"}, "commit": {"hash": OLD[:12]}},
    },
}
CLOUD_COMMENT = {**CLOUD_PR, "comment": {"id": 17, "content": {"raw": "/test", "markup": "markdown"}}}

SERVER = {
    "slug": "shop",
    "project": {"key": "ACME"},
    "links": {
        "clone": [
            {"href": "ssh://git@stash.example:7999/acme/shop.git", "name": "ssh"},
            {"href": "https://stash.example/scm/acme/shop.git", "name": "http"},
        ]
    },
}
SERVER_URL = "https://stash.example/scm/acme/shop.git"
SERVER_PUSH: dict[str, Any] = {
    "eventKey": "repo:refs_changed",
    "date": "2020-01-13T22:26:25+1100",
    "repository": SERVER,
    "changes": [
        {
            "ref": {"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"},
            "refId": "refs/heads/main", "fromHash": OLD, "toHash": SHA, "type": "UPDATE",
        }
    ],
}  # fmt: skip
SERVER_PR: dict[str, Any] = {
    "eventKey": "pr:opened",
    "pullRequest": {
        "id": 3,
        "state": "OPEN",
        "fromRef": {"id": "refs/heads/dev", "displayId": "dev", "latestCommit": SHA, "repository": SERVER},
        "toRef": {"id": "refs/heads/main", "displayId": "main", "latestCommit": OLD, "repository": SERVER},
    },
}
SERVER_COMMENT = {**SERVER_PR, "eventKey": "pr:comment:added", "comment": {"id": 1, "text": "/test a b"}}

REQUEST: dict[str, Any] = {"commit": SHA, "source": "dev", "target": "main"}


@pytest.mark.parametrize(
    ("body", "event"),
    [
        pytest.param(
            HUB_PUSH,
            Event("push", url=HUB_URL, commit=SHA, branch="main", paths=("a.go", "docs/x.md", "b.go")),
            id="github push",
        ),
        pytest.param(HUB_TAG, Event("tag", url=HUB_URL, commit=SHA, tag="v1.0"), id="github annotated tag"),
        pytest.param(
            HUB_PR,
            Event("pull_request", url=HUB_URL, commit=SHA, source="feature/cart", target="main", number=12,
                  labels=("ok-to-test", "e2e")),
            id="github pull request",
        ),
        pytest.param(
            HUB_COMMENT,
            Event("pull_request", url=HUB_URL, number=12, labels=("e2e",), chatop=("test", "fast", "all")),
            id="github comment",
        ),
        pytest.param(HUB_RELEASE, Event("release", url=HUB_URL, tag="v2.0"), id="github release"),
        pytest.param(
            LAB_PUSH,
            Event("push", url=LAB_URL, commit=SHA, branch="dev", paths=("CHANGELOG", "app/run.rb")),
            id="gitlab push, password stripped",
        ),
        pytest.param(LAB_TAG, Event("tag", url=LAB_URL, commit=SHA, tag="v3"), id="gitlab tag"),
        pytest.param(
            LAB_MR, Event("pull_request", url=LAB_URL, number=4, labels=("e2e",), **REQUEST), id="gitlab merge request"
        ),
        pytest.param(
            LAB_NOTE,
            Event("pull_request", url=LAB_URL, number=4, labels=(), chatop=("deploy", "now"), **REQUEST),
            id="gitlab note",
        ),
        pytest.param(CLOUD_PUSH, Event("push", url=CLOUD_URL, commit=SHA, branch="main"), id="cloud push"),
        pytest.param(
            CLOUD_PR,
            Event("pull_request", url=CLOUD_URL, commit=SHA[:12], source="dev", target="main", number=7),
            id="cloud pull request",
        ),
        pytest.param(
            CLOUD_COMMENT,
            Event("pull_request", url=CLOUD_URL, commit=SHA[:12], source="dev", target="main", number=7,
                  chatop=("test",)),
            id="cloud comment",
        ),
        pytest.param(SERVER_PUSH, Event("push", url=SERVER_URL, commit=SHA, branch="main"), id="server push"),
        pytest.param(SERVER_PR, Event("pull_request", url=SERVER_URL, number=3, **REQUEST), id="server pull request"),
        pytest.param(
            SERVER_COMMENT,
            Event("pull_request", url=SERVER_URL, number=3, chatop=("test", "a", "b"), **REQUEST),
            id="server comment",
        ),
        pytest.param(
            {**SERVER_PUSH, "repository": {"slug": "shop", "project": {"key": "ACME"}}},
            Event("push", commit=SHA, branch="main"),
            id="older server, without links",
        ),
    ],
)  # fmt: skip
def test_webhook_is_the_event(body: dict[str, Any], event: Event):
    assert payload.read(json.dumps(body).encode()) == event


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with another value at a path; None removes the field."""
    whole = copy.deepcopy(body)
    *way, last = path.split(".")
    at: Any = whole
    for label in way:
        at = at[int(label)] if label.isdigit() else at[label]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return whole


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(HUB_DELETE, "deletes refs/heads/main", id="github deleted branch"),
        pytest.param(changed(HUB_PR, "action", "closed"), 'action is "closed"', id="github closed"),
        pytest.param(
            changed(HUB_COMMENT, "comment.body", "looks good"), 'starts with a "/"', id="plain comment"
        ),
        pytest.param(changed(HUB_COMMENT, "comment.body", "/ test"), 'starts with a "/"', id="lone slash"),
        pytest.param(changed(HUB_COMMENT, "issue.pull_request", None), "on an issue", id="issue"),
        pytest.param(changed(HUB_COMMENT, "action", "deleted"), "only a new comment", id="deleted comment"),
        pytest.param(changed(HUB_RELEASE, "action", "created"), "only published", id="release draft"),
        pytest.param(LAB_DELETE, "deletes refs/heads/dev", id="gitlab deleted branch"),
        pytest.param(
            changed(LAB_MR, "object_attributes.oldrev", None), "brings no commits", id="gitlab edit"
        ),
        pytest.param(
            changed(LAB_NOTE, "object_attributes.noteable_type", "Issue"),
            "not on a merge request",
            id="gitlab issue",
        ),
        pytest.param(changed(CLOUD_PR, "pullrequest.state", "MERGED"), "is merged", id="cloud merged"),
        pytest.param(changed(CLOUD_PUSH, "push.changes.0.new", None), "only deletes", id="cloud deleted"),
        pytest.param(changed(SERVER_PUSH, "changes.0.type", "DELETE"), "only deletes", id="server deleted"),
        pytest.param(changed(SERVER_PR, "eventKey", "pr:merged"), "pr:merged is neither", id="server merged"),
    ],
)
def test_webhook_that_runs_nothing_says_why(body: dict[str, Any], why: str):
    with pytest.raises(UsageError, match="runs nothing") as caught:
        payload.read(json.dumps(body).encode())
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            changed(HUB_PUSH, "repository.clone_url", None), '"repository.clone_url" is missing', id="missing"
        ),
        pytest.param(
            changed(HUB_PUSH, "repository", []), '"repository.clone_url"', id="wrong type on the way"
        ),
        pytest.param(changed(HUB_PUSH, "head_commit.id", 7), '"head_commit.id" is not a text', id="number"),
        pytest.param(
            changed(HUB_PUSH, "head_commit.id", "--upload-pack=x"), "no commit hash", id="option as hash"
        ),
        pytest.param(changed(HUB_PUSH, "ref", "refs/heads/a b"), "no name git allows", id="space in ref"),
        pytest.param(
            changed(HUB_PR, "pull_request.head.ref", "--exec=x"), "no name git allows", id="option as branch"
        ),
        pytest.param(
            changed(HUB_PR, "pull_request.head.ref", "../../x"), "no name git allows", id="path as branch"
        ),
        pytest.param(changed(HUB_PR, "pull_request.number", True), "is not a number", id="true as number"),
        pytest.param(changed(HUB_PR, "pull_request.labels", "e2e"), "list of objects", id="text as list"),
        pytest.param(changed(HUB_PR, "pull_request.labels.0.name", None), 'labels[0].name"', id="in a list"),
        pytest.param(
            changed(HUB_PUSH, "commits.0.added", [1]), 'commits[0].added"', id="path that is no text"
        ),
        *(
            pytest.param(changed(HUB_PUSH, "repository.clone_url", url), "no clone URL", id=url)
            for url in (
                "--upload-pack=x",
                "ext::sh -c x",
                "/etc",
                "file:///etc",
                "https://-x/y",
                "https://h",
                "git@-h:x",
            )
        ),
        pytest.param({"zen": "Keep it logically awesome."}, "no webhook of", id="unknown shape"),
    ],
)
def test_bad_webhook_names_the_field(body: dict[str, Any], told: str):
    with pytest.raises(UsageError) as caught:
        payload.read(json.dumps(body).encode())
    assert told in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b"[]",
        b'"x"',
        b"null",
        b'{"push": 1, "repository": 2}',
        b"1" * 5000,
    ],
)
def test_garbage_is_a_usage_error(data: bytes):
    with pytest.raises(UsageError):
        payload.read(data)


def test_kind_asked_for_must_agree():
    data = json.dumps(HUB_PUSH).encode()
    assert payload.read(data, "push").kind == "push"
    with pytest.raises(UsageError, match="not --event pull-request"):
        payload.read(data, "pull_request")


def test_two_pushed_branches_are_not_guessed_at():
    body = copy.deepcopy(CLOUD_PUSH)
    body["push"]["changes"] *= 2
    with pytest.raises(UsageError, match="2 branches"):
        payload.read(json.dumps(body).encode())


BODIES = [
    HUB_PUSH,
    HUB_PR,
    HUB_COMMENT,
    HUB_RELEASE,
    LAB_PUSH,
    LAB_MR,
    LAB_NOTE,
    CLOUD_PUSH,
    CLOUD_COMMENT,
    SERVER_PUSH,
]
WRONG = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "\x00", "-x", [], [[]], {}, {"name": 1}, "é" * 2000]
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_no_wrong_field_is_anything_but_a_usage_error(body: dict[str, Any], data: st.DataObject):
    body = copy.deepcopy(body)
    at: Any = body
    while True:
        label = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not at[label] or not isinstance(at[label], dict | list) or data.draw(st.booleans()):
            at[label] = data.draw(WRONG)
            break
        at = at[label]
    with contextlib.suppress(UsageError):
        event = payload.read(json.dumps(body).encode())
        assert all("\x00" not in text for text in (event.commit, event.branch or "", event.tag or ""))
