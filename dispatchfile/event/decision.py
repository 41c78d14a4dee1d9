"""What was decided about an action, and by which of its conditions."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import Action
    from dispatchfile.source import Span


class Reason(Record):
    """One condition of an action held against the event: `field` as in the file, and whether it holds."""

    field: str
    holds: bool
    message: str
    span: Span | None = None


class Decision(Record):
    """Whether an action fires, and the conditions that decided, in the order they were asked."""

    action: Action
    fires: bool
    reasons: tuple[Reason, ...]
