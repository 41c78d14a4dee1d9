"""Which comment belongs to which node of a tree."""

from __future__ import annotations

from collections.abc import Mapping

from dispatchfile.cue import tree
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    Container: TypeAlias = tuple[tree.Node, list[tree.Node]]

_ITEMS = (tree.Field, tree.Embedding, tree.Let, tree.Rest, tree.Attribute, tree.Comprehension)


class Attached(Mapping[tree.Node, tree.Comments]):
    """The comments of a file's nodes, worked out when somebody first asks: only few readers do."""

    def __init__(self, places: Sequence[tuple[int, int]]) -> None:
        self.places = places
        self.file: tree.File | None = None
        self.known: dict[tree.Node, tree.Comments] | None = None

    def _resolved(self) -> dict[tree.Node, tree.Comments]:
        if self.known is None:
            self.known = attached(self.file, self.places) if self.file is not None else {}
        return self.known

    def __getitem__(self, node: tree.Node) -> tree.Comments:
        return self._resolved()[node]

    def __iter__(self) -> Iterator[tree.Node]:
        return iter(self._resolved())

    def __len__(self) -> int:
        return len(self._resolved())


def attached(file: tree.File, places: Iterable[tuple[int, int]]) -> dict[tree.Node, tree.Comments]:
    """Return the comments of each node that has some; every comment belongs to exactly one node.

    The nodes are the things that stand on lines: declarations, list elements, arguments, and what encloses them.
    A comment on a line of its own belongs `before` the next thing in the same brackets, else `inside` the bracket's
    node. One at a line's end belongs `behind` the thing that ends or is broken there; directly behind an opening
    bracket it is `behind` the bracket's own node, so its place lies inside that node's span.
    """
    found: dict[tree.Node, tuple[list[Span], list[Span], list[Span]]] = {}
    containers = _containers(file)
    opened: list[Container] = []
    following = 0
    for start, end in places:
        while following < len(containers) and containers[following][0].span.start < start:
            opened.append(containers[following])
            following += 1
        while opened and opened[-1][0].span.end <= start:
            opened.pop()
        node, slot = _owner(file.source, opened[-1] if opened else containers[0], start)
        found.setdefault(node, ([], [], []))[slot].append(Span(file.source, start, end))
    return {node: tree.Comments(*map(tuple, slots)) for node, slots in found.items()}


def _containers(file: tree.File) -> list[Container]:
    """Return each bracketed node with the things directly inside it, outer ones first."""
    from dispatchfile.cue.walk import children

    containers: list[Container] = [(file, [])]
    waiting: list[Container] = [(child, containers[0][1]) for child in children(file)][::-1]
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


def _owner(source: Source, container: Container, place: int) -> tuple[tree.Node, int]:
    """Return the node that a comment belongs to, and whether before (0), behind (1) or inside (2)."""
    from bisect import bisect_left

    bracket, items = container
    line = source.position(place)[0]
    own_line = not source.text[source.line_starts[line - 1] : place].strip(" \t\ufeff")
    index = bisect_left(items, place, key=lambda item: item.span.start)
    passed = items[index - 1] if index else None
    ahead = items[index] if index < len(items) else None
    if passed is not None and passed.span.end > place:
        return passed, 2 if own_line else 1
    if not own_line and passed is not None and source.position(passed.span.end)[0] == line:
        return passed, 1
    if not own_line and bracket.span.line == line and not isinstance(bracket, tree.File):
        return bracket, 1
    return (ahead, 0) if ahead is not None else (bracket, 2)
