"""Scalars as YAML: whatever a string holds, readers of YAML 1.1 get it back."""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.plain import yaml_writer
from dispatchfile.plain.yaml_reader import read_yaml
from dispatchfile.source import Source

NASTY = (
    "", " ", "x ", " x", "yes", "on", "Off", "y", "null", "~", "012", "1e3", "1.5", "0x1f", "0o7", ".5", "1_000", "+1",
    "12:30", "12:30:45", "2020-01-02", '2020-01-02 "x"', "2020-01-02T10:00:00Z", ".inf", "-.INF", "<<", "=", "-", "- a",
    "-a", "?", "? a", "?a", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "[a", "{a", "]", ",", "#a", "a #b", "a#b",
    "a: b", "a:b", "a:", ":a", '"', "'", "it's", 'say "x"', "a\\b", "\t", "a\tb", "---", "--- a", "...", "--x", "\x00",
    "\x1b[0m", "\x85", "\u2028", "\ufeff", "\xa0", "é", "日本", "😀", "a\nb", "a\nb\n", "a\nb\n\n", "\na", "\n", "\n\n",
    "  a\nb", "a\n  b\n", "\ta\nb", "a \nb", "a\n \nb", "a\r\nb", "#!/bin/sh\nset -e\n", "a\n# b\n", "$(context.git.url)",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY, ids=repr)
@pytest.mark.parametrize(
    ("frame", "indent"),
    [("a: {}\n", ""), ("- {}\n", ""), ("a:\n  b: {}\n", "  "), ("- a:\n  - {}\n- 1\n", "  ")],
)
def test_every_reader_gets_the_string_back(text: str, frame: str, indent: str) -> None:
    written = frame.replace("{}", yaml_writer.scalar(text, indent))
    for value in (read_yaml(Source("x", written)).value.plain(), yaml.safe_load(written)):
        while isinstance(value, (dict, list)):
            value = next(iter(value.values() if isinstance(value, dict) else value))
        assert value == text


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_string_as_value_and_key(text: str) -> None:
    written = f"{yaml_writer.text(text)}: {yaml_writer.scalar(text, '')}\n"
    reading = read_yaml(Source("x", written))
    assert reading.value is not None, (written, reading.diagnostics)
    assert reading.value.plain() == {text: text}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("1E+3"), "1.0E+3"),
        (Decimal("5"), "5.0"),
        (Decimal("-0.25"), "-0.25"),
        (Decimal("1.5E-9"), "1.5E-9"),
        (12, "12"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
        ([], "[]"),
    ],
)
def test_other_scalars(number: object, text: str) -> None:
    assert yaml_writer.scalar(number, "") == text
    value = read_yaml(Source("x", text)).value
    assert (value.plain(), type(value.data)) == (number, type(number))
