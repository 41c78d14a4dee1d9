"""Walking a tree."""

from __future__ import annotations

from dispatchfile.cue.tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def children(node: Node) -> list[Node]:
    """Return the nodes directly below a node, in the order of the source."""
    found: list[Node] = []
    for name in node._fields:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(item for item in value if isinstance(item, Node))
    if len(found) > 1:
        found.sort(key=lambda child: child.span.start)
    return found


def descendants(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, in the order of the source, however deep."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))
