"""What an editor shows about the word under the cursor."""

from __future__ import annotations

import re

from lsprotocol import types

from dispatchfile import explain
from dispatchfile.lsp import named, references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.lsp.document import Document
    from dispatchfile.source import Span
    from dispatchfile.value import Value

_VARIABLE = re.compile(r"\$\(([A-Za-z][\w.-]*)\)")
_RULE = re.compile(r"\bDF\d{3}\b")
_MOST_LINES = 12


def hover(document: Document, offset: int) -> types.Hover | None:
    """Return what is known about a variable, the code of a rule, a name, a field, or a reference, or None."""
    # What needs the whole text read comes last.
    for found in (_variable, _rule, _field, _name, _reference):
        told = found(document, offset)
        if told is not None:
            text, (start, end) = told
            content = types.MarkupContent(types.MarkupKind.Markdown, text)
            return types.Hover(content, document.lines.range(start, end))
    return None


def _variable(document: Document, offset: int) -> tuple[str, tuple[int, int]] | None:
    return _explained(document, offset, _VARIABLE)


def _rule(document: Document, offset: int) -> tuple[str, tuple[int, int]] | None:
    return _explained(document, offset, _RULE)


def _explained(
    document: Document, offset: int, pattern: re.Pattern[str]
) -> tuple[str, tuple[int, int]] | None:
    start, end = _line(document, offset)
    for found in pattern.finditer(document.text, start, end):
        if found.start() <= offset <= found.end():
            page = explain.page(found[0])
            return (page, found.span()) if page else None
    return None


def _name(document: Document, offset: int) -> tuple[str, tuple[int, int]] | None:
    """Return what a task or a resource is, wherever its name stands."""
    here = named.here(document.places, offset)
    value = document.reading.value
    if here is None or value is None or here.named[0] not in ("task", "resource"):
        return None
    kind, _, name = here.named
    item = value.at(kind, name)
    if item is None:
        return None
    said = f"**{kind} {name}**\n\n{_resource(item) if kind == 'resource' else _task(item)}"
    return said, (here.span.start, here.span.end)


def _resource(item: Value) -> str:
    kind, params = item.at("type"), item.at("param")
    lines = [f"- type: `{kind.data}`"] if kind is not None else []
    if params is not None and isinstance(params.data, dict):
        lines += [f"- {label}: `{value.data}`" for label, value in params.data.items()]
    return "\n".join(lines)


def _task(item: Value) -> str:
    lines = []
    for field in ("inputs", "outputs", "deps"):
        listed = item.at(field)
        if listed is not None and isinstance(listed.data, list) and listed.data:
            lines.append(f"- {field}: {', '.join(f'`{one.data}`' for one in listed.data)}")
    steps = item.at("steps")
    for step in steps.data if steps is not None and isinstance(steps.data, list) else ():
        name, image = step.at("name"), step.at("image")
        lines.append(
            f"- step {name.data if name else 'without name'}: `{image.data if image else 'no image'}`"
        )
    return "\n".join(lines)


def _field(document: Document, offset: int) -> tuple[str, tuple[int, int]] | None:
    """Return the page of the field whose label is under the cursor."""
    spot = document.spot(_word_end(document.text, offset))
    if spot is None or not spot.label:
        return None
    word = document.text[spot.start : spot.end]
    names = [path for path in _paths(document, offset, (*spot.path, word)) if path]
    pages = [page for name in names if (page := explain.page(name))]
    return ("\n---\n\n".join(pages), (spot.start, spot.end)) if pages else None


def _paths(document: Document, offset: int, path: tuple[str | int, ...]) -> list[str]:
    """Return the names of the fields at a path; a parameter of a resource depends on the resource's type."""
    if len(path) == 4 and path[0] == "resource" and path[2] in ("param", "params"):
        value = document.likely_value(offset)
        kind = value.at("resource", path[1], "type") if value is not None else None
        return [explain.field_path(path, str(kind.data) if kind is not None else "")]
    if len(path) == 2 and path[0] in ("resource", "task"):
        return []
    return [explain.field_path(path)]


def _reference(document: Document, offset: int) -> tuple[str, tuple[int, int]] | None:
    """Return the text of what a name of CUE refers to."""
    if document.tree is None:
        return None
    found = references.definitions(document.tree, offset)
    if not found:
        return None
    pieces = [_shown(node.span) for node in found]
    start, end = _word_start(document.text, offset), _word_end(document.text, offset)
    return "```cue\n" + "\n".join(pieces) + "\n```", (start, end)


def _shown(span: Span) -> str:
    lines = span.text.split("\n")
    return "\n".join(lines[:_MOST_LINES]) + ("\n…" if len(lines) > _MOST_LINES else "")


def _line(document: Document, offset: int) -> tuple[int, int]:
    end = document.text.find("\n", offset)
    return document.text.rfind("\n", 0, offset) + 1, len(document.text) if end < 0 else end


def _word_end(text: str, offset: int) -> int:
    found = re.compile(r"[\w$#]*").match(text, offset)
    return found.end() if found else offset


def _word_start(text: str, offset: int) -> int:
    while offset and (text[offset - 1].isalnum() or text[offset - 1] in "_$#"):
        offset -= 1
    return offset
