"""Edits that rules share: taking entries out of a text, and putting a field one level deeper (adding: `model/edits.py`).

They work on the text as it is written, in brackets or in YAML's blocks, and return None where a text is written
so that no edit is surely right: behind an alias or a reference, in a comprehension, among comments.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Edit
from dispatchfile.model.edits import is_block, is_computed
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.cue import tree
    from dispatchfile.source import Source
    from dispatchfile.value import Value


def end_of(value: Value) -> int | None:
    """Return the offset at which a value's own text ends: of a block without the comments and space that follow it.

    None when a part of it is written elsewhere.
    """
    span = value.span
    if span is None or len(value.spans) != 1:
        return None
    if not isinstance(value.data, (list, dict)) or not is_block(value):
        return span.end
    end = 0
    for item in value.data if isinstance(value.data, list) else value.data.values():
        last = end_of(item)
        if item.data is None and item.key is not None:
            last = item.key.end + 1
        if last is None or not span.start <= last <= span.end + 1:
            return None
        end = max(end, last)
    return end or None


def end_of_field(key: Span, value: Value) -> int | None:
    """Return the offset at which a field ends; None when its value, or a part of it, is written elsewhere."""
    span = value.span
    between = key.source.text[key.end : span.start] if span is not None else ""
    return end_of(value) if re.fullmatch(r"\s*:(?:\s|#[^\n]*\n|//[^\n]*\n)*", between) else None


# Lines


def line_start(source: Source, offset: int) -> int:
    """Return the offset at which the line of an offset starts."""
    return source.text.rfind("\n", 0, offset) + 1


def line_end(source: Source, offset: int) -> int:
    """Return the offset of the line end of an offset's line."""
    end = source.text.find("\n", offset)
    return end if end >= 0 else len(source.text)


def indentation(source: Source, offset: int) -> str | None:
    """Return the space in front of an offset, None when more than space stands there on its line."""
    before = source.text[line_start(source, offset) : offset]
    return before if not before.strip(" \t") else None


# Taking out


def without(source: Source, start: int, end: int) -> Edit:
    """Return the edit that takes an entry out of brackets, with the comma that it leaves over, or with its lines."""
    text = source.text
    after = _behind_space(text, end)
    if text[after : after + 1] == ",":
        end = after + 1
        after = _behind_space(text, end)
    elif _next(text, end) in ("]", "}"):
        before = _last(text, start)
        is_note = text[line_start(source, before) : before].lstrip().startswith("//")
        if text[before - 1 : before] == "," and not is_note:
            return Edit(Span(source, before - 1, end), "")
    if indentation(source, start) is not None and text[after : after + 1] in ("\n", "\r", ""):
        return Edit(Span(source, line_start(source, start), min(line_end(source, end) + 1, len(text))), "")
    return Edit(Span(source, start, after if text[after : after + 1] not in ("\n", "\r") else end), "")


def _next(text: str, at: int) -> str:
    """Return the next character that is no space, "" at the end."""
    found = re.compile(r"\S").search(text, at)
    return found[0] if found else ""


def _last(text: str, at: int) -> int:
    """Return the offset behind the last character before `at` that is no space."""
    while at and text[at - 1].isspace():
        at -= 1
    return at


def _behind_space(text: str, at: int) -> int:
    """Return the offset of the next character that is no space or tab."""
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at


def without_lines(source: Source, start: int, end: int) -> Edit:
    """Return the edit that takes an entry of a YAML block out with its lines, but for a comment behind it."""
    behind = _behind_space(source.text, end)
    if source.text[behind : behind + 1] == "#":
        return Edit(Span(source, start, behind), "")
    return Edit(Span(source, line_start(source, start), min(line_end(source, end) + 1, len(source.text))), "")


def without_item(items: Value, span: Span) -> Edit | None:
    """Return the edit that takes an item out of a list that is written out in one place (`literal_items`)."""
    source, start, end = span.source, span.start, span.end
    if not is_block(items):
        return without(source, start, end)
    dash = source.text[line_start(source, start) : start]
    if (
        not isinstance(items.data, list)
        or len(items.data) == 1
        or dash.strip() != "-"
        or _noted(source, start, end)
    ):
        return None
    return without_lines(source, start, end)


def _noted(source: Source, start: int, end: int) -> bool:
    """Return whether the lines of a piece of YAML hold comments."""
    lines = source.text[line_start(source, start) : line_end(source, end)]
    return "#" in lines


def literal_items(items: Value) -> list[Span] | None:
    """Return where the items of a list stand when it is written out in one place, as `[a, b]` or as a block, else None."""
    span = items.span
    if span is None or len(items.spans) != 1 or not isinstance(items.data, list):
        return None
    if not is_block(items) and not span.text.endswith("]"):
        return None  # a concatenation
    found = [item.span for item in items.data if item.span is not None and len(item.spans) == 1]
    inside = all(span.start <= one.start and one.end <= span.end for one in found)
    if len(found) < len(items.data) or not inside or len(set(found)) < len(found):
        return None
    return None if is_computed(span, found) else found


# One level deeper


def nested(
    label: str,
    key: Span,
    value: Value,
    parent: Value,
    chain: tuple[tree.Field, ...] | None,
    colons: Sequence[int],
) -> tuple[Edit, ...] | None:
    """Return the edits that make `key: value` into `label: key: value`.

    `chain` is the CUE field's chain, in which `colons` are lacking; None for YAML and JSON.
    """
    source = key.source
    if chain is not None:
        added = tuple(Edit(Span(source, at, at), ":") for at in colons)
        return tuple(sorted((*added, Edit(Span(source, key.start, key.start), f"{label}: ")), key=_start))
    end = end_of_field(key, value)
    home = parent.span
    if end is None or home is None or not home.start <= key.start <= home.end:
        return None
    quote = key.text[:1] if key.text[:1] in ('"', "'") else ""
    opening = f"{quote}{label}{quote}: "
    if not is_block(parent):
        return Edit(Span(source, key.start, key.start), opening + "{"), Edit(Span(source, end, end), "}")
    return _block_nested(opening.rstrip(), key, end)


def _block_nested(opening: str, key: Span, end: int) -> tuple[Edit, ...] | None:
    source, text = key.source, key.source.text
    start = line_start(source, key.start)
    indent = re.sub("[^ ]", " ", text[start : key.start])  # `- ` before the key counts as space
    edits = [Edit(Span(source, key.start, key.start), f"{opening}\n{indent}  ")]
    at = line_end(source, key.start) + 1
    while at < min(end, len(text)):
        if text[at : line_end(source, at)].strip():
            edits.append(Edit(Span(source, at, at), "  "))
        at = line_end(source, at) + 1
    return tuple(edits)


def _start(edit: Edit) -> int:
    return edit.span.start
