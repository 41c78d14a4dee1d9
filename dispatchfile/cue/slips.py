"""Recognises what someone writes who thinks of YAML, Python, Go or a shell, at the place where the parser stumbled.

Each function knows one slip: it returns the diagnostic of it, None where something else is wrong.
"""

from __future__ import annotations

import re

from dispatchfile.cue.faults import error, fix_of, short
from dispatchfile.cue.lexer import COLON, END, IDENT, NL, STRING
from dispatchfile.source import Span

_BLOCK = re.compile(r":[ \t]+([|>][-+]?)$")
_WORD = re.compile(r"(?<![\w$.\"/-])([A-Za-z_$.-][\w$./-]*)[ \t]*[?!]?:(?=[ \t]|$)")
_UNQUOTED = re.compile(
    r"[ \t{]*(?:(?:[\w$-]+|\"[^\"]*\")(?:[ \t]+(?:[\w$]+|\"[^\"]*\"))*[?]?:[ \t]+)+"
    r"((?:[A-Za-z_/.~*-]|\d(?=[^,]*\*)|\$)[^\"{}\[\]()=]*|\$\{[^\"{}]*\})"
)
_NEAR = 300  # characters to each side of the place in which a label is looked for, however long the line
_OPERATORS = re.compile(r"[*/+-][ \t]+[*/+-]|[*/+-]{2}")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.place import Place
    from dispatchfile.diagnostics import Diagnostic


def recognised(place: Place) -> Diagnostic | None:
    """Return what to say about a known slip, None when it is none."""
    for slip in (
        yaml_dash,
        _comment,
        label_with_marks,
        _glued_prefix,
        unquoted,
        _chain_colon,
        equals,
        _condition,
    ):
        diagnostic = slip(place)
        if diagnostic is not None:
            return diagnostic
    return None


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


def yaml_block(place: Place) -> Diagnostic | None:
    """Recognise a text that YAML's `|` or `>` begins: the parser stumbles at it, or on a deeper line below."""
    source, number = place.source, place.line
    if place.token[0] in (NL, END) and place.before is not None:
        number = source.position(place.before[1])[0]
    indent = len(_indent(source.line(number)))
    for line in range(number, max(number - 100, 0), -1):
        text = source.line(line).rstrip()
        found = _BLOCK.search(text)
        if found and (line == number or len(_indent(text)) < indent):
            start = source.line_starts[line - 1]
            return error(
                "this looks like YAML inside CUE",
                Span(source, start + found.start(1), start + found.end(1)),
                "begins a text of several lines in YAML",
                'write """ here, and """ on a line of its own behind the text',
            )
        if text.strip() and len(_indent(text)) < indent:
            return None
    return None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _comment(place: Place) -> Diagnostic | None:
    """Recognise a comment in the spelling of another language, on a line of its own."""
    source = place.source
    start = source.line_starts[place.line - 1]
    found = re.match(r"[ \t]*(--(?!-)|<!--)", source.line(place.line))
    if found is None:
        return None
    span = Span(source, start + found.start(1), start + found.end(1))
    fix = fix_of("write // instead", span, "//", safe=True) if found[1] == "--" else None
    return error(
        f"`{found[1]}` does not start a comment",
        span,
        "not a comment in CUE",
        "comments start with //",
        fix=fix,
    )


def label_with_marks(place: Place) -> Diagnostic | None:
    """Recognise a label that has to be quoted, such as `src-git: {` or `example.com/name: "x"`."""
    source = place.source
    start = source.line_starts[place.line - 1]
    line = source.text.find("\n", place.token[1])
    near = (
        max(start, place.token[1] - _NEAR),
        min(line if line >= 0 else len(source.text), place.token[1] + _NEAR),
    )
    for found in _WORD.finditer(source.text, *near):
        first, last = found.span(1)
        if first <= place.token[1] <= last + 1 and not found[1].replace("$", "_").isidentifier():
            span = Span(source, first, last)
            return error(
                "label must be quoted",
                span,
                "a label that is not a plain word",
                f'write "{short(found[1])}"',
                fix=fix_of("quote it", span, f'"{found[1]}"', safe=True),
            )
    return None


def _glued_prefix(place: Place) -> Diagnostic | None:
    """Recognise the prefixes of Python's strings, as in `f"…"`."""
    before = place.before
    if before is None or place.token[0] != STRING or before[2] != place.token[1]:
        return None
    prefix = place.text(before)
    if prefix.lower() not in ("f", "r", "b", "u", "rb", "fr"):
        return None
    help_ = 'remove it; the value of a field comes in by "\\(name)"' if "f" in prefix else "remove it"
    return error(f"a string has no prefix `{prefix}`", place.at(before), "not part of CUE", help_)


def equals(place: Place) -> Diagnostic | None:
    """Recognise `:=` or `=` where a label needs a colon."""
    before = place.before
    if before is None or place.text(place.token) != "=" or place.on_new_line:
        return None
    if before[0] == COLON and before[2] == place.token[1]:
        span = Span(place.source, before[1], place.token[2])
    elif before[0] in (IDENT, STRING) and place.parser.takes(COLON):
        span = place.at(place.token)
    else:
        return None
    fix = fix_of("write :", span, ":", safe=False)
    return error(f"expected ':' after label, found `{span.text}`", span, "expected ':'", "write `:`", fix=fix)


def _condition(place: Place) -> Diagnostic | None:
    """Recognise conditions and loops in the spelling of other languages."""
    text, token = place.text(place.token), place.token
    line = place.source.line(place.line)
    help_ = ""
    if text in ("else", "elif"):
        help_ = "CUE has no else; write a second `if` with the opposite condition"
    elif text == ":" and (word := re.search(r"(?:^|[{,])[ \t]*(if|for)\b", line)):
        help_ = f"write `{word[1]} … {{ }}`, with the fields between the brackets"
    elif place.before is not None and place.text(place.before) == "?":
        token, text = place.before, "?"
        help_ = "CUE has no a ? b : c; write the field in `if a { }` and in `if !a { }`"
    return error(f"unexpected `{text}`", place.at(token), "not part of CUE", help_) if help_ else None


def unquoted(place: Place) -> Diagnostic | None:
    """Recognise a text without quotes: words, a path or an image behind a label's colon."""
    source, token, before = place.source, place.token, place.before
    over_line = place.on_new_line
    if before is not None and not over_line and place.index > 1 and place.starts_line(before):
        before, over_line = place.parser.tokens[place.index - 2], True  # it has gone on with the next label
    if before is not None and over_line:
        token = before
    line = source.position(token[1])[0]
    start, text = source.line_starts[line - 1], source.line(line).split(" //")[0].rstrip()
    found = _UNQUOTED.fullmatch(text) if len(text) < 1000 else None
    if found is None or token[1] < start + found.start(1):
        return None
    value = found[1].rstrip(", \t")
    if re.search(r"[\w$]:(?:\s|$)", value) or (over_line and not _OPERATORS.search(value)):
        return None
    span = Span(source, start + found.start(1), start + found.start(1) + len(value))
    return error(
        "value must be quoted",
        span,
        "a text without quotes",
        f'write "{short(value)}"',
        fix=fix_of("quote it", span, f'"{value}"', safe=False),
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
        f"expected ':' after label, found {place.named(place.token)}",
        place.at(before),
        "expected ':' behind this label",
        "behind the first colon of a chain every label has a colon of its own",
        fix=fix_of("put a colon in", at, ":", safe=True),
    )
