"""What formatting does to each flavour."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatchfile.errors import EvaluationError
from dispatchfile.fmt import formatted
from dispatchfile.source import Source

EXAMPLES = Path(__file__).parent.parent / "examples"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_cue() -> None:
    assert formatted(Source("Dispatchfile", "a :[ 1 ] // b\r\n")) == "a: [1] // b\n"


@pytest.mark.parametrize("name", ["Dispatchfile.yaml", "Dispatchfile.star", "Dispatchfile.yml"])
def test_other_flavours_stay_as_they_are(name: str) -> None:
    text = "a:   [1 ,2]\r\n\r\n\r\n\r\n# b"
    assert formatted(Source(name, text)) == text


def test_json_keeps_order_numbers_strings_and_the_first_line() -> None:
    text = '#!json \r\n{"b":[1,2.50,1E2,-0,{ },[\t]] ,"a":{"\\u00e9\\"{":"é,:[]"},\r\n\r\n"n":null}'
    expected = """\
#!json
{
  "b": [
    1,
    2.50,
    1E2,
    -0,
    {},
    []
  ],
  "a": {
    "\\u00e9\\"{": "é,:[]"
  },
  "n": null
}
"""
    assert formatted(Source("Dispatchfile", text)) == expected
    assert formatted(Source("Dispatchfile", expected)) == expected


@given(JSON)
def test_json_looks_as_others_indent_it(value: object) -> None:
    source = Source("Dispatchfile.json", json.dumps(value, separators=(",", ":")))
    assert formatted(source) == json.dumps(value, indent=2) + "\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Dispatchfile", "a: [1 2]\nb: }\n", "2 errors"),
        ("Dispatchfile.json", '{"a": 1,}', "1 error"),
        ("Dispatchfile", "#!pyhton\n", "the first line names no known flavour"),
    ],
)
def test_what_cannot_be_parsed_is_refused(name: str, text: str, expected: str) -> None:
    with pytest.raises(EvaluationError, match=expected) as caught:
        formatted(Source(name, text))
    assert all(found.code == "DF001" and found.span for found in caught.value.diagnostics)
    assert caught.value.diagnostics


def test_a_value_that_cannot_be_evaluated_is_formatted_all_the_same() -> None:
    assert formatted(Source("Dispatchfile", "a:1\na:2\nb:  nowhere\n")) == "a: 1\na: 2\nb: nowhere\n"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/Dispatchfile*")), ids=lambda path: path.parent.name)
def test_the_examples_are_formatted(path: Path) -> None:
    text = path.read_text()
    assert formatted(Source(path.name, text)) == text
