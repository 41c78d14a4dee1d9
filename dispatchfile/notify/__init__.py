"""Telling others what happened in the GitOps loop: Slack's incoming webhooks, and a generic signed webhook.

Whoever is told is settled by the user of this machine alone (`targets.py`). Telling never fails and never holds up what
it tells about (`notifier.py`); what could not be told is a note.
"""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    What: TypeAlias = Literal[
        "pull-request-opened", "sync-started", "sync-failed", "sync-succeeded", "drift-found"
    ]

WHATS: tuple[What, ...] = (
    "pull-request-opened",
    "sync-started",
    "sync-failed",
    "sync-succeeded",
    "drift-found",
)


class Occasion(Record):
    """Something that happened; `app` and `repository` say to whom, `url` where to look, `revision` is a commit.

    `time` is in seconds since 1970.
    """

    what: What
    app: str
    text: str
    repository: str = ""
    revision: str = ""
    url: str = ""
    time: float = 0.0
