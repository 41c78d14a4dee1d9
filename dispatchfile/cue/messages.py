"""What is said about syntax errors: one diagnostic DF001 each, in the words of someone who writes Dispatchfiles."""

from __future__ import annotations

import re
from functools import cached_property

from dispatchfile.cue.lexer import (
    CLOSERS,
    COLON,
    COMMA,
    END,
    IDENT,
    KIND,
    NL,
    NUMBER,
    OPENERS,
    STRING,
)  # fmt: skip
from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Token
    from dispatchfile.cue.parser import Parser

_CLOSING = {"{": "}", "[": "]", "(": ")", "": ")"}
_HOLES = frozenset((KIND["INTERPOLATION_START"], KIND["INTERPOLATION_MIDDLE"]))
_INDENT = re.compile(r"[ \t]*")

_FAULTS = {
    "hash": ("`#` does not start a comment", "not a comment in CUE", "comments start with //"),
    "block comment": ("`/* */` does not make a comment", "", "start each line of the comment with //"),
    "unterminated": (
        "string literal not terminated", "starts here", 'end it with " on the same line; quotes inside it are written \\"',
    ),
    "unterminated block": (
        "string literal not terminated", "starts here", "end it with three quotes on a line of their own",
    ),
    "interpolation": (
        "interpolation \\( is not closed", "in this string", "close it with `)`; a plain backslash is written \\\\",
    ),
    "quotes": (
        "a block string starts on the line below its quotes", "expected a line end behind the quotes",
        "put the text on lines of its own between the quotes",
    ),
    "closing quotes": (
        "the quotes that end a block string stand on a line of their own", "move them to the next line", "",
    ),
    "indent": (
        "line of a block string is indented less than its closing quotes", "too far left",
        "indent it like the closing quotes, whose indentation is taken off every line",
    ),
    "escape": ("unknown escape in string", "no such escape", 'a plain backslash is written \\\\, as in "\\\\d"'),
    "surrogate": ("half of a surrogate pair in string", "", "write the character itself, or \\U and eight digits"),
    "number": ("expected a number, found {text}", "not a number", 'a text must be quoted: "{text}"'),
    "leading zero": ("number with a leading zero", "", "leave the zero out, write 0o for octal, or quote it"),
    "long number": ("number too large", "", "at most 4,000 digits are read"),
    "broken multiple": ("{text} is not a whole number", "", "the suffixes K, M, Ki, Mi … make whole numbers"),
    "url": ("value must be quoted", "// starts a comment", 'write "{text}"'),
    "attribute": ("attribute is not closed", "starts here", "`@name(` needs a `)`; a text with @ must be quoted"),
    "character": ("unexpected character {text}", "", ""),
    "nul": ("the file has a NUL byte", "here", "is this a text file in UTF-8?"),
    "depth": ("nested too deep", "250 levels are open here", ""),
    "length": ("expression too long", "500 operators in a row", "split it by helper fields"),
    "bytes label": ("a label cannot be bytes", "", 'use "…" instead of \'…\''),
    "pattern": ("a label in [ ] has exactly one expression", "", "such as [string]: … or [X=string]: …"),
    "alias in list": ("alias inside a list", "", "an alias stands in front of a field: X=name: …"),
    "heredoc": (
        "unexpected `{text}` at end of file", "left over from a shell here-document?", "remove this line",
    ),
}  # fmt: skip
"""Message, label and help of each fault; {text} is what stands at its place."""

_CHARACTERS = {
    "“": 'quotes are written "', "”": 'quotes are written "', "‘": 'quotes are written "', "’": 'quotes are written "',
    ";": "fields are separated by line ends or commas", "@": "a text with @ must be quoted",
    "\u00a0": "a no-break space; replace it by a plain one", "%": "a text with % must be quoted",
    "`": "", "\ufeff": "a byte order mark; remove it", "~": "", "\\": "",
}  # fmt: skip


class Place:
    """Where the parser stumbled: the token, its neighbours, and the brackets that stand open."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.source = parser.source
        self.index = parser.position
        self.token = parser.tokens[self.index]
        self.before: Token | None = parser.tokens[self.index - 1] if self.index else None
        self.line = self.source.position(self.token[1])[0]
        self.openers: list[Token] = [
            value
            for value in parser.values
            if value.__class__ is tuple and len(value) == 3 and (value[0] in OPENERS or value[0] in _HOLES)
        ]
        self.opener: Token | None = self._innermost()
        self.opener_mark = OPENERS.get(self.opener[0], "") if self.opener else "file"

    def _innermost(self) -> Token | None:
        return self.openers[-1] if self.openers else None

    @cached_property
    def on_new_line(self) -> bool:
        """Whether the token starts a line."""
        return self.token[0] in (NL, END) or self.starts_line(self.token)

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

    def text(self, token: Token) -> str:
        """Return the characters of a token."""
        return self.source.text[token[1] : token[2]]

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


def fault(source: Source, name: str, start: int, end: int) -> Diagnostic:
    """Return the diagnostic for a fault of the lexer or the builder."""
    text = source.text[start:end]
    if name == "conflict":
        return _conflict(source, start, end)
    message, label, help_ = _FAULTS[name]
    fix = None
    if name == "character":
        return _character(source, start, end)
    if name == "hash":
        marks = len(text) - len(text.lstrip("#"))
        span = Span(source, start, start + marks)
        return _error(message, span, label, help_, fix=_fix("write // instead", span, "//", safe=True))
    if name in ("number", "url"):
        text = text.rstrip("\r ,")
        end = start + len(text)
        fix = _fix("quote it", Span(source, start, end), f'"{text}"', safe=False)
    if name in ("unterminated", "unterminated block"):
        return _unterminated(source, name, start)
    words = {"text": _short(text)}
    return _error(message.format(**words), Span(source, start, end), label, help_.format(**words), fix=fix)


def _unterminated(source: Source, name: str, start: int) -> Diagnostic:
    message, label, help_ = _FAULTS[name]
    line_start = source.line_starts[source.position(start)[0] - 1]
    opened = source.text[line_start:start]
    first = len(opened) - len(opened.lstrip())
    quote = opened.find('"', first)
    if name == "unterminated" and quote >= 0 and opened.count('"') % 2 == 0 and start > 0:
        before = source.text[start - 1]
        if before.isalnum() or before in "_-.=/":
            return _error(
                message,
                Span(source, line_start + quote, line_start + quote + 1),
                "this string ends too early",
                'quotes inside a string are written \\"',
                related=(Related(Span(source, start, start + 1), "this quote opens another string"),),
            )
    return _error(message, Span(source, start, start + (3 if name != "unterminated" else 1)), label, help_)


def _conflict(source: Source, start: int, end: int) -> Diagnostic:
    line, _ = source.position(start)
    first_end = start + len(source.line(line))
    last = source.position(end)[0]
    return _error(
        f"unresolved merge conflict starting at line {line} (<<<<<<<)",
        Span(source, start, first_end),
        "conflict starts here",
        "keep one of the two sides and remove the lines <<<<<<<, ======= and >>>>>>>",
        related=(Related(Span(source, source.line_starts[last - 1], end), "and ends here"),),
    )


def _character(source: Source, start: int, end: int) -> Diagnostic:
    character = source.text[start]
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    help_ = _CHARACTERS.get(character, "a text must be quoted" if character.isprintable() else "remove it")
    return _error(f"unexpected character {shown}", Span(source, start, end), "", help_)


def missing_comma(place: Place, *, at_line_end: bool) -> Diagnostic:
    """Return what to say about two list elements (or arguments) without a comma between them."""
    before = place.before or place.token
    where = "list literal" if place.opener_mark == "[" else "arguments"
    at = Span(place.source, before[2], before[2])
    fix = _fix("put a comma in", at, ",", safe=True)
    if at_line_end:
        span = place.at((NL, before[2], before[2]))
        return _error(f"missing ',' before newline in {where}", span, "expected ',' behind this", "", fix=fix)
    glued = before[2] == place.token[1] and STRING in (before[0], place.token[0])
    help_ = 'quotes inside a string are written \\"' if glued else ""
    span = place.at(place.token)
    return _error(
        f"missing ',' in {where}", span, "expected ',' before this", help_, fix=None if glued else fix
    )


def comma_on_next_line(place: Place) -> Diagnostic:
    """Return what to say about a comma that stands at the start of a line."""
    before = place.before or place.token
    return _error(
        "missing ',' before newline in list literal",
        place.at((NL, before[2], before[2])),
        "expected ',' behind this",
        "the comma on the next line comes too late; put it at the end of this line",
    )


def two_fields(place: Place) -> Diagnostic:
    """Return what to say about two fields on one line."""
    before = place.before or place.token
    fix = _fix("put a comma in", Span(place.source, before[2], before[2]), ",", safe=True)
    return _error(
        f"expected ',' or a new line before {_named(place, place.token)}",
        place.at(place.token),
        "a second field on this line",
        "",
        fix=fix,
    )


def missing_colon(place: Place) -> Diagnostic:
    """Return what to say about a label without a colon."""
    before = place.before or place.token
    at = Span(place.source, before[2], before[2])
    return _error(
        f"expected ':' after label, found {_named(place, place.token)}",
        place.at(before),
        "expected ':' behind this label",
        f"write {_short(place.heading(place.token) or place.text(before), quoted=False)}: {place.text(place.token)[:1]}",
        fix=_fix("put a colon in", at, ":", safe=True),
    )


def stray_bracket(place: Place) -> Diagnostic:
    """Return what to say about a closing bracket without an opening one."""
    mark = place.text(place.token)
    opening = CLOSERS[place.token[0]]
    help_ = ""
    if mark == "]" and place.opener_mark == "{" and (label := _label_of_last_struct(place)):
        help_ = f"`{label}` must be a list, did you mean `{label}: [`?"
    elif place.opener is not None:
        line = place.source.position(place.opener[1])[0]
        help_ = f"`{OPENERS.get(place.opener[0], '(')}` of line {line} is still open"
    return _error(f"`{mark}` without `{opening}`", place.at(place.token), f"closes no `{opening}`", help_)


def _label_of_last_struct(place: Place) -> str:
    """Return the label of the struct that ends right before a stray `]`, or ""."""
    tokens, index, depth = place.parser.tokens, place.index - 1, 0
    while index > 0 and tokens[index][0] in (NL, COMMA):
        index -= 1
    while index > 0:
        kind = tokens[index][0]
        depth += (kind in CLOSERS) - (kind in OPENERS)
        if depth == 0:
            break
        index -= 1
    if index >= 2 and tokens[index - 1][0] == COLON and tokens[index - 2][0] in (IDENT, STRING):
        return place.text(tokens[index - 2])
    return ""


def never_closed(place: Place, opener: Token, at: int) -> Diagnostic:
    """Return what to say about an opening bracket whose closing one is missing before the offset `at`."""
    source = place.source
    mark = OPENERS.get(opener[0], "(")
    closing = _CLOSING[mark]
    line = source.position(opener[1])[0]
    heading = place.heading(opener)
    what = f"{_short(heading, quoted=False)} opened at line {line}" if heading else f"`{mark}` at line {line}"
    related: tuple[Related, ...] = ()
    help_ = f"add `{closing}` at the end of the file"
    if source.text[at:].strip():
        row, column = source.position(at)
        word = re.match(r"[\w$-]+:?|\S", source.text[at:])
        found = word[0] if word else ""
        help_ = f"`{found}` at column {column} suggests that the `{closing}` is missing before line {row}"
        related = (Related(Span(source, at, at + len(found)), f"expected `{closing}` before this"),)
    return _error(
        f"{what} is never closed",
        Span(source, opener[1], opener[2]),
        f"this `{mark}`",
        help_,
        related=related,
    )


def field_in_list(place: Place, first: int) -> Diagnostic:
    """Return what to say about a field that stands in a list without `{ }` around it."""
    tokens = place.parser.tokens
    label = tokens[first]
    name = place.text(label).strip('"')
    before = tokens[first - 1] if first else label
    while before[0] in (NL, COMMA) and first > 1:
        first -= 1
        before = tokens[first - 1]
    if place.text(before) == "}" and place.starts_line(before):
        line = place.source.position(before[1])[0]
        return _error(
            f"field `{name}` directly inside a list",
            place.at(label),
            "a list has no fields",
            f"the `}}` on line {line} closes the block before it too early?",
            related=(Related(place.at(before), "closed here"),),
        )
    owner = place.heading(place.opener).split()[-1:] if place.opener else []
    help_ = f"wrap each in {{ }}: {{ {name}: … }}"
    if owner == ["env"]:
        help_ = f'env entries are {{ name: "{name}", value: … }}'
    elif owner == ["actions"]:
        help_ = f"each action needs {{ }}: {{ {name}: … }}"
    return _error(
        "fields are not allowed directly in a list; wrap each in { }", place.at(label), "a field", help_
    )


def unexpected(place: Place) -> Diagnostic:
    """Return what to say about a token that does not fit, when nothing better is known."""
    special = yaml_dash(place) or _unquoted(place) or _chain_colon(place)
    if special:
        return special
    expected = _expected(place)
    found = _named(place, place.token)
    return _error(
        f"expected {expected}, found {found}", place.at(place.token), f"expected {expected}", _hint(place)
    )


def yaml_dash(place: Place) -> Diagnostic | None:
    """Recognise a line of a YAML list."""
    tokens, index = place.parser.tokens, place.index
    start = place.source.line_starts[place.line - 1]
    while index > 0 and tokens[index - 1][1] >= start:
        index -= 1
    text = place.source.text
    dash = tokens[index]
    if place.text(dash) != "-" or text[dash[2] : dash[2] + 1] not in (" ", "\t"):
        return None
    return _error(
        "this looks like YAML inside CUE",
        place.at(dash),
        "a YAML list item",
        "lists are written [a, b], structs { name: value }",
    )


def _unquoted(place: Place) -> Diagnostic | None:
    """Recognise a text without quotes: words, a path or an image behind a label's colon."""
    source, tokens = place.source, place.parser.tokens
    start, index = source.line_starts[place.line - 1], place.index
    while index > 0 and tokens[index - 1][1] >= start:
        index -= 1
    while index < place.index and tokens[index][0] != COLON:
        index += 1
    if index + 1 >= place.index or tokens[index + 1][0] != IDENT or place.token[0] in (NL, END):
        return None
    begin = tokens[index + 1][1]
    line_end = source.text.find("\n", begin)
    line = (
        source.text[begin : line_end if line_end >= 0 else len(source.text)].split(" //")[0].rstrip(" \t\r,")
    )
    if place.token[0] not in (IDENT, NUMBER, COLON) or any(mark in line for mark in '"{}[]()='):
        return None
    if re.fullmatch(r"[\w$]+(?: [\w$]+)*:.*", line) and place.token[0] == IDENT:
        return None
    span = Span(source, begin, begin + len(line))
    fix = _fix("quote it", span, f'"{line}"', safe=False)
    return _error(
        "value must be quoted",
        span,
        "a text without quotes",
        f'write "{_short(line, quoted=False)}"',
        fix=fix,
    )


def _chain_colon(place: Place) -> Diagnostic | None:
    """Recognise `a: b c: 1`: behind the first colon each label has one of its own."""
    before = place.before
    if before is None or before[0] not in (IDENT, STRING) or place.token[0] not in (IDENT, STRING):
        return None
    tokens, index = place.parser.tokens, place.index
    while tokens[index][0] in (IDENT, STRING):
        index += 1
    if tokens[index][0] != COLON or place.on_new_line:
        return None
    at = Span(place.source, before[2], before[2])
    return _error(
        f"expected ':' after label, found {_named(place, place.token)}",
        place.at(before),
        "expected ':' behind this label",
        "behind the first colon of a chain every label has a colon of its own",
        fix=_fix("put a colon in", at, ":", safe=True),
    )


def _expected(place: Place) -> str:
    """Return in words what could stand at a place."""
    takes = place.parser.takes
    before = place.before
    closing = _CLOSING.get(place.opener_mark, "")
    if takes(STRING) and takes(NUMBER) and takes(KIND["OPEN_BRACE"]):
        if not takes(KIND["ATTRIBUTE"]):
            return f"a value or `{closing}`" if closing == "]" and takes(KIND["CLOSE_BRACKET"]) else "a value"
        return "a field" + (f" or `{closing}`" if closing else "")
    if takes(COLON) and before is not None and before[0] in (IDENT, STRING):
        return "':' after label"
    if takes(KIND["IN"]):
        return "`in`"
    if takes(KIND["CLOSE_BRACKET"]):
        return "',' or `]`"
    if takes(KIND["CLOSE_PARENTHESIS"]):
        return "`)`" if not takes(COMMA) else "',' or `)`"
    if takes(COMMA):
        return "',' or a new line"
    if takes(KIND["INTERPOLATION_END"]):
        return "`)`"
    if takes(COLON):
        return "':'"
    if takes(KIND["EQUALS"]):
        return "'='"
    return "a name" if takes(IDENT) else "`{`" if takes(KIND["OPEN_BRACE"]) else "something else"


def _hint(place: Place) -> str:
    before = place.before
    if place.token[0] == COMMA and place.starts_line(place.token):
        return "the line end before this already separates the fields; remove the comma"
    if place.token[0] == COMMA and before is not None and before[0] == COMMA:
        return "remove one of the two commas"
    if before is not None and before[0] == COLON:
        return f"`{place.heading(before)}:` has no value"
    if before is not None and before[0] == STRING and place.index > 1 and place.on_new_line:
        label = place.parser.tokens[place.index - 2]
        if label[0] == IDENT and place.parser.takes(COLON):
            return f"did you mean {place.text(label)}: {_short(place.text(before))}?"
    return ""


def _named(place: Place, token: Token) -> str:
    if token[0] == NL:
        return "end of line"
    if token[0] == END:
        return "end of file"
    return (
        _short(place.text(token), quoted=False)
        if token[0] == STRING
        else f"`{_short(place.text(token), quoted=False)}`"
    )


def _short(text: str, *, quoted: bool = False) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= 60 else text[:57] + "…"
    return f'"{text}"' if quoted else text


_STARLARK = re.compile(
    r"^(?:load\(|def [A-Za-z_]\w*\(|(?:task|action|resource|volume|gitResource|imageResource|storageResource|secretVar)"
    r"\(|[A-Za-z_]\w* *= *[A-Za-z_][\w.]*\()",
    re.MULTILINE,
)
_YAML = re.compile(
    r"^(?:---[ \t]*\r?$|[\w-]+:[ \t]*\r?\n(?:[ \t]*\r?\n)*[ \t]*- |(?:resource|task):[ \t]*\r?\n[ \t]+[\w.\"'-]+:[ \t]*\r?$)",
    re.MULTILINE,
)


def reviewed(source: Source, found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings; a single one instead when the file is in another flavour.

    What was found on a line that starts with `#` is about the `#`, even where `#name` is a definition's label.
    """
    for index, diagnostic in enumerate(found):
        span = diagnostic.span
        if span is not None and re.match(r"#(?!!)(?!\w+[?!]?:)", line := source.line(span.line)):
            start = source.line_starts[span.line - 1]
            found[index] = fault(source, "hash", start, start + len(line))
    if not found or source.text.startswith("#!"):
        return tuple(found)
    for flavour, shape in (("starlark", _STARLARK), ("yaml", _YAML)):
        match = shape.search(source.text)
        if match:
            name = {"starlark": "Starlark", "yaml": "YAML"}[flavour]
            line_end = source.text.find("\n", match.start())
            span = Span(source, match.start(), line_end if line_end >= 0 else len(source.text))
            return (
                _error(
                    f"this file looks like {name}, but is read as CUE",
                    span,
                    f"{name}, not CUE",
                    f"add a first line #!{flavour}",
                    fix=_fix(f"add #!{flavour}", Span(source, 0, 0), f"#!{flavour}\n", safe=False),
                ),
            )
    return tuple(found)


def _fix(message: str, span: Span, text: str, *, safe: bool) -> Fix:
    return Fix(message, (Edit(span, text),), safe)


def _error(
    message: str,
    span: Span,
    label: str,
    help: str,  # noqa: A002 the field's name
    *,
    related: tuple[Related, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic("DF001", Severity.ERROR, message, span, label, related, help, fix=fix)
