"""The old syntax of CUE in the words of today's.

What is rewritten means the same in both. Left alone are field chains, which rule DF704 mends, and `+` and `*` on
lists: that an operand is a list cannot be seen in the text, and Dispatchfiles may go on using them.
"""

from __future__ import annotations

import re

from dispatchfile.cue import tree
from dispatchfile.cue.parser import parse
from dispatchfile.cue.scope import FUNCTIONS, PACKAGES, TYPES
from dispatchfile.cue.walk import descendants
from dispatchfile.diagnostics import Edit, Fix
from dispatchfile.lint.fix import applied
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROUNDS = 40
"""How deep old constructs may be nested in each other: a round rewrites those that hold no other."""


def modern(source: Source, file: object = None) -> Source:
    """Return a CUE source in today's syntax as far as that can be told from the text; one with errors as it is.

    `file` is its tree when that is known.
    """
    for _ in range(_ROUNDS):
        file = file or parse(source).file
        fixes = list(_fixes(file)) if isinstance(file, tree.File) else []
        if not fixes:
            break
        text = applied(source.text, fixes)
        if text == source.text:
            break
        source, file = source.with_text(text), None
    return source


def _fixes(file: tree.File) -> Iterator[Fix]:
    nodes = list(descendants(file))
    names = {node.name for node in nodes if isinstance(node, tree.Identifier)}
    yield from _definitions(nodes)
    for node in reversed(nodes):  # inner ones first: of two that overlap, the first is taken
        if isinstance(node, tree.Let) and node.old:
            yield _fix("write `let`", Edit(Span(file.source, node.span.start, node.span.start), "let "))
        elif isinstance(node, tree.Pattern) and node.value is None and node.name is not None:
            label = f"[{node.name}=string]" if node.name in names else "[string]"
            yield _fix(f"write `{label}`", Edit(node.span, label))
        elif isinstance(node, tree.Binary) and node.operator in ("div", "mod", "quo", "rem"):
            call = f"{node.operator}({node.left.span.text}, {node.right.span.text})"
            yield _fix(f"write `{call}`", Edit(node.span, call))
        elif isinstance(node, tree.Comprehension) and node.old:
            yield from _comprehension(node)


def _fix(message: str, *edits: Edit) -> Fix:
    return Fix(message, edits, safe=True)


def _comprehension(node: tree.Comprehension) -> Iterator[Fix]:
    """Yield the fix that puts the clauses of an old comprehension before its value."""
    source, clauses = node.span.source, node.clauses
    between = source.text[node.value.span.end : clauses[0].span.start]
    if between.strip():
        return  # a comment, which would take the rest of the line with it
    value = node.value.span.text
    is_struct = isinstance(node.value, tree.Struct) and not node.value.implied
    heads = source.text[clauses[0].span.start : clauses[-1].span.end]
    yield _fix(
        "write the clauses first", Edit(node.span, f"{heads} {value if is_struct else f'{{{value}}}'}")
    )


# Definitions


def _definitions(nodes: Sequence[tree.Node]) -> Iterator[Fix]:
    """Yield a fix for each old definition `X :: v`: `#X: v`, and whatever refers to it."""
    fields = [node for node in nodes if isinstance(node, tree.Field)]
    old = [
        node
        for node in fields
        if node.colon == "::" and isinstance(node.label, tree.Name) and not node.label.quoted
    ]
    taken = _other_names(nodes)
    for name in dict.fromkeys(_name(node) for node in old):
        if name in taken or name.startswith("#") or _new(name) in {_name(node) for node in fields}:
            continue
        edits = [edit for node in old if _name(node) == name for edit in _field(node, _new(name))]
        for node in nodes:
            if isinstance(node, tree.Identifier) and node.name == name:
                edits.append(Edit(node.span, _new(name)))
            elif isinstance(node, tree.Selector) and node.label == name:
                start = node.span.end - len(name)
                edits.append(Edit(Span(node.span.source, start, node.span.end), _new(name)))
        yield _fix(f"write `{_new(name)}:`", *edits)


def _name(node: tree.Field) -> str:
    return node.label.name if isinstance(node.label, tree.Name) else ""


def _new(name: str) -> str:
    return f"_#{name[1:]}" if name.startswith("_") else f"#{name}"


def _field(node: tree.Field, name: str) -> Iterator[Edit]:
    label = node.label.span
    colon = re.compile(r"[ \t]*([?!]?)[ \t]*::").match(label.source.text, label.end)
    if colon is not None:
        yield Edit(Span(label.source, label.start, colon.end()), f"{name}{colon[1]}:")


def _other_names(nodes: Sequence[tree.Node]) -> set[str]:
    """Return the names that mean something other than a definition somewhere in the file."""
    found: set[str] = {*FUNCTIONS, *TYPES, *(path.rpartition("/")[2] for path in PACKAGES)}
    for node in nodes:
        if isinstance(node, tree.Field):
            found |= {_name(node)} if node.colon != "::" or getattr(node.label, "quoted", False) else set()
            found |= {node.alias} if node.alias else set()
        elif isinstance(node, tree.For):
            found |= {node.value, node.key or ""}
        elif isinstance(node, (tree.Let, tree.Aliased, tree.Import, tree.Pattern)):
            found |= {node.name or ""}
        elif isinstance(node, tree.Index) and isinstance(node.index, tree.String):
            found |= {node.index.value}
        elif isinstance(node, tree.Selector) and node.quoted:
            found |= {node.label}
    return found
