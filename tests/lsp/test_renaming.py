"""Every name of every example, renamed: the file says the same with another name in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lsprotocol.types import TextDocumentEdit, WorkspaceEdit

from dispatchfile import front
from dispatchfile.diagnostics import errors
from dispatchfile.lint.settings import DEFAULT
from dispatchfile.lsp import definition
from dispatchfile.lsp.document import Document
from dispatchfile.source import Source

FILES = sorted((Path(__file__).parents[2] / "examples").glob("*/Dispatchfile*"))
NEW = "zz-renamed"


def renamed(document: Document, offset: int, name: str = NEW) -> str:
    edit = definition.renamed(document, offset, name)
    assert isinstance(edit, WorkspaceEdit), edit
    (changes,) = edit.document_changes or ()
    assert isinstance(changes, TextDocumentEdit)
    text = document.text
    places = [
        (document.lines.offset(one.range.start), document.lines.offset(one.range.end), one.new_text)
        for one in changes.edits
    ]
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize("path", FILES, ids=[path.parent.name for path in FILES])
def test_the_rest_stays(path: Path) -> None:
    document = Document("", 1, front.open_source(path), DEFAULT, "utf-16")
    before = json.dumps(document.reading.value and document.reading.value.plain(), default=str)
    places = [place for place in document.places if place.defined]
    assert places
    for place in places:
        reading = front.read(Source(str(path), renamed(document, place.span.start)))
        pipeline, found = front.interpret(reading)
        assert pipeline is not None
        assert errors(found) == []
        after = json.dumps(reading.value and reading.value.plain(), default=str)
        assert NEW in after
        assert after.replace(NEW, place.named[2]) == before.replace(NEW, place.named[2])


@pytest.mark.parametrize(
    ("new", "written"), [("b-2", "b-2"), ("no", '"no"'), ("1e5", '"1e5"')], ids=["bare", "a word", "a number"]
)
def test_in_yaml_a_name_has_the_quotes_that_it_needs(new: str, written: str) -> None:
    text = """\
resource:
  src: {type: git, param: {url: u}}
task:
  build:
    inputs: [src]
    steps: [{name: a, image: "x:1"}]
  test: {inputs: [build], steps: [{name: a, image: "x:1", workingDir: /workspace/src}]}
actions:
- tasks: [test, "build"]
"""
    document = Document("", 1, Source("a.yaml", text), DEFAULT, "utf-16")
    expected = text.replace("  build:", f"  {written}:").replace("[build]", f"[{written}]")
    assert renamed(document, text.index("build"), new) == expected.replace('"build"', f'"{new}"')
    expected = text.replace("  src:", f"  {written}:").replace("[src]", f"[{written}]")
    assert renamed(document, text.index("src"), new) == expected.replace("workspace/src", f"workspace/{new}")
