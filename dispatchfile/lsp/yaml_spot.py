"""Where in a YAML text a cursor stands: by indentation, line after line, and by brackets within flow collections.

A YAML parser gives up at the first mistake, and a text that is being written is full of them.
"""

from __future__ import annotations

import re

from dispatchfile.lsp.spot import Spot
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.lsp.spot import Path

_KEY = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s#'"\[\]{},&*!|>%@`-][^#\n]*?|-[^\s#][^#\n]*?)[ \t]*:(?=\s|$)"""
)
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_DASH = re.compile(r"-(?=\s|$)")
_FLOW_PIECE = re.compile(
    r"""[ \t\r\n]+|\#[^\n]*|"(?:\\.|[^"\\])*"?|'(?:''|[^'])*'?|[\[\]{},]|:(?=[\s,\[\]{}]|$)|[^\s\[\]{},:]+:?"""
)


class _Level(Record):
    """A key, or a place in a list, and the column at which its line begins."""

    column: int
    part: str | int


def in_yaml(text: str, offset: int) -> Spot | None:
    """Return where an offset of a YAML text stands, or None inside a comment."""
    levels: list[_Level] = []
    block: int | None = None
    at = 0
    while True:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        last = offset <= end
        line = text[at : offset if last else end].rstrip("\r")
        bare = line.strip()
        column = len(line) - len(line.lstrip(" "))
        if block is not None and (not bare or column > block):
            if last:
                return _value(text, offset, _path(levels), offset - len(line.lstrip()))
        elif bare and not bare.startswith("#") and bare not in ("---", "..."):
            block = None
            column, rest = _structure(line, levels)
            if _BLOCK_SCALAR.match(rest):
                block = levels[-1].column if levels else 0
            elif rest[:1] in ("[", "{"):
                start = at + len(line) - len(rest)
                closed, spot = _flow(text, start, offset, _path(levels))
                if spot is not None or closed >= offset:
                    return spot
                end = text.find("\n", closed)
                end = len(text) if end < 0 else end
            if last:
                return _at_end(text, offset, line, column, rest, levels)
        elif last:
            if bare.startswith("#"):
                return None
            _leave(levels, len(line))
            return Spot(_path(levels), label=True, value=True, start=offset, end=offset)
        at = end + 1


def _structure(line: str, levels: list[_Level]) -> tuple[int, str]:
    """Enter a line's dashes and key into the levels; return the column of what follows them, and that text."""
    column = len(line) - len(line.lstrip(" "))
    while _DASH.match(line, column):
        _leave(levels, column, keep_list=True)
        top = levels[-1] if levels else None
        if top is not None and top.column == column and isinstance(top.part, int):
            levels[-1] = _Level(column, top.part + 1)
        else:
            levels.append(_Level(column, 0))
        column += 1
        column += len(line[column:]) - len(line[column:].lstrip(" "))
    found = _KEY.match(line, column)
    if found is None:
        return column, line[column:]
    _leave(levels, column)
    levels.append(_Level(column, found[1].strip("\"'")))
    return column, line[found.end() :].lstrip(" \t")


def _leave(levels: list[_Level], column: int, *, keep_list: bool = False) -> None:
    """Drop the levels that a line at a column is not within; an item of a list may stand right below its key."""
    while levels and levels[-1].column > column:
        levels.pop()
    if not keep_list:
        while levels and levels[-1].column == column:
            levels.pop()


def _at_end(text: str, offset: int, line: str, column: int, rest: str, levels: list[_Level]) -> Spot | None:
    """Return the spot behind a line's last character before the cursor."""
    if re.search(r"(^|\s)#[^\"']*$", rest):
        return None
    behind_key = _KEY.match(line, column) is not None
    if behind_key:
        return _value(text, offset, _path(levels), offset - len(rest))
    _leave_deeper(levels, column)
    end = _word_end(text, offset)
    named = re.match(r"['\"]?[ \t]*:(\s|$)", text[end:]) is not None
    quote = rest[:1] if rest[:1] in ("'", '"') else ""
    start = offset - len(rest) + len(quote)
    return Spot(_path(levels), label=True, value=not named, start=start, end=end, quote=quote, named=named)


def _leave_deeper(levels: list[_Level], column: int) -> None:
    while (
        levels
        and levels[-1].column >= column
        and not (isinstance(levels[-1].part, int) and levels[-1].column < column)
    ):
        levels.pop()


def _value(text: str, offset: int, path: Path, start: int) -> Spot:
    quote = text[start : start + 1] if text[start : start + 1] in ("'", '"') and start < offset else ""
    return Spot(
        path,
        label=False,
        value=True,
        start=start + len(quote),
        end=_word_end(text, offset, quote),
        quote=quote,
    )


def _word_end(text: str, offset: int, quote: str = "") -> int:
    pattern = rf"[^{quote}\n]*" if quote else r"[\w$./()@-]*"
    found = re.compile(pattern).match(text, offset)
    return found.end() if found else offset


def _path(levels: list[_Level]) -> Path:
    return tuple(level.part for level in levels)


class _Flow:
    """An open bracket of a flow collection."""

    def __init__(self, bracket: str, path: Path) -> None:
        self.bracket = bracket
        self.path = path
        self.index = 0
        self.key: str | None = None
        self.word = ""

    @property
    def here(self) -> Path:
        """Return the path of the value that is being written."""
        if self.bracket == "[":
            return (*self.path, self.index)
        return self.path if self.key is None else (*self.path, self.key)


def _flow(text: str, start: int, offset: int, path: Path) -> tuple[int, Spot | None]:
    """Walk a flow collection; return where it ends, or where it was left, and the spot when the offset is within."""
    open_ones: list[_Flow] = []
    at = start
    while at < offset:
        found = _FLOW_PIECE.match(text, at)
        end = found.end() if found else at + 1
        piece = text[at:end]
        inside = open_ones[-1] if open_ones else None
        if end >= offset and inside is not None and (end > offset or piece[-1] not in "[]{}, \t\r\n:"):
            return end, _in_flow(text, at, offset, inside)
        if piece in ("[", "{"):
            open_ones.append(_Flow(piece, inside.here if inside else path))
        elif piece in ("]", "}"):
            open_ones.pop()
            if not open_ones:
                return end, None
        elif inside is not None:
            _enter(inside, piece)
        at = end
    if not open_ones:
        return at, None
    return at, _in_flow(text, offset, offset, open_ones[-1])


def _enter(inside: _Flow, piece: str) -> None:
    if piece == ",":
        inside.index, inside.key, inside.word = inside.index + 1, None, ""
    elif piece == ":":
        inside.key = inside.word
    elif piece.endswith(":") and inside.key is None:
        inside.key = piece[:-1].strip("\"'")
    elif piece.strip():
        inside.word = piece.strip("\"'")


def _in_flow(text: str, start: int, offset: int, inside: _Flow) -> Spot | None:
    if text[start : start + 1] == "#" and start < offset:
        return None
    while start < offset and text[start] in " \t\r\n":
        start += 1
    if inside.bracket == "{" and inside.key is None:
        quote = text[start] if start < offset and text[start] in "'\"" else ""
        end = _word_end(text, offset, quote)
        named = re.match(r"['\"]?[ \t]*:", text[end:]) is not None
        return Spot(
            inside.path, label=True, value=False, start=start + len(quote), end=end, quote=quote, named=named
        )
    return _value(text, offset, inside.here, start)
