"""What every target that waits for events says alike of the conditions of actions."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.event import match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Severity
    from dispatchfile.model.pipeline import Condition

NO_WORD = (
    "chatops",
    "no comment begins with such a word: nothing fires the action",
    "write the first word of a comment, without its slash",
)
"""The field, what is wrong, and what to do where `words` returns none of those that are given."""
_PATTERNS = ("branches", "paths", "names", "sources", "targets", "tags")


def finding(
    condition: Condition, field: str, severity: Severity, message: str, mend: str, *, at_value: bool = False
) -> Diagnostic:
    """Return a finding about a field of a condition (DF806); it points at the field's name, or `at_value`."""
    value = condition.value.at(field) or condition.value
    span = value.span if at_value else value.key or value.span
    return Diagnostic("DF806", severity, message, span, path=match.field_path(condition, field), help=mend)


def field_of(condition: Condition, name: str) -> str:
    """Return what the Dispatchfile calls a list of a condition: targets may be written as branches."""
    return "branches" if name == "targets" and not condition.value.at(name) else name


def unreadable(condition: Condition) -> Iterator[Diagnostic]:
    """Yield an error for each pattern of a condition that cannot be read."""
    for name in _PATTERNS:
        yield from match.unreadable(condition, field_of(condition, name), getattr(condition, name) or ())


def words(condition: Condition) -> list[str]:
    """Return the words of comments that fire an action, each once; what is no single word is the first of none."""
    return [word for word in dict.fromkeys(condition.chatops or ()) if word.split() == [word]]
