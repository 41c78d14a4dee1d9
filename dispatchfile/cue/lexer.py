r"""Text to tokens: CUE's words, the commas it inserts at line ends, and strings with expressions inside.

A token is a tuple (kind, start, end): the number of a terminal of the grammar and the offsets of its text. The
lexer never fails. What it cannot read it notes as a fault and goes on behind it; `messages.py` words the faults.

What one regular expression cannot decide is decided here, by the token before and a stack of open brackets:

- A line end becomes NL, CUE's inserted comma, when the token before it can end a declaration. It is left out
  before `]` and `)`, and before `for` or `if` directly inside `[ ]`, or behind `<-`, where the language tolerates it.
- `\(` inside a string opens an expression; the `)` that closes it carries the string on.
- `for`, `if`, `true` … are names when a colon follows (`if: "x"`) or a dot stands before.
"""

from __future__ import annotations

import re

from dispatchfile.cue._tables import SPELLINGS, TERMINALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Token: TypeAlias = tuple[int, int, int]
    Fault: TypeAlias = tuple[str, int, int]

MAX_DEPTH = 250
"""How many brackets may stand open at once; no file written by hand comes near."""

KIND = {name: number for number, name in enumerate(TERMINALS)}

END, NL, COMMA = KIND["$END"], KIND["NL"], KIND["COMMA"]
IDENT, STRING, BYTES, NUMBER = KIND["IDENT"], KIND["STRING"], KIND["BYTES"], KIND["NUMBER"]
COLON, DOT, BOTTOM = KIND["COLON"], KIND["DOT"], KIND["BOTTOM"]
LESS, ARROW = KIND["LESS"], KIND["ARROW"]
OPENERS = {KIND["OPEN_BRACE"]: "{", KIND["OPEN_BRACKET"]: "[", KIND["OPEN_PARENTHESIS"]: "("}
CLOSERS = {KIND["CLOSE_BRACE"]: "{", KIND["CLOSE_BRACKET"]: "[", KIND["CLOSE_PARENTHESIS"]: "("}

_OPERAND_ENDS = frozenset(
    KIND[name]
    for name in (
        "IDENT", "STRING", "BYTES", "NUMBER", "INTERPOLATION_END", "NULL", "TRUE", "FALSE", "BOTTOM",
        "CLOSE_BRACE", "CLOSE_BRACKET", "CLOSE_PARENTHESIS",
    )
)  # fmt: skip
_LINE_ENDS = _OPERAND_ENDS | {KIND["ATTRIBUTE"], KIND["QUESTION"], KIND["ELLIPSIS"]}
_BRACKETS = frozenset((*OPENERS, *CLOSERS))
_SCHEMES = frozenset(("http", "https", "git", "ssh", "file", "oci", "docker", "s3", "gs", "ftp"))
_PRELUDE = frozenset(
    KIND[name]
    for name in (
        "PACKAGE", "IMPORT", "IDENT", "STRING", "NL", "COMMA", "ATTRIBUTE", "OPEN_PARENTHESIS", "CLOSE_PARENTHESIS",
    )
)  # fmt: skip
_INTEGER_WORDS = ("div", "mod", "quo", "rem")
_WORDS = frozenset(("for", "if", "in", "let", "true", "false", "null", "package", "import", *_INTEGER_WORDS))

NAME = r"(?:[^\W\d]|\$)[\w$]*"
# What most files are made of. A regular expression takes long to compile, so the rest waits until it is met.
_COMMON = re.compile(
    r"[ \t\r]*(?:"
    rf"(?!_\|_(?![\w$]))((?:_?\#)?{NAME})"
    r'|("(?!"")[^"\\\n]*")'
    r"|(\n[ \t\r\n]*)"
    r"|(\.{3}|::|&&|\|\||[=!<>]=|=~|!~|/(?![/*])|\.(?!\d)|[{}\[\]():,?=<>+\-*&|!])"
    r"|(//[^\n]*)"
    r"|(\Z))"
)
_IDENT, _STRING, _BREAK, _MARK, _COMMENT, _END = range(1, 7)
_DIGITS = r"[0-9](?:_?[0-9])*"
_NUMBER = (
    r"0(?:[xX](?:_?[\da-fA-F])+|[bB](?:_?[01])+|[oO](?:_?[0-7])+)"
    rf"|(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?[0-9]+|[KMGTP]i?)?"
)
_QUOTE = r"(\#{0,32})(\"\"\"(?=\r?\n)|'{3}(?=\r?\n)|[\"'])"
_ATTRIBUTE = rf"@{NAME}\("
_BACKQUOTED = r"`[^`\n]+`"
_LABEL_FOLLOWS = r"[ \t]*(?:[?!][ \t]*)?:"
_LET_FOLLOWS = rf"[ \t]+(?:_?\#)?{NAME}[ \t]*=(?![=~])"
_PACKAGE_FOLLOWS = rf"[ \t]+{NAME}[ \t\r]*(?:\Z|\n|,|//)"
_IMPORT_FOLLOWS = rf"[ \t]*(?:\(|(?:{NAME}[ \t]+)?\"[^\"\n]*\"[ \t\r]*(?:\Z|\n|,|//))"
_NO_OPERAND_FOLLOWS = r"[ \t]*(?:[:,?)=\]}\r\n]|//|\Z)"
_NUMBER_GOES_ON = r"(?!\.\.\.)[\w$.][^\s,\[\]{}()\"]*"
_ATTRIBUTE_PIECE = r"""[^()"']+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[()]"""

_pieces: dict[tuple[str, int], re.Pattern[str]] = {}


class Lexed:
    """The tokens of a source, the last one END; the places of its comments, and faults with theirs."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.comments: list[tuple[int, int]] = []
        self.faults: list[Fault] = []


def tokenize(text: str) -> Lexed:
    """Return the tokens of a text. A first line `#!…` counts as blank."""
    return _Lexer(text).read()


class _Lexer:
    r"""Reads one text. `open` holds an opened bracket's character, or the string that a `\(` has interrupted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out = Lexed()
        self.open: list[str | tuple[str, int, int]] = []
        self.in_for = False
        self.goes_on: Callable[[list[Token]], bool] | None = None  # set when a `<-` was met
        self.holes = 0
        self.prelude = 0

    def read(self) -> Lexed:
        text, tokens, match = self.text, self.out.tokens, _COMMON.match
        append, spellings, brackets, ends, words = tokens.append, SPELLINGS, _BRACKETS, _LINE_ENDS, _WORDS
        position = 1 if text.startswith("\ufeff") else 0
        if text.startswith("#!", position):
            position = _line_end(text, position)
        last = NL
        while True:
            found = match(text, position)
            if found is None:
                position = self.rare(position)
                last = tokens[-1][0] if tokens else NL
                continue
            group = found.lastindex or 0
            start, position = found.span(group)
            if group == _IDENT:
                word = found[group]
                last = self.word(word, position, last) if word in words else IDENT
            elif group == _MARK:
                last = spellings[found[group]]
                if last in brackets:
                    position = self.bracket(last, start, position)
                    last = tokens[-1][0]
                    continue
                if last == LESS:
                    from dispatchfile.cue.angles import goes_on, meant

                    last, position = meant(text, start, position)
                    self.goes_on = goes_on if last == ARROW else self.goes_on
            elif group == _STRING:
                last = STRING
            elif group == _BREAK:
                if self.holes and self.close_holes(start):
                    last = BOTTOM
                if last not in ends:
                    continue
                last = NL
            elif group == _END:
                return self.finish(start)
            else:
                position = self.comment(start, position)
                last = tokens[-1][0] if tokens else NL
                continue
            append((last, start, position))

    def finish(self, end: int) -> Lexed:
        """Add END, and a fault when a string still waits for the end of its interpolation."""
        for bracket in self.open:
            if isinstance(bracket, tuple):
                self.fault("interpolation", bracket[2], _line_end(self.text, bracket[2]))
                break
        self.out.tokens.append((END, end, end))
        return self.out

    def fault(self, name: str, start: int, end: int) -> None:
        self.out.faults.append((name, start, end))

    def word(self, word: str, end: int, last: int) -> int:
        """Return the kind of a word that is a keyword in some places."""
        tokens, text = self.out.tokens, self.text
        if last == DOT or re.compile(_LABEL_FOLLOWS).match(text, end):
            return IDENT
        if word in ("true", "false", "null"):
            return KIND[word.upper()]
        if word in _INTEGER_WORDS:
            binary = last in _OPERAND_ENDS and not re.compile(_NO_OPERAND_FOLLOWS).match(text, end)
            return KIND["INTEGER_OPERATOR"] if binary else IDENT
        if word == "in":
            was, self.in_for = self.in_for, False
            return KIND["IN"] if was else IDENT
        if word == "let":
            return KIND["LET"] if re.compile(_LET_FOLLOWS).match(text, end) else IDENT
        if word in ("package", "import"):
            while self.prelude < len(tokens) and tokens[self.prelude][0] in _PRELUDE:
                self.prelude += 1
            follows = _PACKAGE_FOLLOWS if word == "package" else _IMPORT_FOLLOWS
            return (
                KIND[word.upper()]
                if self.prelude == len(tokens) and re.compile(follows).match(text, end)
                else IDENT
            )
        self.in_for = self.in_for or word == "for"
        if last == NL and tokens and (self.open[-1:] == ["["] or (self.goes_on and self.goes_on(tokens))):
            tokens.pop()
        return KIND[word.upper()]

    def bracket(self, kind: int, start: int, end: int) -> int:
        """Add a bracket; return where to go on, which is behind the string when it closes an interpolation."""
        stack, tokens = self.open, self.out.tokens
        if kind in OPENERS:
            if len(stack) == MAX_DEPTH:
                self.fault("depth", start, end)
                stack.clear()
                return len(self.text)
            stack.append(OPENERS[kind])
            tokens.append((kind, start, end))
            return end
        opener = CLOSERS[kind]
        if opener != "{" and tokens and tokens[-1][0] == NL:
            tokens.pop()
        innermost = stack[-1] if stack else ""
        if isinstance(innermost, tuple) and opener == "(":
            stack.pop()
            self.holes -= len(innermost[0]) == 1
            return self.string(innermost, start, end)
        if opener in stack:
            while isinstance(stack[-1], str) and stack.pop() != opener:
                pass
        tokens.append((kind, start, end))
        return end

    def comment(self, start: int, end: int) -> int:
        """Note a comment; return where to go on, which is inside it when it is a part of a URL without quotes."""
        begin = self.url_before(start)
        if begin < 0:
            self.out.comments.append((start, start + len(self.text[start:end].rstrip("\r"))))
            return end
        end = begin + len(re.split(r"[\s\"]", self.text[begin:end], maxsplit=1)[0].rstrip(",]})"))
        del self.out.tokens[-2:]
        self.fault("url", begin, end)
        self.out.tokens.append((BOTTOM, begin, end))
        return end

    def rare(self, position: int) -> int:
        """Add a token that few files hold, known by its first character; return where to go on."""
        text = self.text
        while text[position] in " \t\r":
            position += 1
        first = text[position]
        if first in "\"'#" and (found := re.compile(_QUOTE).match(text, position)):
            return self.quoted(position, found)
        if first in ".0123456789" and (found := re.compile(_NUMBER).match(text, position)):
            return self.number(position, found.end())
        if first == "@" and (found := re.compile(_ATTRIBUTE).match(text, position)):
            return self.attribute(position, found.end())
        if first == "`" and (found := re.compile(_BACKQUOTED).match(text, position)):
            self.out.tokens.append((IDENT, position, found.end()))
            return found.end()
        if first == "_":
            self.out.tokens.append((BOTTOM, position, position + 3))
            return position + 3
        return self.skip(position)

    def quoted(self, start: int, found: re.Match[str]) -> int:
        """Add the string that begins with the quote found; return where to go on."""
        quote, end = found[2], found.end()
        if not found[1] and self.text.startswith(quote * 3, start):
            self.fault("quotes", start, start + 3)
            quote, end = quote * 3, start + 3
        return self.string((quote, len(found[1]), start), start, end)

    def url_before(self, start: int) -> int:
        """Return where the `https:` right before a comment begins, -1 when there is none."""
        tokens = self.out.tokens
        if len(tokens) < 3 or tokens[-1] != (COLON, start - 1, start) or tokens[-2][0] != IDENT:
            return -1
        begin, end = tokens[-2][1:]
        return begin if end == start - 1 and self.text[begin:end] in _SCHEMES else -1

    def string(self, quote: tuple[str, int, int], start: int, position: int) -> int:
        r"""Add the piece of a string from `start` on, read from `position`; return where it ends.

        `start` is the opening quote, or the `)` that ends an interpolation.
        """
        mark, hashes, opened = quote
        found = _piece(mark, hashes).match(self.text, position)
        if found is None:
            return self.unterminated(quote, start)
        first = start == opened
        end = found.end()
        if self.text[end - 1] == "(" and found[1][0] == "\\":
            self.open.append(quote)
            self.holes += len(mark) == 1
            kind = KIND["INTERPOLATION_START" if first else "INTERPOLATION_MIDDLE"]
        elif first:
            kind = STRING if mark[0] == '"' else BYTES
        else:
            kind = KIND["INTERPOLATION_END"]
        self.out.tokens.append((kind, start, end))
        return end

    def unterminated(self, quote: tuple[str, int, int], start: int) -> int:
        """Note a string without an end, and take the rest of the line (or of the text) for it."""
        mark, _, opened = quote
        from dispatchfile.cue.damage import closers, several_lines

        end = len(self.text) if len(mark) == 3 else closers(self.text, self.out.tokens, start)
        if self.close_holes(end):
            return end
        if len(mark) == 1 and start == opened and (several := several_lines(self.text, opened)):
            self.fault("several lines", opened, several)
            end = several
        else:
            self.fault("unterminated" if len(mark) == 1 else "unterminated block", opened, end)
        self.out.tokens.append((BOTTOM, start, end))
        return end

    def close_holes(self, end: int) -> bool:
        """Make a faulty literal of a string whose interpolation does not end with its line; return whether there is one."""
        tokens = self.out.tokens
        for index, bracket in enumerate(self.open):
            if isinstance(bracket, tuple) and len(bracket[0]) == 1:
                start = bracket[2]
                self.fault("interpolation", start, end)
                del self.open[index:]
                self.holes = 0
                while tokens and tokens[-1][1] >= start:
                    tokens.pop()
                tokens.append((BOTTOM, start, end))
                return True
        return False

    def number(self, start: int, end: int) -> int:
        """Add a number; return where it, or the word that it begins, ends."""
        text, kind = self.text, NUMBER
        rest = re.compile(_NUMBER_GOES_ON).match(text, end)
        if rest:
            end, kind = rest.end(), BOTTOM
            self.fault("number", start, end)
        elif text[start] == "0" and text[start + 1 : start + 2] in tuple("0123456789_"):
            kind = BOTTOM
            self.fault("leading zero", start, end)
        self.out.tokens.append((kind, start, end))
        return end

    def attribute(self, start: int, position: int) -> int:
        """Add `@name(…)`, whose brackets and strings balance; return where it ends."""
        depth = 1
        while depth:
            found = re.compile(_ATTRIBUTE_PIECE).match(self.text, position)
            if found is None:
                end = _line_end(self.text, start)
                self.fault("attribute", start, end)
                return end
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            position = found.end()
        self.out.tokens.append((KIND["ATTRIBUTE"], start, position))
        return position

    def skip(self, position: int) -> int:
        """Note what no token begins with, and return the place behind it."""
        text = self.text
        if text[position] == "#":
            end = _line_end(text, position)
            self.fault("hash", position, end)
        elif text.startswith("/*", position):
            close = text.find("*/", position)
            end = _line_end(text, position) if close < 0 else close + 2
            if text[position - 1] in " \t\r\n" or position == 0:
                self.fault("block comment", position, end)
            else:
                from dispatchfile.cue.damage import word_around

                begin, end = word_around(text, self.out.tokens, position)
                self.fault("text", begin, end)
                self.out.tokens.append((BOTTOM, begin, end))
        else:
            from dispatchfile.cue.damage import illegal

            end, is_value = illegal(text, self.out.tokens, position)
            self.fault("character", position, end)
            if is_value:
                self.out.tokens.append((BOTTOM, position, end))
        return end


def _line_end(text: str, position: int) -> int:
    """Return the offset of the first line end at or after a position, or of the end of the text."""
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _piece(mark: str, hashes: int) -> re.Pattern[str]:
    r"""Return what matches from inside a string up to its end quote or the next `\(`, which is group 1."""
    known = _pieces.get((mark, hashes))
    if known is None:
        quote, escape = mark[0], "\\\\" + "#" * hashes
        close = mark + "#" * hashes
        line = "" if len(mark) == 3 else r"\n"
        known = _pieces[mark, hashes] = re.compile(
            rf"[^{quote}\\{line}]*"
            rf"(?:(?:(?!{close}){quote}|(?!{escape})\\|{escape}[^({line}])[^{quote}\\{line}]*)*"
            rf"({close}|{escape}\()"
        )
    return known
