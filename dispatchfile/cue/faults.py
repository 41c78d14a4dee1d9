"""What is said about the faults of the lexer and the builder, and how every diagnostic DF001 is made."""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.source import Source, Span

_FAULTS = {
    "hash": ("`#` does not start a comment", "not a comment in CUE", "comments start with //"),
    "block comment": ("`/* */` does not make a comment", "", "start each line of the comment with //"),
    "unterminated": (
        "string literal not terminated", "starts here", 'end it with " on the same line; quotes inside it are written \\"',
    ),
    "unterminated block": (
        "string literal not terminated", "starts here", "end it with three quotes on a line of their own",
    ),
    "several lines": (
        "string literal goes over several lines", "starts here", 'put """ at its start, and """ on a line of its own at its end',
    ),
    "text": ("value must be quoted", "a text without quotes", 'write "{text}"'),
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
    "leftover": ("left over from a merge conflict", "a conflict's mark", "remove this line"),
    "heredoc head": ("`{text}` is not CUE", "left over from a shell here-document?", "remove this line"),
    "heredoc": (
        "unexpected `{text}` at end of file", "left over from a shell here-document?", "remove this line",
    ),
}  # fmt: skip
"""Message, label and help of each fault; {text} is what stands at its place."""

_CHARACTERS = {
    ";": ("fields are separated by line ends or commas", ","),
    "@": ("a text with @ must be quoted", None), "%": ("a text with % must be quoted", None),
    "\u00a0": ("a no-break space; replace it by a plain one", " "), "\ufeff": ("a byte order mark; remove it", ""),
    "\u200b": ("a space without width; remove it", ""),
    "：": ("a full-width colon; write :", ":"), "，": ("a full-width comma; write ,", ","),
    "`": ("texts stand in quotes: \"…\"", None), "~": ("a text with ~ must be quoted", None),
    "\\": ("no backslash carries a line over to the next; break behind [ or {, or an operator", None),
}  # fmt: skip
"""Help, and what to write instead, for characters that begin no token."""

_QUOTES = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"}


def fault(source: Source, name: str, start: int, end: int) -> Diagnostic:
    """Return the diagnostic for a fault of the lexer or the builder."""
    text = source.text[start:end]
    if name == "conflict":
        return _conflict(source, start, end)
    message, label, help_ = _FAULTS[name]
    fix = None
    if name == "character":
        return _character(source, start, end)
    if name == "hash" and text.startswith("#!"):
        return error(
            "`#!` stands on the first line only",
            Span(source, start, end),
            "not the first line",
            "move it there, or remove it",
        )
    if name == "escape" and text[1:2] in ("$", "'", "&", "%", "@", "{", "`", "#", "-", "!"):
        fix = fix_of("remove the backslash", Span(source, start, start + 1), "", safe=False)
        return error(
            message, Span(source, start, end), label, f"`{text[1:2]}` needs no backslash in a string", fix=fix
        )
    if name == "escape" and len(text) == 2 and text[1] > " ":
        fix = fix_of("double the backslash", Span(source, start, start + 1), "\\\\", safe=False)
    if name == "hash":
        marks = len(text) - len(text.lstrip("#"))
        span = Span(source, start, start + marks)
        return error(message, span, label, help_, fix=fix_of("write // instead", span, "//", safe=True))
    if name == "several lines":
        return error(message, Span(source, start, start + 1), label, help_)
    if name in ("number", "url", "text"):
        text = text.rstrip("\r ,")
        end = start + len(text)
        fix = fix_of("quote it", Span(source, start, end), f'"{text}"', safe=False)
    if name in ("unterminated", "unterminated block"):
        return _unterminated(source, name, start)
    words = {"text": short(text)}
    return error(message.format(**words), Span(source, start, end), label, help_.format(**words), fix=fix)


def _unterminated(source: Source, name: str, start: int) -> Diagnostic:
    message, label, help_ = _FAULTS[name]
    line_start = source.line_starts[source.position(start)[0] - 1]
    opened = source.text[line_start:start]
    first = len(opened) - len(opened.lstrip())
    quote = opened.find('"', first)
    if name == "unterminated" and quote >= 0 and opened.count('"') % 2 == 0 and start > 0:
        before = source.text[start - 1]
        if before.isalnum() or before in "_-.=/":
            return error(
                message,
                Span(source, line_start + quote, line_start + quote + 1),
                "this string ends too early",
                'quotes inside a string are written \\"',
                related=(Related(Span(source, start, start + 1), "this quote opens another string"),),
            )
    word = re.search(r"[^\s\"{}\[\](),]+$", opened)
    if (
        name == "unterminated"
        and quote < 0
        and word
        and re.match(r"\"[\s\]}),]*(?://|$)", source.line(source.position(start)[0])[start - line_start :])
    ):
        span = Span(source, line_start + word.start(), start + 1)
        fix = fix_of("put the opening quote in", Span(source, span.start, span.start), '"', safe=False)
        return error(
            message,
            Span(source, start, start + 1),
            "starts here",
            f'or is the opening quote missing? write "{short(word[0])}"',
            fix=fix,
        )
    return error(message, Span(source, start, start + (3 if name != "unterminated" else 1)), label, help_)


def _conflict(source: Source, start: int, end: int) -> Diagnostic:
    line, _ = source.position(start)
    first_end = start + len(source.line(line))
    last = source.position(end)[0]
    return error(
        f"unresolved merge conflict starting at line {line} (<<<<<<<)",
        Span(source, start, first_end),
        "conflict starts here",
        "keep one of the two sides and remove the lines <<<<<<<, ======= and >>>>>>>",
        related=(Related(Span(source, source.line_starts[last - 1], end), "and ends here"),),
    )


def _character(source: Source, start: int, end: int) -> Diagnostic:
    character = source.text[start]
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    message = f"unexpected character {shown}"
    line_start = source.line_starts[source.position(start)[0] - 1]
    line_end = source.text.find("\n", start)
    rest = source.text[start : line_end if line_end >= 0 else len(source.text)]
    if not source.text[line_start:start].strip():
        if rest.startswith("```"):
            return error("``` is Markdown", Span(source, start, start + 3), "not CUE", "remove this line")
        if character in ";%":
            span = Span(source, start, start + 1)
            fix = fix_of("write // instead", span, "//", safe=False)
            return error(f"{shown} does not start a comment", span, "", "comments start with //", fix=fix)
    if character in _QUOTES:
        closing = re.compile("[“”„‘’\"']").search(source.text, start + 1, start + len(rest))
        plain: Fix | None = None
        if closing and '"' not in rest[1 : closing.start() - start] and "\\" not in rest:
            span = Span(source, start, closing.end())
            plain = fix_of("write plain quotes", span, f'"{span.text[1:-1]}"', safe=False)
        return error(message, Span(source, start, start + 1), "", 'quotes are written "', fix=plain)
    default = ("a text must be quoted" if character.isprintable() else "remove it", None)
    help_, instead = _CHARACTERS.get(character, default)
    span = Span(source, start, start + 1)
    if character == ";" and re.match(r";[ \t\r]*(?://|$)", rest):
        instead = ""
    better = None if instead is None else fix_of(help_, span, instead, safe=True)
    return error(message, Span(source, start, end), "", help_, fix=better)


def short(text: str, *, quoted: bool = False) -> str:
    """Return a text on one line, cut off when it is long."""
    text = " ".join(text.split())
    text = text if len(text) <= 60 else text[:57] + "…"
    return f'"{text}"' if quoted else text


def fix_of(message: str, span: Span, text: str, *, safe: bool) -> Fix:
    """Return the fix that replaces what stands at a span."""
    return Fix(message, (Edit(span, text),), safe)


def error(
    message: str,
    span: Span,
    label: str,
    help: str,  # noqa: A002 the field's name
    *,
    related: tuple[Related, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    """Return a syntax error."""
    return Diagnostic("DF001", Severity.ERROR, message, span, label, related, help, fix=fix)
