"""What is sent: Slack's text, and the JSON of the generic webhook with its signature.

A receiver of the webhook takes `X-Dispatchfile-Timestamp` (seconds since 1970), a dot and the body as they came, computes
HMAC-SHA256 of it with the shared secret, compares `sha256=` and the hexadecimal digits with
`X-Dispatchfile-Signature-256` in constant time, and refuses what is older than some minutes. The delivery's name stays
the same when a message is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from dispatchfile.notify import Occasion
from dispatchfile.record import plain

_TITLES = {
    "pull-request-opened": "pull request opened",
    "sync-started": "sync started",
    "sync-failed": "sync failed",
    "sync-succeeded": "synced",
    "drift-found": "drift found",
}
LONGEST = 2500
"""Characters of a text; Slack cuts messages at 4000."""


def slack(occasion: Occasion) -> bytes:
    """Return the body for an incoming webhook; what an occasion says is text in it, never a link or a mention."""
    lines = [f"*{_escaped(occasion.app)}*: {_TITLES[occasion.what]}"]
    if occasion.text:
        lines.append(_escaped(occasion.text))
    details = [_escaped(part) for part in (occasion.repository, occasion.revision[:12]) if part]
    if details:
        lines.append(" at ".join(details))
    if occasion.url.startswith(("https://", "http://")):
        lines.append(f"<{_link(occasion.url)}>")
    text = "\n".join(lines)
    return json.dumps({"text": text, "unfurl_links": False, "unfurl_media": False}).encode()


def webhook(occasion: Occasion) -> bytes:
    """Return the body for the generic webhook."""
    return json.dumps({**plain(occasion), "text": occasion.text[:LONGEST]}).encode()


def signed(occasion: Occasion, body: bytes, secret: str, delivery: str, now: float) -> dict[str, str]:
    """Return the headers that say what a body is, when it was sent and by whom."""
    timestamp = str(int(now))
    signature = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Dispatchfile-Event": occasion.what,
        "X-Dispatchfile-Delivery": delivery,
        "X-Dispatchfile-Timestamp": timestamp,
        "X-Dispatchfile-Signature-256": f"sha256={signature}",
    }


def _escaped(text: str) -> str:
    """Return a text as Slack's mrkdwn shows it, and with nothing that a terminal would obey."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:LONGEST])
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(url: str) -> str:
    safe = url.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return "".join(letter for letter in safe if letter.isprintable() and letter != " ")
