"""Ignore comments: `// dispatchfile: ignore[DF601] reason`, in YAML with `#`.

At the end of a line such a comment silences the findings on that line. On a line of its own it silences those in the
next field or list element with all that is in it, and as `ignore-file[…]` those in the whole file. What silences
nothing, and what cannot work, is itself a finding, DF005. The rules that are always on are not silenced.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from operator import itemgetter

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity
from dispatchfile.lint import catalogue
from dispatchfile.lint.ignores import CODE, Ignore, read, wrong
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from dispatchfile.value import Reading

_LINE_END = re.compile(r"\r?\n?")
_SUGGESTIONS = 100  # for so many wrong words the nearest right one is looked for


def silenced(
    reading: Reading, findings: Sequence[Diagnostic], judged: Container[str] = ()
) -> list[Diagnostic]:
    """Return the findings that no comment silences, and one for each comment that is wrong or silences nothing.

    Of the latter only words whose rules are all in `judged`: the others were not asked.
    """
    ignores, told = read(reading)
    by_code: dict[str, list[Diagnostic]] = {}
    for one in findings:
        by_code.setdefault(one.code, []).append(one)
    ends = {code: sorted(end for one in same for end in _ends(one)) for code, same in by_code.items()}
    reach: dict[str, list[tuple[int, int]]] = {}
    for ignore in ignores:
        unused: list[Span] = []
        for word in ignore.words:
            codes = _silenceable(word.text)
            if not codes:
                told.append(_unknown(word, suggest=len(told) < _SUGGESTIONS))
            elif any(_has_between(ends.get(code, ()), ignore.start, ignore.end) for code in codes):
                for code in codes:
                    reach.setdefault(code, []).append((ignore.start, ignore.end))
            elif all(code in judged for code in codes if not catalogue.ENTRIES[code].optional):
                unused.append(word)
        if unused:
            told.append(_unused(ignore, unused))
    merged = {code: _merged(pieces) for code, pieces in reach.items()}
    return [*(one for one in findings if not _is_reached(one, merged.get(one.code, ()))), *told]


def _merged(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return pieces of the text in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _is_reached(found: Diagnostic, pieces: Sequence[tuple[int, int]]) -> bool:
    for place in _ends(found):
        at = bisect_right(pieces, place, key=itemgetter(0)) - 1
        if at >= 0 and place < pieces[at][1]:
            return True
    return False


def _ends(found: Diagnostic) -> tuple[int, int]:
    """Return the first and the last character of a finding; one about the whole file is before the first."""
    if found.span is None:
        return -1, -1
    return found.span.start, max(found.span.start, found.span.end - 1)


def _has_between(places: Sequence[int], start: int, end: int) -> bool:
    at = bisect_left(places, start)
    return at < len(places) and places[at] < end


@lru_cache(maxsize=256)
def _silenceable(word: str) -> frozenset[str]:
    every = catalogue.codes(word)
    return frozenset(code for code in every if not catalogue.ENTRIES[code].always and code != CODE)


def _unknown(word: Span, *, suggest: bool) -> Diagnostic:
    if catalogue.codes(word.text):
        return wrong(f"{word.text} cannot be silenced by a comment", word, "mend what it finds")
    meant = catalogue.nearest_word(word.text) if suggest else None
    if meant is None:
        return wrong(f'"{word.text}" is no rule', word, "see `dispatchfile explain --all`")
    fix = Fix(f'write "{meant}"', (Edit(word, meant),), safe=False)
    return wrong(f'"{word.text}" is no rule', word, f'did you mean "{meant}"?', fix)


def _unused(ignore: Ignore, unused: Sequence[Span]) -> Diagnostic:
    names = ", ".join(word.text for word in unused)
    if len(unused) == len(ignore.words):
        fix = Fix("remove the comment", (Edit(_with_its_space(ignore.comment), ""),), safe=True)
        span = ignore.comment
    else:
        gone = {word.start for word in unused}
        kept = ", ".join(word.text for word in ignore.words if word.start not in gone)
        fix = Fix(f"remove {names}", (Edit(ignore.words[0].to(ignore.words[-1]), kept),), safe=True)
        span = unused[0]
    message = f"the comment silences nothing: there is no {names} here"
    return Diagnostic(CODE, Severity.WARNING, message, span, "unused", help="remove it", fix=fix)


def _with_its_space(comment: Span) -> Span:
    """Return what goes with a comment: its whole line, or the blanks between it and what it stands behind."""
    text = comment.source.text
    line_start = text.rfind("\n", 0, comment.start) + 1
    start = line_start + len(text[line_start : comment.start].rstrip(" \t"))
    if start > line_start:
        return Span(comment.source, start, comment.end)
    line_end = _LINE_END.match(text, comment.end)
    return Span(comment.source, start, line_end.end() if line_end else comment.end)
