"""Words: the nearest known name to a mistyped one (did you mean …?), and plurals."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate closest to `name`, or None when none is close.

    Case, `_` and `-` are folded; at most a third of the letters, and at least one but never all, may differ.
    """
    wanted = _folded(name)
    limit = max(1, len(wanted) // 3) if len(wanted) > 1 else 0
    best: str | None = None
    for candidate in candidates:
        if candidate == name:
            continue
        cost = _distance(wanted, _folded(candidate), limit)
        if cost <= limit:
            best, limit = candidate, cost - 1
        if limit < 0:
            break
    return best


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _distance(a: str, b: str, limit: int) -> int:
    """Return the edit distance (swapped neighbours count once), or more than `limit` once it is passed."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, above = above, row
    return above[-1]


def counted(number: int, noun: str) -> str:
    """Return a number and a noun, in the plural where there is not one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
