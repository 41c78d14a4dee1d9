"""The notes of a YAML file: each comment finds its field by line and column."""

from __future__ import annotations

from bisect import bisect_left

from dispatchfile.convert.notes import Notes, above, behind, split_header
from dispatchfile.plain.comments import comments
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dispatchfile.convert.notes import Path
    from dispatchfile.source import Source, Span
    from dispatchfile.value import Value


class _Item(Record, eq=False):
    """A field or element where it is written, from its key or dash on; `flow`: its value is in brackets."""

    start: int
    end: int
    column: int
    path: Path
    flow: bool


def yaml_notes(source: Source, value: Value, left_out: Collection[str] = ()) -> Notes:
    """Return the comments and blank lines of a file by the paths of its value.

    A comment that stands further right than what follows it is the last one inside what it is under. Those of the
    top-level fields `left_out` are only counted.
    """
    reader = _Reader(source, value, left_out)
    for comment in comments(source):
        reader.take(comment)
    reader.lines_above()
    return reader.notes


class _Reader:
    """Knows the items of a file in the order of their places."""

    def __init__(self, source: Source, value: Value, left_out: Collection[str]) -> None:
        self.source = source
        self.left_out = left_out
        self.notes = Notes()
        self.items: list[_Item] = []
        self.find(value, ())
        self.items.sort(key=lambda item: (item.start, len(item.path)))
        self.starts = [item.start for item in self.items]
        self.by_path = {item.path: item for item in self.items}
        self.waiting: dict[int, list[Span]] = {}

    def find(self, value: Value, path: Path) -> None:
        """Learn where the fields and elements stand; what an alias or a merge key brings in stands elsewhere."""
        data, place = value.data, value.span
        if place is None or not isinstance(data, (dict, list)):
            return
        for label, item in data.items() if isinstance(data, dict) else enumerate(data):
            start, here = item.key if isinstance(label, str) else item.span, item.span
            if start is None or here is None or not place.start <= start.start < place.end:
                continue
            own = place.start <= here.start < place.end
            at = start.start if isinstance(label, str) else self.dash(place.start, start.start)
            flow = own and self.source.text[here.start : here.start + 1] in ("[", "{")
            column = self.source.position(at)[1]
            self.items.append(_Item(at, here.end if own else start.end, column, (*path, label), flow))
            if own:
                self.find(item, (*path, label))

    def dash(self, sequence: int, element: int) -> int:
        """Return where the dash of an element stands; the element itself when the list is in brackets."""
        return (
            element if self.source.text[sequence] == "[" else self.source.text.rfind("-", sequence, element)
        )

    def take(self, comment: Span) -> None:
        """Note a comment, or keep it for the item that follows."""
        following = bisect_left(self.starts, comment.start)
        previous = self.outermost(self.items[following - 1], comment.start) if following else None
        line_start = self.source.line_starts[comment.line - 1]
        if previous is not None and self.source.text[line_start : comment.start].strip(" \t\ufeff-"):
            self.add(previous.path, behind=behind([comment], "#"))
            return
        around = self.around(previous, following, comment.column)
        if around is None:
            self.waiting.setdefault(following, []).append(comment)
        else:
            self.add(around, inside=above(self.source, [comment], None, "#"))

    def outermost(self, item: _Item, place: int) -> _Item:
        """Return what surrounds an item in brackets and ends with it before a place, else the item."""
        while (outer := self.by_path.get(item.path[:-1])) is not None and outer.flow and outer.end <= place:
            item = outer
        return item

    def around(self, previous: _Item | None, following: int, column: int) -> Path | None:
        """Return the path of the struct or list that ends with a comment; None when it goes on."""
        ahead = self.items[following].column if following < len(self.items) else 0
        while previous is not None and ahead < column:
            outer = self.by_path.get(previous.path[:-1])
            if ahead < previous.column <= column and (outer is None or outer.column < previous.column):
                return previous.path[:-1]
            previous = outer
        return None if following < len(self.items) else ()

    def lines_above(self) -> None:
        """Note the comments and blank lines above each item."""
        for index, item in enumerate(self.items):
            before = above(self.source, self.waiting.get(index, ()), item.start, "#")
            if index == 0:
                header, before = (before, []) if item.path[0] in self.left_out else split_header(before)
                self.notes.add((), header)
            self.add(item.path, before)

    def add(
        self,
        path: Path,
        before: Sequence[str | None] = (),
        behind: Sequence[str] = (),
        inside: Sequence[str | None] = (),
    ) -> None:
        """Note comments at a path; count them when it is left out."""
        if path and path[0] in self.left_out:
            self.notes.left_out += sum(line is not None for line in (*before, *behind, *inside))
        else:
            self.notes.add(path, before, behind, inside)
