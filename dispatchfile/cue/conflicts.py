"""The message of a conflict: what meets what, and every place that takes part."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.node import Conjunct, Node, Plain, shown_label
from dispatchfile.cue.scope import PREDECLARED
from dispatchfile.cue.values import ERROR, LIST, STRUCT, UNSET, Bottom, kind_name, show
from dispatchfile.cue.walk import children
from dispatchfile.diagnostics import Related

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span

LISTS = "lists are unified, not appended: write the elements into one list, or join two lists with +"


def describe(node: Node, what: str, conjunct: Conjunct) -> Bottom:
    """Return the error that `what`, written by `conjunct`, contradicts what the node already is."""
    known = known_as(node)
    span = conjunct.expr.span
    if known.startswith("a list of") and what.startswith("a list of"):
        message = f"lists of different length: {known.removeprefix('a list of ')} and {what.removeprefix('a list of ')} elements"
    else:
        message = f"conflicting values {known} and {what}"
    bottom = Bottom(ERROR, message, span, (), LISTS if _lists_meet(node) else "")
    bottom.parties = node
    return bottom


def known_as(node: Node) -> str:
    """Return how a message names what a node is so far."""
    if node.atom is not UNSET:
        return show(node.atom)
    if node.kind == LIST and node.length is not None:
        return f"a list of {node.length}"
    return kind_name(node.kind)


def _lists_meet(node: Node) -> bool:
    """Return whether two list literals were given for the node or for one above it."""
    found: Node | None = node
    while found is not None:
        literals = [c for c in (*found.conjuncts, *found.derived) if c.expr.__class__ is tree.ListLiteral]
        if len(literals) > 1:
            return True
        found = found.parent
    return False


def places(machine: Machine, node: Node, main: Span) -> tuple[str, tuple[Related, ...]]:
    """Return what `main` says about a node and the path it stands at, and the same of every other place."""
    found: dict[tuple[int, int], Related] = {}
    for conjunct in (*node.conjuncts, *node.derived):
        expr = conjunct.expr
        what = _said(machine, expr)
        if what:
            place = written_at(machine.file, expr.span)
            found[expr.span.start, expr.span.end] = Related(
                expr.span, f"{what} at {place}" if place else what
            )
    own = found.pop((main.start, main.end), None)
    return own.message if own else "", tuple([found[place] for place in sorted(found)])


def _said(machine: Machine, expr: Any) -> str:
    """Return how a message names what an expression asks for; "" for one whose parts say it."""
    kind = expr.__class__
    if kind in (Node, tree.Parenthesis, tree.Aliased) or expr.span is None:
        return ""
    if kind is tree.Binary and expr.operator in "&|":
        return "" if expr.operator == "&" else "a disjunction"
    if kind is Plain and expr.span is not None:
        return f"{show(expr.value)}, computed" if expr.value.__class__ not in (list, dict) else ""
    if kind is tree.ListLiteral:
        return "an open list" if expr.rest is not None else f"a list of {len(expr.elements)}"
    if kind is tree.Struct:
        return kind_name(STRUCT)
    if kind is tree.Identifier:
        meaning = machine.meanings.get(expr)
        if meaning is not None and meaning.kind == PREDECLARED:
            return meaning.name
    text = " ".join(expr.span.text.split())
    text = text if len(text) <= 60 else text[:57] + "…"
    return f"the reference {text}" if kind in _REFERENCES else text


def written_at(file: tree.File, span: Span) -> str:
    """Return the path of the labels around a place of a file, as in `task.test.steps[0]`."""
    parts: list[str] = []
    node: tree.Node | None = file
    while node is not None:
        below = children(node)
        inner = next((c for c in below if c.span.start <= span.start and span.end <= c.span.end), None)
        if isinstance(inner, tree.Field):
            label = inner.label
            parts.append("." + (_label(label) if isinstance(label, tree.Name) else label.span.text))
        elif isinstance(node, tree.ListLiteral) and inner in node.elements:
            parts.append(f"[{node.elements.index(inner)}]")
        node = inner
    return "".join(parts).removeprefix(".")


def _label(label: tree.Name) -> str:
    return shown_label(label.name) if label.quoted else label.name


_REFERENCES = frozenset((tree.Identifier, tree.Selector, tree.Index))
