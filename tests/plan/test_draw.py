from __future__ import annotations

import re
import time
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from dispatchfile.plan import draw
from dispatchfile.plan.draw import Edge, Graph, Node
from dispatchfile.plan.layout import layout, spread
from dispatchfile.plan.svg import svg
from dispatchfile.record import replace
from tests.event.pipelines import pipeline


def node(name: str, *steps: str, asked: bool = False) -> Node:
    return Node(name, steps or ("run",), asked)


SHOP = Graph(
    (node("test"), node("lint"), node("build", "compile", "pack"), node("deploy", asked=True)),
    (
        Edge("test", "build", ()),
        Edge("build", "deploy", ("app",)),
        Edge("test", "deploy", ()),
        Edge("lint", "deploy", ()),
    ),
)
NASTY = 'a"]-->b\\<script>&`#\x1b[31m\n'
HOSTILE = Graph((node(NASTY, "<b>"), node("z")), (Edge(NASTY, "z", ('"|x',)),))


def test_tree_unfolds_each_task_once():
    assert (
        draw.tree(SHOP)
        == """\
deploy
├── build  [app]
│   └── test
├── test
└── lint
"""
    )


def test_tree_refers_to_what_is_unfolded_above():
    edges = (
        Edge("a", "b", ()),
        Edge("b", "c", ()),
        Edge("b", "d", ()),
        Edge("c", "e", ()),
        Edge("d", "e", ()),
    )
    graph = Graph(tuple(node(name) for name in "abcde"), edges)
    assert (
        draw.tree(graph, unicode=False)
        == """\
e
|-- c
|   `-- b
|       `-- a
`-- d
    `-- b (see above)
"""
    )


def test_dot():
    assert (
        draw.dot(SHOP)
        == """\
digraph tasks {
  rankdir=LR;
  node [shape=box, style=rounded, fontname="monospace"];
  "test";
  "lint";
  "build";
  "deploy";
  "test" -> "build" [style=dashed];
  "build" -> "deploy" [label="app"];
  "test" -> "deploy" [style=dashed];
  "lint" -> "deploy" [style=dashed];
}
"""
    )


def test_mermaid():
    assert (
        draw.mermaid(SHOP)
        == """\
flowchart LR
  t0["test"]
  t1["lint"]
  t2["build"]
  t3["deploy"]
  t0 -.-> t2
  t2 -->|"app"| t3
  t0 -.-> t3
  t1 -.-> t3
"""
    )


def test_data():
    assert draw.data(SHOP)["edges"][1] == {"from": "build", "to": "deploy", "resources": ["app"]}
    assert draw.data(SHOP)["tasks"][3] == {"name": "deploy", "steps": ["run"], "asked": True}


def test_hostile_names_stay_inside_their_quotes():
    assert draw.mermaid(HOSTILE).splitlines()[1:] == [
        '  t0["a#quot;]--#gt;b#92;#lt;script#gt;#amp;#96;#35;\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"]',
        '  t1["z"]',
        '  t0 -->|"#quot;|x"| t1',
    ]
    quoted = re.findall(r'"(?:[^"\\]|\\.)*"', draw.dot(HOSTILE).splitlines()[3])
    assert len(quoted) == 1
    assert "\x1b" not in draw.tree(HOSTILE)
    root = ElementTree.fromstring(svg(HOSTILE, title="<x>"))
    assert not root.findall(".//{*}script")
    assert any("<script>" in (text.text or "") for text in root.iter("{http://www.w3.org/2000/svg}text"))


def test_reduced_graph_leaves_out_implied_waits_but_no_resource():
    text = """
resource: {app: {type: image, param: {url: a}}}
task:
  a: {outputs: [app], steps: [{name: s, image: "i:1"}]}
  b: {deps: [a], steps: [{name: s, image: "i:1"}]}
  c: {deps: [a, b], steps: [{name: s, image: "i:1"}]}
  d: {inputs: [app], deps: [c], steps: [{name: s, image: "i:1"}]}
"""
    from dispatchfile.plan.graph import arrange

    found = pipeline(text)
    graph = draw.graph(arrange(found, found.tasks), reduce=True)
    assert [(edge.before, edge.after) for edge in graph.edges] == [
        ("a", "b"),
        ("b", "c"),
        ("a", "d"),
        ("c", "d"),
    ]


# The picture


def boxes(picture: str) -> dict[str, tuple[float, float, float, float]]:
    """Return the boxes of the tasks by name: left, top, right, bottom."""
    found = {}
    for group in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}g"):
        rect, name = group.find("{*}rect"), group.find("{*}text")
        if rect is not None and name is not None and name.text:
            x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
            found[name.text] = (x, y, x + width, y + height)
    return found


def ladder(rungs: int) -> Graph:
    nodes = [node(f"t{i}") for i in range(rungs)]
    edges = [
        Edge(f"t{i}", f"t{j}", ("r",) if i % 2 else ())
        for i in range(rungs)
        for j in (i + 1, i + 3)
        if j < rungs
    ]
    return Graph(tuple(nodes), tuple(edges))


@pytest.mark.parametrize(
    "graph", [SHOP, ladder(12), Graph((node("only"),), ())], ids=["shop", "ladder", "one"]
)
def test_boxes_do_not_overlap_and_stand_right_of_what_they_wait_for(graph: Graph):
    found = boxes(svg(graph, title="Tasks"))
    assert set(found) == {task.name for task in graph.nodes}
    for edge in graph.edges:
        assert found[edge.before][2] < found[edge.after][0]
    placed = list(found.values())
    for index, (left, top, right, bottom) in enumerate(placed):
        for other in placed[index + 1 :]:
            assert right < other[0] or other[2] < left or bottom < other[1] or other[3] < top


def test_everything_lies_inside_the_picture():
    root = ElementTree.fromstring(svg(ladder(9), title="Tasks"))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for left, top, right, bottom in boxes(svg(ladder(9), title="Tasks")).values():
        assert 0 <= left < right <= width - 40
        assert 0 <= top < bottom <= height - 40


def test_crossed_pairs_are_uncrossed():
    names = [f"a{i}" for i in range(5)]
    nodes = [node(name) for name in names] + [node(f"b{i}") for i in range(5)]
    crossed = Graph(tuple(nodes), tuple(Edge(f"a{i}", f"b{4 - i}", ()) for i in range(5)))
    layers = layout(crossed, height=40, gap=20, bend=8).layers
    order = [item.name for item in layers[0]]
    assert [item.name for item in layers[1]] == [f"b{4 - int(str(name)[1:])}" for name in order]


def test_picture_of_nothing_and_equal_pictures_of_equal_graphs():
    assert ElementTree.fromstring(svg(Graph((), ()), title="Tasks")).tag.endswith("svg")
    assert svg(SHOP, title="Tasks") == svg(replace(SHOP), title="Tasks")


@pytest.mark.parametrize("wanted", [[0.0, 0.0, 0.0], [9.0, 5.0, 1.0], [0.0, 100.0, 101.0], []])
def test_spread_keeps_order_and_distance(wanted: list[float]):
    places = spread(wanted, [10.0] * len(wanted), 2.0)
    for left, right in pairwise(places):
        assert right - left >= 12 - 1e-9
    assert sum(places) == pytest.approx(sum(wanted))


def test_large_graph_is_drawn_soon():
    start = time.process_time()
    svg(ladder(600), title="Tasks")
    assert time.process_time() - start < 30
