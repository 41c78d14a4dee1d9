"""What can be written where the cursor stands: fields, names, variables, and the words that a field knows."""

from __future__ import annotations

import re

from lsprotocol import types

from dispatchfile import explain
from dispatchfile.lsp import variables
from dispatchfile.model import schema, shape
from dispatchfile.plain import yaml_writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.lsp.document import Document
    from dispatchfile.lsp.spot import Path, Spot
    from dispatchfile.value import Value

_BEGUN_VARIABLE = re.compile(r"\$\(([\w.-]*)$")


def completions(document: Document, offset: int) -> list[types.CompletionItem]:
    """Return what can stand at an offset, however unfinished the text is."""
    spot = document.spot(offset)
    if spot is None:
        return []
    value = document.likely_value(offset)
    begun = _BEGUN_VARIABLE.search(document.text, document.text.rfind("\n", 0, offset) + 1, offset)
    if begun is not None and not spot.named:
        return _variables(document, spot, value, begun.start(1), offset)
    found: list[types.CompletionItem] = []
    if spot.label:
        found += _labels(document, spot, value)
    if spot.value:
        found += _values(document, spot, value)
    return found


# Labels


def _labels(document: Document, spot: Spot, value: Value | None) -> Iterator[types.CompletionItem]:
    table, prefix = _table(spot.path, value)
    if table is None:
        return
    there = _labels_there(spot, value)
    for field in table.fields:
        mergeable = document.flavour == "cue" and isinstance(field.shape, (shape.MapOf, shape.Table))
        if field.name in there and not mergeable and field.name != document.text[spot.start : spot.end]:
            continue
        page = explain.page(f"{prefix}{field.name}{_type_suffix(spot.path, table)}")
        yield types.CompletionItem(
            field.name,
            kind=types.CompletionItemKind.Property,
            detail=_detail(field),
            documentation=types.MarkupContent(types.MarkupKind.Markdown, page or field.doc),
            tags=[types.CompletionItemTag.Deprecated] if field.deprecated else None,
            sort_text=f"{bool(field.deprecated):d}{not field.required:d}{not field.honoured:d}{field.name}",
            text_edit=_edit(document, spot, _written_label(document, spot, field)),
        )


def _table(path: Path, value: Value | None) -> tuple[shape.Table | None, str]:
    """Return the table of the struct at a path, and the beginning of its fields' names in `explain`."""
    if len(path) == 3 and path[0] == "resource" and path[2] in ("param", "params"):
        kind = value.at("resource", path[1], "type") if value is not None else None
        name = str(kind.data) if kind is not None else ""
        return schema.RESOURCE_TYPES.get(name, _ANY_PARAMETER), "resource.param."
    found = explain.shape_at(path)
    prefix = explain.field_path(path)
    return (found, f"{prefix}." if prefix else "") if isinstance(found, shape.Table) else (None, "")


_ANY_PARAMETER = shape.Table(
    "param",
    "a resource",
    "",
    tuple({field.name: field for table in schema.RESOURCE_TYPES.values() for field in table.fields}.values()),
)


def _type_suffix(path: Path, table: shape.Table) -> str:
    return f" ({table.name})" if table.name in schema.RESOURCE_TYPES and len(path) == 3 else ""


def _labels_there(spot: Spot, value: Value | None) -> frozenset[str]:
    item = value.at(*spot.path) if value is not None else None
    return frozenset(item.data) if item is not None and isinstance(item.data, dict) else frozenset()


def _detail(field: shape.Field) -> str:
    words = [shape.noun(field.shape)]
    if field.required:
        words.append("required")
    if field.deprecated:
        words.append(f"deprecated: {field.deprecated}")
    return ", ".join(words)


def _written_label(document: Document, spot: Spot, field: shape.Field) -> str:
    if spot.named:
        return field.name
    if spot.quote:
        return (
            field.name
            if spot.end < len(document.text) and _closed(document, spot)
            else f"{field.name}{spot.quote}: "
        )
    return f'"{field.name}": ' if document.flavour == "json" else f"{field.name}: "


def _closed(document: Document, spot: Spot) -> bool:
    return document.text.startswith(spot.quote, spot.end)


# Values


def _values(document: Document, spot: Spot, value: Value | None) -> Iterator[types.CompletionItem]:
    for word, detail, kind in _words(spot.path, value):
        yield types.CompletionItem(
            word, kind=kind, detail=detail, filter_text=word,
            text_edit=_edit(document, spot, _written_value(document, spot, word, kind)),
        )  # fmt: skip


_REFERENCE, _WORD = types.CompletionItemKind.Reference, types.CompletionItemKind.EnumMember
_FLAG = types.CompletionItemKind.Keyword


def _words(path: Path, value: Value | None) -> Iterator[tuple[str, str, types.CompletionItemKind]]:
    field = explain.field_path(path)
    if field in ("task.inputs", "task.outputs"):
        yield from ((name, "resource", _REFERENCE) for name in _names(value, "resource"))
    if field in ("task.inputs", "task.deps", "actions.tasks"):
        own = path[1] if path[0] == "task" else None
        yield from ((name, "task", _REFERENCE) for name in _names(value, "task") if name != own)
    elif field == "task.steps.volumeMounts.name":
        yield from ((name, "volume", _REFERENCE) for name in _volumes(path, value))
    elif field == "resource.type":
        yield from ((name, table.doc, _WORD) for name, table in schema.RESOURCE_TYPES.items())
    elif isinstance(explain.shape_at(path), shape.Flag):
        yield from ((word, "", _FLAG) for word in ("true", "false"))


def _names(value: Value | None, kind: str) -> list[str]:
    item = value.at(kind) if value is not None else None
    return list(item.data) if item is not None and isinstance(item.data, dict) else []


def _volumes(path: Path, value: Value | None) -> Iterator[str]:
    volumes = value.at(*path[:2], "volumes") if value is not None else None
    for volume in volumes.data if volumes is not None and isinstance(volumes.data, list) else ():
        name = volume.at("name")
        if name is not None and isinstance(name.data, str):
            yield name.data


def _written_value(document: Document, spot: Spot, word: str, kind: types.CompletionItemKind) -> str:
    if kind is _FLAG or spot.quote:
        return word
    return yaml_writer.text(word) if document.flavour == "yaml" else f'"{word}"'


# Variables


def _variables(
    document: Document, spot: Spot, value: Value | None, start: int, offset: int
) -> list[types.CompletionItem]:
    rest = re.compile(r"[\w.-]*(\))?").match(document.text, offset)
    end = rest.end() if rest else offset
    place = document.lines.range(start, end)
    return [
        types.CompletionItem(
            name,
            kind=types.CompletionItemKind.Variable,
            detail=detail,
            filter_text=name,
            text_edit=types.TextEdit(place, f"{name})"),
        )
        for name, detail in variables.known_at(spot.path, value)
    ]


def _edit(document: Document, spot: Spot, text: str) -> types.TextEdit:
    return types.TextEdit(document.lines.range(spot.start, spot.end), text)
