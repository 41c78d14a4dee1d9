"""The task graph as an SVG picture, drawn without any external program; readable on light and dark pages."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from dispatchfile.plan.layout import columns, layout, spread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatchfile.plan.draw import Edge, Graph, Node
    from dispatchfile.plan.layout import Item

BOX_HEIGHT = 48.0
ROW_GAP = 22.0
BEND_HEIGHT = 10.0
COLUMN_GAP = 72.0
MARGIN = 20.0
PADDING = 16.0
NAME_CHAR = 8.45  # a character of the 14 px monospace name
SMALL_CHAR = 5.8  # one of the 11 px small print, on average
LONGEST_NAME = 40
LONGEST_STEPS = 42

STYLE = """\
text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #667085 }
.name { font: 600 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1d2939 }
.task rect { fill: #ffffff; stroke: #98a2b3; stroke-width: 1.25 }
.asked rect { stroke: #2e6fd8; stroke-width: 2 }
.edge { fill: none; stroke: #98a2b3; stroke-width: 1.5 }
.order { stroke-dasharray: 5 4 }
.tip { fill: #98a2b3 }
.via { text-anchor: middle; fill: #475467; stroke: #ffffff; stroke-width: 5; stroke-linejoin: round; paint-order: stroke }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #98a2b3 }
.name { fill: #f2f4f7 }
.task rect { fill: #1d2939; stroke: #667085 }
.asked rect { stroke: #6ba4ff }
.edge { stroke: #667085 }
.tip { fill: #667085 }
.via { fill: #d0d5dd; stroke: #101828 }
.page { fill: #101828 }
}"""


def svg(graph: Graph, *, title: str) -> str:
    """Return the picture; equal graphs give equal text."""
    placed = layout(graph, height=BOX_HEIGHT, gap=ROW_GAP, bend=BEND_HEIGHT)
    widths = {node.name: _width(node) for node in graph.nodes}
    gaps = _gaps(graph, placed.routes, len(placed.layers))
    lefts = columns(placed.layers, widths, gaps)
    rights = [
        left + max((widths[item.name] for item in layer if item.name is not None), default=0.0)
        for left, layer in zip(lefts, placed.layers, strict=False)
    ]
    items = [item for layer in placed.layers for item in layer]
    width = lefts[-1] + 2 * MARGIN
    height = max((item.y + item.size / 2 for item in items), default=0.0) + 2 * MARGIN
    lines = _head(title, width, height)
    for edge, route in zip(graph.edges, placed.routes, strict=True):
        lines.append(_edge(edge, route, lefts, rights, widths))
    nodes = {node.name: node for node in graph.nodes}
    lines += [_task(nodes[item.name], item, lefts, widths) for item in items if item.name is not None]
    lines += _labels(graph, placed.routes, lefts, rights)
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _head(title: str, width: float, height: float) -> list[str]:
    name, size = _text(title), f'width="{_n(width)}" height="{_n(height)}"'
    tip = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" {size} viewBox="0 0 {_n(width)} {_n(height)}">',
        f"<title>{name}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="page" {size} rx="10"/>',
        f'<marker id="tip" {tip}><path class="tip" d="M0 0.5 8 4 0 7.5 1.8 4z"/></marker>',
        f'<g transform="translate({_n(MARGIN)} {_n(MARGIN)})">',
    ]


def _task(node: Node, item: Item, lefts: Sequence[float], widths: Mapping[str, float]) -> str:
    x, y, width = lefts[item.layer], item.y - item.size / 2, widths[node.name]
    whole = f"{node.name}: {', '.join(node.steps) or 'no steps'}"
    return (
        f'<g class="task{" asked" if node.asked else ""}"><title>{_text(whole)}</title>'
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(item.size)}" rx="8"/>'
        f'<text class="name" x="{_n(x + PADDING)}" y="{_n(y + 21)}">{_text(_short(node.name, LONGEST_NAME))}</text>'
        f'<text x="{_n(x + PADDING)}" y="{_n(y + 37)}">{_text(_steps(node))}</text></g>'
    )


def _edge(
    edge: Edge,
    route: Sequence[Item],
    lefts: Sequence[float],
    rights: Sequence[float],
    widths: Mapping[str, float],
) -> str:
    x, y = lefts[route[0].layer] + widths[edge.before], route[0].y
    path = f"M{_n(x)} {_n(y)}"
    for left, right in pairwise(route):
        start, end = rights[left.layer], lefts[right.layer]
        middle = (start + end) / 2
        path += f"H{_n(start)}C{_n(middle)} {_n(left.y)} {_n(middle)} {_n(right.y)} {_n(end)} {_n(right.y)}"
    look = "edge" if edge.via else "edge order"
    return f'<path class="{look}" marker-end="url(#tip)" d="{path}"/>'


def _labels(
    graph: Graph, routes: Sequence[Sequence[Item]], lefts: Sequence[float], rights: Sequence[float]
) -> list[str]:
    """Return what passes along the edges, written in the gap before the task that takes it, never one over another."""
    by_gap: dict[int, list[tuple[float, str]]] = {}
    for edge, route in zip(graph.edges, routes, strict=True):
        if edge.via:
            before, after = route[-2:]
            by_gap.setdefault(after.layer, []).append(((before.y + after.y) / 2, _via(edge)))
    lines = []
    for layer, labels in sorted(by_gap.items()):
        labels.sort()
        heights = spread([y for y, _ in labels], [12.0] * len(labels), 3.0)
        x = (rights[layer - 1] + lefts[layer]) / 2
        lines += [
            f'<text class="via" x="{_n(x)}" y="{_n(y + 4)}">{_text(text)}</text>'
            for y, (_, text) in zip(heights, labels, strict=True)
        ]
    return lines


def _gaps(graph: Graph, routes: Sequence[Sequence[Item]], layers: int) -> list[float]:
    """Return the width of the gap behind each layer but the last, wide enough for what is written there."""
    gaps = [COLUMN_GAP] * max(0, layers - 1)
    for edge, route in zip(graph.edges, routes, strict=True):
        if edge.via:
            behind = route[-1].layer - 1
            gaps[behind] = max(gaps[behind], len(_via(edge)) * SMALL_CHAR + 44)
    return gaps


def _width(node: Node) -> float:
    name = len(_short(node.name, LONGEST_NAME)) * NAME_CHAR
    return max(96.0, 2 * PADDING + max(name, len(_steps(node)) * SMALL_CHAR))


def _steps(node: Node) -> str:
    return _short(" · ".join(node.steps) or "no steps", LONGEST_STEPS)


def _via(edge: Edge) -> str:
    return _short(", ".join(edge.via), LONGEST_STEPS)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(text: str) -> str:
    """Return the text for XML, in which control characters and lone surrogates have no place."""
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))


def _n(number: float) -> str:
    return f"{round(number, 1):g}"
