"""Webhooks: what a forge tells the agent, and whether it is that forge that tells it.

A webhook comes from outside. Its signature is checked over the bytes as they came, before anything is read of them;
what it says is only ever compared with what the applications name, never fetched, opened or run.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.event.payload import NO_COMMIT, Body, parse
from dispatchfile.record import Record
from dispatchfile.remote import is_loopback
from dispatchfile.remote import parse as parse_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

LARGEST = 25 << 20
"""Bytes of a body; GitHub, whose bodies are the largest, sends none beyond that."""

TOLERANCE = 300.0
"""Seconds that a signed time may be off (Standard Webhooks, which GitLab's signing token follows)."""

_SIGNED = (
    "x-hub-signature-256",
    "x-forgejo-signature",
    "x-gitea-signature",
    "x-gogs-signature",
    "x-hub-signature",
)


class Refused(DispatchfileError):
    """A request that is no webhook to listen to; `status` is the HTTP status to answer it with."""

    def __init__(self, status: int, message: str, *, help: str = "") -> None:  # noqa: A002 the word users see
        super().__init__(message, help=help)
        self.status = status


class Change(Record):
    """A branch or a tag that moved; `commit` is empty when it was deleted."""

    branch: str = ""
    tag: str = ""
    commit: str = ""


class Push(Record):
    """A push. `repositories` are the URLs that the repository may be known by.

    One without a host, PROJECT/NAME, is all that older Bitbucket Servers tell.
    """

    forge: str
    repositories: tuple[str, ...]
    changes: tuple[Change, ...]

    def concerns(self, repository: str) -> bool:
        """Return whether a URL is one of this repository: scheme, user, port, case and `.git` make no difference."""
        host, path = _place(repository)
        known = {_place(url) for url in self.repositories}
        return (host, path) in known or ("", path) in known

    def moves(self, revision: str) -> bool:
        """Return whether a revision may mean another commit now; of HEAD nobody here knows which branch it is."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        return revision == "HEAD" or any(name == (change.branch or change.tag) for change in self.changes)


class Ping(Record):
    """A forge asks whether anybody listens."""

    forge: str


class Other(Record):
    """A webhook that tells of something else than a push."""

    forge: str
    event: str


def read(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: Callable[[], float] = time.time
) -> Push | Ping | Other:
    """Return what a webhook says. Without `secrets` it is believed; with some, one of them must have signed it.

    Raises Refused for what is too large, unsigned, wrongly signed, of no known forge, or not as that forge says it.
    """
    given = {name.lower(): value for name, value in headers.items()}
    if len(body) > LARGEST:
        raise Refused(413, f"the webhook has {len(body)} bytes; {LARGEST} are the most")
    forge, event = _sender(given)
    if secrets:
        _authenticate(given, body, secrets, now())
    if event in ("ping", "diagnostics:ping"):
        return Ping(forge)
    try:
        return _reading(forge, event, parse(_json(given, body), "the webhook"))
    except UsageError as error:
        raise Refused(400, error.message) from error


def _sender(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the forge and the event's name. Gitea and Forgejo send their own headers and GitHub's too."""
    for forge, name in (
        ("gitea", "x-forgejo-event"),
        ("gitea", "x-gitea-event"),
        ("gitea", "x-gogs-event"),
        ("github", "x-github-event"),
        ("gitlab", "x-gitlab-event"),
        ("bitbucket", "x-event-key"),
    ):
        if event := headers.get(name):
            return forge, event
    raise Refused(
        400,
        "the request names no event of a known forge",
        help="GitHub, GitLab, Gitea, Forgejo and Bitbucket do",
    )


# Signatures


def _authenticate(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Return when one of the secrets signed it; raises Refused otherwise."""
    for secret in secrets:
        key = secret.encode("utf-8", "surrogateescape")
        expected = hmac.new(key, body, hashlib.sha256).hexdigest()
        for name in _SIGNED:
            # GitHub and Bitbucket name the hash, Gitea does not. SHA-1, which GitHub sends as well, is not believed.
            if _same(headers.get(name, "").removeprefix("sha256="), expected):
                return
        if _same(headers.get("x-gitlab-token", ""), secret) or _signed_with_time(headers, body, secret, now):
            return
    if any(headers.get(name) for name in (*_SIGNED, "x-gitlab-token", "webhook-signature")):
        raise Refused(
            401, "the webhook is signed with another secret", help="give the forge and the agent the same one"
        )
    raise Refused(401, "the webhook is not signed", help="set the webhook's secret at the forge")


def _signed_with_time(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return whether GitLab's signing token signed it: HMAC-SHA256 of ID.TIME.BODY (GitLab 19, Standard Webhooks)."""
    told, signatures = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "")
    # Signs of other scripts are digits to str.isdigit and int alike; a time has ten of ours.
    if not re.fullmatch(r"[0-9]{1,12}", told) or not secret.startswith("whsec_"):
        return False
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    prefix = f"{headers.get('webhook-id', '')}.{told}.".encode("utf-8", "surrogateescape")
    expected = base64.b64encode(hmac.new(key, prefix + body, hashlib.sha256).digest()).decode()
    # Several stand there, blank between them, while a secret is being changed for another.
    fits = [_same(signature, f"v1,{expected}") for signature in signatures.split(" ")]
    if any(fits) and abs(now - int(told)) > TOLERANCE:
        raise Refused(
            401, "the webhook was signed too long ago", help="it is sent again, or a clock is wrong"
        )
    return any(fits)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


# Bodies


class _Body(Body):
    what = "the webhook"


def _json(headers: Mapping[str, str], body: bytes) -> bytes | str:
    """Return the JSON of a body; GitHub and Gitea can wrap it into a form, which GitHub does unless told otherwise."""
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return body
    try:
        fields = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise UsageError("the webhook is not a form") from error
    return fields.get("payload", [""])[0]


def _reading(forge: str, event: str, data: dict[str, Any]) -> Push | Other:
    if forge == "gitlab" and data.get("object_kind") in ("push", "tag_push"):
        return _one(
            forge, _Body(data, "a GitLab push"), "project", ("git_http_url", "git_ssh_url", "web_url")
        )
    if forge == "bitbucket" and event == "repo:push":
        return _cloud(_Body(data, "a Bitbucket Cloud push"))
    if forge == "bitbucket" and event == "repo:refs_changed":
        return _server(_Body(data, "a Bitbucket Server push"))
    if forge in ("github", "gitea") and event == "push":
        name = {"github": "a GitHub push", "gitea": "a Gitea push"}[forge]
        return _one(forge, _Body(data, name), "repository", ("clone_url", "ssh_url", "html_url"))
    return Other(forge, event)


def _one(forge: str, body: Body, repository: str, urls: Sequence[str]) -> Push | Other:
    """Return a push of one branch or tag, as all but the two Bitbuckets tell it."""
    known = [body.url(f"{repository}.{name}") for name in urls if body.maybe(f"{repository}.{name}")]
    if not known:
        body.lacks(f"{repository}.{urls[0]}", "a URL")
    ref, after = body.ref("ref"), body.text("after")
    commit = "" if NO_COMMIT.fullmatch(after) else body.commit("after")
    change = _change(ref, commit)
    return Push(forge, tuple(known), (change,)) if change else Other(forge, f"push of {ref}")


def _change(ref: str, commit: str) -> Change | None:
    if ref.startswith("refs/heads/"):
        return Change(branch=ref.removeprefix("refs/heads/"), commit=commit)
    if ref.startswith("refs/tags/"):
        return Change(tag=ref.removeprefix("refs/tags/"), commit=commit)
    return None


def _cloud(body: Body) -> Push | Other:
    changes = []
    for item in body.items("push.changes"):
        side = "new" if item.maybe("new") else "old"
        kind, name = item.text(f"{side}.type"), item.ref(f"{side}.name")
        commit = item.commit("new.target.hash") if side == "new" else ""
        prefix = {"branch": "refs/heads/", "tag": "refs/tags/"}.get(kind, "")
        changes.append(_change(f"{prefix}{name}", commit))
    return _pushed(body, (body.url("repository.links.html.href"),), changes)


def _server(body: Body) -> Push | Other:
    changes = []
    for item in body.items("changes"):
        deleted = item.maybe("type") == "DELETE"
        changes.append(_change(item.ref("ref.id"), "" if deleted else item.commit("toHash")))
    urls = [link.url("href") for link in body.items("repository.links.clone")]
    named = f"{body.text('repository.project.key')}/{body.text('repository.slug')}"
    return _pushed(body, tuple(urls) or (named,), changes)


def _pushed(body: Body, urls: tuple[str, ...], changes: Sequence[Change | None]) -> Push | Other:
    made = tuple(change for change in changes if change)
    return (
        Push("bitbucket", urls, made) if made else Other("bitbucket", f"{body.name} of no branch and no tag")
    )


def _place(url: str) -> tuple[str, str]:
    """Return host and path of a repository's URL in the form in which two of them are compared."""
    try:
        remote = parse_remote(url)
    except UsageError:
        return ("", url)
    host = "localhost" if is_loopback(remote.host) else remote.host.lower()
    path = remote.repository.lower()
    # Bitbucket Server's clone URLs over HTTP have this before the path that those over ssh have.
    return (host, path.removeprefix("scm/")) if host else ("", path)
