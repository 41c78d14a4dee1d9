"""Where a reference leads: from an identifier, selector or index to the node it means."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.node import PARTIAL, REGULAR, RUNNING, Conjunct, Env, Node, Plain, shown_label
from dispatchfile.cue.scope import BINDING, DYNAMIC, FIELD, LET, PACKAGE, internal
from dispatchfile.cue.values import (
    ERROR,
    LIST,
    STRUCT,
    UNSET,
    Bottom,
    Stop,
    fail,
    incomplete,
    kind_name,
    kind_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span


INSTANCES = 32  # of one expression, each within the other: more is a value that needs itself


def target(machine: Machine, expr: Any, env: Env | None) -> Any:
    """Return the node an expression refers to, or a Plain or expression when it means a bare value.

    Raises Stop when it leads nowhere (yet).
    """
    kind = expr.__class__
    if kind is tree.Identifier:
        return _identifier(machine, expr, env)
    if kind is tree.Selector:
        found = _package_member(machine, expr)
        if found is not None:
            return found
        base = base_node(machine, expr.operand, env)
        return lookup(machine, base, internal(expr.label, quoted=expr.quoted), expr.span)
    if kind is tree.Index:
        return _index(machine, expr, env)
    if kind is tree.Parenthesis:
        return target(machine, expr.inner, env)
    return place(machine, expr, env)


def place(machine: Machine, expr: Any, env: Env | None) -> Node:
    """Return a node for a value that stands in the middle of an expression; one for each environment."""
    key = (expr, env)
    node = machine.inner.get(key)
    if node is None:
        node = machine.inner[key] = Node(None, None)
        node.conjuncts.append(Conjunct(expr, env))
        node.inside = _around(env)
        if _instances(node, expr) > INSTANCES:
            raise fail("structural cycle: the value needs itself", expr.span)
    return node


def _around(env: Env | None) -> Node | None:
    """Return the topmost node above an environment, when it is one without a place of its own."""
    while env is not None and env.node is None:
        env = env.up
    if env is None:
        return None
    node = env.node
    while node is not None and node.parent is not None:
        node = node.parent
    return node


def _instances(node: Node, expr: Any) -> int:
    count = 0
    around: Node | None = node
    while around is not None:
        count += around.conjuncts[0].expr is expr
        around = around.inside
    return count


def base_node(machine: Machine, expr: Any, env: Env | None) -> Node:
    """Return the node of an expression that something is taken from."""
    found = target(machine, expr, env)
    if found.__class__ is Node:
        return found
    return place(machine, expr, env)


def unresolved(expr: tree.Identifier) -> Stop:
    """Return the stop at a name that is not in scope; the static pass has told about it."""
    bottom = Bottom(ERROR, f'reference "{expr.name}" not found', expr.span)
    bottom.silent = True
    return Stop(bottom)


def _identifier(machine: Machine, expr: tree.Identifier, env: Env | None) -> Any:
    meaning = machine.meanings.get(expr)
    if meaning is None:
        raise unresolved(expr)
    of: Any = meaning.of
    scope: Any = env  # as many levels are there as the static pass counted
    for _ in range(meaning.hops):
        scope = scope.up
    if meaning.kind == FIELD:
        return _own_field(machine, scope.node, internal(of.name, quoted=of.quoted), expr.span)
    if meaning.kind == BINDING:
        value = scope.bindings[meaning.name]
        return value if value.__class__ is Node else Plain(value, expr.span)
    if meaning.kind == LET:
        return place(machine, of, scope)
    if meaning.kind == DYNAMIC:
        from dispatchfile.cue.expressions import operand

        return _own_field(machine, scope.node, operand(machine, of.value, scope), expr.span)
    if meaning.kind == PACKAGE:
        raise fail(f'package "{meaning.name}" is used without a selector', expr.span)
    return place(machine, expr, env)


def _own_field(machine: Machine, node: Node, label: str, span: Span) -> Node:
    """Return the field that an identifier names in the struct around it."""
    if node.state <= PARTIAL and node.state != RUNNING:
        machine.evaluate(node)
    arc = node.arcs.get(label)
    if arc is None or arc.presence != REGULAR:
        if node.state == RUNNING:
            machine.cycles += 1
        elif node.disjuncts:
            return lookup(machine, node, label, span)
        if arc is None:
            raise incomplete(f"undefined field: {shown_label(label)}", span)
        raise incomplete(f"cannot refer to the optional field {shown_label(label)}, it is not there", span)
    return arc


def lookup(machine: Machine, node: Node, label: str, span: Span) -> Node:
    """Return a struct's field; raises Stop when there is none, or none yet."""
    machine.evaluate(node)
    node = machine.chosen(node)
    if node.error is not None:
        raise Stop(node.error)
    arc = node.arcs.get(label)
    if arc is not None and arc.presence == REGULAR:
        return arc
    if not node.kind & STRUCT:
        raise fail(f"undefined field: {shown_label(label)} (of a {kind_name(node.kind)})", span)
    _still_open(machine, node, span)
    from dispatchfile.cue.closedness import in_definition, is_closed
    from dispatchfile.cue.expand import may_have
    from dispatchfile.spelling import nearest

    known = [
        name.removeprefix("\0")
        for name, found in node.arcs.items()
        if found.presence == REGULAR and isinstance(name, str)
    ]
    guess = nearest(shown_label(label), known)
    bottom = incomplete(f"undefined field: {shown_label(label)}", span).bottom
    if guess:
        bottom.help = f"did you mean {guess}?"
    closed = is_closed(node) or (in_definition(node) and "..." not in (node.declared or {}))
    if closed and not may_have(machine, node, label):
        bottom.code, bottom.rule = ERROR, "DF002"
    raise _missing(machine, node, Stop(bottom))


def _missing(machine: Machine, node: Node, stop: Stop) -> Stop:
    """Return the stop at what a node does not have, marked when no work around the node can bring it any more."""
    around: Node | None = node
    while around is not None and around.state != RUNNING:
        around = around.parent
    stop.bottom.missing = around is None or machine.last_call
    return stop


def _still_open(machine: Machine, node: Node, span: Span) -> None:
    """Raise Stop when a node may still get what it does not have."""
    if node.state == RUNNING:
        machine.cycles += 1
        raise incomplete("the value depends on itself", span)
    if node.blocked is not None:
        raise Stop(node.blocked)
    if node.kind not in (STRUCT, LIST):
        raise incomplete(f"the value is not concrete: {kind_name(node.kind)}", span)


def _index(machine: Machine, expr: tree.Index, env: Env | None) -> Node:
    from dispatchfile.cue.expressions import operand

    base = base_node(machine, expr.operand, env)
    machine.evaluate(base)
    found = machine.chosen(base)
    if found.error is not None:
        raise Stop(found.error)
    if found.atom is not UNSET or not found.kind & (LIST | STRUCT):
        raise fail(f"a {kind_name(found.kind)} cannot be indexed", expr.span)
    index = operand(machine, expr.index, env)
    kind = kind_of(index)
    if isinstance(index, str):
        if not found.kind & STRUCT:
            raise fail(f'a list has no field "{index}": the index must be an int', expr.index.span)
        field = lookup(machine, base, index, expr.span)
        if field.definition:
            raise fail(f"{index} is a definition: write .{index}", expr.index.span)
        return field
    if not isinstance(index, int) or isinstance(index, bool):
        raise fail(
            f"the index is a {kind_name(kind)}; it must be an int (of a list) or a string", expr.index.span
        )
    if not found.kind & LIST:
        raise fail("the index of a struct must be a string", expr.index.span)
    arc = found.arcs.get(index)
    if arc is not None:
        return arc
    if index < 0:
        raise fail(f"the index {index} is negative", expr.index.span)
    _still_open(machine, found, expr.span)
    message = f"index {index} is out of range: the list has {len(found.arcs)} elements"
    if found.length is not None:
        raise fail(message, expr.span)
    raise _missing(machine, found, incomplete(message, expr.span))


def _package_member(machine: Machine, expr: tree.Selector) -> Plain | None:
    """Return a package's constant, such as `math.Pi`; None when the selector is none of a package."""
    operand = expr.operand
    if operand.__class__ is not tree.Identifier:
        return None
    meaning = machine.meanings.get(operand)
    if meaning is None or meaning.kind != PACKAGE:
        return None
    from dispatchfile.cue import builtins

    return builtins.member(meaning.name, expr)
