"""Closed structs: definitions, and `close()`, allow only the fields they declare.

Every conjunct belongs to a group (None: the file at large). A reference to a definition opens a closed group below
the group it stands in; so does `close()`. A struct literal that embeds something is a group of its own, and what it
embeds an embedded group below it. Then

- a closed group allows the fields that conjuncts in it, or below it, declare;
- it restricts what its surroundings declare, up to the nearest embedding around it: a literal that embeds a
  definition may add fields of its own;
- but what embeds something closed is closed itself, as a whole.
- A definition of old (`X :: {…}`) does not count what its comprehensions bring: its instances may not be given
  such a field from outside (CUE v0.1.2 looks before it expands them; `#X` does count them).

The same holds further down (`Group.down`), but what `close()` closed is open there.
"""

from __future__ import annotations

from dispatchfile.cue.values import ERROR, Bottom, Stop
from dispatchfile.diagnostics import Related

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.node import Node
    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span


class Group:
    """Conjuncts that came into a node together."""

    __slots__ = ("closed", "embedded", "lower", "old", "recursive", "up", "yielded")

    def __init__(
        self,
        up: Group | None,
        *,
        closed: bool = False,
        recursive: bool = True,
        embedded: bool = False,
        yielded: bool = False,
        old: bool = False,
    ) -> None:
        self.up = up
        self.closed = closed
        self.recursive = recursive
        self.embedded = embedded
        self.yielded = yielded  # brought by a comprehension
        self.old = old  # closed by a definition written with `::`
        self.lower: Group | None = None

    def below(self, up: Group | None) -> Group:
        """Return a copy of the group that hangs below another one."""
        return Group(
            up,
            closed=self.closed,
            recursive=self.recursive,
            embedded=self.embedded,
            yielded=self.yielded,
            old=self.old,
        )

    def down(self) -> Group:
        """Return the group that the children of this one's conjuncts are in."""
        if self.lower is None:
            up = self.up.down() if self.up is not None else None
            self.lower = Group(up, closed=self.closed and self.recursive, embedded=self.embedded)
            self.lower.lower = self.lower
        return self.lower


def below(group: Group | None) -> Group | None:
    """Return the group of the children of a conjunct in `group`."""
    return None if group is None else group.down()


def inside(group: Group | None, outer: Group | None) -> bool:
    """Return whether `group` is `outer` or below it; everything is below None."""
    if outer is None:
        return True
    while group is not None:
        if group is outer:
            return True
        group = group.up
    return False


def _written(group: Group | None, outer: Group) -> bool:
    """Return whether what `group` declares is allowed by `outer`: it is below it, and does not come too late."""
    while group is not None and group is not outer:
        if group.yielded and outer.old:
            return False
        group = group.up
    return group is outer


def boundary(group: Group | None) -> Group | None:
    """Return the nearest embedding around (or at) a group."""
    while group is not None and not group.embedded:
        group = group.up
    return group


def limits(node: Node) -> list[tuple[Group, Group | None]]:
    """Return pairs: a group that allows only its own fields, and the surroundings that this applies to."""
    found: dict[tuple[Group, Group | None], None] = {}
    for start in node.groups:
        group: Group | None = start
        while group is not None:
            if group.closed:
                found[group, boundary(group)] = None
            group = group.up
    return list(found)


def embedded_closed(group: Group | None, *, recursive: bool = True) -> None:
    """Close the literals around an embedded group into which something closed came."""
    around = boundary(group)
    while around is not None and around.up is not None:
        literal = around.up
        literal.recursive = recursive if not literal.closed else literal.recursive or recursive
        literal.closed = True
        if literal.lower is not None and literal.lower is not literal:
            literal.lower.closed = literal.recursive
        around = boundary(literal)


def check(machine: Machine, node: Node) -> None:
    """Record an error on the node for every field that a closed group does not allow."""
    restrictions = limits(node)
    if not restrictions or node.declared is None:
        return
    for label, arc in list(node.arcs.items()):
        if arc.presence != 2 or not isinstance(label, str) or label[:1] == "\0":
            continue
        givers = list(node.declared.get(label, ()))
        for group in (node.offered or {}).get(label, ()):
            givers.remove(group)
        naming = [*node.declared.get(label, ()), *node.declared.get("...", ())]
        refusing = _refusing(restrictions, givers, naming)
        if refusing is not None:
            refusing = _refusing(restrictions, givers, naming + _matching(machine, node, label))
        if refusing is not None:
            refuse(machine, node, label, arc, refusing)


def _refusing(
    restrictions: list[tuple[Group, Group | None]], givers: list[Group | None], naming: list[Group | None]
) -> Group | None:
    """Return a closed group that does not allow what `givers` give, or None; `naming` are all that name the field.

    What a group names beyond what a closed group beside it allows does not count.
    """
    while True:
        valid = [group for group in naming if _objector(restrictions, group, naming) is None]
        if len(valid) == len(naming):
            break
        naming = valid
    for giver in givers:
        found = _objector(restrictions, giver, naming)
        if found is not None:
            return found
    return None


def _objector(
    restrictions: list[tuple[Group, Group | None]], group: Group | None, naming: list[Group | None]
) -> Group | None:
    for closed, around in restrictions:
        applies = inside(group, around) and not inside(group, closed)
        if applies and not any(_written(other, closed) for other in naming):
            return closed
    return None


def _matching(machine: Machine, node: Node, label: str) -> list[Group | None]:
    """Return the groups with a pattern that allows the field, or that may yet allow it."""
    from dispatchfile.cue.expand import matches

    found = []
    for pattern, env, conjunct in node.patterns:
        try:
            fits = matches(machine, pattern, env, label)
        except Stop as stop:  # `match` has told the node
            fits = stop.bottom.code != ERROR
        if fits:
            found.append(conjunct.group)
    return found


def is_closed(node: Node) -> bool:
    """Return whether a field that is not there can never be added."""
    return any(around is None and not _open(node, group) for group, around in limits(node))


def in_definition(node: Node) -> bool:
    """Return whether a node is a definition itself, not an instance of one, or stands in one."""
    around: Node | None = node
    while around is not None:
        label = around.label
        if around.definition or (isinstance(label, str) and label[:2] in ("\0#", "\0_") and "#" in label[:3]):
            return True
        around = around.parent
    return False


def _open(node: Node, group: Group) -> bool:
    return any(inside(declarer, group) for declarer in (node.declared or {}).get("...", []))


def refuse(machine: Machine, node: Node, label: str, arc: Node, group: Group) -> None:
    """Put the error "field not allowed" on a field's node, with the place that is not of the closed group."""
    from dispatchfile.spelling import nearest

    given = [conjunct for conjunct in arc.conjuncts if conjunct.key is not None]
    lower = group.down()
    keys = [c.key for c in given if not inside(c.group, lower)] or [c.key for c in given]
    literals = [
        conjunct
        for conjunct in (*node.conjuncts, *node.derived)
        if conjunct.expr.__class__.__name__ == "Struct" and inside(conjunct.group, group)
    ]
    related = [
        Related(literal.expr.span, f"closed here{_at(machine, literal.expr.span)}: {label} is not declared")
        for literal in literals
    ]
    related += [Related(key, f"given here too{_at(machine, key)}") for key in keys[:-1] if key is not None]
    known = [name for name in node.declared or {} if name != label and name != "..."]
    guess = nearest(label, known)
    bottom = Bottom(ERROR, f"field not allowed: {label}", keys[-1] if keys else None, tuple(related))
    bottom.help = (
        f"did you mean {guess}?" if guess else "the definition is closed: declare the field there, or add ..."
    )
    bottom.path = arc.path()
    arc.error = bottom
    if node.error is None:
        node.error = bottom


def _at(machine: Machine, span: Span) -> str:
    from dispatchfile.cue.conflicts import written_at

    path = written_at(machine.file, span)
    return f" at {path}" if path else ""
