"""Which lines of a text give way to which lines of another, in time that grows with the lines and not their square.

`difflib` alone looks for the longest common run over and over, which takes minutes for a file where each of a thousand
tasks has changed. So the lines that both texts have just once are matched first, as "patience diff" does (in git:
`--diff-algorithm=patience`), and `difflib` is left with what is between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from difflib import SequenceMatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # Lines from..to of the old text, and from..to of the new one.
    Change = tuple[int, int, int, int]

CONTEXT = 3


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Return which lines of the old text give way to which of the new, in order; none of them touch."""
    found: list[Change] = []
    at_old = at_new = 0
    for one, other in [*_anchors(old, new), (len(old), len(new))]:
        for change in _between(old, new, at_old, one, at_new, other):
            if found and found[-1][1] == change[0] and found[-1][3] == change[2]:
                change = (found[-1][0], change[1], found.pop()[2], change[3])
            found.append(change)
        at_old, at_new = one, other
    return found


def unified(old: Sequence[str], new: Sequence[str], name: str) -> Iterator[str]:
    """Yield the unified difference of two versions of a file, three lines around each change; lines keep their ends."""
    hunks: list[list[Change]] = []
    for change in changes(old, new):
        if hunks and change[0] - hunks[-1][-1][1] <= 2 * CONTEXT:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    if hunks:
        yield f"--- {name}\n"
        yield f"+++ {name}\n"
    for hunk in hunks:
        before = min(CONTEXT, hunk[0][0])
        first, last = hunk[0][0] - before, min(hunk[-1][1] + CONTEXT, len(old))
        other_first, other_last = hunk[0][2] - before, hunk[-1][3] + last - hunk[-1][1]
        yield f"@@ -{_range(first, last)} +{_range(other_first, other_last)} @@\n"
        at = first
        for start, end, other_start, other_end in hunk:
            yield from (f" {line}" for line in old[at:start])
            yield from (f"-{line}" for line in old[start:end])
            yield from (f"+{line}" for line in new[other_start:other_end])
            at = end
        yield from (f" {line}" for line in old[at:last])


def _range(first: int, last: int) -> str:
    """Return lines as the head of a hunk counts them: from 1, and an empty range by the line before it."""
    length = last - first
    return f"{first + 1}" if length == 1 else f"{first + bool(length)},{length}"


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return where lines stand that each text has once: the most of them that are in the same order in both."""
    counts, places = Counter(old), {line: index for index, line in enumerate(new)}
    once = Counter(new)
    pairs = [(index, places[line]) for index, line in enumerate(old) if counts[line] == 1 and once[line] == 1]
    # The longest ascending run: of each length the pair with the lowest end, and which pair came before it.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    found = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _between(
    old: Sequence[str], new: Sequence[str], first: int, last: int, other_first: int, other_last: int
) -> Iterator[Change]:
    """Yield the changes between two anchors."""
    while first < last and other_first < other_last and old[first] == new[other_first]:
        first, other_first = first + 1, other_first + 1
    while first < last and other_first < other_last and old[last - 1] == new[other_last - 1]:
        last, other_last = last - 1, other_last - 1
    if first == last or other_first == other_last:
        if first != last or other_first != other_last:
            yield first, last, other_first, other_last
        return
    matcher = SequenceMatcher(None, old[first:last], new[other_first:other_last], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield first + a, first + b, other_first + c, other_first + d
