"""Source texts and places in them."""

from __future__ import annotations

from functools import cached_property

from dispatchfile.record import Record


class Source(Record, eq=False):
    """A text with the name under which messages mention it, and its flavour where that was asked for.

    Without one the first line and the name tell it: see `front.flavour_of`.
    """

    name: str
    text: str
    flavour: str | None = None

    def with_text(self, text: str) -> Source:
        """Return the same file with another text."""
        return Source(self.name, text, self.flavour)

    @cached_property
    def line_starts(self) -> list[int]:
        """Return the offset at which each line starts; line 1 starts at offset 0."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return the one-based line and column, in characters, of an offset."""
        from bisect import bisect_right

        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return line `number` (one-based) without its line end; empty when there is none."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r")


class Span(Record):
    """A piece of a source: the characters from offset `start` up to, not including, `end`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Return the one-based line on which the span starts."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Return the one-based column, in characters, at which the span starts."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """Return the characters of the span."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of `other`."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
