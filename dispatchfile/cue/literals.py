"""What number and string literals stand for."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

MAX_DIGITS = 4000
"""How many digits a number may have; Python itself refuses to convert more than 4,300."""

_MULTIPLIERS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_BASES = {"x": 16, "X": 16, "b": 2, "o": 8, "O": 8}
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "/": "/", "\\": "\\"}
_ESCAPE = r"u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-7]{3})|([\s\S])"


class BadLiteral(Exception):
    """A literal that stands for nothing; `start` and `end` say which part of its text is at fault."""

    def __init__(self, reason: str, start: int, end: int) -> None:
        super().__init__(reason)
        self.reason, self.start, self.end = reason, start, end


def number(text: str) -> int | Decimal:
    """Return the value of a number literal: int, or Decimal for a float; raises BadLiteral."""
    if len(text) > MAX_DIGITS:
        raise BadLiteral("long number", 0, len(text))
    if text.isdecimal():
        return int(text)
    length, text = len(text), text.replace("_", "")
    if text[0] == "0" and text[1:2] in _BASES:
        if len(text) == 2:
            raise BadLiteral("number", 0, length)
        return int(text[2:], _BASES[text[1]])
    from decimal import Context, Decimal, InvalidOperation, Overflow, Underflow

    power = _MULTIPLIERS.get(text[-2] if text[-1] == "i" else text[-1])
    if power is not None:
        binary = text[-1] == "i"
        product = Decimal(text.rstrip("KMGTPi")) * (1024 if binary else 1000) ** power
        if product != int(product):
            raise BadLiteral("broken multiple", 0, len(text))
        return int(product)
    if text.isdecimal():
        return int(text)
    try:
        return Context(
            MAX_DIGITS, Emin=-MAX_DIGITS, Emax=MAX_DIGITS, traps=[InvalidOperation, Overflow, Underflow]
        ).create_decimal(text)
    except (InvalidOperation, Overflow, Underflow):
        raise BadLiteral("long number", 0, len(text)) from None


def unquoted(text: str) -> str | bytes:
    """Return what a whole string or bytes literal stands for; raises BadLiteral."""
    mark, hashes = delimiter(text)
    if hashes == 0 and len(mark) == 1 and "\\" not in text:
        inner = text[1:-1]
        return inner if mark == '"' else inner.encode("utf-8", "surrogatepass")
    return pieces([text])[0]


def delimiter(text: str) -> tuple[str, int]:
    """Return the quote that a literal starts with, one character or three, and how many `#` stand before it."""
    bare = text.lstrip("#")
    hashes = len(text) - len(bare)
    mark = bare[0] * 3 if bare.startswith((bare[0] * 3 + "\n", bare[0] * 3 + "\r\n")) else bare[0]
    return mark, hashes


def pieces(texts: list[str]) -> list[str | bytes]:
    r"""Return what the pieces of a literal stand for, one value each; raises BadLiteral.

    The first piece starts with the opening quote, the last ends with the closing one; those between run from `)`
    to `\(`. The faulty place in a BadLiteral counts in the pieces put one behind the other.
    """
    mark, hashes = delimiter(texts[0])
    opening, closing, hole = len(mark) + hashes, len(mark) + hashes, hashes + 2
    bodies: list[tuple[int, str]] = []
    offset = 0
    for index, text in enumerate(texts):
        start = 1 if index else opening
        end = len(text) - (closing if index == len(texts) - 1 else hole)
        bodies.append((offset + start, text[start:end]))
        offset += len(text)
    is_bytes = mark[0] == "'"
    if len(mark) == 3:
        bodies = _dedented(bodies)
    escape = "\\" + "#" * hashes
    return [_unescaped(body, start, escape, mark, is_bytes=is_bytes) for start, body in bodies]


def _dedented(bodies: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Strip what a block string's layout adds: first and last line end, and the indent of the closing line."""
    start, first = bodies[0]
    skipped = first.index("\n") + 1
    bodies[0] = start + skipped, first[skipped:]
    last = bodies[-1][1]
    indent = last[last.rfind("\n") + 1 :]
    if len(bodies) == 1 and "\n" not in last:
        if last.strip(" \t"):
            raise BadLiteral("closing quotes", start + skipped + len(last), start + skipped + len(last) + 3)
        return [(start, "")]
    if indent.strip(" \t") or (len(bodies) > 1 and "\n" not in last):
        at = bodies[-1][0] + len(last)
        raise BadLiteral("closing quotes", at, at + 3)
    stripped: list[tuple[int, str]] = []
    for index, (begin, body) in enumerate(bodies):
        lines = body.split("\n")
        place = begin
        for row, line in enumerate(lines):
            at_line_start = row > 0 or index == 0
            if at_line_start and line.startswith(indent):
                lines[row] = line[len(indent) :]
            elif at_line_start and line.strip(" \t\r"):
                raise BadLiteral("indent", place, place + len(line) - len(line.lstrip(" \t")) + 1)
            elif at_line_start:
                lines[row] = ""
            place += len(line) + 1
        if index == len(bodies) - 1:
            lines.pop()
        stripped.append((begin, "\n".join(line.removesuffix("\r") for line in lines)))
    return stripped


def _unescaped(body: str, start: int, escape: str, mark: str, *, is_bytes: bool) -> str | bytes:
    """Return a piece with its escapes resolved."""
    parts = body.split(escape) if escape in body else [body]
    if len(parts) == 1:
        return body.encode("utf-8", "surrogatepass") if is_bytes else body
    out: list[bytes | str] = []
    position = 0
    while True:
        at = body.find(escape, position)
        plain = body[position : at if at >= 0 else len(body)]
        out.append(plain.encode("utf-8", "surrogatepass") if is_bytes else plain)
        if at < 0:
            break
        found = re.compile(_ESCAPE).match(body, at + len(escape))
        value = _escaped(found, mark[0], is_bytes=is_bytes) if found else None
        if found is None or value is None:
            raise BadLiteral("escape", start + at, start + at + len(escape) + (len(found[0]) if found else 0))
        out.append(value)
        position = found.end()
    if is_bytes:
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in out)
    text = "".join(str(part) for part in out)
    return _paired(text, start, len(body))


def _escaped(found: re.Match[str], quote: str, *, is_bytes: bool) -> str | bytes | None:
    """Return what one escape stands for, or None when there is no such escape."""
    if found[1] or found[2]:
        code = int(found[1] or found[2], 16)
        return None if code > 0x10FFFF else chr(code)
    if found[3] or found[4]:
        code = int(found[3], 16) if found[3] else int(found[4], 8)
        return bytes([code]) if is_bytes and code < 256 else None
    if found[5] == quote:
        return quote
    return _SIMPLE.get(found[5])


def _paired(text: str, start: int, length: int) -> str:
    r"""Return a text with the two halves `\ud83d\ude00` of a character put together."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise BadLiteral("surrogate", start, start + length) from None
