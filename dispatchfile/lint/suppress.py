"""Ignore comments: `// dispatchfile: ignore[DF601] reason`, in YAML with `#`.

At the end of a line such a comment silences the findings on that line. On a line of its own it silences those in the
next field or list element with all that is in it, and as `ignore-file[…]` those in the whole file. What silences
nothing, and what cannot work, is itself a finding, DF005. The rules that are always on are not silenced.
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity
from dispatchfile.lint import catalogue
from dispatchfile.record import Record
from dispatchfile.source import Source, Span
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from dispatchfile.value import Reading

UNUSED = "DF005"

_COMMENT = re.compile(r"(?://|#)\s*dispatchfile:\s*([A-Za-z-]+)\s*(\[([^\]]*)(\])?)?")
_DIRECTIVES = ("ignore", "ignore-file")
_EXAMPLE = 'such as "dispatchfile: ignore[DF601] why"'


class Ignore(Record):
    """An ignore comment with the words in its brackets, and the offsets from and up to which it silences findings."""

    comment: Span
    words: tuple[Span, ...]
    start: int
    end: int

    def covers(self, found: Diagnostic) -> bool:
        """Return whether a finding lies where the comment reaches."""
        if found.span is None:
            return self.start < 0
        return self.start <= found.span.start <= self.end or self.start < found.span.end <= self.end


def silenced(
    reading: Reading, findings: Sequence[Diagnostic], judged: Container[str] = ()
) -> list[Diagnostic]:
    """Return the findings that no comment silences, and one for each comment that is wrong or silences nothing.

    Of the latter only words whose rules are all in `judged`: the others were not asked.
    """
    ignores: list[Ignore] = []
    told: list[Diagnostic] = []
    for comment in _comments(reading):
        said = _COMMENT.match(comment.text)
        if said is None or not _is_directive(said[1]):
            continue
        problem = _problem(said, comment)
        if problem is not None:
            told.append(problem)
        else:
            ignores.append(_ignore(reading, comment, said))
    left = list(findings)
    for ignore in ignores:
        unused: list[Span] = []
        for word in ignore.words:
            codes = _silenceable(word.text)
            if not codes:
                told.append(_unknown(word))
            elif not any(found.code in codes and ignore.covers(found) for found in findings):
                if all(code in judged for code in codes if not catalogue.ENTRIES[code].optional):
                    unused.append(word)
            else:
                left = [found for found in left if found.code not in codes or not ignore.covers(found)]
        if unused:
            told.append(_unused(ignore, unused))
    return [*left, *told]


def _silenceable(word: str) -> frozenset[str]:
    every = catalogue.codes(word)
    return frozenset(code for code in every if not catalogue.ENTRIES[code].always and code != UNUSED)


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
    return word in _DIRECTIVES or nearest(word, _DIRECTIVES) is not None


def _problem(said: re.Match[str], comment: Span) -> Diagnostic | None:
    """Return what is wrong with the form of a comment of ours, or None."""
    word, bracket, names, closed = said.groups()
    if word not in _DIRECTIVES:
        return _wrong(f'"{word}" is not known', comment, f'did you mean "{nearest(word, _DIRECTIVES)}"?')
    if not bracket or (closed and not names.strip()):
        return _wrong("the comment names no rule", comment, f"name the rules that it silences, {_EXAMPLE}")
    if not closed:
        return _wrong('the list of rules has no closing "]"', comment, f'put "]" behind it, {_EXAMPLE}')
    return None


def _ignore(reading: Reading, comment: Span, said: re.Match[str]) -> Ignore:
    source = comment.source
    at = comment.start + said.start(3)
    words = tuple(
        Span(source, at + word.start(), at + word.end()) for word in re.finditer(r"[^\s,]+", said[3])
    )
    if said[1] == "ignore-file":
        return Ignore(comment, words, -1, len(source.text))
    line = source.position(comment.start)[0]
    if source.text[source.line_starts[line - 1] : comment.start].strip():
        return Ignore(comment, words, source.line_starts[line - 1], comment.end)
    return Ignore(comment, words, *_next_item(reading, comment, line))


def _next_item(reading: Reading, comment: Span, line: int) -> tuple[int, int]:
    """Return from where to where the field or element behind a comment on a line of its own reaches."""
    from dispatchfile.cue import tree

    file = reading.syntax
    if not isinstance(file, tree.File):
        return _block(reading.source, line)
    for node, comments in file.comments.items():
        if comment in comments.before:
            return node.span.start, node.span.end
    return comment.end, comment.end  # the last thing in its brackets


def _block(source: Source, line: int) -> tuple[int, int]:
    """Return where the next line with content starts, and where the lines below it, by their indentation, end."""
    numbers = range(line + 1, len(source.line_starts) + 1)
    shown = [(number, text) for number in numbers if (text := source.line(number)).strip(" \t-")]
    content = [(number, text) for number, text in shown if not text.lstrip().startswith("#")]
    if not content:
        return len(source.text), len(source.text)
    first, head = content[0]
    depth, last = _depth(head), first
    for number, text in content[1:]:
        dashed = text.lstrip().startswith("-") and not head.lstrip().startswith("-")
        if _depth(text) < depth or (_depth(text) == depth and not dashed):
            break
        last = number
    return source.line_starts[first - 1], source.line_starts[last - 1] + len(source.line(last))


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _wrong(message: str, span: Span, advice: str, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(UNUSED, Severity.WARNING, message, span, "cannot work", help=advice, fix=fix)


def _unknown(word: Span) -> Diagnostic:
    if catalogue.codes(word.text):
        return _wrong(f"{word.text} cannot be silenced by a comment", word, "mend what it finds")
    meant = catalogue.nearest_word(word.text)
    if meant is None:
        return _wrong(f'"{word.text}" is no rule', word, "see `dispatchfile explain --all`")
    fix = Fix(f'write "{meant}"', (Edit(word, meant),), safe=False)
    return _wrong(f'"{word.text}" is no rule', word, f'did you mean "{meant}"?', fix)


def _unused(ignore: Ignore, unused: Sequence[Span]) -> Diagnostic:
    names = ", ".join(word.text for word in unused)
    if len(unused) == len(ignore.words):
        fix = Fix("remove the comment", (Edit(_with_its_space(ignore.comment), ""),), safe=True)
        span = ignore.comment
    else:
        kept = ", ".join(word.text for word in ignore.words if word not in unused)
        fix = Fix(f"remove {names}", (Edit(ignore.words[0].to(ignore.words[-1]), kept),), safe=True)
        span = unused[0]
    message = f"the comment silences nothing: there is no {names} here"
    return Diagnostic(UNUSED, Severity.WARNING, message, span, "unused", help="remove it", fix=fix)


def _with_its_space(comment: Span) -> Span:
    """Return what goes with a comment: its whole line, or the blanks between it and what it stands behind."""
    text = comment.source.text
    start = len(text[: comment.start].rstrip(" \t"))
    if start > 0 and text[start - 1] != "\n":
        return Span(comment.source, start, comment.end)
    line_end = re.compile(r"\r?\n?").match(text, comment.end)
    return Span(comment.source, start, line_end.end() if line_end else comment.end)
