"""The parts of which an evaluation is made: nodes, the conjuncts they hold, environments, groups.

How they work together stands at the head of `unify.py`.
"""

from __future__ import annotations

from dispatchfile.cue.values import TOP, UNSET, Bottom, Bound, Unset
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from dispatchfile.cue.closedness import Group
    from dispatchfile.cue.values import Atom

    # A tree.Expression, tree.Comprehension, tree.Field with a computed label, Plain or Node.
    Term: TypeAlias = Any

# How far a node's own level is evaluated. PARTIAL: it met a node that was still being evaluated, so ask again.
NEW, RUNNING, PARTIAL, DONE = range(4)

# How a field is there: only `a?: …`, also `a!: …`, or for good.
OPTIONAL, REQUIRED, REGULAR = range(3)


class Env:
    """One instantiation of a scope: the node a struct literal is part of, or bindings, or both."""

    __slots__ = ("bindings", "node", "up")

    def __init__(self, node: Node | None, up: Env | None, bindings: dict[str, Any] | None = None) -> None:
        self.node = node
        self.up = up
        self.bindings = bindings


class Trail:
    """The nodes that references led to on the way to a conjunct, from the innermost outwards."""

    __slots__ = ("length", "target", "up")

    def __init__(self, target: Node, up: Trail | None) -> None:
        self.target = target
        self.up = up
        self.length: int = 1 if up is None else up.length + 1

    def holds(self, target: Node) -> bool:
        """Return whether `target` is on the trail."""
        step: Trail | None = self
        while step is not None:
            if step.target is target:
                return True
            step = step.up
        return False


class Conjunct:
    """One thing a node must satisfy: an expression where it was written, and the environment it means there."""

    __slots__ = ("cyclic", "env", "expr", "group", "key", "trail")

    def __init__(
        self,
        expr: Term,
        env: Env | None,
        group: Group | None = None,
        trail: Trail | None = None,
        key: Span | None = None,
        cyclic: bool = False,  # noqa: FBT001, FBT002 made by the thousand, so passed by place
    ) -> None:
        self.expr = expr
        self.env = env
        self.group = group
        self.trail = trail
        self.key = key
        self.cyclic = cyclic

    def of(self, expr: Term, env: Env | None) -> Conjunct:
        """Return a conjunct that differs in expression and environment."""
        return Conjunct(expr, env, self.group, self.trail, self.key, self.cyclic)


class Plain:
    """A computed value as a conjunct's expression: a scalar, a Python list or dict (of such, or of nodes)."""

    __slots__ = ("span", "value")

    def __init__(self, value: Any, span: Span | None) -> None:
        self.value = value
        self.span = span


class Choice:
    """A disjunction that is part of a node: the conjunct it is, its alternatives, and which are marked as default."""

    __slots__ = ("alternatives", "conjunct", "marked")

    def __init__(self, conjunct: Conjunct, alternatives: Sequence[tuple[Term, bool]]) -> None:
        self.conjunct = conjunct
        self.alternatives = alternatives
        self.marked = any(marked for _, marked in alternatives)


class Node:
    """A value in the making. What most nodes never have is a class attribute until it is set."""

    state = NEW
    presence = REGULAR
    definition = False
    kind = TOP
    kind_from: Conjunct | None = None
    acyclic = False  # follows a node both through itself and from elsewhere
    inside: Node | None = None  # of a value in the middle of an expression: the one around it
    siblings: tuple[Term, ...] = ()  # in a scratch node: the disjunctions of the node it is tried out for
    loose = False  # holds a struct literal that is a struct only if nothing it embeds says otherwise
    frozen = False  # a comprehension loops over the fields, so none may be added
    final = False  # the last try for what depends on what the node does not have
    mark = 0  # in a scratch node: what the disjunctions it has passed say, and
    outer = 0  # its own alternative, unless a disjunction within that says otherwise
    atom: Atom | Unset = UNSET
    bounds: list[tuple[Bound, Conjunct]] | tuple[()] = ()
    checks: list[tuple[Callable[[Any], bool], str, Span | None]] | tuple[()] = ()
    error: Bottom | None = None
    blocked: Bottom | None = None
    seen = 0  # how many conjuncts are worked in
    patterns: list[tuple[Any, Env | None, Conjunct]] | tuple[()] = ()
    rests: list[tuple[int, Conjunct]] | tuple[()] = ()  # `...T` of lists: from which element on
    length: int | None = None  # of a closed list
    length_from: Conjunct | None = None
    waiting: list[Conjunct] | tuple[()] = ()
    choices: list[Choice] | tuple[()] = ()
    disjuncts: list[tuple[Node, int]] | tuple[()] = ()  # what is left of the choices, and which are defaults
    decided: (
        list[tuple[Term, Term]] | tuple[()]
    ) = ()  # in a scratch node: disjunctions and the alternative to take
    settled: list[tuple[Term, Term]] | tuple[()] = ()  # all such decisions made so far
    yielded: dict[Conjunct, set[Any]] | None = None  # what comprehensions have brought already
    unmatched: Bottom | None = None  # why it is not known which labels a pattern allows
    stands_for: Node | None = None  # in a scratch node: what it is tried out for
    derived: list[Conjunct] | tuple[()] = ()  # conjuncts that follow from those given
    followers: list[tuple[Node, Conjunct, Group | None, dict[Group, Group]]] | tuple[()] = ()
    followed: set[tuple[Node, bool]] | None = None
    declared: dict[str, list[Group | None]] | None = None  # which groups name a field
    offered: dict[str, list[Group | None]] | None = None  # the part of these that do not give it
    groups: list[Group] | tuple[()] = ()
    literals = 0  # how many struct literals, and what else brings fields, it is made of
    struct_conjuncts = 0
    cyclic_conjuncts = 0

    def __init__(self, parent: Node | None, label: str | int | None) -> None:
        self.parent = parent
        self.label = label
        self.conjuncts: list[Conjunct] = []
        self.arcs: dict[Any, Node] = {}

    def path(self) -> str:
        """Return where the node stands, as in `task.test.steps[0]`."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None and node.label is not None:
            label = node.label
            if isinstance(label, int):
                parts.append(f"[{label}]")
            else:
                parts.append("." + shown_label(label))
            node = node.parent
        return "".join(reversed(parts)).removeprefix(".")

    def depth(self) -> int:
        """Return how many nodes stand above this one."""
        count, node = 0, self.parent
        while node is not None:
            count, node = count + 1, node.parent
        return count

    def items(self) -> list[Node]:
        """Return the elements of a list that are there."""
        return [self.arcs[index] for index in range(len(self.arcs)) if index in self.arcs]

    def fields(self) -> list[tuple[str, Node]]:
        """Return the regular fields of a struct: what it exports and loops go over."""
        return [
            (label, arc)
            for label, arc in self.arcs.items()
            if arc.presence == REGULAR and not arc.definition and label[:1] != "\0"
        ]


def shown_label(label: str) -> str:
    """Return a label as it is written: without the mark of hidden ones, quoted where a bare word will not do."""
    if label[:1] == "\0":
        return label[1:]
    if label.replace("_", "a").replace("$", "a").replace("-", "a").isalnum():
        return label
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
