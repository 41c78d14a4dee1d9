"""Diagnostics for people: one line that says what is wrong, the place with its source line, related places, help.

Whatever comes out of a file is shown harmless: control characters and direction marks become U+FFFD.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Severity, in_order
from dispatchfile.source import Span
from dispatchfile.spelling import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.report.secrets import Screen

_WIDEST = 160
_TAB = 4
_HARMFUL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"  # compiled when it is needed

_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[1;34m", "\x1b[0m"
_PAINT = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.INFO: "\x1b[1;36m"}


def render(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """Return the diagnostics in order of their places, a blank line between two; ends with a newline unless empty.

    What one of them marks as a secret reads `***` in all of them.
    """
    every = in_order(diagnostics)
    screen = None
    if any(found.secret for found in every):
        from dispatchfile.report.secrets import Screen

        screen = Screen(every)
        every = screen.findings(every)
    blocks = [_block(found, screen, color=color) for found in every]
    return "\n".join(blocks)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how much was found in how many files: "Found 1 error, 2 warnings in 1 file."; infos when there are some."""
    every = in_order(diagnostics)
    count = {kind: sum(found.severity is kind for found in every) for kind in Severity}
    files = len({found.span.source.name for found in every if found.span is not None})
    where = f" in {counted(files, 'file')}" if files else ""
    infos = f", {counted(count[Severity.INFO], 'info')}" if count[Severity.INFO] else ""
    return f"Found {counted(count[Severity.ERROR], 'error')}, {counted(count[Severity.WARNING], 'warning')}{infos}{where}."


def harmless(text: str) -> str:
    """Return a text of several lines as a terminal may get it: what could steer the terminal becomes U+FFFD."""
    return text if text.isascii() and text.isprintable() else re.sub(_HARMFUL, "\ufffd", text)


def escaped(text: str) -> str:
    """Return JSON as a terminal may get it, and with the same meaning."""
    return re.sub(_HARMFUL, lambda found: f"\\u{ord(found[0]):04x}", text)


def flat(text: str) -> str:
    """Return a text as one line that a terminal may get."""
    return harmless(text.replace("\n", " ").replace("\t", " "))


def _block(found: Diagnostic, screen: Screen | None, *, color: bool) -> str:
    paint = _PAINT[found.severity]
    title = f"{found.severity}[{found.code}]" if found.code else str(found.severity)
    head = f"{_painted(title, paint, color=color)}{_painted(': ' + flat(found.message), _BOLD, color=color)}"
    spans = [span for span in (found.span, *(also.span for also in found.related)) if span is not None]
    width = max((len(str(span.line)) for span in spans), default=1)
    bar = " " * width + _painted(" |", _BLUE, color=color)
    lines = [head]
    if found.span is not None:
        lines += _excerpt(found.span, found.label, "-->", "^", width, paint, screen, color=color)
    for also in found.related:
        if found.span is not None:
            lines.append(bar)
        lines += _excerpt(also.span, also.message, ":::", "-", width, _BLUE, screen, color=color)
    if found.help:
        if spans:
            lines.append(bar)
        mark = _painted(" = ", _BLUE, color=color)
        lines.append(f"{' ' * width}{mark}{_painted('help', _BOLD, color=color)}: {flat(found.help)}")
    return "\n".join(lines) + "\n"


def _excerpt(
    span: Span,
    label: str,
    arrow: str,
    mark: str,
    width: int,
    paint: str,
    screen: Screen | None,
    *,
    color: bool,
) -> list[str]:
    number, column = span.source.position(span.start)
    text = span.source.line(number)
    first = min(column - 1, len(text))
    last = min(max(first + span.end - span.start, first + 1), max(len(text), first + 1))
    if screen is not None:
        text, first, last = screen.line(text, first, last)
    shown, start, length = _window(text, first, last)
    margin = " " * width
    gutter = _painted(" |", _BLUE, color=color)
    numbered = _painted(f"{number:>{width}} |", _BLUE, color=color)
    note = f"{mark * length} {flat(label)}" if label else mark * length
    place = flat(f"{span.source.name}:{number}:{column}")
    return [
        f"{margin}{_painted(arrow, _BLUE, color=color)} {place}",
        f"{margin}{gutter}",
        f"{numbered} {shown}".rstrip(),
        f"{margin}{gutter} {' ' * start}{_painted(note, paint, color=color)}",
    ]


def _window(text: str, first: int, last: int) -> tuple[str, int, int]:
    """Return what to show of a line, and the display column and width of its characters first up to last."""
    if len(text) > _WIDEST:
        start = max(0, min(first - _WIDEST // 4, len(text) - _WIDEST))
        end = start + _WIDEST
        last = min(last, end)
        before, behind = "…" if start else "", "…" if end < len(text) else ""
        text = before + text[start:end] + behind
        first, last = first - start + len(before), last - start + len(before)
    head, marked = _expanded(text[:first], 0), text[first:last]
    column = _width(head)
    return head + _expanded(text[first:], column), column, max(1, _width(_expanded(marked, column)))


def _expanded(text: str, column: int) -> str:
    """Return the text, which starts at a display column, with its tabs as spaces and without harmful characters."""
    if "\t" not in text:
        return harmless(text)
    parts = []
    for char in text:
        shown = " " * (_TAB - column % _TAB) if char == "\t" else harmless(char)
        column += _width(shown)
        parts.append(shown)
    return "".join(parts)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def _painted(text: str, paint: str, *, color: bool) -> str:
    return f"{paint}{text}{_RESET}" if color else text
