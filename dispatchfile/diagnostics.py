"""What the program has to say about a file: findings with places, help and fixes."""

from __future__ import annotations

from enum import StrEnum

from dispatchfile.record import Record
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Related(Record):
    """Another place that takes part in a finding, such as the first of two definitions."""

    span: Span
    message: str


class Edit(Record):
    """Replace the characters of a span by a text."""

    span: Span
    text: str


class Fix(Record):
    """Edits that mend a finding; a safe one never changes what the file means."""

    message: str
    edits: tuple[Edit, ...]
    safe: bool


class Diagnostic(Record):
    """One finding. `code` is its rule (DF201), `path` the field in the value (task.test.inputs[0]).

    `secret`: the text at its span is a secret, which no report repeats.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    related: tuple[Related, ...] = ()
    help: str = ""
    path: str = ""
    fix: Fix | None = None
    secret: bool = False


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return those of the diagnostics that are errors."""
    return [found for found in diagnostics if found.severity is Severity.ERROR]


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics by file, errors first, and place, without repetitions; those without a place come first.

    Errors come first since what keeps a file from being read is to be seen above all that follows from its style.
    """

    def key(found: Diagnostic) -> tuple[str, bool, int, int, str]:
        mild = found.severity is not Severity.ERROR
        if found.span is None:
            return "", mild, 0, 0, found.message
        return found.span.source.name, mild, found.span.start, found.span.end, found.message

    return sorted(dict.fromkeys(diagnostics), key=key)
