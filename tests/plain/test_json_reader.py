from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.plain.json_reader import read_json
from dispatchfile.source import Source


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('#!json\n{"a": 1}', {"a": 1}),
        ('{"a": [true, false, null, -1.5e2, 0]}', {"a": [True, False, None, Decimal("-150"), 0]}),
        (' {"\\u00e9": "\\ud83d\\ude00\\/\\n"} ', {"é": "😀/\n"}),
        ("[]", []),
    ],
)
def test_values(text, data):
    reading = read_json(Source("f", text))
    assert reading.value is not None
    assert (reading.value.plain(), reading.diagnostics) == (data, ())


def test_places():
    value = read_json(Source("f", '{"é": [1,\n "x"]}')).value
    assert value is not None
    inner, field = value.at("é", 1), value.at("é")
    assert inner is not None
    assert field is not None
    assert field.key is not None
    assert (str(inner.span), inner.span and inner.span.text, field.key.text) == ("f:2:2", '"x"', '"é"')


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"a": 1,}', "f:1:8", "a comma after the last entry"),
        ("[1,\n]", "f:1:3", "a comma after the last entry"),
        ("[1 2]", "f:1:4", "expected `,` or `]`"),
        ('{"a" 1}', "f:1:6", "expected `:`"),
        ("{a: 1}", "f:1:2", "a key without quotes"),
        ("{a 1}", "f:1:2", "expected a key"),
        ("{'a': 1}", "f:1:2", "single quotes"),
        ('{"a": "b\n"}', "f:1:7", "without its closing quote"),
        ('{"a": "\\x"}', "f:1:8", "invalid \\escape"),
        ('{"a": 1} b', "f:1:10", "more text"),
        ('{"a": 1', "f:1:8", "ends too early"),
        ("", "f:1:1", "ends too early"),
        ('{"a": NaN}', "f:1:7", "a string without quotes"),
        ('{"a": @}', "f:1:7", "expected a value"),
        ("01", "f:1:2", "more text"),
        ('{"a": // x\n1}', "f:1:7", "no comments"),
        ("# x\n{}", "f:1:1", "no comments"),
        ('{"a": 1, "a": 2}', "f:1:10", "is repeated"),
        ("[" * 100_000, "f:1:102", "nested too deeply"),
        ('{"a":' * 100_000, "f:1:506", "nested too deeply"),
        ("1" * 5000, "f:1:1", "too large"),
        ('{"a": 1e999999999}', "f:1:7", "too large"),
    ],
)
def test_refusals(text, place, message):
    [found] = read_json(Source("f", text)).diagnostics
    assert message in found.message
    assert str(found.span) == place


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(documents, st.booleans(), st.sampled_from([None, 1]))
def test_what_another_library_writes_is_read(data, ascii_only, indent):
    reading = read_json(Source("f", json.dumps(data, ensure_ascii=ascii_only, indent=indent)))
    assert reading.value is not None
    assert reading.value.plain() == data


@given(st.text('{}[]:,"\\ntf1.e- #/', max_size=30))
def test_any_text_is_read_as_another_library_reads_it(text):
    reading = read_json(Source("f", text))
    try:
        expected = json.loads(text, parse_float=Decimal)
    except ValueError:
        assert not reading.ok or text.startswith("#!")
    else:
        assert reading.value is not None
        assert reading.value.plain() == expected


SLIPS = {
    "a comma too many": ('{"a": [1, 2,], "b": 3,}', '{"a": [1, 2], "b": 3}'),
    "a comma too few": ('{"a": [1 2]\n "b": 3}', '{"a": [1, 2],\n "b": 3}'),
    "comments": ('{"a": 1, // one\n # two\n "b": /* three */ 2}', '{"a": 1, \n \n "b":  2}'),
    "single quotes": ("{'a': 'b c'}", '{"a": "b c"}'),
    "no quotes": ('{a: git, "b": true}', '{"a": "git", "b": true}'),
}


@pytest.mark.parametrize(("text", "mended"), SLIPS.values(), ids=SLIPS)
def test_slips_are_read_as_they_were_meant_and_mended(text, mended):
    reading = read_json(Source("f", text))
    assert not reading.ok
    assert reading.value is not None
    assert reading.value.plain() == json.loads(mended)
    edits = [edit for found in reading.diagnostics if found.fix for edit in found.fix.edits]
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == mended


def test_what_stands_before_the_end_of_reading_is_kept():
    reading = read_json(Source("f", '{"a": [1, {"b": 2, "c": @}], "d": 4}'))
    assert [found.message for found in reading.diagnostics] == ["expected a value"]
    assert reading.value is not None
    assert reading.value.plain() == {"a": [1, {"b": 2}]}


def test_a_text_full_of_slips_is_given_up():
    assert len(read_json(Source("f", "[" + "a, " * 1000 + "b]")).diagnostics) < 100
