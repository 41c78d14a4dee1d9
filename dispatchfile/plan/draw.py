"""The task graph as text: a tree, Graphviz dot, Mermaid, or plain data; `svg.py` draws it."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from dispatchfile.plan.plan import PlannedTask


class Node(Record):
    """A task to draw, with the names of its steps; `asked` for, or only needed by another."""

    name: str
    steps: tuple[str, ...]
    asked: bool


class Edge(Record):
    """`after` waits for `before`; `via` are the resources that pass between them, none for a mere order."""

    before: str
    after: str
    via: tuple[str, ...]


class Graph(Record):
    """Tasks so that each stands behind what it waits for, and who waits for whom."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(tasks: Sequence[PlannedTask], *, reduce: bool = False) -> Graph:
    """Return the graph of planned tasks; `reduce` leaves out the waits that others imply and nothing passes along."""
    nodes = tuple(Node(task.name, tuple(step.name for step in task.task.steps), task.asked) for task in tasks)
    edges = tuple(Edge(before, task.name, _via(task, before)) for task in tasks for before in task.waits_for)
    return Graph(nodes, _reduced(edges) if reduce else edges)


def _via(task: PlannedTask, before: str) -> tuple[str, ...]:
    return tuple(need.via for need in task.needs if need.task == before and need.kind == "resource")


def _reduced(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    import networkx

    whole = networkx.DiGraph((edge.before, edge.after) for edge in edges)
    kept = networkx.transitive_reduction(whole)
    return tuple(edge for edge in edges if edge.via or kept.has_edge(edge.before, edge.after))


def tree(graph: Graph, *, unicode: bool = True) -> str:
    """Return the tasks as trees: below each task what it waits for. A task is unfolded where it first stands."""
    waits: dict[str, list[Edge]] = {node.name: [] for node in graph.nodes}
    for edge in graph.edges:
        waits[edge.after].append(edge)
    needed = {edge.before for edge in graph.edges}
    unfolded: set[str] = set()
    lines = []
    # An explicit stack: a chain of tasks may be longer than Python's own.
    stack = [(node.name, "", "", "") for node in reversed(graph.nodes) if node.name not in needed]
    branch, last, bar = ("├── ", "└── ", "│   ") if unicode else ("|-- ", "`-- ", "|   ")
    while stack:
        name, lead, indent, why = stack.pop()
        again = name in unfolded and waits[name]
        lines.append(f"{lead}{name}{why}{' (see above)' if again else ''}")
        if again:
            continue
        unfolded.add(name)
        below = [
            (
                edge.before,
                indent + (last if edge is waits[name][-1] else branch),
                indent + ("    " if edge is waits[name][-1] else bar),
                f"  [{', '.join(edge.via)}]" if edge.via else "",
            )
            for edge in waits[name]
        ]
        stack += reversed(below)
    return "".join(f"{_plain(line)}\n" for line in lines)


def dot(graph: Graph) -> str:
    """Return the graph in Graphviz's language."""
    lines = ["digraph tasks {", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="monospace"];']
    lines += (f"  {_dot(node.name)};" for node in graph.nodes)
    for edge in graph.edges:
        look = f"label={_dot(', '.join(edge.via))}" if edge.via else "style=dashed"
        lines.append(f"  {_dot(edge.before)} -> {_dot(edge.after)} [{look}];")
    return "\n".join([*lines, "}", ""])


def _dot(text: str) -> str:
    # Dot has one escape in a quoted string, \"; a backslash before anything else would be a layout command.
    return '"' + _plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def mermaid(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart."""
    ids = {node.name: f"t{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    lines += (f"  {ids[node.name]}[{_mermaid(node.name)}]" for node in graph.nodes)
    for edge in graph.edges:
        arrow = f"-->|{_mermaid(', '.join(edge.via))}|" if edge.via else "-.->"
        lines.append(f"  {ids[edge.before]} {arrow} {ids[edge.after]}")
    return "\n".join([*lines, ""])


def _mermaid(text: str) -> str:
    special = {"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\\": "#92;"}
    return '"' + "".join(special.get(char, char) for char in _plain(text)) + '"'


def data(graph: Graph) -> dict[str, Any]:
    """Return the graph as plain data; field names do not change within a major version."""
    return {
        "tasks": [
            {"name": node.name, "steps": list(node.steps), "asked": node.asked} for node in graph.nodes
        ],
        "edges": [
            {"from": edge.before, "to": edge.after, "resources": list(edge.via)} for edge in graph.edges
        ],
    }


def _plain(text: str) -> str:
    """Return the text without control characters, which a terminal or a parser might obey."""
    return "".join(_printable(text))


def _printable(text: str) -> Iterator[str]:
    for char in text:
        yield char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
