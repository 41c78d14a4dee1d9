"""How far a literal goes that is none: what the lexer asks where it meets one, so that the rest is read well."""

from __future__ import annotations

import re

from dispatchfile.cue.lexer import CLOSERS, COLON, OPENERS

_ILLEGAL = r"[^\w\s\"'`{}\[\](),:.=<>+\-*&|!?/#@$]+|."

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Token


def closers(text: str, tokens: list[Token], start: int) -> int:
    """Return where the brackets begin that end a line and close those opened on it; a string holds them by mistake."""
    line = text.rfind("\n", 0, start) + 1
    depth = 0
    for kind, at, _ in reversed(tokens):
        if at < line:
            break
        depth += (kind in OPENERS) - (kind in CLOSERS)
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    rest = text[start:end].rstrip(" \t\r")
    rest = rest.removesuffix(",").rstrip(" \t") if depth > 0 else rest
    at = start + len(rest)
    while depth > 0 and at > start + 1 and text[at - 1] in "]})":
        depth, at = depth - 1, at - 1
    return at if at < start + len(rest) else end


def several_lines(text: str, start: int) -> int:
    """Return where a string ends that someone has written over several lines, 0 when it does not look like one.

    No line of it but the first holds a quote, or begins like a field, before the one that ends with its quote.
    """
    position = text.find("\n", start) + 1
    if not position or '"' in text[start + 1 : position]:
        return 0
    for _ in range(30):
        end = text.find("\n", position)
        line = text[position : end if end >= 0 else len(text)]
        if re.match(r"[ \t]*[\w$-]+(?:[ \t]+(?:[\w$]+|\"[^\"]*\"))*[ \t]*\??:(?:\s|$)", line):
            return 0
        if '"' in line:
            found = re.match(r'[^"]*"(?=[\s\]}),]*$)', line)
            return position + found.end() if found else 0
        if end < 0:
            return 0
        position = end + 1
    return 0


def word_around(text: str, tokens: list[Token], position: int) -> tuple[int, int]:
    """Return where a text without quotes such as `release/*` begins and ends; its tokens so far are taken back."""
    begin = position
    while tokens and tokens[-1][2] == begin and text[begin - 1] not in "\"'{}[](),:":
        begin = tokens.pop()[1]
    found = re.compile(r"[^\s,\[\]{}()\"]+").match(text, position)
    return begin, found.end() if found else position + 1


def illegal(text: str, tokens: list[Token], position: int) -> tuple[int, bool]:
    """Return where to go on behind what begins no token, and whether it stands for a value.

    Typographic quotes hold one, and so does what is seen right behind a label's colon.
    """
    quoted = re.compile('[“„‘][^“”„‘’"\n]*[”’“‘]').match(text, position)
    if quoted:
        return quoted.end(), True
    found = re.compile(_ILLEGAL).match(text, position)
    end = found.end() if found else position + 1
    is_seen = text[position].isprintable() and text[position] not in ";：，"
    return end, is_seen and bool(tokens) and tokens[-1][0] == COLON
