"""Webhooks of all forges: signed, wrongly signed, malformed, too large."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatchfile.apps.agent import webhooks
from dispatchfile.apps.agent.webhooks import Change, Other, Ping, Push, Refused

SECRET = "the-secret-of-the-hook"
SHA, OLD, ZERO = (
    "7d1b31e74ee336d15cbd21741bc88a537ed063a0",
    "e3ad0a6b3fb1f5b3a1c6d9d4f0b2a7c8e9f01234",
    "0" * 40,
)
SIGNING_KEY = bytes(range(32))
SIGNING_TOKEN = f"whsec_{base64.b64encode(SIGNING_KEY).decode()}"
NOW = 1_790_000_000

HUB: dict[str, Any] = {
    "ref": "refs/heads/main",
    "before": OLD,
    "after": SHA,
    "repository": {
        "clone_url": "https://hub.test/acme/gitops.git",
        "ssh_url": "git@hub.test:acme/gitops.git",
        "html_url": "https://hub.test/acme/gitops",
    },
}
LAB: dict[str, Any] = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "after": SHA,
    "checkout_sha": SHA,
    "project": {
        "git_http_url": "https://lab.test/group/sub/gitops.git",
        "git_ssh_url": "git@lab.test:group/sub/gitops.git",
        "web_url": "https://lab.test/group/sub/gitops",
    },
}
CLOUD: dict[str, Any] = {
    "push": {
        "changes": [
            {"old": None, "new": {"type": "branch", "name": "main", "target": {"hash": SHA}}},
            {"old": {"type": "branch", "name": "gone"}, "new": None},
            {"old": None, "new": {"type": "tag", "name": "v1", "target": {"hash": OLD}}},
        ]
    },
    "repository": {"links": {"html": {"href": "https://bitbucket.test/acme/gitops"}}},
}
SERVER: dict[str, Any] = {
    "eventKey": "repo:refs_changed",
    "repository": {
        "slug": "gitops",
        "project": {"key": "ACME"},
        "links": {
            "clone": [
                {"href": "https://stash.test/scm/acme/gitops.git", "name": "http"},
                {"href": "ssh://git@stash.test:7999/acme/gitops.git", "name": "ssh"},
            ]
        },
    },
    "changes": [
        {"ref": {"id": "refs/heads/main"}, "type": "UPDATE", "toHash": SHA},
        {"ref": {"id": "refs/tags/v1"}, "type": "DELETE", "toHash": ZERO},
    ],
}
OLD_SERVER = {**SERVER, "repository": {"slug": "gitops", "project": {"key": "ACME"}}}


def hexdigest(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def stamped(body: bytes, at: int = NOW, identity: str = "a-b-c") -> dict[str, str]:
    """What GitLab's signing token makes (Standard Webhooks)."""
    told = f"{identity}.{at}.".encode() + body
    signature = base64.b64encode(hmac.new(SIGNING_KEY, told, hashlib.sha256).digest()).decode()
    return {"webhook-id": identity, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


# (events' headers, how the forge signs, body, what is read)
MAIN = Change(branch="main", commit=SHA)
FORGES = {
    "github": (
        {"X-GitHub-Event": "push"},
        lambda b: {"X-Hub-Signature-256": f"sha256={hexdigest(b)}"},
        HUB,
        (MAIN,),
    ),
    "gitea": (
        {"X-Gitea-Event": "push", "X-GitHub-Event": "push"},
        lambda b: {"X-Gitea-Signature": hexdigest(b)},
        HUB,
        (MAIN,),
    ),
    "forgejo": (
        {"X-Forgejo-Event": "push", "X-Gitea-Event": "push", "X-GitHub-Event": "push"},
        lambda b: {"X-Forgejo-Signature": hexdigest(b), "X-Hub-Signature-256": f"sha256={hexdigest(b)}"},
        HUB,
        (MAIN,),
    ),
    "gitlab": ({"X-Gitlab-Event": "Push Hook"}, lambda _b: {"X-Gitlab-Token": SECRET}, LAB, (MAIN,)),
    "gitlab-signing-token": ({"X-Gitlab-Event": "Push Hook"}, stamped, LAB, (MAIN,)),
    "bitbucket-cloud": (
        {"X-Event-Key": "repo:push", "X-Hook-UUID": "1"},
        lambda b: {"X-Hub-Signature": f"sha256={hexdigest(b)}"},
        CLOUD,
        (MAIN, Change(branch="gone"), Change(tag="v1", commit=OLD)),
    ),
    "bitbucket-server": (
        {"X-Event-Key": "repo:refs_changed"},
        lambda b: {"X-Hub-Signature": f"sha256={hexdigest(b)}"},
        SERVER,
        (MAIN, Change(tag="v1")),
    ),
}
EACH = pytest.mark.parametrize("name", FORGES)


def read(headers: dict[str, str], body: bytes, *secrets: str) -> Push | Ping | Other:
    return webhooks.read(headers, body, secrets, now=lambda: NOW)


@EACH
def test_a_signed_push(name: str) -> None:
    headers, sign, data, changes = FORGES[name]
    body = json.dumps(data).encode()
    found = read({**headers, **sign(body)}, body, "another secret", SECRET, SIGNING_TOKEN)
    assert isinstance(found, Push)
    assert found.changes == changes


@EACH
def test_an_unsigned_push_is_believed_only_without_a_secret(name: str) -> None:
    headers, _, data, _ = FORGES[name]
    body = json.dumps(data).encode()
    assert isinstance(read(headers, body), Push)
    with pytest.raises(Refused, match="not signed") as caught:
        read(headers, body, SECRET)
    assert caught.value.status == 401


@EACH
def test_a_changed_body_or_secret_is_refused(name: str) -> None:
    headers, sign, data, _ = FORGES[name]
    body = json.dumps(data).encode()
    signed = {**headers, **sign(body)}
    with pytest.raises(Refused, match="another secret") as caught:
        read(signed, body, "not-" + SECRET)
    assert (caught.value.status, SECRET in str(caught.value)) == (401, False)
    if name != "gitlab":
        with pytest.raises(Refused, match="another secret"):
            read(signed, body + b" ", SECRET, SIGNING_TOKEN)


@EACH
def test_nothing_of_an_unsigned_body_is_read(name: str) -> None:
    with pytest.raises(Refused, match="not signed"):
        read(FORGES[name][0], b"[" * 100_000, SECRET)


def test_sha1_alone_is_no_signature() -> None:
    body = json.dumps(HUB).encode()
    sha1 = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    with pytest.raises(Refused):
        read({"X-GitHub-Event": "push", "X-Hub-Signature": f"sha1={sha1}"}, body, SECRET)


@pytest.mark.parametrize(
    ("header", "value", "message"),
    [
        ("webhook-timestamp", str(NOW + 1), "another secret"),
        ("webhook-id", "other", "another secret"),
        ("webhook-timestamp", "٣", "another secret"),
        ("webhook-timestamp", "9" * 5000, "another secret"),
        ("webhook-timestamp", "", "another secret"),
    ],
)
def test_gitlabs_signed_time(header: str, value: str, message: str) -> None:
    body = json.dumps(LAB).encode()
    with pytest.raises(Refused, match=message):
        read({"X-Gitlab-Event": "Push Hook", **stamped(body), header: value}, body, SIGNING_TOKEN)


def test_an_old_signed_webhook_is_no_use_any_more() -> None:
    body = json.dumps(LAB).encode()
    for at in (NOW - 301, NOW + 301):
        with pytest.raises(Refused, match="too long ago"):
            read({"X-Gitlab-Event": "Push Hook", **stamped(body, at)}, body, SIGNING_TOKEN)
    both = stamped(body)
    both["webhook-signature"] = f"v1,AAAA {both['webhook-signature']}"
    assert isinstance(read({"X-Gitlab-Event": "Push Hook", **both}, body, "whsec_%", SIGNING_TOKEN), Push)


@pytest.mark.parametrize(
    ("name", "url", "concerned"),
    [
        ("github", "https://hub.test/acme/gitops", True),
        ("github", "https://HUB.test/Acme/gitops.git/", True),
        ("github", "ssh://git@hub.test:2222/acme/gitops.git", True),
        ("github", "git@hub.test:acme/gitops", True),
        ("github", "https://hub.test/acme/gitops-2", False),
        ("github", "https://hub.test/evil/acme/gitops", False),
        ("github", "https://hub.test.evil.test/acme/gitops", False),
        ("gitlab", "git@lab.test:group/sub/gitops.git", True),
        ("gitlab", "https://lab.test/sub/gitops.git", False),
        ("bitbucket-cloud", "git@bitbucket.test:acme/gitops.git", True),
        ("bitbucket-server", "https://stash.test/scm/ACME/gitops.git", True),
        ("bitbucket-server", "ssh://git@stash.test:7999/acme/gitops.git", True),
        ("bitbucket-server", "https://other.test/scm/acme/gitops.git", False),
    ],
)
def test_which_repositories_it_concerns(name: str, url: str, concerned: bool) -> None:
    headers, _, data, _ = FORGES[name]
    found = read(headers, json.dumps(data).encode())
    assert isinstance(found, Push)
    assert found.concerns(url) is concerned


def test_a_server_that_tells_no_url_is_known_by_project_and_name() -> None:
    found = read({"X-Event-Key": "repo:refs_changed"}, json.dumps(OLD_SERVER).encode())
    assert isinstance(found, Push)
    assert found.concerns("ssh://git@stash.test:7999/acme/gitops.git")
    assert not found.concerns("https://stash.test/scm/acme/other.git")


def test_this_machine_has_many_names() -> None:
    data = {**HUB, "repository": {"clone_url": "http://localhost:3000/acme/gitops.git"}}
    found = read({"X-Gitea-Event": "push"}, json.dumps(data).encode())
    assert isinstance(found, Push)
    assert found.concerns("http://127.0.0.1:3000/acme/gitops.git")


@pytest.mark.parametrize(
    ("revision", "moved"),
    [("main", True), ("refs/heads/main", True), ("HEAD", True), ("v1", True), ("other", False), ("", False)],
)
def test_which_revisions_move(revision: str, moved: bool) -> None:
    found = Push("github", (), (Change(branch="main", commit=SHA), Change(tag="v1")))
    assert found.moves(revision) is moved


@pytest.mark.parametrize(
    ("headers", "data", "found"),
    [
        ({"X-GitHub-Event": "ping"}, {"zen": "Speak like a human."}, Ping("github")),
        ({"X-Event-Key": "diagnostics:ping"}, {"test": True}, Ping("bitbucket")),
        ({"X-GitHub-Event": "issues"}, {"action": "opened"}, Other("github", "issues")),
        ({"X-Gitlab-Event": "Note Hook"}, {"object_kind": "note"}, Other("gitlab", "Note Hook")),
        ({"X-Event-Key": "pr:opened"}, {"eventKey": "pr:opened"}, Other("bitbucket", "pr:opened")),
        ({"X-GitHub-Event": "push"}, {**HUB, "ref": "refs/notes/x"}, Other("github", "push of refs/notes/x")),
        ({"X-Gitlab-Event": "Tag Push Hook"}, {**LAB, "object_kind": "tag_push", "ref": "refs/tags/v1", "after": ZERO},
         Change(tag="v1")),
        ({"X-Gitlab-Event": "System Hook"}, LAB, MAIN),
        ({"X-GitHub-Event": "push"}, {**HUB, "after": ZERO}, Change(branch="main")),
    ],
)  # fmt: skip
def test_what_else_is_told(headers: dict[str, str], data: Any, found: Any) -> None:
    told = read(headers, json.dumps(data).encode())
    assert (told.changes[0] if isinstance(found, Change) and isinstance(told, Push) else told) == found


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({}, b"{}", 400, "names no event"),
        ({"X-GitHub-Event": "push"}, b"", 400, "the webhook is not valid JSON"),
        ({"X-GitHub-Event": "push"}, b"\xff\xfe", 400, "the webhook is not valid JSON"),
        ({"X-GitHub-Event": "push"}, b"[]", 400, "its JSON is no object"),
        ({"X-GitHub-Event": "push"}, b'{"a":' * 5000, 400, "nested too deeply"),
        ({"X-GitHub-Event": "push"}, b'{"a":' + b"9" * 5000 + b"}", 400, "thousands of digits"),
        ({"X-GitHub-Event": "push"}, b"{}", 400, 'looks like a GitHub push but "repository.clone_url" is missing'),
        ({"X-GitHub-Event": "push"}, json.dumps({**HUB, "ref": "refs/heads/../x"}).encode(), 400, "no name git allows"),
        ({"X-GitHub-Event": "push"}, json.dumps({**HUB, "after": "--upload-pack"}).encode(), 400, "no commit hash"),
        ({"X-GitHub-Event": "push"}, b" " * (webhooks.LARGEST + 1), 413, "are the most"),
        ({"X-Event-Key": "repo:push"}, b'{"push": {"changes": [1]}}', 400, "not a list of objects"),
        ({"X-Event-Key": "repo:refs_changed"}, b"{}", 400, "repository.project.key"),
        ({"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"}, b"\xff", 400, "not a form"),
        ({"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"}, b"a=1", 400, "not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_refused(headers: dict[str, str], body: bytes, status: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        read(headers, body)
    assert caught.value.status == status


def test_a_form_is_signed_as_it_comes() -> None:
    body = urlencode({"payload": json.dumps(HUB)}).encode()
    headers = {"X-GitHub-Event": "push", "Content-Type": "application/x-www-form-urlencoded"}
    found = read({**headers, "X-Hub-Signature-256": f"sha256={hexdigest(body)}"}, body, SECRET)
    assert isinstance(found, Push)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([SHA, "refs/heads/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ref", "after", "repository", "project", "push", "changes", "new", "old", "type", "links",
                         "clone", "href", "clone_url", "object_kind", "target", "hash"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(sorted(FORGES)),
    more=JSON,
    kept=st.sets(st.sampled_from(["ref", "push", "repository", "project"])),
)
def test_no_body_makes_it_stumble(name: str, more: Any, kept: set[str]) -> None:
    headers, _, data, _ = FORGES[name]
    body = {**({} if not isinstance(more, dict) else more), **{key: data[key] for key in kept if key in data}}
    with contextlib.suppress(Refused):
        assert isinstance(read(headers, json.dumps(body).encode()), Push | Other)


@given(st.binary(max_size=60), st.text(max_size=20))
def test_no_header_makes_it_stumble(body: bytes, value: str) -> None:
    names = ("X-Hub-Signature-256", "X-Gitlab-Token", "webhook-signature", "webhook-timestamp", "webhook-id")
    with pytest.raises(Refused):
        read({"X-GitHub-Event": "push", **dict.fromkeys(names, value)}, body, SECRET, SIGNING_TOKEN)
