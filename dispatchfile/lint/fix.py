"""Fixes: puts the edits of findings into the text, in rounds, since one mended finding may uncover another."""

from __future__ import annotations

from bisect import bisect_left

from dispatchfile.lint import catalogue, engine
from dispatchfile.record import Record
from dispatchfile.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.diagnostics import Diagnostic, Edit, Fix
    from dispatchfile.lint.rule import Subject
    from dispatchfile.lint.settings import Settings

ROUNDS = 10


class Fixed(Record):
    """A source with the fixes in it, what is left to find in it, and how many findings were mended.

    `refused` are the findings whose fix would have left a file that cannot be evaluated. `subject` is the source with
    the fixes as it was read, None when there are none.
    """

    source: Source
    findings: tuple[Diagnostic, ...]
    count: int = 0
    refused: tuple[Diagnostic, ...] = ()
    subject: Subject | None = None


def fix(
    source: Source,
    settings: Settings,
    *,
    unsafe: bool = False,
    findings: Sequence[Diagnostic] | None = None,
) -> Fixed:
    """Return a source with all that can be fixed, safe fixes or also `unsafe` ones; nothing is written.

    `findings` are those of the source when they are known. Raises what `engine.inspect` raises.
    """
    found = tuple(engine.inspect(source, settings) if findings is None else findings)
    count = 0
    refused: list[Diagnostic] = []
    subject: Subject | None = None
    for _ in range(ROUNDS):
        known = {_identity(one) for one in refused}
        wanted = [one for one in found if is_fixable(one, unsafe=unsafe) and _identity(one) not in known]
        text, taken = _mended(source.text, wanted)
        if text == source.text:
            break
        looked_at = engine.subject(source.with_text(text), settings)
        left = engine.findings(looked_at)
        if _damage(left) > _damage(found):
            alone = [one for one in taken if _breaks(one, source, found, settings)]
            refused += alone or taken[1:]
            continue
        source, subject, found, count = looked_at.source, looked_at, left, count + len(taken)
    return Fixed(source, found, count, tuple(refused), subject)


def is_fixable(found: Diagnostic, *, unsafe: bool = False) -> bool:
    """Return whether a finding has a fix that is safe, or any fix with `unsafe`."""
    return found.fix is not None and (found.fix.safe or unsafe)


def applied(text: str, fixes: Iterable[Fix]) -> str:
    """Return a text with fixes in it; one that overlaps an earlier one is left out as a whole.

    New lines end as those of the text do.
    """
    return _applied(text, fixes)[0]


def _mended(text: str, findings: Sequence[Diagnostic]) -> tuple[str, list[Diagnostic]]:
    """Return a text with the fixes of findings in it, and those that are."""
    mended, taken = _applied(text, [one.fix for one in findings if one.fix is not None])
    return mended, [one for one in findings if one.fix in taken]


def _applied(text: str, fixes: Iterable[Fix]) -> tuple[str, set[Fix]]:
    edits: list[tuple[int, int, str]] = []  # in order, none overlaps another
    taken: set[Fix] = set()
    for one in fixes:
        own = {(edit.span.start, edit.span.end, edit.text) for edit in one.edits}
        if all(_fits(edit, edits) for edit in own):
            for edit in own:
                at = bisect_left(edits, edit)
                if edits[at : at + 1] != [edit]:
                    edits.insert(at, edit)
            taken.add(one)
    newline = "\r\n" if "\r\n" in text else "\n"
    parts: list[str] = []
    at = 0
    for start, end, content in edits:
        parts += (text[at:start], content.replace("\r\n", "\n").replace("\n", newline))
        at = end
    return "".join(parts) + text[at:], taken


def _fits(edit: tuple[int, int, str], edits: Sequence[tuple[int, int, str]]) -> bool:
    """Return whether an edit is among the others, or touches no character and no place of theirs."""
    at = bisect_left(edits, edit)
    if edits[at : at + 1] == [edit]:
        return True
    return not any(
        (edit[0] < other[1] and other[0] < edit[1]) or edit[0] == other[0]
        for other in edits[max(0, at - 1) : at + 1]
    )


def _identity(found: Diagnostic) -> tuple[str, str, str, tuple[str, ...]]:
    """Return what tells a finding from others although the text before it changes."""
    edits: Sequence[Edit] = found.fix.edits if found.fix is not None else ()
    return found.code, found.path, found.message, tuple(edit.text for edit in edits)


def _breaks(one: Diagnostic, source: Source, found: Iterable[Diagnostic], settings: Settings) -> bool:
    text, _ = _mended(source.text, [one])
    return _damage(engine.inspect(source.with_text(text), settings)) > _damage(found)


def _damage(findings: Iterable[Diagnostic]) -> int:
    """Return how many findings tell of a text that cannot be read or evaluated."""
    always = {rule.code for rule in catalogue.ENTRIES.values() if rule.always}
    return sum(one.code in always for one in findings)
