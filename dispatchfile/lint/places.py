"""Where a value, or a piece of it, is written."""

from __future__ import annotations

from dispatchfile.model.edits import narrowed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.source import Span
    from dispatchfile.value import Value


def home(value: Value, piece: str) -> Span | None:
    """Return the place of a value at which the piece is written, rather than a reference to it; else its first place."""
    return next((span for span in reversed(value.spans) if piece in span.text), value.span)


def piece_of(value: Value, piece: str) -> Span | None:
    """Return where a piece of a string is written, as narrow as the text says it plainly."""
    return narrowed(home(value, piece), piece)
