"""Where the tasks of a drawing stand: layers from left to right (after Sugiyama, Tagawa and Toda, 1981).

1. A task's layer is the longest chain of tasks before it.
2. An edge over several layers gets a bend, a point that takes part like a small task, in each layer it crosses.
3. Sweeps over the layers put every item at the mean place of its neighbours; the order with fewest crossings wins.
4. Sweeps pull every item to the mean height of its neighbours. Within a layer that is a least-squares problem with
   least distances, which pooling adjacent violators solves exactly.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatchfile.plan.draw import Graph

ORDER_SWEEPS = 12
HEIGHT_SWEEPS = 24

# Beyond this many bends an edge is drawn straight across: nobody follows it by eye any more, and time stays linear.
MOST_BENDS = 20_000


class Item:
    """A task (`name`) or a bend of an edge; `y` is the height of its middle."""

    __slots__ = ("after", "before", "layer", "name", "size", "y")

    def __init__(self, name: str | None, layer: int, size: float) -> None:
        self.name = name
        self.layer = layer
        self.size = size
        self.y = 0.0
        self.before: list[Item] = []
        self.after: list[Item] = []

    def neighbours(self, *, before: bool) -> list[Item]:
        """Return the items of the layer before or after that an edge leads to."""
        return self.before if before else self.after


class Layout(Record):
    """The items of each layer from top to bottom, and for each edge of the graph the items it passes."""

    layers: Sequence[Sequence[Item]]
    routes: Sequence[Sequence[Item]]


def layout(graph: Graph, *, height: float, gap: float, bend: float) -> Layout:
    """Return the places of the tasks, `height` high and `gap` apart; a bend keeps `bend` for itself."""
    items, routes = _items(graph, height, bend)
    layers: list[list[Item]] = [[] for _ in range(1 + max((item.layer for item in items), default=-1))]
    for item in items:
        layers[item.layer].append(item)
    layers = _ordered(layers)
    _set_heights(layers, gap)
    top = min((item.y - item.size / 2 for item in items), default=0.0)
    for item in items:
        item.y -= top
    return Layout(layers, routes)


def _items(graph: Graph, height: float, bend: float) -> tuple[list[Item], list[list[Item]]]:
    depth: dict[str, int] = {}
    befores: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for edge in graph.edges:
        befores[edge.after].append(edge.before)
    for node in graph.nodes:  # each stands behind what it waits for
        depth[node.name] = 1 + max((depth[name] for name in befores[node.name]), default=-1)
    tasks = {name: Item(name, layer, height) for name, layer in depth.items()}
    items, routes = list(tasks.values()), []
    bends = sum(depth[edge.after] - depth[edge.before] - 1 for edge in graph.edges)
    for edge in graph.edges:
        start, end = tasks[edge.before], tasks[edge.after]
        between = range(start.layer + 1, end.layer) if bends <= MOST_BENDS else ()
        passed = [Item(None, layer, bend) for layer in between]
        items += passed
        route = [start, *passed, end]
        routes.append(route)
        for left, right in pairwise(route):
            if right.layer == left.layer + 1:
                left.after.append(right)
                right.before.append(left)
    return items, routes


# Order within the layers


def _ordered(layers: list[list[Item]]) -> list[list[Item]]:
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        rightwards = sweep % 2 == 0
        for layer in layers if rightwards else reversed(layers):
            _sort_by_neighbours(layer, layers, before=rightwards)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _sort_by_neighbours(layer: list[Item], layers: Sequence[Sequence[Item]], *, before: bool) -> None:
    beside = layer[0].layer + (-1 if before else 1)
    if not 0 <= beside < len(layers):
        return
    place = {id(item): index for index, item in enumerate(layers[beside])}

    def mean(index: int) -> float:
        places = [place[id(item)] for item in layer[index].neighbours(before=before)]
        return sum(places) / len(places) if places else index

    order = sorted(range(len(layer)), key=mean)
    layer[:] = [layer[index] for index in order]


def _crossings(layers: Sequence[Sequence[Item]]) -> int:
    """Return how many pairs of edges cross: the inversions among their right ends, taken by their left ends."""
    crossings = 0
    for left, right in pairwise(layers):
        place = {id(item): index for index, item in enumerate(right)}
        seen: list[int] = []
        for item in left:
            ends = sorted(place[id(other)] for other in item.after)
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings


# Heights


def _set_heights(layers: Sequence[Sequence[Item]], gap: float) -> None:
    for layer in layers:
        y = 0.0
        for item in layer:
            item.y = y + item.size / 2
            y += item.size + gap
    for sweep in range(HEIGHT_SWEEPS):
        rightwards = sweep % 2 == 0
        for layer in layers if rightwards else reversed(layers):
            wanted, weights = [], []
            for item in layer:
                # The last sweeps look both ways, so that a task stands in the middle of all its neighbours.
                near = item.neighbours(before=rightwards)
                if sweep >= HEIGHT_SWEEPS // 2:
                    near = item.before + item.after
                pulls = [(_pull(item, other), other.y) for other in near]
                weight = sum(pull for pull, _ in pulls)
                wanted.append(sum(pull * y for pull, y in pulls) / weight if weight else item.y)
                weights.append(weight or 0.1)
            heights = spread(wanted, [item.size for item in layer], gap, weights)
            for item, y in zip(layer, heights, strict=True):
                item.y = y


def _pull(one: Item, other: Item) -> float:
    """Return how strongly an edge wants to be level: most between two bends, so that long edges run straight."""
    return {0: 1.0, 1: 2.0, 2: 8.0}[(one.name is None) + (other.name is None)]


def spread(
    wanted: Sequence[float], sizes: Sequence[float], gap: float, weights: Sequence[float] = ()
) -> list[float]:
    """Return the places nearest to the wanted ones, in the same order, at which nothing overlaps."""
    offsets, at = [], 0.0
    for index, size in enumerate(sizes):
        at += (sizes[index - 1] + size) / 2 + gap if index else 0.0
        offsets.append(at)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for index, place in enumerate(wanted):
        mean, weight, count = place - offsets[index], weights[index] if weights else 1.0, 1
        while pools and pools[-1][0] > mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        pools.append((mean, weight, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def columns(
    layers: Sequence[Sequence[Item]], widths: Mapping[str, float], gaps: Sequence[float]
) -> list[float]:
    """Return the left edge of each layer's column, and last the right edge of the whole."""
    left, edges = 0.0, []
    for index, layer in enumerate(layers):
        edges.append(left)
        left += max((widths[item.name] for item in layer if item.name is not None), default=0.0)
        left += gaps[index] if index < len(gaps) else 0.0
    return [*edges, left]
