"""A CUE text as a layout sees it: the words that stay as they are, and the gaps between them that may change.

An atom is a token, or a whole string with the expressions inside it. A gap is all that stands before an atom: white
space, comments, and the comma (written, or inserted at a line's end) that separates two declarations or elements.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from dispatchfile.cue.lexer import COMMA, END, KIND, NL, STRING, Lexed, tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Comment: TypeAlias = tuple[str, bool, bool]

_STRING_START, _STRING_END = KIND["INTERPOLATION_START"], KIND["INTERPOLATION_END"]
_PIECES = frozenset((_STRING_START, KIND["INTERPOLATION_MIDDLE"], _STRING_END))
_FOR = KIND["FOR"]


class Gap:
    """What stands before an atom.

    `separates`: a comma does, written or inserted; `comma`: a written one. `newline`: it spans lines.
    `comments` are (text, stands on a line of its own, has a blank line above it); `blank`: the atom itself has one.
    """

    __slots__ = ("blank", "comma", "comments", "newline", "separates")

    def __init__(self, *, separates: bool, comma: bool, lines: int, comments: Sequence[Comment] = ()) -> None:
        self.separates, self.comma = separates, comma
        self.newline, self.blank = lines > 0 or bool(comments), lines > 1
        self.comments = comments


# One object for all gaps that are alike and have no comments, by `separates`, `comma` and the number of line ends.
_PLAIN = [
    [[Gap(separates=separates, comma=comma, lines=lines) for lines in range(3)] for comma in (False, True)]
    for separates in (False, True)
]


class Atoms:
    """The atoms of a text, the last one END, and the gap before each; `pieces` has the tokens of an interpolation."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lexed = tokenize(text)
        self.kinds: list[int] = []
        self.starts: list[int] = []
        self.texts: list[str] = []
        self.gaps: list[Gap] = []
        self.pieces: dict[int, list[tuple[int, int]]] = {}
        start = 1 if text.startswith("\ufeff") else 0
        self.first_line = ""
        if text.startswith("#!", start):
            end = text.find("\n", start)
            self.first_line = text[start : end if end >= 0 else len(text)].rstrip()
            start = end if end >= 0 else len(text)
        _read(self, self.lexed, start)

    def expressions(self, at: int) -> list[str]:
        """Return the texts of the expressions inside a string."""
        pieces = self.pieces.get(at, [])
        return [self.text[end:start] for (_, end), (start, _) in pairwise(pieces)]


def _read(atoms: Atoms, lexed: Lexed, end: int) -> None:
    """Fill in the atoms from the tokens, the first of which comes behind `end`."""
    text, tokens, comments = atoms.text, lexed.tokens, lexed.comments
    kinds, count = atoms.kinds, text.count
    following, at, separates, comma = 0, 0, False, False
    while at < len(tokens):
        kind, start, stop = tokens[at]
        at += 1
        if kind == NL or (kind == COMMA and kinds[-2:-1] != [_FOR]):
            separates, comma = True, comma or kind == COMMA
            continue
        if kind == _STRING_START:
            at, stop = _string(atoms, lexed, at - 1)
            kind = STRING
        if following < len(comments) and comments[following][0] < start:
            upto = bisect_left(comments, (start, 0), following)
            found, lines = _comments(text, comments[following:upto], end, start, first=not kinds)
            atoms.gaps.append(Gap(separates=separates, comma=comma, lines=lines, comments=found))
            following = upto
        else:
            lines = min(count("\n", end, start), 2) if end < start else 0
            atoms.gaps.append(_PLAIN[separates][comma][lines])
        while following < len(comments) and comments[following][0] < stop:
            following += 1  # inside an interpolation: part of the atom
        kinds.append(kind)
        atoms.starts.append(start)
        atoms.texts.append(text[start:stop] if kind != END else "")
        separates, comma, end = False, False, stop


def _comments(
    text: str, places: Sequence[tuple[int, int]], end: int, start: int, *, first: bool
) -> tuple[list[Comment], int]:
    """Return the comments between two places, and how many line ends follow; `first`: the text starts there."""
    found: list[Comment] = []
    for begin, stop in places:
        lines = text.count("\n", end, begin)
        found.append((text[begin:stop], lines > 0 or (first and not found), lines > 1))
        end = stop
    return found, text.count("\n", end, start)


def _string(atoms: Atoms, lexed: Lexed, at: int) -> tuple[int, int]:
    """Note the pieces of the interpolation that starts at token `at`; return the token behind it and its end."""
    depth, pieces = 0, []
    while True:
        kind, start, stop = lexed.tokens[at]
        at += 1
        depth += kind == _STRING_START
        if depth == 1 and kind in _PIECES:
            pieces.append((start, stop))
        if kind == _STRING_END:
            depth -= 1
            if not depth:
                atoms.pieces[len(atoms.kinds)] = pieces
                return at, stop
