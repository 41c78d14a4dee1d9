"""What is known of a document whatever its state."""

from __future__ import annotations

import logging
from types import ModuleType

import pytest

from dispatchfile.lint import catalogue
from dispatchfile.lint.settings import DEFAULT
from dispatchfile.lsp.document import Document
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
