"""Lines and columns as the Language Server Protocol counts them.

Lines end with LF, CRLF or CR, nothing else; a column counts code units of the encoding agreed on with the client, by
default UTF-16, in which a character beyond U+FFFF counts two (LSP 3.17, "Position").
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """A text and where its lines start; offsets count characters."""

    def __init__(self, text: str, encoding: str = PositionEncodingKind.Utf16) -> None:
        self.text = text
        self.encoding = encoding
        self.starts = [0, *(found.end() for found in _LINE_END.finditer(text))]

    def offset(self, position: Position) -> int:
        """Return the offset of a position; a column behind the line's end is its end, a line behind the last the text's."""
        if position.line >= len(self.starts):
            return len(self.text)
        line = self.line(position.line)
        return self.starts[position.line] + self._characters(line, position.character)

    def position(self, offset: int) -> Position:
        """Return the position of an offset."""
        number = bisect_right(self.starts, offset) - 1
        line = self.text[self.starts[number] : offset]
        return Position(number, self._units(line))

    def range(self, start: int, end: int) -> Range:
        """Return the range of the characters from one offset to another."""
        return Range(self.position(start), self.position(end))

    def line(self, number: int) -> str:
        """Return a line, counted from zero, without its end."""
        start = self.starts[number]
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding == PositionEncodingKind.Utf32:
            return len(text)
        if self.encoding == PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(char > "\uffff" for char in text)

    def _characters(self, line: str, units: int) -> int:
        if line.isascii() or self.encoding == PositionEncodingKind.Utf32:
            return min(units, len(line))
        for index, char in enumerate(line):
            if units <= 0:
                return index
            units -= self._units(char)
        return len(line)
