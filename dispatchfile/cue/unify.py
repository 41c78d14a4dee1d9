"""The evaluator: nodes hold conjuncts, environments rebind.

**Nodes.** The value at every path is a `Node`. It is made by unifying its conjuncts: expressions, each with the
`Env` it was written in. A struct literal that joins a node hands every field's expression on to the arc (the child
node) of that label, with a new `Env` whose node is the one it joined. So a node never copies values: a reference
adds the *conjuncts* of its target, and a struct literal among these, instantiated anew, sees the fields of the
node it now stands in. In `a: {x: int, y: x + 1}, b: a & {x: 3}` the expression `x + 1` reaches `b.y` with an
environment whose node is `b`, and gives 4.

**Order of work** (`_settle`). What is written out (literals, structs, types) first; then references; then
expressions that need concrete operands; then comprehensions and computed labels; last disjunctions, for which
`disjunction.py` tries every alternative in a scratch node that holds the same conjuncts. Whatever brings new
conjuncts starts over. Work that lacks information waits, and is tried again after anything new came; what still
waits at the end makes the node incomplete (`blocked`).

**Laziness.** Evaluating a node says all about its own level, nothing about its arcs, which are evaluated on demand.
Demand can come back to a node that is RUNNING: then what is known so far counts, and who asked is PARTIAL, to be
asked again. A conjunct that arrives late makes a DONE node PARTIAL too and is passed on to its `followers`, the
nodes that took over its conjuncts by reference. Information only grows, so late conjuncts can only refine or refuse.

**Ends.** A reference whose target a node has already followed adds nothing (`a: b, b: a`). A conjunct remembers the
targets on its way (`Trail`); one that meets its own target again is cyclic, and a struct of nothing but cyclic
conjuncts is a structural cycle. Depth and number of steps are limited, which stops expansion bombs.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.expand import EXPAND, constrain, match
from dispatchfile.cue.following import follow, is_definition, pass_on
from dispatchfile.cue.node import DONE, PARTIAL, REGULAR, RUNNING, Conjunct, Env, Node
from dispatchfile.cue.values import (
    ERROR,
    LIST,
    STRUCT,
    TOP,
    UNSET,
    Bottom,
    Stop,
    incomplete,
    kind_name,
    kind_of,
    same,
    show,
)
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.cue.scope import Scopes

DEPTH = 400
STEPS_PER_PART = 10
STEPS_AT_LEAST = 40_000


class Exhausted(Exception):
    """The evaluation takes more steps, or goes deeper, than allowed; `span` and `path` say where it stopped."""

    span: Span | None = None
    path: str = ""


class Machine:
    """One evaluation: what the identifiers mean, and how much work is left."""

    def __init__(self, file: tree.File, scopes: Scopes) -> None:
        self.file = file
        self.meanings = scopes.meanings
        self.closing = scopes.closing
        self.limit = STEPS_AT_LEAST + STEPS_PER_PART * scopes.size
        self.steps = self.limit
        self.depth = 0
        self.cycles = 0  # how often a node was consulted that was not finished
        self.last_call = False  # whether what a running node does not have counts as missing
        self.decided = False  # whether any comprehension or computed label was worked in
        self.inner: dict[
            tuple[tree.Expression, Env | None], Node
        ] = {}  # values that have no place of their own
        self.places: Any = UNSET  # of labels in the order of merged fields
        self.root = Node(None, None)
        self.root.literals = 1  # a file is unified with its package, so its fields are always sorted
        self.root.conjuncts.append(
            Conjunct(
                tree.Struct(Span(file.source, 0, len(file.source.text)), file.declarations, implied=True),
                None,
            )
        )

    # Evaluation of one node

    def evaluate(self, node: Node) -> None:
        """Find out all about a node's own level; its arcs are left for later."""
        state = node.state
        if state == DONE:
            return
        if state == RUNNING:
            self.cycles += 1
            return
        if self.depth >= DEPTH:
            raise Exhausted(f"values nest, or refer on, more than {DEPTH} levels deep")
        self.depth += 1
        before, last = self.cycles, self.last_call
        node.state = RUNNING
        try:
            self._settle(node)
        except Exhausted as problem:
            if problem.span is None:
                problem.span, problem.path = self.place(node), node.path()
            raise
        finally:
            self.depth -= 1
            self.last_call = last
            node.state = PARTIAL
        unsure = self.cycles != before and (node.blocked is not None or node.disjuncts)
        if not unsure and node.seen == len(node.conjuncts):
            node.state = DONE

    def _settle(self, node: Node) -> None:
        while True:
            conjuncts = node.conjuncts
            while node.seen < len(conjuncts):
                conjunct = conjuncts[node.seen]
                node.seen += 1
                expand = EXPAND.get(conjunct.expr.__class__)
                if expand is None:
                    self.wait(node, conjunct)
                else:
                    expand(self, node, conjunct)
            if node.waiting and self._work(node):
                continue
            if node.choices and node.error is None:
                from dispatchfile.cue.disjunction import choose

                if choose(self, node):
                    continue
            break
        self._finish(node)

    def _work(self, node: Node) -> bool:
        """Try what waits, the simple before the complex; return whether any of it could be done."""
        node.blocked = None
        count, worked = len(node.waiting), False
        done: set[Conjunct] = set()
        for conjunct in sorted(node.waiting, key=_urgency):
            self.spend()
            if conjunct.expr.__class__ in _LATE and _only_itself(node):
                break
            self.last_call = node.final
            try:
                self._perform(node, conjunct)
            except Stop as stop:
                if stop.bottom.code == ERROR:
                    done.add(conjunct)
                    self.refuse(node, stop.bottom)
                elif node.blocked is None:
                    node.blocked = stop.bottom
                    stop.bottom.owner = stop.bottom.owner or node
                continue
            done.add(conjunct)
            worked = True
            # What is new may be simpler than what comes next, or what an earlier one waits for.
            if node.blocked is not None or len(node.waiting) != count or node.seen < len(node.conjuncts):
                break
        if done:
            node.waiting = [conjunct for conjunct in node.waiting if conjunct not in done]
        if worked:
            return True
        if (
            node.blocked is not None
            and not node.final
            and any(c.expr.__class__ in _LATE for c in node.waiting)
        ):
            node.final = True
            return True
        return False

    def _perform(self, node: Node, conjunct: Conjunct) -> None:
        """Do one piece of waiting work; raises Stop when it fails, or lacks something."""
        expr = conjunct.expr
        kind = expr.__class__
        if kind in _REFERENCES:
            from dispatchfile.cue.references import target

            found = target(self, expr, conjunct.env)
            if found.__class__ is Node:
                follow(self, node, found, conjunct, definition=is_definition(self, expr, found))
            else:
                self.derive(node, conjunct.of(found, None))
        elif kind in _LATE:
            from dispatchfile.cue import comprehension

            comprehension.perform(self, node, conjunct)
        else:
            from dispatchfile.cue import expressions

            expressions.perform(self, node, conjunct)

    def _finish(self, node: Node) -> None:
        if node.blocked is None:
            node.blocked = node.unmatched
        if node.error is not None:
            return
        if node.loose and node.kind == TOP and not node.waiting and not node.choices and not node.bounds:
            node.kind = STRUCT
        if _only_itself(node):
            self.refuse(node, Bottom(ERROR, "structural cycle: the value contains itself", self.place(node)))
            return
        if node.bounds or node.checks:
            from dispatchfile.cue.constraints import enforce

            enforce(self, node)
        if node.groups and not node.choices:
            from dispatchfile.cue.closedness import check

            check(self, node)

    def spend(self, steps: int = 1) -> None:
        """Count steps; raises Exhausted when there have been too many."""
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted(
                f"the evaluation takes more than {self.limit} steps, the limit for a file of this size"
            )

    # Using what a node is

    def chosen(self, node: Node) -> Node:
        """Return the node, or the default of a disjunction that is left; raises Stop when it is ambiguous."""
        while node.disjuncts:
            defaults = [
                disjunct for disjunct, mark in node.disjuncts if mark == 1 or len(node.disjuncts) == 1
            ]
            if len(defaults) != 1:
                if node.state == RUNNING:
                    self.cycles += 1
                raise incomplete(
                    "ambiguous value: several alternatives of a disjunction are left", self.place(node)
                )
            node = defaults[0]
        return node

    def value(self, node: Node, span: Span | None) -> Any:
        """Return a scalar, or the node of a list or struct; raises Stop when it is an error or not concrete."""
        self.evaluate(node)
        node = self.chosen(node)
        if node.error is not None:
            raise Stop(node.error)
        if node.atom is not UNSET:
            return node.atom
        if node.kind in (STRUCT, LIST) and (node.state != RUNNING or not node.blocked):
            if node.blocked is not None and node.kind == LIST:
                raise Stop(node.blocked)
            return node
        if node.state == RUNNING:
            self.cycles += 1
            raise incomplete("the value depends on itself", span)
        if node.blocked is not None:
            raise Stop(node.blocked)
        raise incomplete(f"the value is not concrete: {kind_name(node.kind)}", span)

    def fields(self, node: Node) -> list[tuple[str, Node]]:
        """Return a struct's regular fields in the order in which loops see them."""
        from dispatchfile.cue import order

        if self.places is UNSET:
            self.places = order.ranks(self.file)
        return order.fields(node, self.places)

    # What joins a node

    def add(self, node: Node, conjunct: Conjunct) -> None:
        """Give a node a conjunct, and those that follow it."""
        node.conjuncts.append(conjunct)
        if node.state == DONE:
            node.state = PARTIAL
        for follower, through, group, copies in node.followers:
            pass_on(self, follower, conjunct, through, group, copies, node)

    def derive(self, node: Node, conjunct: Conjunct) -> None:
        """Work in a conjunct that follows from those a node was given."""
        self.spend()
        if isinstance(node.derived, tuple):
            node.derived = []
        node.derived.append(conjunct)
        expand = EXPAND.get(conjunct.expr.__class__)
        if expand is None:
            self.wait(node, conjunct)
        else:
            expand(self, node, conjunct)
        if node.state == DONE:
            node.state = PARTIAL

    def wait(self, node: Node, conjunct: Conjunct) -> None:
        """Put a conjunct off until what is written out is worked in."""
        if isinstance(node.waiting, tuple):
            node.waiting = []
        node.waiting.append(conjunct)

    def arc(self, node: Node, label: Any, value: Conjunct, presence: int = REGULAR) -> Node:
        """Give a node's child of that label a conjunct, and return it; it is made when missing."""
        arc = node.arcs.get(label)
        if arc is None:
            self.spend()
            arc = node.arcs[label] = Node(node, label)
            if presence != REGULAR:
                arc.presence = presence
            if node.frozen and presence == REGULAR:
                self.refuse(
                    node,
                    Bottom(
                        ERROR,
                        f"field {label} is added to a struct that is being looped over",
                        self.place(node),
                    ),
                )
            for pattern in node.patterns:
                match(self, node, arc, pattern, value)
            for start, rest in node.rests:
                if label.__class__ is int and label >= start:
                    constrain(self, arc, rest, value)
        elif arc.presence < presence:
            arc.presence = presence
        self.add(arc, value)
        return arc

    def meet(self, node: Node, atom: Any, conjunct: Conjunct) -> None:
        """Unify a scalar with a node."""
        if node.atom is UNSET:
            kind = kind_of(atom)
            if not node.kind & kind:
                self.conflict(node, show(atom), conjunct)
                return
            node.kind, node.atom, node.kind_from = kind, atom, conjunct
        elif not same(node.atom, atom):
            self.conflict(node, show(atom), conjunct)

    def restrict(self, node: Node, kind: int, conjunct: Conjunct) -> bool:
        """Narrow the kinds a node may have; return whether any is left."""
        left = node.kind & kind
        if not left:
            self.conflict(node, kind_name(kind), conjunct)
            return False
        if left != node.kind or node.kind_from is None:
            node.kind, node.kind_from = left, conjunct
        return True

    def conflict(self, node: Node, what: str, conjunct: Conjunct) -> None:
        """Record that a conjunct and what a node already is exclude each other."""
        if node.error is None:
            from dispatchfile.cue.conflicts import describe

            self.refuse(node, describe(node, what, conjunct))

    def refuse(self, node: Node, bottom: Bottom) -> None:
        """Record an error on a node; the first one counts."""
        if bottom.path is None:
            bottom.path = node.path()
        if node.error is None:
            node.error = bottom

    def place(self, node: Node) -> Span | None:
        """Return the first place of a node, or of the nearest one above it that has one."""
        found: Node | None = node
        while found is not None:
            for conjunct in (*found.conjuncts, *found.derived):
                if conjunct.expr.__class__ is not Node and conjunct.expr.span is not None:
                    span: Span = conjunct.expr.span
                    return span
            found = found.parent
        return None


def _only_itself(node: Node) -> bool:
    """Return whether nothing but references to itself makes the node a struct or list."""
    return 0 < node.cyclic_conjuncts == node.struct_conjuncts and not node.acyclic


def _urgency(conjunct: Conjunct) -> int:
    kind = conjunct.expr.__class__
    if kind in _REFERENCES:
        return 0
    return 2 if kind in _LATE else 1


_REFERENCES = frozenset((tree.Identifier, tree.Selector, tree.Index))
_LATE = frozenset((tree.Comprehension, tree.Field, tree.ListLiteral))
