"""An event: what happened in a repository, as far as conditions and variables ask."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import ConditionKind


class Event(Record):
    """Facts about one event. None means unknown, which is an error only where a condition asks for it.

    `branch` is the pushed branch, `tag` the pushed, released or image tag, `source` and `target` the branches of a
    pull request, `chatop` the words of a comment without its slash (command first), `paths` the changed files,
    `action` the name of the cron action that is due.
    """

    kind: ConditionKind
    url: str = ""
    commit: str = ""
    branch: str | None = None
    tag: str | None = None
    source: str | None = None
    target: str | None = None
    number: int | None = None
    labels: tuple[str, ...] | None = None
    chatop: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    action: str | None = None
    user: str = ""
    build: str | None = None

    @property
    def build_name(self) -> str:
        """Return `context.build.name`: the branch, the tag, `pr-N`, or the user for runs by hand (Dispatch 1.3)."""
        if self.build is not None:
            return self.build
        if self.kind == "pull_request":
            return f"pr-{self.number}" if self.number is not None else self.source or self.user
        return (self.tag if self.kind in ("tag", "release", "image") else self.branch) or self.user


def context(event: Event) -> dict[str, str]:
    """Return the `context.*` variables of an event; what does not apply is empty (Dispatch 1.4, "Variables")."""
    chatop = event.chatop or ()
    return {
        "context.git.url": event.url,
        "context.git.commit": event.commit,
        "context.git.branch": event.branch or event.source or "",
        "context.git.tag": (event.tag or "") if event.kind in ("tag", "release") else "",
        "context.build.name": event.build_name,
        "context.chatop.command": chatop[0] if chatop else "",
        "context.chatop.args": " ".join(chatop[1:]),
    }
