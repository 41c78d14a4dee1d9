from __future__ import annotations

import re
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.plain.yaml_reader import read_yaml
from dispatchfile.source import Source


def plain(text):
    reading = read_yaml(Source("f", text))
    assert reading.value is not None, reading.diagnostics
    assert reading.diagnostics == ()
    return reading.value.plain()


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("on: {push: {}}", {"on": {"push": {}}}),
        ('"on": yes', {"on": True}),
        ("a: on", {"a": True}),
        ("yes: 1\n1: a\nnull: b", {"yes": 1, "1": "a", "null": "b"}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: [~, null, '', \"\"]", {"a": [None, None, "", ""]}),
        ("a:", {"a": None}),
        ("a: [0x10, 010, 0b11, 1_000, -5]", {"a": [16, 8, 3, 1000, -5]}),
        ("a: [1.5, 1e3, .5, '1']", {"a": [Decimal("1.5"), Decimal("1e3"), Decimal("0.5"), "1"]}),
        ("a: !!str 1\nb: !!int '2'\nc: ! 3", {"a": "1", "b": 2, "c": "3"}),
        ("a: |\n  x\n   y\nb: >-\n  x\n  y", {"a": "x\n y\n", "b": "x y"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("a: {<<: [{b: 1}, {b: 2, c: 3}]}", {"a": {"b": 1, "c": 3}}),
        ("'<<': 1", {"<<": 1}),
        ("#!yaml\n# vi:syntax=yaml\n\na: b", {"a": "b"}),
        ("---\na: b\n...\n", {"a": "b"}),
        ("", {}),
        ("# nothing\n", {}),
        ("a: $(context.git.url)", {"a": "$(context.git.url)"}),
        ("a:\r\n- b\r\n", {"a": ["b"]}),
    ],
)
def test_values(text, data):
    assert plain(text) == data


def test_places_are_characters_also_behind_wide_ones():
    text = "é: [日本, 'x y']\nb:\n- c: |\n    d\n\ne: 1\n"
    value = read_yaml(Source("f", text)).value
    assert value is not None
    spans = {name: found.span.text for name in ("é", "b", "e") if (found := value.at(name)) and found.span}
    assert spans == {"é": "[日本, 'x y']", "b": "- c: |\n    d", "e": "1"}
    second = value.at("é", 1)
    assert second is not None
    assert second.span is not None
    assert (second.span.text, second.span.line, second.span.column) == ("'x y'", 1, 9)
    inner = value.at("b", 0, "c")
    assert inner is not None
    assert inner.key is not None
    assert (inner.key.text, inner.key.line, inner.key.column) == ("c", 3, 3)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f:3:1", 'the key "a" is repeated'),
        ("a: 1\n---\nb: 2", "f:2:1", "several documents"),
        ("a: !foo x", "f:1:4", "the tag !foo"),
        ("a: !!binary aGk=", "f:1:4", "the tag !!binary"),
        ("a: !!python/object/apply:os.system [id]", "f:1:4", "the tag !!python/object/apply:os.system"),
        ("a: !!set {b}", "f:1:4", "the tag !!set"),
        ("a: *b", "f:1:4", "no anchor before it"),
        ("a: &a [*a]", "f:1:8", "no anchor before it"),
        ("? [a]\n: b", "f:1:3", "a key must be a plain string"),
        ("a: {<<: 1}", "f:1:5", "merges mappings only"),
        ("a: b: c", "f:1:5", "`:` where no field can stand"),
        ("a: 'x", "f:1:4", "without its closing quote"),
        ("a:\n  b: [1\nc: 2", "f:2:6", "never closed"),
        ("a: {b: 1", "f:1:4", "never closed"),
        ("a: [\n  \"x\"\n  \"y\"]", "f:3:3", "expected `,`"),
        ("a: 1\n  b: 2", "f:2:4", "`:` where no field can stand"),
        ("a:\n  b: 1\n c: 2", "f:3:2", "belongs to no field"),
        ("é: @x", "f:1:4", "does not allow here"),
        ("é: \x01", "f:1:4", "control character"),
        ("[" * 100_000, "f:1:102", "nested too deeply"),
        ("- " * 100_000, "f:1:203", "nested too deeply"),
    ],
)  # fmt: skip
def test_refusals(text, place, message):
    [found] = read_yaml(Source("f", text)).diagnostics
    assert message in found.message
    assert str(found.span) == place


def test_aliases_do_not_explode():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    reading = read_yaml(Source("f", "\n".join(lines)))
    assert reading.value is None
    assert [found.message for found in reading.diagnostics] == [
        "the document is too large once its aliases are followed"
    ]


# The other library writes 0E0 without quotes, which go-yaml and we read as a number.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20).filter(
    lambda text: not re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", text)
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_what_another_library_writes_is_read(data):
    assert plain(yaml.safe_dump({"a": data}, allow_unicode=True)) == {"a": data}


@given(st.text("ab:-[]{}&*!|>'\"%@`#,? \n\t1.<~", max_size=40))
def test_any_text_is_read_or_refused(text):
    reading = read_yaml(Source("f", text))
    assert reading.value is not None or reading.diagnostics
    for found in reading.diagnostics:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)


@pytest.mark.parametrize(
    ("text", "places", "value"),
    [
        ("a: 1\nb: c: d\ne: 2", ["f:2:5"], {"a": 1, "e": 2}),
        ("a: 1\n\tb: 2\nc: 3", ["f:2:1"], {"a": 1, "c": 3}),
        ('a:\n  b: "x\n  c: 1\nd: 2\n', ["f:2:6"], {"a": {"c": 1}, "d": 2}),
        ('a: "x\nb: "y"\nc: 1', ["f:1:4"], {"b": "y", "c": 1}),
        ("a: 'x\nb: 'y'\nc: 1", ["f:1:4"], {"b": "y", "c": 1}),
        ("a: @x\nb: 1\nc: d: e\nf: 2", ["f:1:4", "f:3:5"], {"b": 1, "f": 2}),
        ("a:\n  b: x: y\n    c: 1\n  d: 2\n", ["f:2:7"], {"a": {"d": 2}}),
    ],
    ids=[
        "colons",
        "tab",
        "open to the end",
        "open to the next quote",
        "single",
        "two faults",
        "with its block",
    ],
)
def test_the_rest_of_a_broken_text_is_read(text, places, value):
    reading = read_yaml(Source("f", text))
    assert [str(found.span) for found in reading.diagnostics] == places
    assert reading.value is not None
    assert reading.value.plain() == value
