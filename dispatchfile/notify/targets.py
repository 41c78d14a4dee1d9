"""Who is told: variables of the environment, and files that the user's own settings name. A project settles none of it.

| variable | key of `[notifications]` in the user's config.toml | is |
|---|---|---|
| `DISPATCHFILE_SLACK_URL` | `slack-url-file` | the URL of a Slack incoming webhook, which is a secret by itself |
| `DISPATCHFILE_WEBHOOK_URL` | `webhook-url-file` | where signed messages are posted |
| `DISPATCHFILE_WEBHOOK_SECRET` | `webhook-secret-file` | what they are signed with |
| `DISPATCHFILE_NOTIFY` | `on` | the occasions to tell, all when none is named |
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dispatchfile.errors import UsageError
from dispatchfile.notify import WHATS
from dispatchfile.record import Record
from dispatchfile.remote import is_loopback
from dispatchfile.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = ("slack-url-file", "webhook-url-file", "webhook-secret-file", "on")


class Target(Record, hidden=("url", "secret")):
    """Somebody to tell. Without a secret it is a Slack channel; `name` says who it is without giving the URL away."""

    name: str
    url: str
    secret: str
    on: tuple[str, ...]


def targets(
    table: Any = None, origin: str = "", environment: Mapping[str, str] = os.environ
) -> tuple[Target, ...]:
    """Return who is to be told. `table` is `[notifications]` of the file `origin`, None where there is none.

    Raises UsageError for a mistake in it, and for a file that others may read.
    """
    table = {} if table is None else table
    _check(table, origin)
    on = environment.get("DISPATCHFILE_NOTIFY", "").replace(",", " ").split() or table.get("on") or WHATS
    chosen = _occasions(on, "DISPATCHFILE_NOTIFY" if "DISPATCHFILE_NOTIFY" in environment else origin)

    def value(key: str) -> str:
        variable = f"DISPATCHFILE_{key.upper().replace('-', '_')}"
        if given := environment.get(variable, "").strip():
            return given
        file = table.get(f"{key}-file")
        return _content(file, origin) if file else ""

    found: list[Target] = []
    if slack := value("slack-url"):
        found.append(Target(_checked(slack, "Slack"), slack, "", chosen))
    if url := value("webhook-url"):
        secret = value("webhook-secret")
        if not secret:
            raise UsageError(
                "the webhook has no secret to sign its messages with",
                help="put one into DISPATCHFILE_WEBHOOK_SECRET, or into a file that webhook-secret-file names",
            )
        found.append(Target(_checked(url, "the webhook"), url, secret, chosen))
    return tuple(found)


def _check(table: Any, origin: str) -> None:
    if not isinstance(table, dict):
        raise UsageError(
            f'"notifications" in {origin} must be a table', help="write [notifications] on a line of its own"
        )
    for key, value in table.items():
        if key not in KEYS:
            near = nearest(key, KEYS)
            hint = f'did you mean "{near}"?' if near else f"it has {', '.join(KEYS)}"
            raise UsageError(f'unknown setting "notifications.{key}" in {origin}', help=hint)
        right = isinstance(value, list) and all(isinstance(word, str) for word in value)
        if not (right if key == "on" else isinstance(value, str)):
            what = "a list of occasions" if key == "on" else "the path of a file"
            raise UsageError(f'"notifications.{key}" in {origin} must be {what}')


def _occasions(words: Iterable[str], origin: str) -> tuple[str, ...]:
    chosen = tuple(words)
    for word in chosen:
        if word not in WHATS:
            near = nearest(word, WHATS)
            hint = f'did you mean "{near}"?' if near else f"the occasions are {', '.join(WHATS)}"
            raise UsageError(f'"{word}" in {origin} is nothing that is told', help=hint)
    return chosen


def _content(file: str, origin: str) -> str:
    """Return what a file holds, relative to the one that names it."""
    path = Path(origin).parent / Path(file).expanduser()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}, which {origin} names: {reason}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"others on this machine can read the secret in {path}", help=f"chmod 600 {path}")
    if not text:
        raise UsageError(f"{path}, which {origin} names, is empty")
    return text


def _checked(url: str, who: str) -> str:
    """Return who it is with its host. Raises UsageError, without the URL, for one that would be read on its way."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    odd = (
        not host or parts.username is not None or any(letter.isspace() or ord(letter) < 32 for letter in url)
    )
    if odd or parts.scheme not in ("http", "https"):
        raise UsageError(
            f"the URL of {who} is none that can be posted to", help="https://HOST/PATH, without a user"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"the URL of {who} is http, which others can read", help=f"https://{host}/…")
    return f"{who} ({host})"
