"""Types, bounds and validators: what a node may be, before and after its scalar is known."""

from __future__ import annotations

from dispatchfile.cue.node import RUNNING, Conjunct, Node
from dispatchfile.cue.scope import FUNCTIONS
from dispatchfile.cue.values import (
    ERROR,
    INT,
    LIST,
    NUMBER,
    PREDECLARED_KINDS,
    STRUCT,
    UNSET,
    Bottom,
    Bound,
    Stop,
    Unset,
    kind_name,
    kind_of,
    number_range,
    show,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span

_FUNCTIONS = frozenset(FUNCTIONS)


def predeclared(machine: Machine, node: Node, name: str, conjunct: Conjunct) -> None:
    """Restrict a node to a predeclared type."""
    kind = PREDECLARED_KINDS.get(name)
    if kind is not None:
        machine.restrict(node, kind, conjunct)
    elif name in _FUNCTIONS:
        machine.refuse(node, Bottom(ERROR, f"{name} is a function: write {name}(…)", conjunct.expr.span))
    elif machine.restrict(node, NUMBER if name[0] == "f" else INT, conjunct):
        low, high = number_range(name)
        span = conjunct.expr.span
        bounds = [Bound(op, limit, span) for op, limit in ((">=", low), ("<=", high)) if limit is not None]
        node.bounds = [*node.bounds, *[(bound, conjunct) for bound in bounds]]


def enforce(machine: Machine, node: Node) -> None:
    """Hold a node's scalar against its bounds and validators, or the bounds against each other."""
    if node.atom is UNSET and node.bounds:
        _meet_bounds(machine, node)
    if node.error is not None:
        return
    atom = node.atom
    if not isinstance(atom, Unset):
        for bound, conjunct in node.bounds:
            if not bound.kinds & node.kind:
                machine.conflict(node, str(bound), conjunct)
                return
            try:
                fits = bound.allows(atom)
            except Stop as stop:  # a regular expression that is none, or takes too long
                machine.refuse(node, stop.bottom)
                return
            if not fits:
                span = node.kind_from.expr.span if node.kind_from is not None else None
                _refuse(machine, node, f"invalid value {show(atom)} (out of bound {bound})", span)
                return
    if node.checks and not (node.atom is UNSET and node.kind not in (STRUCT, LIST)):
        _check(machine, node)


def _check(machine: Machine, node: Node) -> None:
    from dispatchfile.cue.exporter import concrete

    if node.state == RUNNING and node.waiting:
        return
    for check, name, span in node.checks:
        try:
            value = node.atom if node.atom is not UNSET else concrete(machine, node, span)
            fits = check(value)
        except Stop as stop:
            if stop.bottom.code == ERROR:
                machine.refuse(node, stop.bottom)
            elif node.blocked is None:
                node.blocked = stop.bottom
            return
        except ValueError as problem:
            _refuse(machine, node, f"invalid value (does not satisfy {name}): {problem}", span)
            return
        if not fits:
            shown = show(value) if kind_of(value) not in (STRUCT, LIST) else f"this {kind_name(node.kind)}"
            _refuse(machine, node, f"invalid value {shown} (does not satisfy {name})", span)
            return


def _refuse(machine: Machine, node: Node, message: str, span: Span | None) -> None:
    """Record an error on a node in which everything that is said about it takes part."""
    bottom = Bottom(ERROR, message, span)
    bottom.parties = node
    machine.refuse(node, bottom)


def _meet_bounds(machine: Machine, node: Node) -> None:
    """Find bounds that exclude each other, or leave one value."""
    low: Bound | None = None
    high: Bound | None = None
    for bound, _ in node.bounds:
        if not bound.kinds & node.kind or bound.operator in ("!=", "=~", "!~"):
            continue
        if bound.operator[0] == ">":
            if low is None or _tighter(bound, low, up=True):
                low = bound
        elif high is None or _tighter(bound, high, up=False):
            high = bound
    if low is None or high is None:
        return
    least, most = low.limit, high.limit
    try:
        strict = low.operator == ">" or high.operator == "<"
        empty = least > most or (least == most and strict)  # type: ignore[operator] # both of one kind
    except TypeError:
        _refuse(machine, node, f"bounds of different kinds: {low} and {high}", high.span)
        return
    if not empty and node.kind == INT and strict:
        from math import ceil, floor

        first = floor(least) + 1 if low.operator == ">" else ceil(least)  # type: ignore[arg-type] # numbers
        last = ceil(most) - 1 if high.operator == "<" else floor(most)  # type: ignore[arg-type] # numbers
        empty = first > last
        if first == last and least == int(least) and most == int(most):  # type: ignore[arg-type] # numbers
            node.atom = first
            return
    if empty:
        _refuse(machine, node, f"no value can be both {low} and {high}", high.span)
    elif least == most and not strict and kind_of(least) & node.kind & NUMBER:
        node.kind, node.atom = kind_of(least), least


def _tighter(bound: Bound, than: Bound, *, up: bool) -> bool:
    try:
        if bound.limit == than.limit:
            return len(bound.operator) < len(than.operator)
        return (bound.limit > than.limit) == up  # type: ignore[operator] # both of one kind
    except TypeError:
        return False
