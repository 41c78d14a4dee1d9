"""Where the parser stumbled."""

from __future__ import annotations

import re
from functools import cached_property

from dispatchfile.cue.faults import short
from dispatchfile.cue.lexer import CLOSERS, END, KIND, NL, OPENERS, STRING
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Token
    from dispatchfile.cue.parser import Parser

CLOSER_OF = {mark: kind for kind, mark in CLOSERS.items()} | {"": KIND["CLOSE_PARENTHESIS"]}
"""The token that closes what a bracket opens; \"\" stands for an expression inside a string."""

_HOLES = frozenset((KIND["INTERPOLATION_START"], KIND["INTERPOLATION_MIDDLE"]))
_INDENT = re.compile(r"[ \t]*")


class Place:
    """Where the parser stumbled: the token, its neighbours, and the brackets that stand open."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.source = parser.source
        self.index = parser.position
        self.token = parser.tokens[self.index]
        self.before: Token | None = parser.tokens[self.index - 1] if self.index else None
        self.line = self.source.position(self.token[1])[0]
        self.openers: list[Token] = []
        for value in parser.values:
            if value.__class__ is tuple and len(value) == 3:
                if value[0] in OPENERS or value[0] in _HOLES:
                    self.openers.append(value)
                elif value[0] in CLOSERS:  # the pair is read, but not made a node yet
                    self.openers.pop()
        self.opener: Token | None = self.openers[-1] if self.openers else None
        self.opener_mark = OPENERS.get(self.opener[0], "") if self.opener else "file"

    @cached_property
    def on_new_line(self) -> bool:
        """Return whether the token starts a line."""
        return self.token[0] in (NL, END) or self.starts_line(self.token)

    @property
    def is_inserted(self) -> bool:
        """Return whether the token is a bracket that does not stand in the text: the recovery has put it in."""
        return self.token[0] in CLOSERS and self.token[1] == self.token[2]

    def starts_line(self, token: Token) -> bool:
        """Return whether nothing but blanks stands before a token on its line."""
        text, before = self.source.text, token[1] - 1
        while before >= 0 and text[before] in " \t\ufeff":
            before -= 1
        return before < 0 or text[before] == "\n"

    def indent(self, token: Token) -> int:
        """Return how far the line of a token is indented."""
        start = self.source.line_starts[self.source.position(token[1])[0] - 1]
        found = _INDENT.match(self.source.text, start)
        return len(found[0].expandtabs()) if found else 0

    def on_one_line(self, first: Token, second: Token) -> bool:
        """Return whether no line ends between two tokens."""
        return "\n" not in self.source.text[first[1] : second[1]]

    def text(self, token: Token) -> str:
        """Return the characters of a token."""
        return self.source.text[token[1] : token[2]]

    def named(self, token: Token) -> str:
        """Return how a message names a token."""
        if token[0] in (NL, END):
            return "end of line" if token[0] == NL else "end of file"
        text = short(self.text(token))
        return text if token[0] == STRING else f"`{text}`"

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets."""
        return Span(self.source, start, end)

    def at(self, token: Token) -> Span:
        """Return the span of a token; of a line end, the last character before it."""
        if token[0] in (NL, END):
            end = len(self.source.text[: token[1]].rstrip())
            return self.span(max(end - 1, 0), end)
        return self.span(token[1], token[2])

    def heading(self, token: Token) -> str:
        """Return what stands on a bracket's line before it, such as `task "build"`; "" when nothing does."""
        start = self.source.line_starts[self.source.position(token[1])[0] - 1]
        return self.source.text[start : token[1]].strip().rstrip(":").strip()
