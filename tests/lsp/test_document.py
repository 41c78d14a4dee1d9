"""What is known of a document whatever its state."""

from __future__ import annotations

import logging
from types import ModuleType

import pytest
from lsprotocol.types import Position, Range, ServerCapabilities

from dispatchfile.lint import catalogue
from dispatchfile.lint.settings import DEFAULT
from dispatchfile.lsp import actions, completion, hover
from dispatchfile.lsp.document import Document
from dispatchfile.lsp.server import create
from dispatchfile.source import Source
from dispatchfile.value import Value


def document(text: str, name: str = "Dispatchfile", known: Value | None = None) -> Document:
    return Document("file:///x", 1, Source(name, text), DEFAULT, "utf-16", known)


def test_a_rule_that_fails_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module: ModuleType = catalogue.entry("untagged-image").load()

    def fail(_subject: object) -> None:
        raise ValueError("why")

    monkeypatch.setattr(module, "check", fail)
    with caplog.at_level(logging.ERROR):
        found = document('task: "a": {inputs: ["b"], steps: [{name: "x", image: "y"}]}\n').findings
    assert "DF201" in [one.code for one in found]
    assert "DF601" in caplog.text
    assert "why" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "mark"),
    [
        ("a.yaml", "task:\n  b: {steps: []}\n  c:\n    inputs: [", "inputs: ["),
        ("a.json", '{"task": {"b": {}, "c": {\n"inputs": [\n}}}', "inputs"),
        ("Dispatchfile", 'task: "b": {}\ntask: "c": inputs: ["', "inputs"),
    ],
)
def test_an_unfinished_line_hides_no_names(name: str, text: str, mark: str) -> None:
    value = document(text, name).likely_value(text.index(mark) + 2)
    assert value is not None
    assert value.at("task", "b") is not None


def test_what_was_known_is_remembered() -> None:
    known = document('task: "b": {}\n').reading.value
    value = document("\t- {", "a.yaml", known).likely_value(0)
    assert value is known


LARGE = "".join(f'task: "t{i}": steps: [{{name: "a", image: "golang:1.22"}}]\n' for i in range(2000))


def test_at_a_keystroke_a_large_text_is_answered_from_what_was_known() -> None:
    before = document(LARGE)
    value = before.reading.value
    after = document(LARGE + 'task: "new": inputs: [""]', known=value)
    offset = len(after.text) - 2
    assert {"t0", "t1999"} <= {one.label for one in completion.completions(after, offset)}
    told = hover.hover(after, LARGE.index("image") + 1)
    assert told is not None
    assert "task.steps.image" in str(told.contents)
    assert "subject" not in vars(after)


def test_what_was_known_outlives_versions_that_were_never_looked_at() -> None:
    server = create()
    server.protocol.server_capabilities = ServerCapabilities()
    known = server.keep("file:///x/Dispatchfile", 1, 'task: "b": {}\n').reading.value
    server.keep("file:///x/Dispatchfile", 2, "task: [")
    assert server.keep("file:///x/Dispatchfile", 3, "task: [[").known is known


def test_fixes_of_a_large_text_are_made_when_they_are_asked_for() -> None:
    place = Range(Position(0, 0), Position(0, 0))
    text = LARGE + 'task x: steps: [{name: "a", image: "golang:1.22"}]\n'
    large, small = document(text), document(text[-51:])
    (asked,) = actions.code_actions(large, place, [actions.FIX_ALL])
    assert [one.kind for one in actions.code_actions(large, place, None)] == []
    assert actions.FIX_ALL in [one.kind for one in actions.code_actions(small, place, None)]
    assert asked.kind == actions.FIX_ALL
