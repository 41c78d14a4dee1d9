"""What was decided on the way must still hold at the end.

A comprehension may bring what makes its own condition false, as in `if b == _|_ {b: 1}`, and a result may be
computed from a default that a comprehension replaces afterwards. Neither has a value.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.comprehension import Run
from dispatchfile.cue.expressions import COMPUTED, compute, is_lattice
from dispatchfile.cue.node import REGULAR, Node
from dispatchfile.cue.values import ERROR, UNSET, Bottom, Stop, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.exporter import Exporter
    from dispatchfile.cue.node import Conjunct
    from dispatchfile.cue.unify import Machine


def check(exporter: Exporter) -> None:
    """Tell of every exported value that would turn out differently now."""
    machine = exporter.machine
    machine.steps = machine.limit
    waiting = [machine.root]
    while waiting:
        node = machine.chosen(waiting.pop())
        bottom = _changed(machine, node)
        if bottom is not None:
            exporter.tell(bottom, node)
        waiting += [arc for arc in node.arcs.values() if arc.presence == REGULAR and _is_exported(arc)]


def _is_exported(arc: Node) -> bool:
    return not arc.definition and str(arc.label)[:1] != "\0"


def _changed(machine: Machine, node: Node) -> Bottom | None:
    """Return an error when one of a node's comprehensions or computed values would turn out differently now."""
    for conjunct, done in (node.yielded or {}).items():
        run = Run(machine, conjunct.expr.clauses)
        try:
            now = {key for key, _ in run.environments(conjunct.env)}
        except Stop:
            continue
        if now != done and run.waits is None:
            message = "circular conditions: what the comprehension brings changes whether it applies"
            return Bottom(ERROR, message, conjunct.expr.span)
    if node.atom is not UNSET:
        for conjunct in (*node.conjuncts, *node.derived):
            if _is_computed(conjunct) and _differs(machine, node, conjunct):
                message = "circular values: what the expression is computed from changes with its result"
                return Bottom(ERROR, message, conjunct.expr.span)
    return None


def _is_computed(conjunct: Conjunct) -> bool:
    expr = conjunct.expr
    kind = expr.__class__
    return kind in COMPUTED and not (kind in (tree.Binary, tree.Unary) and is_lattice(expr))


def _differs(machine: Machine, node: Node, conjunct: Conjunct) -> bool:
    try:
        result = compute(machine, conjunct.expr, conjunct.env)
    except Stop:
        return False
    return result.__class__ not in (Node, list, dict) and not same(result, node.atom)
