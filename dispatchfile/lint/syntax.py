"""What rules ask of the syntax tree of a CUE file, from one walk over it."""

from __future__ import annotations

from functools import lru_cache

from dispatchfile.cue import tree
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Chain: TypeAlias = tuple[tree.Field, ...]

_BELOW: dict[type, tuple[str, ...]] = {
    tree.File: ("declarations",),
    tree.Struct: ("declarations",),
    tree.ListLiteral: ("elements", "rest"),
    tree.Rest: ("value",),
    tree.Embedding: ("value",),
    tree.Let: ("value",),
    tree.Comprehension: ("clauses", "value"),
    tree.For: ("source",),
    tree.If: ("condition",),
    tree.Aliased: ("value",),
    tree.Parenthesis: ("inner",),
    tree.Unary: ("operand",),
    tree.Binary: ("left", "right"),
    tree.Call: ("function", "arguments"),
    tree.Interpolation: ("parts",),
    tree.Selector: ("operand",),
    tree.Index: ("operand", "index"),
    tree.Slice: ("operand", "low", "high"),
    tree.Interpolated: ("value",),
    tree.Dynamic: ("value",),
    tree.Pattern: ("value",),
}  # where what has a part in the value stands below a node


class Survey(Record, eq=False):
    """What a file holds.

    `chains` are its fields in order, each alone or with those below it that the same chain `a b: c: v` names.
    `mentioned` are the names that an expression refers to: `name`, `.name`, `["name"]`. `marked` are the names of the
    fields that are optional or required somewhere.
    """

    chains: tuple[Chain, ...]
    mentioned: frozenset[str]
    marked: frozenset[str]


@lru_cache(maxsize=4)
def survey(file: tree.File) -> Survey:
    """Return what a file holds."""
    chains: list[Chain] = []
    mentioned: set[str] = set()
    marked: set[str] = set()
    waiting: list[object] = [file]
    while waiting:
        node = waiting.pop()
        kind = node.__class__
        if kind is tuple:
            waiting.extend(reversed(node))  # type: ignore[call-overload] # of nodes and texts
        elif isinstance(node, tree.Field):
            chain = _chain(node)
            chains.append(chain)
            marked.update(one.label.name for one in chain if one.mark and isinstance(one.label, tree.Name))
            waiting.append(chain[-1].value)
            waiting.extend(one.label for one in reversed(chain) if not isinstance(one.label, tree.Name))
        elif isinstance(node, tree.Identifier):
            mentioned.add(node.name)
        else:
            if isinstance(node, tree.Selector):
                mentioned.add(node.label)
            elif isinstance(node, tree.Index) and isinstance(node.index, tree.String):
                mentioned.add(node.index.value)
            waiting.extend(getattr(node, name) for name in reversed(_BELOW.get(kind, ())))
    return Survey(tuple(chains), frozenset(mentioned), frozenset(marked))


def _chain(field: tree.Field) -> Chain:
    chain = [field]
    value = field.value
    while isinstance(value, tree.Struct) and value.implied and len(value.declarations) == 1:
        below = value.declarations[0]
        if not isinstance(below, tree.Field):
            break
        chain.append(below)
        value = below.value
    return tuple(chain)


@lru_cache(maxsize=4)
def chains_by_label(file: tree.File) -> dict[int, Chain]:
    """Return the chain that each label belongs to, by the offset at which the label starts."""
    return {field.label.span.start: chain for chain in survey(file).chains for field in chain}


def colons(chain: Chain) -> list[int]:
    """Return the offsets at which an old chain `a b: v` lacks a colon; none for a modern one."""
    return [_end(field) for field in chain if not field.colon]


def _end(field: tree.Field) -> int:
    """Return the offset behind a field's label and its mark."""
    end = field.label.span.end
    return field.span.source.text.index(field.mark, end) + 1 if field.mark else end
