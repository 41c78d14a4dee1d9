"""The message of a conflict: what meets what, and every place that takes part."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.node import Conjunct, Node
from dispatchfile.cue.values import ERROR, LIST, UNSET, Bottom, kind_name, show
from dispatchfile.diagnostics import Related

LISTS = "lists are unified, not appended: write the elements into one list, or join two lists with +"


def describe(node: Node, what: str, conjunct: Conjunct) -> Bottom:
    """Return the error that `what`, written by `conjunct`, contradicts what the node already is."""
    known = known_as(node)
    span = conjunct.expr.span
    first = node.kind_from.expr.span if node.kind_from is not None else None
    if known.startswith("a list of") and what.startswith("a list of"):
        message = f"lists of different length: {known.removeprefix('a list of ')} and {what.removeprefix('a list of ')} elements"
    else:
        message = f"conflicting values {known} and {what}"
    related: tuple[Related, ...] = (
        (Related(first, f"the other place: {known}"),) if first is not None and first != span else ()
    )
    if conjunct.key is not None and conjunct.key not in (first, span):
        related += (Related(conjunct.key, "the field is given here again"),)
    return Bottom(ERROR, message, span, related, LISTS if _lists_meet(node) else "")


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
