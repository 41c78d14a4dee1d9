"""What both readers say, and where they stop."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Related, Severity
from dispatchfile.source import Source, Span

# Deeper nesting, and numbers with more digits, have no place in a Dispatchfile.
MOST_DEPTH = 100
LONGEST_NUMBER = 400


class Unreadable(Exception):
    """Reading cannot go on; the finding says why."""

    def __init__(self, found: Diagnostic) -> None:
        super().__init__(found.message)
        self.found = found


def wrong(source: Source, message: str, span: Span | None, advice: str = "") -> Diagnostic:
    """Return the finding that a text cannot be read."""
    return Diagnostic("DF001", Severity.ERROR, message, span or Span(source, 0, 0), help=advice)


def repeated(label: str, place: Span, first: tuple[Span, ...]) -> Diagnostic:
    """Return the finding that a struct has a key twice."""
    related = tuple(Related(span, "the first one") for span in first)
    advice = "the first would be lost; merge the two"
    return Diagnostic(
        "DF105", Severity.ERROR, f'the key "{label}" is repeated', place, "the second one", related, advice
    )
