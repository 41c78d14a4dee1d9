"""Disjunctions: every alternative is tried in a scratch node, and those that fail are dropped.

A scratch node holds the node's own conjuncts, and the decision which alternative to take where the disjunction
comes up. What is left after all disjunctions of a node are tried is its list of disjuncts, each a scratch node and
whether it is a default. A value is a default when no disjunction it passed through has another alternative marked
in its place, and at least one has it marked. Of a disjunction within an alternative of another the inner marks
count, as in CUE v0.1.2: `*"a" | (*"b" | "c")` has two defaults. (Later versions let the outer mark decide.)
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.node import DONE, REGULAR, RUNNING, Choice, Node
from dispatchfile.cue.values import ERROR, LIST, PREDECLARED_KINDS, STRUCT, TOP, UNSET, Bottom, kind_of, same
from dispatchfile.diagnostics import Related

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from dispatchfile.cue.unify import Machine

MAYBE, DEFAULT, OTHER = range(3)
SHOWN = 8  # reasons why no alternative fits


def alternatives(expr: Any) -> list[tuple[Any, bool]]:
    """Return the alternatives of a disjunction with whether each is marked by `*`."""
    found: list[tuple[Any, bool]] = []
    while expr.__class__ is tree.Binary and expr.operator == "|":
        found.append(_marked(expr.right))
        expr = expr.left
    found.append(_marked(expr))
    found.reverse()
    return found


def _marked(expr: Any) -> tuple[Any, bool]:
    if expr.__class__ is tree.Unary and expr.operator == "*":
        return expr.operand, True
    return expr, False


def choose(machine: Machine, node: Node) -> bool:
    """Try the alternatives of a node's first open disjunction; return whether the node got something new."""
    node.disjuncts = ()
    first: list[tuple[Any, bool, Node]] = []
    for choice in list(node.choices)[: None if node.stands_for is None else 1]:
        left = _fitting(machine, node, choice)
        if not left:
            return False
        if len(left) == 1:
            _adopt(machine, node, choice, left[0])
            return True
        first = first or left
    node.disjuncts = _combined(machine, first)
    return False


def _fitting(machine: Machine, node: Node, choice: Choice) -> list[tuple[Any, bool, Node]]:
    """Return the alternatives that do not fail, each with its mark and scratch node; none left is an error.

    `*b.x | 3` is 3 where b is open and has no x.
    """
    left: list[tuple[Any, bool, Node]] = []
    errors: list[tuple[Any, Bottom]] = []
    excluded: list[tuple[Any, bool]] = []
    for term, marked in choice.alternatives:
        if _excluded(node, term):
            excluded.append((term, marked))
            continue
        scratch = _scratch(machine, node, choice, term, marked=marked)
        error = deep_error(machine, scratch)
        if error is None:
            left.append((term, marked, scratch))
        else:
            errors.append((term, error))
    if not left:
        for term, marked in excluded[: SHOWN - len(errors)]:
            error = deep_error(machine, _scratch(machine, node, choice, term, marked=marked))
            errors += [(term, error)] if error is not None else []
        machine.refuse(node, _none_left(node, choice, errors))
    return [found for found in left if not _is_missing(found[2])] or left


def _is_missing(scratch: Node) -> bool:
    """Return whether an alternative is a field that is not there, which counts only when no other alternative fits."""
    return scratch.blocked is not None and scratch.blocked.missing


def _adopt(machine: Machine, node: Node, choice: Choice, only: tuple[Any, bool, Node]) -> None:
    """Make the only alternative left a part of the node.

    When the others fail whatever else is chosen, their marks count no more; when they fail only beside what a
    scratch node has decided, the one that is left has a mark.
    """
    term, marked, _ = only
    if choice.conjunct.expr in node.siblings:
        node.mark = _meet(_mark(choice, marked), node.mark)
    elif node.stands_for is not None and marked:
        node.outer = DEFAULT
    node.choices = [other for other in node.choices if other is not choice]
    node.settled = [*node.settled, (choice.conjunct.expr, term)]
    machine.derive(node, choice.conjunct.of(term, choice.conjunct.env))


def _excluded(node: Node, term: Any) -> bool:
    """Return whether a literal alternative obviously contradicts what the node already is."""
    kind = term.__class__
    if kind in _SCALARS:
        value = _scalar(term)
        if node.atom is not UNSET:
            return not same(node.atom, value)
        return not node.kind & kind_of(value)
    if kind is tree.Struct:
        return not node.kind & STRUCT or any(_contradicts(node, field) for field in term.declarations)
    return kind is tree.ListLiteral and not node.kind & LIST


def _contradicts(node: Node, declaration: Any) -> bool:
    """Return whether a field of a struct literal is a scalar other than one that the node's field is given as."""
    if declaration.__class__ is not tree.Field or declaration.value.__class__ not in _SCALARS:
        return False
    label = declaration.label
    if label.__class__ is not tree.Name or label.name[:1] in "_#" or declaration.mark:
        return False
    arc = node.arcs.get(label.name)
    return arc is not None and any(
        conjunct.expr.__class__ in _SCALARS and not same(_scalar(conjunct.expr), _scalar(declaration.value))
        for conjunct in arc.conjuncts
    )


def _scalar(literal: Any) -> Any:
    return None if literal.__class__ is tree.Null else literal.value


def _scratch(machine: Machine, node: Node, choice: Choice, term: Any, *, marked: bool) -> Node:
    machine.spend()
    scratch = Node(node.parent, node.label)
    scratch.stands_for = node.stands_for or node
    scratch.conjuncts = list(node.conjuncts)
    scratch.settled = [*node.settled, (choice.conjunct.expr, term)]
    scratch.decided = scratch.settled
    scratch.mark, scratch.outer = node.mark, _mark(choice, marked)
    if choice.conjunct.expr in node.siblings:
        scratch.mark = _meet(node.mark, node.outer)
    elif scratch.outer == MAYBE:
        scratch.outer = node.outer
    scratch.siblings = (*node.siblings, *[other.conjunct.expr for other in node.choices])
    return scratch


def _mark(choice: Choice, marked: bool) -> int:  # noqa: FBT001 the alternative's mark
    return (DEFAULT if marked else OTHER) if choice.marked else MAYBE


def _meet(a: int, b: int) -> int:
    return OTHER if OTHER in (a, b) else max(a, b)


def _combined(machine: Machine, left: list[tuple[Any, bool, Node]]) -> list[tuple[Node, int]]:
    """Return the leaves of all alternatives with their marks, equal ones joined."""
    found: dict[Hashable, tuple[Node, int]] = {}
    for _, _, scratch in left:
        for leaf, mark in scratch.disjuncts or [(scratch, _meet(scratch.mark, scratch.outer))]:
            machine.spend(1 + len(leaf.arcs))
            key = signature(leaf)
            known = found.get(key)
            if known is None:
                found[key] = (leaf, mark)
            elif mark == DEFAULT or known[1] == DEFAULT:
                found[key] = (known[0], DEFAULT)
    _drop_lists(found)
    return list(found.values())


def _drop_lists(found: dict[Hashable, tuple[Node, int]]) -> None:
    """Drop the lists that an open list of the same elements allows too, as CUE v0.1.2 does."""
    if any(mark for _, mark in found.values()):
        return
    for leaf, _ in list(found.values()):
        if (
            leaf.kind == LIST
            and leaf.length is None
            and not leaf.arcs
            and leaf.blocked is None
            and not leaf.choices
        ):
            fits = [key for key, (other, _) in found.items() if other is not leaf and _allowed(leaf, other)]
            for key in fits:
                del found[key]
            return


def _allowed(open_list: Node, other: Node) -> bool:
    """Return whether every element of a closed list of scalars is of the type that `...T` asks for."""
    if other.kind != LIST or other.length is None or other.blocked is not None:
        return False
    kinds = TOP
    for _, rest in open_list.rests:
        name = rest.expr.name if rest.expr.__class__ is tree.Identifier else ""
        kinds &= PREDECLARED_KINDS.get(name, 0)
    return all(arc.atom is not UNSET and arc.kind & kinds for arc in other.items())


def signature(node: Node) -> Hashable:
    """Return a key that is equal for nodes that are certainly the same value."""
    if node.state != DONE or node.blocked is not None or node.disjuncts or node.checks or node.patterns:
        return id(node)
    if node.atom is not UNSET:
        return node.kind, node.atom
    if node.kind not in (STRUCT, LIST):
        return node.kind, tuple([str(bound) for bound, _ in node.bounds])
    if node.kind == LIST and node.length is None:
        return id(node)
    parts = [
        (label, arc.presence, signature(arc)) for label, arc in node.arcs.items() if arc.presence == REGULAR
    ]
    if len(parts) != len(node.arcs):
        return id(node)
    return node.kind, tuple(sorted(parts, key=lambda part: str(part[0]))), bool(node.groups)


def deep_error(machine: Machine, node: Node) -> Bottom | None:
    """Return the first error in a node or below it that no more information can mend."""
    if node.state == RUNNING:
        machine.cycles += 1
        return None
    machine.evaluate(node)
    if node.error is not None:
        return node.error
    if node.disjuncts:
        return None
    for arc in list(node.arcs.values()):
        if arc.presence == REGULAR:
            if arc.state == DONE and arc.error is None and not arc.arcs:
                continue
            machine.depth += 1
            try:
                error = deep_error(machine, arc)
            finally:
                machine.depth -= 1
            if error is not None:
                return error
    return None


def _none_left(node: Node, choice: Choice, errors: list[tuple[Any, Bottom]]) -> Bottom:
    """Return the error that no alternative fits, with the reason of each."""
    count = len(choice.alternatives)
    related: list[Related] = []
    for term, error in errors[:SHOWN]:
        span = term.span if term.__class__ is not Node else error.span
        if span is not None:
            within = error.related[0].message if error.choice and error.related else error.message
            related.append(Related(span, within))
    bottom = Bottom(
        ERROR, f"none of the {count} alternatives fits", choice.conjunct.expr.span, tuple(related)
    )
    bottom.choice = True
    bottom.parties = node
    return bottom


_SCALARS = frozenset((tree.String, tree.Number, tree.Bool, tree.Null, tree.Bytes))
