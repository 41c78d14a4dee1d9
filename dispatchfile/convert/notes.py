"""What an author says beside the value: comments and blank lines, by the path of the field or element they belong to."""

from __future__ import annotations

import re

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from dispatchfile.source import Source, Span

    Path: TypeAlias = tuple[str | int, ...]

# What tells an editor about the flavour is not true of another one.
_MODELINE = re.compile(r"\s*(vim?|ex):|.*-\*-.*-\*-|\s*(yaml-language-server|\$schema):")


class Note(Record, eq=False):
    """Comments on lines above, behind the value, and last inside it, without `#` or `//`; None is a blank line."""

    before: list[str | None]
    behind: list[str]
    inside: list[str | None]


class Notes:
    """The notes of a file by path; `left_out` counts the comments of what is not in the value."""

    def __init__(self) -> None:
        self.found: dict[Path, Note] = {}
        self.noted: set[Path] = set()
        self.left_out = 0

    def at(self, path: Path) -> Note:
        """Return what is noted at a path, empty without anything."""
        return self.found.get(path, _NOTHING)

    def add(
        self,
        path: Path,
        before: Sequence[str | None] = (),
        behind: Sequence[str] = (),
        inside: Sequence[str | None] = (),
    ) -> None:
        """Add to what is noted at a path; blank lines on end become one."""
        if not (before or behind or inside):
            return
        for length in range(len(path) + 1):
            self.noted.add(path[:length])
        note = self.found.setdefault(path, Note([], [], []))
        note.behind.extend(behind)
        for lines, more in ((note.before, before), (note.inside, inside)):
            for line in more:
                if line is not None or lines[-1:] != [None]:
                    lines.append(line)

    def within(self, path: Path) -> bool:
        """Return whether anything is noted at a path or below it."""
        return path in self.noted

    def count(self) -> int:
        """Return how many comments there are."""
        return sum(
            text is not None
            for note in self.found.values()
            for text in (*note.before, *note.behind, *note.inside)
        )


_NOTHING = Note([], [], [])


def words(comment: Span, marker: str) -> str | None:
    """Return what a comment says, None when it only speaks to an editor; what cannot be seen becomes a space."""
    text = comment.text.removeprefix(marker).rstrip()
    if _MODELINE.match(text):
        return None
    return "".join(char if char.isprintable() or char == "\t" else " " for char in text)


def blank_above(source: Source, place: int) -> bool:
    """Return whether a place is the first on its line and the line above it is blank."""
    line, column = source.position(place)
    return line > 1 and not source.line(line)[: column - 1].strip(" \t") and not source.line(line - 1).strip()


def above(source: Source, comments: Iterable[Span], place: int | None, marker: str) -> list[str | None]:
    """Return comments on lines of their own, and the blank lines before them and before what follows at `place`."""
    lines: list[str | None] = []
    for comment in comments:
        said = words(comment, marker)
        if said is not None:
            lines += [None, said] if blank_above(source, comment.start) else [said]
    if place is not None and blank_above(source, place):
        lines.append(None)
    return lines


def behind(comments: Iterable[Span], marker: str) -> list[str]:
    """Return what comments at the ends of lines say."""
    return [said for comment in comments if (said := words(comment, marker)) is not None]


def split_header(lines: list[str | None]) -> tuple[list[str | None], list[str | None]]:
    """Return the lines that speak of the whole file, and those of its first field: the ones behind the last blank line."""
    last = max((at for at, line in enumerate(lines) if line is None and at > 0), default=0)
    return lines[:last], lines[last:]
