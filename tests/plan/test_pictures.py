"""What the examples' pipelines look like in every format; look at a changed picture before you accept it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from dispatchfile.front import load
from dispatchfile.plan import draw
from dispatchfile.plan.graph import arrange
from dispatchfile.plan.svg import svg

EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[2] / "examples").glob("*/Dispatchfile"))


class Svg(SingleFileSnapshotExtension):
    """One .svg file a picture, so that a browser shows what the test holds fast."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture(params=EXAMPLES, ids=lambda folder: folder.name)
def example(request: pytest.FixtureRequest) -> tuple[str, draw.Graph]:
    pipeline, _ = load(request.param / "Dispatchfile")
    return request.param.name, draw.graph(arrange(pipeline, pipeline.tasks))


def test_text_pictures(example: tuple[str, draw.Graph], snapshot: SnapshotAssertion) -> None:
    _, graph = example
    assert draw.tree(graph) == snapshot(name="tree")
    assert draw.dot(graph) == snapshot(name="dot")
    assert draw.mermaid(graph) == snapshot(name="mermaid")
    assert json.dumps(draw.data(graph), indent=2) == snapshot(name="json")


def test_svg_picture(example: tuple[str, draw.Graph], snapshot: SnapshotAssertion) -> None:
    name, graph = example
    assert svg(graph, title=name) == snapshot(extension_class=Svg)
