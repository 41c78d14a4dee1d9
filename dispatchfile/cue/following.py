"""References: a node takes over the conjuncts of what it refers to, and notices when that leads back to itself."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.closedness import Group, embedded_closed
from dispatchfile.cue.node import DONE, Conjunct, Node, Plain, Trail
from dispatchfile.cue.values import UNSET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.unify import Machine


def follow(machine: Machine, node: Node, target: Node, through: Conjunct, *, definition: bool) -> None:
    """Let a node take over the conjuncts of a reference's target, now and in the future."""
    if target is node:
        return
    if node.followed is None:
        node.followed = set()
    if (target, definition) in node.followed:
        node.acyclic = node.acyclic or not (through.cyclic or _met(node, target, through))
        return
    node.followed.add((target, definition))
    if (
        target.state == DONE
        and target.atom is not UNSET
        and not (target.blocked or target.error or target.arcs)
    ):
        machine.derive(node, through.of(Plain(target.atom, machine.place(target)), None))
        _watch(target, (node, through, through.group, {}))
        return
    group = through.group
    if definition and machine.closing:
        embedded_closed(group)
        group = Group(group, closed=True, old=target.definition)
    copies: dict[Group, Group] = {}
    for conjunct in list(target.conjuncts):
        machine.spend()
        pass_on(machine, node, conjunct, through, group, copies, target)
    _watch(target, (node, through, group, copies))


def _watch(target: Node, follower: tuple[Node, Conjunct, Group | None, dict[Group, Group]]) -> None:
    """Note who takes over what comes to a node later."""
    if isinstance(target.followers, tuple):
        target.followers = []
    target.followers.append(follower)


def pass_on(
    machine: Machine,
    node: Node,
    conjunct: Conjunct,
    through: Conjunct,
    group: Group | None,
    copies: dict[Group, Group],
    target: Node,
) -> None:
    """Give a node one conjunct of a target it follows."""
    cyclic = through.cyclic or _met(node, target, through)
    trail = through.trail
    if trail is not None:
        machine.spend(trail.length // 16)  # what it takes to search it
    if trail is None or not trail.holds(target):
        trail = Trail(target, trail)
    if conjunct.group is not None:
        group = _regrouped(conjunct.group, group, copies)
    machine.derive(node, Conjunct(conjunct.expr, conjunct.env, group, trail, None, cyclic))


def is_definition(machine: Machine, expr: Any, target: Node) -> bool:
    """Return whether a reference goes through a definition, and so closes what it brings."""
    if not machine.closing:
        return False
    if target.definition:
        return True
    while True:
        kind = expr.__class__
        if kind is tree.Identifier:
            return bool(expr.name[:1] == "#" or expr.name[:2] == "_#")
        if kind is tree.Selector:
            if not expr.quoted and (expr.label[:1] == "#" or expr.label[:2] == "_#"):
                return True
            expr = expr.operand
        elif kind is tree.Index:
            expr = expr.operand
        elif kind is tree.Parenthesis:
            expr = expr.inner
        else:
            return False


def _met(node: Node, target: Node, through: Conjunct) -> bool:
    """Return whether a reference leads to a node that the conjunct came through, or is inside of."""
    return (through.trail is not None and through.trail.holds(target)) or _above(node, target)


def _above(node: Node, target: Node) -> bool:
    """Return whether `target`, or what it is tried out for, is an ancestor of `node`."""
    up = node.parent
    while up is not None:
        if up is target or up.stands_for is target:
            return True
        up = up.parent
    return False


def _regrouped(group: Group, upper: Group | None, copies: dict[Group, Group]) -> Group:
    """Return a copy of a chain of groups that hangs below another group."""
    copy = copies.get(group)
    if copy is None:
        up = upper if group.up is None else _regrouped(group.up, upper, copies)
        copy = copies[group] = group.below(up)
    return copy
