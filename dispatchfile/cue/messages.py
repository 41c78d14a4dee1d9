"""What is said about syntax errors: one diagnostic DF001 each, in the words of someone who writes Dispatchfiles."""

from __future__ import annotations

import re

from dispatchfile.cue import slips
from dispatchfile.cue.faults import error, fault, fix_of, short
from dispatchfile.cue.lexer import (
    CLOSERS,
    COLON,
    COMMA,
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
    if before[2] == place.token[1] and before[0] == IDENT and place.text(place.token) == "{":
        glued, help_ = True, "a struct has no type in front of it; write { name: value }"
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
        f"expected ',' or a new line before {place.named(place.token)}",
        place.at(place.token),
        "a second field on this line",
        "",
        fix=fix,
    )


def missing_colon(place: Place) -> Diagnostic:
    """Return what to say about a label without a colon."""
    before = place.before or place.token
    at = Span(place.source, before[2], before[2])
    head = place.heading(place.token) or place.text(before)
    is_call = place.text(place.token) == "("
    empty = re.compile(r"\(\s*\)[ \t]*(?=[,}\r\n]|\Z)").match(place.source.text, place.token[1])
    if is_call and empty:
        span = Span(place.source, before[2], empty.end())
        fix = fix_of("write : {}", span, ": {}", safe=False)
        return error(
            "only a function can be called, and this is a label",
            place.at(before),
            "a label",
            f"write {head}: {{}}",
            fix=fix,
        )
    return error(
        f"expected ':' after label, found {place.named(place.token)}",
        place.at(before),
        "expected ':' behind this label",
        "" if is_call else f"write {short(f'{head}: {place.text(place.token)}')}",
        fix=None if is_call else fix_of("put a colon in", at, ":", safe=True),
    )


def wrong_bracket(place: Place, opener: Token) -> Diagnostic:
    """Return what to say about a bracket of one kind that closes one of another kind."""
    mark = OPENERS[opener[0]]
    line = place.source.position(opener[1])[0]
    span = place.at(place.token)
    return error(
        f"`{place.text(place.token)}` where the `{mark}` of line {line} ends",
        span,
        f"expected `{_CLOSING[mark]}`",
        f"write `{_CLOSING[mark]}`",
        related=(Related(place.at(opener), f"this `{mark}`"),),
        fix=fix_of(f"write {_CLOSING[mark]}", span, _CLOSING[mark], safe=False),
    )


def wrong_opener(place: Place, opener: Token, closer: Token) -> Diagnostic:
    """Return what to say about a `[` that has fields behind it and ends with a `}`."""
    span = place.at(opener)
    return error(
        f"`[` where `{{` should open a struct, which ends on line {place.source.position(closer[1])[0]}",
        span,
        "expected `{`",
        "write `{`; fields stand between { and }",
        related=(Related(place.at(closer), "ends here"),),
        fix=fix_of("write {", span, "{", safe=False),
    )


def stray_bracket(place: Place) -> Diagnostic:
    """Return what to say about a closing bracket without an opening one."""
    mark = place.text(place.token)
    opening = CLOSERS[place.token[0]]
    help_ = ""
    related: tuple[Related, ...] = ()
    label, number = _label_without_opener(place)
    if label:
        start = place.source.line_starts[number - 1] + place.source.line(number).index(label)
        related = (Related(Span(place.source, start, start + len(label)), f"no `{opening}` behind this"),)
        kind = "list" if mark == "]" else "struct" if mark == "}" else ""
        help_ = f"`{label}` must be a {kind}, did you mean `{label}: {opening}`?" if kind else ""
    elif place.opener is not None:
        line = place.source.position(place.opener[1])[0]
        help_ = f"`{OPENERS.get(place.opener[0], '(')}` of line {line} is still open"
    return error(
        f"`{mark}` without `{opening}`",
        place.at(place.token),
        f"closes no `{opening}`",
        help_,
        related=related,
    )


def _label_without_opener(place: Place) -> tuple[str, int]:
    """Return the label behind whose colon the opening bracket of a stray one is missing, or "", and its line.

    It stands on the line, or ends the next line above that has the same indent.
    """
    source, token = place.source, place.token
    if not place.starts_line(token):
        before = source.text[source.line_starts[place.line - 1] : token[1]]
        found = re.match(r"\s*(?:[\w$]+\s+)*([\w$]+|\"[^\"]*\")\s*:\s+[^\[\]{}():]*$", before)
        return (found[1] if found else ""), place.line
    indent = before_indent = place.indent(token)
    for number in range(place.line - 1, max(place.line - 200, 0), -1):
        text = source.line(number).rstrip()
        if text.strip():
            before_indent = len(text.expandtabs()) - len(text.expandtabs().lstrip())
        if text.strip() and before_indent <= indent and not text.strip().startswith(("{", "[")):
            found = re.search(r"([\w$]+|\"[^\"]*\")\s*:$", text) if before_indent == indent else None
            return (found[1] if found else ""), number
    return "", 0


def never_closed(place: Place, opener: Token, at: int) -> Diagnostic:
    """Return what to say about an opening bracket whose closing one is missing before the offset `at`."""
    source = place.source
    mark = OPENERS.get(opener[0], "(")
    closing = _CLOSING[mark]
    line = source.position(opener[1])[0]
    heading = place.heading(opener)
    named = re.sub(r"(?<=[\w\"]):(?=\s)", "", heading)
    what = f"{short(named)} opened at line {line}" if heading else f"`{mark}` at line {line}"
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
    special = slips.recognised(place)
    if special:
        return special
    expected = _expected(place)
    found = place.named(place.token)
    return error(
        f"expected {expected}, found {found}", place.at(place.token), f"expected {expected}", _hint(place)
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
    return "a name" if takes(IDENT) else "`{`"


def _hint(place: Place) -> str:
    before = place.before
    if place.token[0] == COMMA and place.starts_line(place.token):
        return "the line end before this already separates the fields; remove the comma"
    if place.token[0] == COMMA and before is not None and before[0] == COMMA:
        return "remove one of the two commas"
    text = place.text(place.token)
    if text in ("&", "*") and before is not None and before[0] == COLON:
        return "CUE has no anchors as YAML has; name a value by a field of its own, and write the name"
    if text == "==" and place.source.line(place.line).startswith("======="):
        return "left over from a merge conflict? remove this line"
    if place.opener_mark == "(" and text in ("=", ":"):
        return "structs are written { name: value }, without a name in front"
    if text == "." and "{{" in place.source.line(place.line):
        return "CUE has no templates; a text must be quoted"
    if place.opener_mark == "(" and text == ",":
        return "a list stands in [ ]"
    if place.opener_mark == "[" and text == "=":
        return "a text must be quoted"
    if before is not None and before[0] == COLON:
        return f"`{place.heading(before)}:` has no value"
    if (
        before is not None
        and before[0] in (IDENT, STRING)
        and place.index > 1
        and (place.on_new_line or text == "}")
    ):
        label = place.parser.tokens[place.index - 2]
        if label[0] in (IDENT, STRING) and place.parser.takes(COLON):
            value = place.text(before)
            value = value if before[0] == STRING else f'"{value}"'
            return f"did you mean {place.text(label)}: {short(value)}?"
    return ""


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
