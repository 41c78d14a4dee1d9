"""Lines and columns as clients count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from dispatchfile.lsp.document import changed
from dispatchfile.lsp.positions import Lines

TEXT = "a𝄞b\r\né\u2028x\x0cy\rz"


@pytest.mark.parametrize(
    ("encoding", "columns"),
    [("utf-8", [0, 1, 5, 6]), ("utf-16", [0, 1, 3, 4]), ("utf-32", [0, 1, 2, 3])],
)
def test_columns_count_the_units_of_the_encoding(encoding: str, columns: list[int]) -> None:
    lines = Lines(TEXT, encoding)
    assert [lines.position(offset).character for offset in range(4)] == columns
    assert [lines.offset(Position(0, column)) for column in columns] == [0, 1, 2, 3]


def test_lines_end_as_the_protocol_says() -> None:
    lines = Lines(TEXT)
    assert [lines.line(number) for number in range(3)] == ["a𝄞b", "é\u2028x\x0cy", "z"]


def test_positions_beyond_the_text_are_brought_back() -> None:
    lines = Lines(TEXT)
    assert lines.offset(Position(0, 99)) == 3
    assert lines.offset(Position(99, 0)) == len(TEXT)


@given(st.text(alphabet="a𝄞\r\n\u2028é", max_size=20), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_every_offset_comes_back(text: str, encoding: str) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(lines.position(offset)) == offset


def test_changes_count_in_the_text_that_the_one_before_left() -> None:
    first = TextDocumentContentChangePartial(Range(Position(0, 1), Position(0, 3)), "𝄞𝄞")
    second = TextDocumentContentChangePartial(Range(Position(0, 5), Position(1, 0)), "-")
    assert changed(TEXT, [first, second], "utf-16") == "a𝄞𝄞-é\u2028x\x0cy\rz"
    assert changed(TEXT, [first, TextDocumentContentChangeWholeDocument("new")], "utf-16") == "new"
