"""A text that is no YAML: what is wrong with it, and what the rest of it says.

YAML has no way to go on behind a mistake, so the text is read again without the lines at fault, a few times over.
They become spaces, so that all places stay where they are.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.plain.refusal import wrong
from dispatchfile.record import Record
from dispatchfile.source import Source, Span
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Attempt = Callable[[str], tuple[Value | None, list[Diagnostic]]]

# Reading a text again and again is for texts that people write.
_MOST_ATTEMPTS = 8
_MOST_CHARACTERS = 200_000

# A quote where a value starts that has no second one on its line.
_OPEN_QUOTE = r"""(?:^|[:,\[{-])[ \t]*(?:"(?=[^"\n]*$)|'(?=[^'\n]*$))"""


def recover(source: Source, error: Exception, attempt: Attempt) -> tuple[Value | None, list[Diagnostic]]:
    """Return what can be read of a text that failed, None for nothing, and what is wrong with it.

    `attempt` reads a text, or raises YAMLError.
    """
    import yaml

    found: list[Diagnostic] = []
    text = source.text
    for _ in range(_MOST_ATTEMPTS if len(text) <= _MOST_CHARACTERS else 1):
        problem = _problem(source, text, error)
        found.append(problem)
        shorter = _without(text, problem.span.line if problem.span is not None else 1)
        if shorter == text or not shorter.strip():
            break
        text = shorter
        try:
            value, more = attempt(text)
        except yaml.YAMLError as next_error:
            error = next_error
            continue
        return value, [*found, *more]
    return None, found[:1]


def _without(text: str, number: int) -> str:
    """Return the text with spaces for a line and for those below that are indented more."""
    lines = text.split("\n")
    first = lines[number - 1]
    indent = _indent(first)
    last = number
    if first[indent : indent + 1] != "\t":  # which says nothing about what belongs to its line
        while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
            last += 1
    blank = [" " * len(line) for line in lines[number - 1 : last]]
    return "\n".join([*lines[: number - 1], *blank, *lines[last:]])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _problem(source: Source, text: str, error: Exception) -> Diagnostic:
    problem = str(getattr(error, "problem", None) or error).replace("\n", " ")
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    first = getattr(error, "context_mark", None)
    if first is not None and ("quoted scalar" in context or "simple key" in context):
        mark = first
    if first is not None and mark is not None and "flow" in context and _is_left(text, first.line, mark.line):
        mark, problem = first, "a bracket without its closing one"
    at = min(mark.index if mark is not None else int(getattr(error, "position", 0)), len(source.text))
    opening = None if "quoted scalar" in context else _open_quote(text, at)
    if opening is not None:
        at, context = opening, "while scanning a quoted scalar"
    known = next((one for one in _YAML_ADVICE if one.says in f"{context}: {problem}"), None)
    message, advice = (known.message, known.help) if known else (f"YAML: {problem}", "")
    return wrong(source, message, Span(source, at, min(at + 1, len(source.text))), advice)


def _is_left(text: str, start: int, end: int) -> bool:
    """Return whether a line, counted from 0, stands outside of what starts on another one, by its indent."""
    lines = [*text.split("\n"), ""]
    return start < end and _indent(lines[end]) <= _indent(lines[start]) and lines[end][:1] not in ("]", "}")


def _open_quote(text: str, at: int) -> int | None:
    """Return where a string starts that swallowed the lines up to a place; None unless a quote ends just before it."""
    before = text[:at].rstrip(" ")
    if before[-1:] not in ('"', "'") or before.count(before[-1:]) < 2:
        return None
    end = text.find("\n", at)
    start = 0 if at == 0 else text.rfind("\n", 0, at)
    for found in reversed(
        list(re.finditer(_OPEN_QUOTE, text[: end if end >= 0 else len(text)], re.MULTILINE))
    ):
        if found.end() - 1 < start and found[0][-1] == before[-1]:
            return found.end() - 1
        if found.end() - 1 < start:
            return None
    return None


class _Advice(Record):
    """What a message of the YAML parser means to people."""

    says: str
    message: str
    help: str = ""


_YAML_ADVICE = (
    _Advice("while scanning a quoted scalar", "a string without its closing quote"),
    _Advice("a bracket without its closing one", "a `[` or `{` that is never closed", "close it on its line, or where its block ends"),
    _Advice("did not find expected ',' or", "expected `,` or the closing bracket before this"),
    _Advice("found character that cannot start any token", "a character that YAML does not allow here",
            "tabs do not indent in YAML; quote a value that starts with @, `, or %"),
    _Advice("mapping values are not allowed", "a `:` where no field can stand", "check the indentation, or quote the value"),
    _Advice("could not find expected ':'", "a field without `:`", "check the indentation of this line and the one before"),
    _Advice("did not find expected key", "a line that belongs to no field", "its indentation fits nothing above it, or a quote above it is not closed"),
    _Advice("expected <block end>", "a line that belongs to no field", "its indentation fits nothing above it, or a quote above it is not closed"),
)  # fmt: skip
