"""Which comment belongs to which node of a tree."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.walk import children
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ITEMS = (tree.Field, tree.Embedding, tree.Let, tree.Rest, tree.Attribute, tree.Comprehension)


def attached(file: tree.File, places: Iterable[tuple[int, int]]) -> dict[tree.Node, tree.Comments]:
    """Return the comments of each node that has some; every comment belongs to exactly one node.

    The nodes are the things that stand on lines: declarations, list elements, arguments, and what encloses them.
    A comment on a line of its own belongs `before` the next thing in the same brackets, else `inside` the bracket's
    node. One at a line's end belongs `behind` the thing that ends or is broken there; directly behind an opening
    bracket it is `behind` the bracket's own node, so its place lies inside that node's span.
    """
    found: dict[tree.Node, tuple[list[Span], list[Span], list[Span]]] = {}
    enclosing = _containers(file)
    for start, end in places:
        container, items = _innermost(enclosing, start)
        node, slot = _owner(file.source, container, items, start)
        found.setdefault(node, ([], [], []))[slot].append(Span(file.source, start, end))
    return {node: tree.Comments(*map(tuple, slots)) for node, slots in found.items()}


def _containers(file: tree.File) -> list[tuple[tree.Node, list[tree.Node]]]:
    """Return each bracketed node with the things directly inside it, outer ones first."""
    containers: list[tuple[tree.Node, list[tree.Node]]] = [(file, [])]
    waiting: list[tuple[tree.Node, list[tree.Node]]] = [
        (child, containers[0][1]) for child in children(file)
    ][::-1]
    while waiting:
        node, items = waiting.pop()
        brackets = isinstance(node, (tree.ListLiteral, tree.Call, tree.Parenthesis, tree.Interpolation)) or (
            isinstance(node, tree.Struct) and not node.implied
        )
        if isinstance(node, _ITEMS) and not (items and node.span.end <= items[-1].span.end):
            items.append(node)
        if brackets:
            containers.append((node, []))
            inner = containers[-1][1]
            if not isinstance(node, tree.Struct):
                inner.extend(child for child in children(node) if not isinstance(child, _ITEMS))
        else:
            inner = items
        waiting.extend((child, inner) for child in reversed(children(node)))
    return containers


def _innermost(
    containers: list[tuple[tree.Node, list[tree.Node]]], place: int
) -> tuple[tree.Node, list[tree.Node]]:
    best = containers[0]
    for container in containers:
        if container[0].span.start < place < container[0].span.end:
            best = container
    return best


def _owner(source: Source, container: tree.Node, items: list[tree.Node], place: int) -> tuple[tree.Node, int]:
    """Return the node that a comment belongs to, and whether before (0), behind (1) or inside (2)."""
    line = source.position(place)[0]
    line_start = source.line_starts[line - 1]
    own_line = not source.text[line_start:place].strip(" \t\ufeff")
    for item in items:
        if item.span.start < place < item.span.end:
            return item, 2 if own_line else 1
    ahead = [item for item in items if item.span.start > place]
    passed = [item for item in items if item.span.end <= place]
    if own_line:
        return (min(ahead, key=lambda item: item.span.start), 0) if ahead else (container, 2)
    if passed:
        last = max(passed, key=lambda item: item.span.end)
        if source.position(last.span.end)[0] == line:
            return last, 1
    if not isinstance(container, tree.File) and container.span.line == line:
        return container, 1
    return (min(ahead, key=lambda item: item.span.start), 0) if ahead else (container, 2)
