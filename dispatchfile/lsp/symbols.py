"""The outline of a document: resources, tasks with their steps, actions."""

from __future__ import annotations

from lsprotocol import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.lsp.document import Document
    from dispatchfile.source import Span
    from dispatchfile.value import Value

_KINDS = {"resource": types.SymbolKind.Object, "task": types.SymbolKind.Function}


def symbols(document: Document) -> list[types.DocumentSymbol]:
    """Return the outline, as far as the document can be read."""
    value = document.reading.value
    if value is None:
        return []
    found = [
        _symbol(document, name, kind, symbol_kind, item, _steps(document, item))
        for kind, symbol_kind in _KINDS.items()
        for name, item in _fields(value.at(kind))
    ]
    found += [
        _symbol(document, _action_name(action, index), "action", types.SymbolKind.Event, action)
        for index, action in enumerate(_items(value.at("actions")))
    ]
    return [symbol for symbol in found if symbol is not None]


def _steps(document: Document, task: Value) -> list[types.DocumentSymbol]:
    found = []
    for index, step in enumerate(_items(task.at("steps"))):
        name = step.at("name")
        label = str(name.data) if name is not None and name.data else f"step {index + 1}"
        found.append(_symbol(document, label, "step", types.SymbolKind.Method, step))
    return [symbol for symbol in found if symbol is not None]


def _action_name(action: Value, index: int) -> str:
    name = action.at("name")
    if name is not None and isinstance(name.data, str) and name.data:
        return name.data
    condition = action.at("on")
    parts: list[str] = []
    while condition is not None and isinstance(condition.data, dict) and condition.data and len(parts) < 2:
        label, condition = next(iter(condition.data.items()))
        parts.append(label)
    tasks = ", ".join(str(task.data) for task in _items(action.at("tasks")))
    return f"on {' '.join(parts) or 'nothing'}: {tasks}" if tasks else f"action {index + 1}"


def _symbol(
    document: Document,
    name: str,
    detail: str,
    kind: types.SymbolKind,
    value: Value,
    children: list[types.DocumentSymbol] | None = None,
) -> types.DocumentSymbol | None:
    body = value.span
    if body is None or not name:
        return None
    key = _near(value.keys, body)
    start, end = (min(key.start, body.start), max(key.end, body.end)) if key else (body.start, body.end)
    inside = document.range(key) if key else document.lines.range(start, start)
    return types.DocumentSymbol(
        name, kind, document.lines.range(start, end), inside, detail, children=children
    )


def _near(keys: tuple[Span, ...], body: Span) -> Span | None:
    """Return the last of the labels before a body, which is the one that the body belongs to."""
    before = [key for key in keys if key.start <= body.start]
    return max(before, key=lambda key: key.start) if before else None


def _fields(value: Value | None) -> Iterator[tuple[str, Value]]:
    if value is not None and isinstance(value.data, dict):
        yield from value.data.items()


def _items(value: Value | None) -> list[Value]:
    return value.data if value is not None and isinstance(value.data, list) else []
