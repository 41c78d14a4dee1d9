"""Reads the ignore comments of a file: which rules they name, and how far they reach."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.record import Record
from dispatchfile.source import Span
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatchfile.cue import tree
    from dispatchfile.diagnostics import Fix
    from dispatchfile.value import Reading

CODE = "DF005"

_COMMENT = re.compile(r"(?://|#)\s*dispatchfile:\s*([A-Za-z-]+)\s*(\[([^\]]*)(\])?)?")
_DIRECTIVES = ("ignore", "ignore-file")
_EXAMPLE = 'such as "dispatchfile: ignore[DF601] why"'


class Ignore(Record):
    """An ignore comment with the words in its brackets, and the offsets from and up to which it silences findings."""

    comment: Span
    words: tuple[Span, ...]
    start: int
    end: int


def read(reading: Reading) -> tuple[list[Ignore], list[Diagnostic]]:
    """Return the ignore comments of a file, and what is wrong with the form of others that were meant as such."""
    ignores: list[Ignore] = []
    told: list[Diagnostic] = []
    items = Items(reading)
    for comment in _comments(reading):
        said = _COMMENT.match(comment.text)
        if said is None or not _is_directive(said[1]):
            continue
        problem = _problem(said, comment)
        if problem is not None:
            told.append(problem)
        else:
            ignores.append(_ignore(items, comment, said))
    return ignores, told


def wrong(message: str, span: Span, advice: str, fix: Fix | None = None) -> Diagnostic:
    """Return the finding of an ignore comment that cannot work."""
    return Diagnostic(CODE, Severity.WARNING, message, span, "cannot work", help=advice, fix=fix)


def _comments(reading: Reading) -> Iterable[Span]:
    """Return the comments of a file; exactly those, also where the file cannot be read."""
    from dispatchfile import front
    from dispatchfile.errors import EvaluationError

    source = reading.source
    try:
        flavour = front.flavour_of(source)
    except EvaluationError:
        return ()
    if flavour == "yaml":
        from dispatchfile.plain.comments import comments

        return comments(source)
    if flavour == "cue":
        from dispatchfile.cue.lexer import tokenize

        return [Span(source, start, end) for start, end in tokenize(source.text).comments]
    return ()  # JSON has none


def _is_directive(word: str) -> bool:
    """Return whether a comment that begins with the word is one of ours, or was meant to be."""
    return word in _DIRECTIVES or (word[:1] in "iI" and nearest(word, _DIRECTIVES) is not None)


def _problem(said: re.Match[str], comment: Span) -> Diagnostic | None:
    """Return what is wrong with the form of a comment of ours, or None."""
    word, bracket, names, closed = said.groups()
    if word not in _DIRECTIVES:
        return wrong(f'"{word}" is not known', comment, f'did you mean "{nearest(word, _DIRECTIVES)}"?')
    if not bracket or (closed and not names.strip()):
        return wrong("the comment names no rule", comment, f"name the rules that it silences, {_EXAMPLE}")
    if not closed:
        return wrong('the list of rules has no closing "]"', comment, f'put "]" behind it, {_EXAMPLE}')
    return None


def _ignore(items: Items, comment: Span, said: re.Match[str]) -> Ignore:
    source = comment.source
    at = comment.start + said.start(3)
    words = tuple(
        Span(source, at + word.start(), at + word.end()) for word in re.finditer(r"[^\s,]+", said[3])
    )
    if said[1] == "ignore-file":
        return Ignore(comment, words, -1, len(source.text) + 1)
    line = source.position(comment.start)[0]
    line_start = source.line_starts[line - 1]
    if source.text[line_start : comment.start].strip():
        return Ignore(comment, words, line_start, comment.end)
    return Ignore(comment, words, *items.behind(comment, line))


class Items:
    """The fields and list elements that comments on lines of their own stand above."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def behind(self, comment: Span, line: int) -> tuple[int, int]:
        """Return from where to where the item below a comment reaches; nowhere for the last thing in its brackets."""
        from dispatchfile.cue import tree

        if not isinstance(self.reading.syntax, tree.File):
            return self._block(self._content_below[line])
        node = self._nodes.get(comment.start)
        return (node.span.start, node.span.end) if node is not None else (comment.end, comment.end)

    @cached_property
    def _nodes(self) -> dict[int, tree.Node]:
        from dispatchfile.cue import tree

        file = self.reading.syntax
        attached = file.comments.items() if isinstance(file, tree.File) else ()
        return {comment.start: node for node, comments in attached for comment in comments.before}

    @cached_property
    def _content_below(self) -> list[int]:
        """Return the number of the next line with content below each line, 0 where there is none."""
        below = [0] * (len(self.reading.source.line_starts) + 1)
        for number in range(len(below) - 1, 1, -1):
            below[number - 1] = number if self._has_content(number) else below[number]
        return below

    def _has_content(self, number: int) -> bool:
        text = self.reading.source.line(number).lstrip()
        return text.strip(" \t-") != "" and not text.startswith("#")

    @lru_cache(maxsize=4096)  # noqa: B019 lives as long as one file is looked at
    def _block(self, first: int) -> tuple[int, int]:
        """Return where a line starts, and where the lines below it, by their indentation, end."""
        source = self.reading.source
        if not first:
            return len(source.text), len(source.text)
        head, last = source.line(first), first
        number = self._content_below[first]
        while number:
            text = source.line(number)
            dashed = text.lstrip().startswith("-") and not head.lstrip().startswith("-")
            if _depth(text) < _depth(head) or (_depth(text) == _depth(head) and not dashed):
                break
            last, number = number, self._content_below[number]
        return source.line_starts[first - 1], source.line_starts[last - 1] + len(source.line(last))


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
