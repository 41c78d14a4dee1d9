"""Where in a pipeline a cursor stands, however unfinished the text around it is.

Only the text before the cursor is asked, token by token, so that what is wrong elsewhere cannot hide the answer. The
path that comes out is one of the value (`task`, `build`, `steps`, 0); a label that is computed is `*` in it.
"""

from __future__ import annotations

import re

from dispatchfile.cue import lexer
from dispatchfile.cue.lexer import BOTTOM, BYTES, COLON, COMMA, IDENT, KIND, NL, STRING
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from dispatchfile.cue.lexer import Token

    Path: TypeAlias = tuple[str | int, ...]

_OPEN_BRACE, _OPEN_BRACKET, _OPEN_PARENTHESIS = lexer.OPENERS
_COLONS = (COLON, KIND["DOUBLE_COLON"])
_WORDLIKE = frozenset((IDENT, *(KIND[name] for name in ("TRUE", "FALSE", "NULL", "FOR", "IF", "IN", "LET"))))
_MARKS = frozenset(KIND[name] for name in ("QUESTION", "EXCLAMATION"))
_CLAUSES = frozenset(KIND[name] for name in ("FOR", "IF", "LET"))
_HOLE_STARTS, _HOLE_ENDS = KIND["INTERPOLATION_START"], KIND["INTERPOLATION_END"]


class Spot(Record):
    """A place of a cursor.

    `path` leads to the struct whose label, or to the field whose value, is being written there: `label` and `value`
    say which of the two can be. text[start:end] is the word around the cursor, without quotes; `quote` is the one
    it stands in. `named` tells whether a colon follows, which makes the word a label for certain.
    """

    path: Path
    label: bool
    value: bool
    start: int
    end: int
    quote: str = ""
    named: bool = False


class _Frame:
    """An open bracket: where it leads, and what stands in it since the last comma."""

    def __init__(self, bracket: str, path: Path) -> None:
        self.bracket = bracket
        self.path = path
        self.index = 0
        self.next()

    def next(self) -> None:
        """Begin the next declaration or element."""
        self.labels: list[str | int] = []
        self.chain: list[str | int] = []
        self.colon = False
        self.clause = False
        self.line = False

    @property
    def here(self) -> Path:
        """Return the path of the value that is being written."""
        if self.bracket == "[":
            return (*self.path, self.index)
        return (*self.path, *self.labels)


def in_cue(text: str, offset: int) -> Spot | None:
    """Return where an offset of a CUE or JSON text stands, or None inside a comment."""
    lexed = lexer.tokenize(text[:offset])
    if any(start <= offset <= end for start, end in lexed.comments[-1:]):
        return None
    tokens = lexed.tokens[:-1]
    last = tokens[-1] if tokens and tokens[-1][2] == offset else None
    start, quote = offset, ""
    if last is not None and last[0] in _WORDLIKE:
        start = last[1]
        tokens.pop()
    elif last is not None and last[0] == BOTTOM and text[last[1]] in "\"'#)":
        opening = re.match(r"#*(\"\"\"|'''|[\"'])|\)", text[last[1] : offset])
        quote = (opening[1] if opening else None) or '"'
        start = last[1] + (opening.end() if opening else 0)
        tokens.pop()
    frames = _walked(text, tokens)
    if last is not None and last[0] == BOTTOM and text[last[1]] == ")":
        _close(frames, "(")
    frame = frames[-1]
    end = _word_end(text, offset, quote)
    behind = text[end + len(quote) if quote and text.startswith(quote, end) else end :]
    named = re.match(r"[ \t]*[?!]?:", behind) is not None
    if frame.bracket != "{":
        return Spot(
            frame.here,
            label=False,
            value=frame.bracket == "[",
            start=start,
            end=end,
            quote=quote,
            named=named,
        )
    if frame.colon:
        return Spot(
            frame.here, label=not frame.chain, value=not named, start=start, end=end, quote=quote, named=named
        )
    return Spot(
        (*frame.path, *frame.chain), label=True, value=False, start=start, end=end, quote=quote, named=named
    )


def _word_end(text: str, offset: int, quote: str) -> int:
    pattern = rf"(?:\\.|[^{quote[0]}\\\n])*" if quote else r"[\w$#]*"
    found = re.compile(pattern).match(text, offset)
    return found.end() if found else offset


def _walked(text: str, tokens: list[Token]) -> list[_Frame]:
    """Return the brackets that stand open behind the tokens, outermost first."""
    frames = [_Frame("{", ())]
    for kind, start, end in tokens:
        frame = frames[-1]
        if kind in lexer.OPENERS or kind == _HOLE_STARTS:
            frames.append(_opened(frame, lexer.OPENERS.get(kind, "(")))
        elif kind in lexer.CLOSERS or kind == _HOLE_ENDS:
            _close(frames, lexer.CLOSERS.get(kind, "("))
        elif kind == COMMA and frame.clause:
            continue
        elif kind == COMMA or (kind == NL and frame.bracket == "{"):
            frame.index += 1
            frame.next()
        elif kind == NL:
            frame.chain = []
            frame.line = True
        elif kind in _COLONS:
            if frame.bracket == "[" and frame.line and len(frames) > 1:
                frame = _left_open(frames)
            frame.labels += frame.chain
            frame.chain, frame.colon = [], True
        elif kind in _CLAUSES and not frame.colon:
            frame.clause = True
        elif frame.clause or kind in _MARKS:
            continue
        elif kind in _WORDLIKE or kind == STRING:
            frame.chain.append(_label(text[start:end]))
        elif kind == KIND["TEMPLATE"]:
            frame.chain.append("*")
        elif kind == KIND["EQUAL"]:
            frame.chain = []
        else:
            # An operator, number, or the like: no label any more.
            frame.chain = ["*"] if kind in (BOTTOM, BYTES) else []
    return frames


def _opened(frame: _Frame, bracket: str) -> _Frame:
    """Return the frame of a bracket that opens within another one; `task "x" {` lacks its colon, which is let pass."""
    path = frame.here
    if bracket == "{" and frame.bracket == "{" and not frame.colon and not frame.clause:
        path = (*frame.path, *frame.chain)
    return _Frame(bracket, path)


def _left_open(frames: list[_Frame]) -> _Frame:
    """Return the frame around a list that a field on a new line shows to lack its end, with the label read so far."""
    chain = frames.pop().chain
    frames[-1].next()
    frames[-1].chain = chain
    return frames[-1]


def _close(frames: list[_Frame], bracket: str) -> None:
    """Close the innermost bracket of a kind and all within it; as a label it counts as a computed one."""
    open_ones = [index for index, frame in enumerate(frames) if index and frame.bracket == bracket]
    if not open_ones:
        return
    del frames[open_ones[-1] :]
    around = frames[-1]
    around.clause = around.clause and bracket != "{"
    if bracket != "{" and around.bracket == "{" and not around.clause:
        around.chain = [*around.chain, "*"]


def _label(written: str) -> str:
    if written[:1] == '"':
        return re.sub(r"\\(.)", r"\1", written[1:-1])
    return written.strip("`")
