"""What a conjunct that is written out (a literal, a struct, a list) adds to its node.

`EXPAND` has one function for each kind of expression that needs no information from elsewhere.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.closedness import Group, below
from dispatchfile.cue.following import follow
from dispatchfile.cue.node import OPTIONAL, REGULAR, REQUIRED, Choice, Conjunct, Env, Node, Plain
from dispatchfile.cue.scope import PREDECLARED, internal
from dispatchfile.cue.values import ERROR, LIST, STRUCT, Bottom, Stop, compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span

RESERVED = "a label cannot start with the character U+0000"
_PRESENCE = {"": REGULAR, "!": REQUIRED, "?": OPTIONAL}


# Structs


def struct(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    """Hand the fields of a struct literal to the node's arcs, in a new environment."""
    machine.spend()
    node.literals += 1
    declarations = conjunct.expr.declarations
    if _may_be_scalar(declarations):
        node.loose = node.loose or all(d.__class__ is not tree.Embedding for d in declarations)
    else:
        node.struct_conjuncts += 1
        node.cyclic_conjuncts += conjunct.cyclic
        if not machine.restrict(node, STRUCT, conjunct):
            return
    env = Env(node, conjunct.env)
    group = conjunct.group
    if machine.closing:
        group = _enter(node, group, declarations)
    child = below(group)
    for declaration in declarations:
        kind = declaration.__class__
        if kind is tree.Field:
            label = declaration.label
            if label.__class__ is tree.Name:
                _field(machine, node, declaration, env, conjunct, group, child)
            elif label.__class__ is tree.Pattern:
                _pattern(machine, node, declaration, env, conjunct, group)
            else:
                node.literals += 1
                machine.wait(
                    node, Conjunct(declaration, env, group, conjunct.trail, label.span, conjunct.cyclic)
                )
        elif kind is tree.Embedding:
            node.literals += 1
            value = declaration.value
            inner = Group(group, embedded=True) if machine.closing else None
            machine.derive(node, Conjunct(value, env, inner, conjunct.trail, None, conjunct.cyclic))
        elif kind is tree.Comprehension:
            node.literals += 1
            inner = Group(group, embedded=True, yielded=True) if machine.closing else None
            machine.wait(node, Conjunct(declaration, env, inner, conjunct.trail, None, conjunct.cyclic))
        elif kind is tree.Rest and machine.closing:
            declare(node, "...", group)


def _may_be_scalar(declarations: tuple[Any, ...]) -> bool:
    """Return whether a struct literal embeds something and gives no regular field, so that it is what it embeds."""
    embeds = False
    for declaration in declarations:
        kind = declaration.__class__
        if kind is tree.Embedding or kind is tree.Comprehension:
            embeds = True
        elif kind is tree.Field:
            label = declaration.label
            if (
                declaration.colon != "::"
                and not declaration.mark
                and label.__class__ is not tree.Pattern
                and (label.__class__ is not tree.Name or label.quoted or label.name[:1] not in "#_")
            ):
                return False
    return embeds


def _enter(node: Node, group: Group | None, declarations: tuple[tree.Declaration, ...]) -> Group | None:
    """Return the group of a struct literal's own declarations, noted on the node."""
    if any(d.__class__ is tree.Comprehension or d.__class__ is tree.Embedding for d in declarations):
        group = Group(group)
    if group is not None:
        node.groups = [*node.groups, group]
    if node.declared is None:
        node.declared = {}
    return group


def declare(node: Node, label: str, group: Group | None, mark: str = "") -> None:
    """Remember that a group declares a field, or with a mark (`?`, `!`) that it only may be there."""
    if node.declared is None:
        node.declared = {}
    node.declared.setdefault(label, []).append(group)
    if mark:
        if node.offered is None:
            node.offered = {}
        node.offered.setdefault(label, []).append(group)


def _field(
    machine: Machine,
    node: Node,
    field: tree.Field,
    env: Env,
    conjunct: Conjunct,
    group: Group | None,
    child: Group | None,
) -> None:
    label: Any = field.label
    name = label.name if label.quoted else internal(label.name, quoted=False)
    if label.quoted and name[:1] == "\0":
        machine.refuse(node, Bottom(ERROR, RESERVED, label.span))
        return
    if machine.closing:
        declare(node, name, group, field.mark)
    mark = field.mark
    value = Conjunct(field.value, env, child, conjunct.trail, label.span, conjunct.cyclic)
    known, definition = node.arcs.get(name), field.colon == "::"
    arc = machine.arc(node, name, value, _PRESENCE[mark] if mark else REGULAR)
    if known is not None and known.definition != definition:
        message = f"{name} is declared with : and with ::, as a regular field and as a definition"
        machine.refuse(arc, Bottom(ERROR, message, label.span))
    arc.definition = definition


def _pattern(
    machine: Machine, node: Node, field: tree.Field, env: Env, conjunct: Conjunct, group: Group | None
) -> None:
    pattern = (field, env, Conjunct(field.value, env, group, conjunct.trail, None, conjunct.cyclic))
    node.patterns = [*node.patterns, pattern]
    for arc in list(node.arcs.values()):
        match(machine, node, arc, pattern)


def match(
    machine: Machine, node: Node, arc: Node, pattern: tuple[Any, Env | None, Conjunct], *given: Conjunct
) -> None:
    """Add a pattern's value to a field whose label it matches; `given` is what the field is about to get."""
    field, env, conjunct = pattern
    label = arc.label
    if not isinstance(label, str) or label[:1] == "\0":
        return
    try:
        if not matches(machine, field, env, label):
            return
    except Stop as stop:
        if stop.bottom.code == ERROR:
            machine.refuse(node, stop.bottom)
        else:
            node.unmatched = stop.bottom
        return
    if field.label.name or field.alias:
        bindings: dict[str, Any] = {}
        if field.label.name:
            bindings[field.label.name] = label
        if field.alias:
            bindings[field.alias] = arc
        env = Env(None, env, bindings)
    constrain(
        machine,
        arc,
        Conjunct(conjunct.expr, env, below(conjunct.group), conjunct.trail, None, conjunct.cyclic),
        *given,
    )


def constrain(machine: Machine, arc: Node, conjunct: Conjunct, *given: Conjunct) -> None:
    """Give an arc what a pattern or `...T` asks of it; `given` is what it is about to get besides.

    When the arc was written outside of what the pattern came from, its depth is that of the data: not a cycle.
    """
    if conjunct.trail is not None:
        source = conjunct.trail.target
        if any(own.trail is None or not own.trail.holds(source) for own in (*arc.conjuncts, *given)):
            conjunct = Conjunct(conjunct.expr, conjunct.env, conjunct.group)
    machine.add(arc, conjunct)


def matches(machine: Machine, field: tree.Field, env: Env | None, label: str) -> bool:
    """Return whether a pattern's expression allows a label; raises Stop when that is not known."""
    label_of: Any = field.label
    value = label_of.value
    if value is None or (value.__class__ is tree.Identifier and value.name in ("string", "_")):
        return True
    if (
        value.__class__ is tree.Unary
        and value.operator in ("=~", "!~")
        and value.operand.__class__ is tree.String
    ):
        return compare(value.operator, label, value.operand.value, value.span)
    machine.spend()
    trial = Node(None, None)
    trial.conjuncts += (Conjunct(Plain(label, value.span), None), Conjunct(value, env))
    machine.evaluate(trial)
    if trial.blocked is not None:
        raise Stop(trial.blocked)
    if (
        trial.error is not None and trial.error.parties is None
    ):  # not that the label fits badly: the pattern is wrong
        raise Stop(trial.error)
    return trial.error is None


def may_have(machine: Machine, node: Node, label: str) -> bool:
    """Return whether a closed struct may get that field: it is optional, hidden, or a pattern allows it."""
    if label in node.arcs or label[:1] == "\0":
        return True
    return any(matches(machine, field, env, label) for field, env, _ in node.patterns)


# Lists


def list_literal(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    """Hand the elements of a list to the node's arcs; one with comprehensions has to wait."""
    expr = conjunct.expr
    if not machine.restrict(node, LIST, conjunct):
        return
    env = conjunct.env
    for element in expr.elements:
        if element.__class__ is tree.Comprehension:
            machine.wait(node, conjunct)
            return
    elements(machine, node, conjunct, [(element, env) for element in expr.elements], expr.rest)


def elements(
    machine: Machine,
    node: Node,
    conjunct: Conjunct,
    parts: list[tuple[Any, Env | None]],
    rest: tree.Rest | None,
) -> None:
    """Unify a list, given as pairs of expression and environment, with a node."""
    machine.spend()
    node.struct_conjuncts += 1
    node.cyclic_conjuncts += conjunct.cyclic
    child = below(conjunct.group)
    count = len(parts)
    if rest is None and node.length is None:
        if len(node.items()) > count:
            machine.conflict(node, f"a list of {count}", conjunct)
            return
        node.length, node.kind_from = count, conjunct
    elif node.length is not None and (count > node.length or (rest is None and count != node.length)):
        machine.conflict(node, f"a list of {count}", conjunct)
        return
    for index, (expr, env) in enumerate(parts):
        machine.arc(node, index, Conjunct(expr, env, child, conjunct.trail, None, conjunct.cyclic))
    if rest is not None and rest.value is not None:
        tail = Conjunct(rest.value, conjunct.env, child, conjunct.trail, None, conjunct.cyclic)
        node.rests = [*node.rests, (count, tail)]
        for arc in node.items()[count:]:  # beside which there may be definitions and hidden fields
            constrain(machine, arc, tail)


# The rest


def _literal(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    machine.meet(node, conjunct.expr.value, conjunct)


def _null(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    machine.meet(node, None, conjunct)


def _plain(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    value, span = conjunct.expr.value, conjunct.expr.span
    if isinstance(value, list):
        if machine.restrict(node, LIST, conjunct):
            elements(machine, node, conjunct, [(_term(item, span), None) for item in value], None)
    elif isinstance(value, dict):
        if machine.restrict(node, STRUCT, conjunct):
            node.literals += 1
            node.struct_conjuncts += 1
            for label, item in value.items():
                if label[:1] == "\0":
                    machine.refuse(node, Bottom(ERROR, RESERVED, span))
                    continue
                if machine.closing:
                    declare(node, label, conjunct.group)
                machine.arc(node, label, conjunct.of(_term(item, span), None))
    else:
        machine.meet(node, value, conjunct)


def _term(item: Any, span: Span | None) -> Any:
    return item if item.__class__ in (Node, Plain) else Plain(item, span)


def _binary(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    expr = conjunct.expr
    if expr.operator == "&":
        machine.derive(node, conjunct.of(expr.left, conjunct.env))
        machine.derive(node, conjunct.of(expr.right, conjunct.env))
    elif expr.operator == "|":
        from dispatchfile.cue.disjunction import alternatives

        choice(machine, node, Choice(conjunct, alternatives(expr)))
    else:
        machine.wait(node, conjunct)


def choice(machine: Machine, node: Node, found: Choice) -> None:
    """Note a disjunction on the node, or take the alternative that is already decided."""
    known = [expr for expr, _ in node.settled] + [other.conjunct.expr for other in node.choices]
    for place, (expr, alternative) in enumerate(node.decided):
        if expr is found.conjunct.expr:
            node.decided = [*node.decided[:place], *node.decided[place + 1 :]]
            machine.derive(node, found.conjunct.of(alternative, found.conjunct.env))
            return
    if found.conjunct.expr in known and all(_says_the_same(machine, term) for term, _ in found.alternatives):
        return
    node.choices = [*node.choices, found]


def _says_the_same(machine: Machine, term: Any) -> bool:
    """Return whether an expression means the same wherever it stands."""
    if term.__class__ is tree.Identifier:
        meaning = machine.meanings.get(term)
        return meaning is not None and meaning.kind == PREDECLARED
    return term.__class__ in (tree.String, tree.Number, tree.Bool, tree.Null)


def _identifier(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    meaning = machine.meanings.get(conjunct.expr)
    if meaning is not None and meaning.kind == PREDECLARED:
        from dispatchfile.cue.constraints import predeclared

        predeclared(machine, node, meaning.name, conjunct)
    else:
        machine.wait(node, conjunct)


def _aliased(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    expr = conjunct.expr
    machine.derive(node, conjunct.of(expr.value, Env(None, conjunct.env, {expr.name: node})))


def _parenthesis(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    machine.derive(node, conjunct.of(conjunct.expr.inner, conjunct.env))


def _bottom(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    machine.refuse(node, Bottom(ERROR, "explicit error (_|_) in the file", conjunct.expr.span))


def _node(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    follow(machine, node, conjunct.expr, conjunct, definition=False)


EXPAND: dict[type, Callable[..., None]] = {
    tree.String: _literal,
    tree.Number: _literal,
    tree.Bool: _literal,
    tree.Bytes: _literal,
    tree.Null: _null,
    tree.Struct: struct,
    tree.ListLiteral: list_literal,
    tree.Parenthesis: _parenthesis,
    tree.Identifier: _identifier,
    tree.Binary: _binary,
    tree.Aliased: _aliased,
    tree.Bottom: _bottom,
    Plain: _plain,
    Node: _node,
}
