"""What is said about syntax errors: one diagnostic DF001 each, in the words of someone who writes Dispatchfiles."""

from __future__ import annotations

import re

from dispatchfile.cue.faults import error, fault, fix_of, short
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
from dispatchfile.diagnostics import Diagnostic, Related
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Token
    from dispatchfile.cue.place import Place

_CLOSING = {"{": "}", "[": "]", "(": ")", "": ")"}


def missing_comma(place: Place, *, at_line_end: bool) -> Diagnostic:
    """Return what to say about two list elements (or arguments) without a comma between them."""
    before = place.before or place.token
    where = "list literal" if place.opener_mark == "[" else "arguments"
    at = Span(place.source, before[2], before[2])
    fix = fix_of("put a comma in", at, ",", safe=True)
    if at_line_end:
        span = place.at((NL, before[2], before[2]))
        return error(f"missing ',' before newline in {where}", span, "expected ',' behind this", "", fix=fix)
    glued = before[2] == place.token[1] and STRING in (before[0], place.token[0])
    help_ = 'quotes inside a string are written \\"' if glued else ""
    span = place.at(place.token)
    return error(
        f"missing ',' in {where}", span, "expected ',' before this", help_, fix=None if glued else fix
    )


def comma_on_next_line(place: Place) -> Diagnostic:
    """Return what to say about a comma that stands at the start of a line."""
    before = place.before or place.token
    return error(
        "missing ',' before newline in list literal",
        place.at((NL, before[2], before[2])),
        "expected ',' behind this",
        "the comma on the next line comes too late; put it at the end of this line",
    )


def two_fields(place: Place) -> Diagnostic:
    """Return what to say about two fields on one line."""
    before = place.before or place.token
    fix = fix_of("put a comma in", Span(place.source, before[2], before[2]), ",", safe=True)
    return error(
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
    return error(
        f"expected ':' after label, found {_named(place, place.token)}",
        place.at(before),
        "expected ':' behind this label",
        f"write {short(f'{place.heading(place.token) or place.text(before)}: {place.text(place.token)}')}",
        fix=fix_of("put a colon in", at, ":", safe=True),
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
    return error(f"`{mark}` without `{opening}`", place.at(place.token), f"closes no `{opening}`", help_)


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
    what = f"{short(heading, quoted=False)} opened at line {line}" if heading else f"`{mark}` at line {line}"
    related: tuple[Related, ...] = ()
    help_ = f"add `{closing}` at the end of the file"
    if source.text[at:].strip():
        row, column = source.position(at)
        word = re.match(r"[\w$-]+:?|\S", source.text[at:])
        found = word[0] if word else ""
        help_ = f"`{found}` at column {column} suggests that the `{closing}` is missing before line {row}"
        related = (Related(Span(source, at, at + len(found)), f"expected `{closing}` before this"),)
    return error(
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
        return error(
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
    return error(
        "fields are not allowed directly in a list; wrap each in { }", place.at(label), "a field", help_
    )


def unexpected(place: Place) -> Diagnostic:
    """Return what to say about a token that does not fit, when nothing better is known."""
    special = yaml_dash(place) or _unquoted(place) or _chain_colon(place)
    if special:
        return special
    expected = _expected(place)
    found = _named(place, place.token)
    return error(
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
    return error(
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
    fix = fix_of("quote it", span, f'"{line}"', safe=False)
    return error(
        "value must be quoted",
        span,
        "a text without quotes",
        f'write "{short(line, quoted=False)}"',
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
    return error(
        f"expected ':' after label, found {_named(place, place.token)}",
        place.at(before),
        "expected ':' behind this label",
        "behind the first colon of a chain every label has a colon of its own",
        fix=fix_of("put a colon in", at, ":", safe=True),
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
            return f"did you mean {place.text(label)}: {short(place.text(before))}?"
    return ""


def _named(place: Place, token: Token) -> str:
    if token[0] == NL:
        return "end of line"
    if token[0] == END:
        return "end of file"
    return (
        short(place.text(token), quoted=False)
        if token[0] == STRING
        else f"`{short(place.text(token), quoted=False)}`"
    )


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
                error(
                    f"this file looks like {name}, but is read as CUE",
                    span,
                    f"{name}, not CUE",
                    f"add a first line #!{flavour}",
                    fix=fix_of(f"add #!{flavour}", Span(source, 0, 0), f"#!{flavour}\n", safe=False),
                ),
            )
    return tuple(found)
