"""Of a file with syntax errors, what evaluation says truly, and what only follows from the parts that were not read."""

from __future__ import annotations

import re
from bisect import bisect_left

from dispatchfile.diagnostics import Diagnostic, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.parser import Parsing
    from dispatchfile.source import Span


def sound(found: list[Diagnostic], parsing: Parsing) -> list[Diagnostic]:
    """Return the findings that hold whatever stands in the parts that could not be read."""
    faults = sorted(
        line for one in errors(parsing.diagnostics) if one.span is not None for line in _lines(one.span)
    )
    return [one for one in found if not _is_doubtful(one, faults)]


def _is_doubtful(found: Diagnostic, faults: list[int]) -> bool:
    """Return whether a finding is about a piece with a fault in it, or about a name that such a piece may define."""
    span = found.span
    if span is None or span.start == span.end or span.text == "_|_":
        return True  # what the parser put in the place of what it could not read
    if any(_has(faults, one) for one in (span, *(related.span for related in found.related))):
        return True
    if found.code != "DF004":
        return False
    return re.search(rf"(?<![\w$]){re.escape(span.text)}\s*[?!]?\s*:", span.source.text) is not None


def _has(faults: list[int], span: Span) -> bool:
    """Return whether a line with a fault is among those of a span."""
    first, last = _lines(span)
    at = bisect_left(faults, first)
    return at < len(faults) and faults[at] <= last


def _lines(span: Span) -> tuple[int, int]:
    position = span.source.position
    return position(span.start)[0], position(span.end)[0]
