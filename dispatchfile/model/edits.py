"""Edits of a text by the places of the values in it, whatever the flavour and layout.

Nothing here knows CUE, YAML, or JSON: an entry is put behind the last one as that one stands, a field in front of the
first one as that one stands, and what is written in a place is looked at before it is changed. Where the text does not
say plainly what to do (a list that an expression makes, two places of one struct) there is no edit.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Edit
from dispatchfile.source import Span
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def relabelled(key: Span, name: str) -> str:
    """Return a label's new text, in the quotes of the old one; an unquoted one gets quotes where CUE needs them."""
    quote = key.text[:1]
    if quote in ('"', "'"):
        return f"{quote}{name}{quote}"
    return name if name.isidentifier() else f'"{name}"'


def reworded(span: Span | None, old: str, new: str) -> Edit | None:
    """Return the edit that writes `new` for `old`, when a place holds it just once."""
    place = narrowed(span, old)
    return Edit(place, new) if place is not None and place.text == old else None


def narrowed(span: Span | None, piece: str) -> Span | None:
    """Return where in a span the piece stands, as long as it is written there just so and only once."""
    if span is None or not piece or span.text.count(piece) != 1:
        return span
    at = span.start + span.text.index(piece)
    return Span(span.source, at, at + len(piece))


def quoted(text: str) -> str:
    """Return a string in double quotes, as CUE, YAML, and JSON alike read it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def is_json_like(value: Value) -> bool:
    """Return whether the labels of a struct stand in double quotes, as JSON needs them."""
    data = value.data
    return isinstance(data, dict) and all(
        item.key is not None and item.key.text[:1] == '"' for item in data.values()
    )


def is_block(value: Value) -> bool:
    """Return whether a list or struct is written as one of YAML's blocks, by indentation."""
    return not _opening(value).startswith(("[", "{"))


def _opening(value: Value) -> str:
    """Return a value's text without YAML's anchor and tag in front of it."""
    return re.sub(r"\A(?:[&!]\S*\s+)+", "", value.spans[0].text if value.spans else "")


def is_computed(span: Span, items: Iterable[Span]) -> bool:
    """Return whether a comprehension makes a list: a `for` or `if` stands in its text outside its items."""
    pieces, at = [], span.start
    for item in sorted(items, key=lambda one: one.start):
        pieces.append(span.source.text[at : item.start])
        at = max(at, item.end)
    pieces.append(span.source.text[at : span.end])
    without_comments = re.sub(r"(?://|#(?=\s))[^\n]*", "", " ".join(pieces))
    return re.search(r"\b(?:for|if)\b", without_comments) is not None


def listed(owner: Value, field: str, entry: str) -> tuple[Edit, ...]:
    """Return the edits that add an entry to a list of a struct, and the list where there is none; () as in `with_field`."""
    there = owner.at(field)
    if there is None:
        return with_field(owner, field, f"[{entry}]")
    edit = appended(there, entry)
    return (edit,) if edit is not None else ()


def appended(value: Value, *entries: str) -> Edit | None:
    """Return the edit that puts entries at the end of a list; each is a flow form such as a quoted string."""
    span, elements = _only(value), value.data
    if span is None or not isinstance(elements, list):
        return None
    if not elements:
        inside = Span(span.source, span.start + 1, span.end - 1)
        flow = span.text[:1] == "[" and span.text[-1:] == "]"
        return Edit(inside, ", ".join(entries)) if flow and not inside.text.strip() else None
    last = _only(elements[-1])
    if last is None or not span.start <= last.start <= last.end <= span.end:
        return None
    before = _line_before(last)
    if is_block(value):
        line_end = (span.source.text + "\n").index("\n", last.end)
        line_end -= span.source.text[line_end - 1] == "\r"
        end, apart = Span(span.source, line_end, line_end), f"\n{before}"
        fits = before.strip() == "-" and before[-1:] == " "
    else:
        end, apart = Span(span.source, last.end, last.end), ", " if before.strip() else f",\n{before}"
        places = [one.span for one in elements if one.span is not None]
        inside_ones = [one for one in places if span.start <= one.start and one.end <= span.end]
        fits = span.text[-1:] == "]" and not is_computed(span, inside_ones)
    return Edit(end, "".join(f"{apart}{entry}" for entry in entries)) if fits else None


def with_field(value: Value, name: str, content: str) -> tuple[Edit, ...]:
    """Return the edits that put a field in front of a struct's others; none when its text does not allow them."""
    span, data = _only(value), value.data
    if span is None or not isinstance(data, dict):
        return ()
    label = f'"{name}"' if data and is_json_like(value) and span.text[:1] == "{" else name
    keys = [key for item in data.values() for key in item.keys if span.start <= key.start < span.end]
    if not keys:
        inside = Span(span.source, span.start + 1, span.end - 1)
        return (Edit(inside, f"{label}: {content}"),) if span.text[:1] == "{" and not data else ()
    first = min(keys, key=lambda key: key.start)
    here = Span(span.source, first.start, first.start)
    before = _line_before(first)
    if span.text[:1] == "{":
        apart = f"\n{before}" if not before.strip() else " "
        comma = "," if apart == " " or _has_commas(value, span, first) else ""
        return (Edit(here, f"{label}: {content}{comma}{apart}"),)
    if not before.strip(" -"):  # a block of YAML, or the top of a file of CUE
        return (Edit(here, f"{label}: {content}\n{' ' * len(before)}"),)
    if span.source.text[: span.start].rstrip().endswith(":"):  # the rest of a chain of CUE
        end = Span(span.source, span.end, span.end)
        return Edit(here, f"{{{label}: {content}, "), Edit(end, "}")
    return ()


def _has_commas(value: Value, span: Span, first: Span) -> bool:
    """Return whether a comma ends the first field of a struct, so that JSON and flow YAML get theirs."""
    fields = value.data.values() if isinstance(value.data, dict) else ()
    own = next((item.span for item in fields if first in item.keys), None)
    behind = span.source.text[own.end : span.end - 1].strip() if own is not None else ""
    if behind:
        return behind.startswith(",")
    lines = span.source.text[first.start : span.end - 1].rstrip().split("\n")
    return len(lines) == 1 or any(line.rstrip().endswith(",") for line in lines)


def _only(value: Value) -> Span | None:
    return value.spans[0] if len(value.spans) == 1 else None


def _line_before(span: Span) -> str:
    """Return what stands before a place on its line."""
    text = span.source.text
    return text[text.rfind("\n", 0, span.start) + 1 : span.start]
