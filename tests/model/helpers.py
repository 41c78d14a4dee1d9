"""Values and pipelines for tests, made from YAML text."""

from __future__ import annotations

from textwrap import dedent

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.model import variables
from dispatchfile.model.decode import decode
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.plain.yaml_reader import read_yaml
from dispatchfile.source import Source
from dispatchfile.value import Value


def value(text: str) -> Value:
    reading = read_yaml(Source("Dispatchfile", dedent(text)))
    assert reading.value is not None, reading.diagnostics
    return reading.value


def pipeline(text: str) -> Pipeline:
    found, diagnostics = decode(value(text))
    assert diagnostics == ()
    return found


def findings(text: str) -> list[Diagnostic]:
    found, diagnostics = decode(value(text))
    return [*diagnostics, *variables.check(found)]


def fixed(text: str, finding: Diagnostic) -> str:
    """Return the text with the fix of a finding applied."""
    assert finding.fix is not None
    for edit in sorted(finding.fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
