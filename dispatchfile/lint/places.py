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


def path_at(value: Value | None, place: Span) -> str:
    """Return the path of the narrowest field in which a place stands; "" outside of all, as in a comment."""
    path = ""
    while value is not None:
        parts: list[tuple[str, Value]] = []
        if isinstance(value.data, dict):
            parts = [(f".{label}", item) for label, item in value.data.items()]
        elif isinstance(value.data, list):
            parts = [(f"[{index}]", item) for index, item in enumerate(value.data)]
        step, value = next(((step, item) for step, item in parts if _holds(item, place)), ("", None))
        path += step
    return path.removeprefix(".")


def _holds(value: Value, place: Span) -> bool:
    return any(span.start <= place.start and place.end <= span.end for span in value.spans)
