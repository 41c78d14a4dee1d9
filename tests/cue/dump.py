"""The notation of trees in `grammar/corpus/*.txt`: one node a line, indented below its parent."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.walk import children


def dumped(node: tree.Node, depth: int = 0) -> str:
    """Return a node and everything below it: its class, what it holds itself, and its comments."""
    words = [type(node).__name__]
    for name in node._fields:
        value = getattr(node, name)
        if (
            name in ("span", "source", "comments")
            or isinstance(value, tree.Node)
            or value in (None, "", (), False)
        ):
            continue
        if isinstance(value, tuple):
            words += [repr(part) for part in value if isinstance(part, str)]
        else:
            words.append(f"{name}={value!r}")
    lines = ["  " * depth + " ".join(words)]
    lines += [dumped(child, depth + 1) for child in children(node)]
    if isinstance(node, tree.File):
        for owner, comments in sorted(node.comments.items(), key=lambda item: item[0].span.start):
            for place in ("before", "behind", "inside"):
                for span in getattr(comments, place):
                    lines.append(f"  {span.text} {place} {type(owner).__name__} of line {owner.span.line}")
    return "\n".join(lines)
