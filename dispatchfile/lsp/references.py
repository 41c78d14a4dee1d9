"""What a name in a CUE expression refers to: fields, aliases, loop variables, by the nesting of the text.

The evaluator's own scopes count levels of what is running; here only the text counts, finished or not.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.walk import children, descendants
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def definitions(file: tree.File, offset: int) -> list[tree.Node]:
    """Return the nodes that define what the name at an offset refers to: fields, `let`, clauses; empty for no name."""
    around = _around(file, offset)
    return _definitions(around[-1], around[:-1]) if around else []


def uses(file: tree.File, defined: Sequence[tree.Node]) -> list[Span]:
    """Return every place where a name refers to one of the nodes."""
    wanted = {id(node) for node in defined}
    names = {name for node in defined for name in _names(node)}
    found = []
    for node, around in _walk(file):
        if isinstance(node, tree.Identifier):
            name, span = node.name, node.span
        elif isinstance(node, (tree.Selector, tree.Index)):
            name, span = _taken(node), _taken_span(node)
        else:
            continue
        if name in names and any(id(one) in wanted for one in _definitions(node, around)):
            found.append(span)
    return found


def uses_of(file: tree.File, name: str) -> list[Span]:
    """Return every place where a name refers to a field, `let`, or definition at the top of the file."""
    return uses(file, [one for one in file.declarations if name in _names(one)])


def label_span(node: tree.Node) -> Span:
    """Return where the name stands in what defines it."""
    return node.label.span if isinstance(node, tree.Field) else node.span


def defining(file: tree.File, offset: int) -> tree.Node | None:
    """Return the field whose plain label is at an offset, or None."""
    for node in descendants(file):
        if isinstance(node, tree.Field) and isinstance(node.label, tree.Name):
            span = node.label.span
            if span.start <= offset <= span.end:
                return node
    return None


def _around(file: tree.File, offset: int) -> list[tree.Node]:
    """Return the nodes that hold an offset, from the file down to a name or what is taken out of something."""
    path: list[tree.Node] = []
    node: tree.Node | None = file
    while node is not None:
        path.append(node)
        if isinstance(node, (tree.Selector, tree.Index)) and _holds(_taken_span(node), offset):
            return path
        node = next((one for one in reversed(children(node)) if _holds(one.span, offset)), None)
    return path if isinstance(path[-1], tree.Identifier) else []


def _holds(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def _walk(file: tree.File) -> Iterable[tuple[tree.Node, tuple[tree.Node, ...]]]:
    waiting: list[tuple[tree.Node, tuple[tree.Node, ...]]] = [(file, ())]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        waiting.extend((child, (*around, node)) for child in reversed(children(node)))


def _definitions(node: tree.Node, around: Sequence[tree.Node]) -> list[tree.Node]:
    if isinstance(node, tree.Identifier):
        return _named(node.name, around)
    if isinstance(node, (tree.Selector, tree.Index)):
        label = _taken(node)
        return [
            field
            for holder in _definitions(node.operand, around)
            for struct in _structs(holder)
            for field in struct.declarations
            if label and isinstance(field, tree.Field) and _label(field) == label
        ]
    return []


def _named(name: str, around: Sequence[tree.Node]) -> list[tree.Node]:
    """Return what a bare name means within the nodes around it, from the innermost scope that knows it."""
    for node in reversed(around):
        found: list[tree.Node] = []
        if isinstance(node, (tree.File, tree.Struct)):
            found = [one for one in node.declarations if name in _names(one)]
        elif isinstance(node, tree.Comprehension):
            found += [clause for clause in node.clauses if name in _names(clause)][-1:]
        elif (isinstance(node, tree.Field) and name in _label_names(node)) or (
            isinstance(node, tree.Aliased) and node.name == name
        ):
            found = [node]
        if found:
            return found
    return []


def _names(node: tree.Node) -> tuple[str, ...]:
    """Return the names that a declaration or clause gives to the scope that it stands in."""
    if isinstance(node, tree.Field):
        label = node.label
        plain = (label.name,) if isinstance(label, tree.Name) and not label.quoted else ()
        return (*plain, *((node.alias,) if node.alias else ()))
    if isinstance(node, tree.Let):
        return (node.name,)
    if isinstance(node, tree.For):
        return (node.value, node.key) if node.key else (node.value,)
    return ()


def _label_names(field: tree.Field) -> tuple[str, ...]:
    label = field.label
    return (label.name,) if isinstance(label, tree.Pattern) and label.name else ()


def _structs(node: tree.Node) -> list[tree.Struct]:
    """Return the struct literals that a definition's value consists of."""
    value = getattr(node, "value", None)
    if isinstance(value, tree.Aliased):
        value = value.value
    waiting, found = [value], []
    while waiting:
        one = waiting.pop()
        if isinstance(one, tree.Binary):
            waiting += [one.right, one.left]
        elif isinstance(one, tree.Struct):
            found.append(one)
    return found


def _label(field: tree.Field) -> str:
    return field.label.name if isinstance(field.label, tree.Name) else ""


def _taken(node: tree.Selector | tree.Index) -> str:
    """Return the label that a selector or an index takes, "" when it is computed."""
    if isinstance(node, tree.Selector):
        return node.label
    return node.index.value if isinstance(node.index, tree.String) else ""


def _taken_span(node: tree.Selector | tree.Index) -> Span:
    if isinstance(node, tree.Index):
        return node.index.span
    written = len(node.label) + (2 if node.quoted else 0)
    return Span(node.span.source, node.span.end - written, node.span.end)
