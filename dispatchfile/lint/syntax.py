"""What rules ask of the syntax tree of a CUE file."""

from __future__ import annotations

from functools import lru_cache

from dispatchfile.cue import tree
from dispatchfile.cue.walk import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BELOW: dict[type, tuple[str, ...]] = {
    tree.File: ("declarations",),
    tree.Struct: ("declarations",),
    tree.ListLiteral: ("elements",),
    tree.Embedding: ("value",),
    tree.Let: ("value",),
    tree.Comprehension: ("value",),
    tree.Aliased: ("value",),
    tree.Parenthesis: ("inner",),
    tree.Unary: ("operand",),
    tree.Binary: ("left", "right"),
    tree.Call: ("arguments",),
    tree.Interpolation: ("parts",),
}  # what can hold fields, and where


def fields(file: tree.File) -> Iterator[tuple[tree.Field, ...]]:
    """Yield every field, once: alone, or with those below it that the same chain `a b: c: v` names."""
    waiting: list[object] = [file]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Field):
            chain = [node]
            value = node.value
            while isinstance(value, tree.Struct) and value.implied and len(value.declarations) == 1:
                below = value.declarations[0]
                if not isinstance(below, tree.Field):
                    break
                chain.append(below)
                value = below.value
            yield tuple(chain)
            waiting.append(value)
            continue
        for name in _BELOW.get(node.__class__, ()):
            below_it = getattr(node, name)
            waiting.extend(reversed(below_it)) if isinstance(below_it, tuple) else waiting.append(below_it)


@lru_cache(maxsize=4)
def mentioned(file: tree.File) -> frozenset[str]:
    """Return every name that an expression of the file refers to: `name`, `.name`, `["name"]`."""
    found: set[str] = set()
    for node in descendants(file):
        if isinstance(node, tree.Identifier):
            found.add(node.name)
        elif isinstance(node, tree.Selector):
            found.add(node.label)
        elif isinstance(node, tree.Index) and isinstance(node.index, tree.String):
            found.add(node.index.value)
    return frozenset(found)


@lru_cache(maxsize=4)
def optional(file: tree.File) -> frozenset[str]:
    """Return the names of all fields that are marked optional or required somewhere."""
    marked = (field.label for chain in fields(file) for field in chain if field.mark)
    return frozenset(label.name for label in marked if isinstance(label, tree.Name))


@lru_cache(maxsize=4)
def chains(file: tree.File) -> dict[int, tuple[tree.Field, ...]]:
    """Return the chain that each label belongs to, by the offset at which the label starts."""
    return {field.label.span.start: chain for chain in fields(file) for field in chain}


def colons(chain: tuple[tree.Field, ...]) -> list[int]:
    """Return the offsets at which an old chain `a b: v` lacks a colon; none for a modern one."""
    return [_end(field) for field in chain if not field.colon]


def _end(field: tree.Field) -> int:
    """Return the offset behind a field's label and its mark."""
    end = field.label.span.end
    return field.span.source.text.index(field.mark, end) + 1 if field.mark else end
