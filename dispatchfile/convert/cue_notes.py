"""The notes of a CUE file: each comment finds the field of the value that its node made."""

from __future__ import annotations

from dispatchfile.convert.notes import Notes, above, behind, blank_above, split_header
from dispatchfile.cue import tree
from dispatchfile.cue.walk import children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.convert.notes import Path
    from dispatchfile.value import Value


def cue_notes(file: tree.File, value: Value) -> Notes:
    """Return the comments and blank lines of a file by the paths of its value.

    A field that comes out several times, from a loop or a definition, has its comments where it comes out first; the
    comments of what does not come out at all are counted as left out.
    """
    reader = _Reader(file, value)
    reader.walk(file, ())
    return reader.notes


class _Reader:
    """Walks the tree with the path that the surrounding node has in the value; None where it has none."""

    def __init__(self, file: tree.File, value: Value) -> None:
        self.file = file
        self.notes = Notes()
        self.places: dict[int, list[Path]] = {}
        self.first = file.declarations[0] if file.declarations else None
        self.find(value, ())

    def find(self, value: Value, path: Path) -> None:
        """Learn where each part of the value was written."""
        for place in (*value.keys, *value.spans):
            self.places.setdefault(place.start, []).append(path)
        data = value.data
        if isinstance(data, dict):
            for label, item in data.items():
                self.find(item, (*path, label))
        elif isinstance(data, list):
            for index, item in enumerate(data):
                self.find(item, (*path, index))

    def path(self, place: int, owner: Path | None, kind: type) -> Path | None:
        """Return the path of the field (`str`) or element (`int`) at a place, the one below its owner first."""
        known = [path for path in self.places.get(place, ()) if path and isinstance(path[-1], kind)]
        return next((path for path in known if path[:-1] == owner), known[0] if known else None)

    def walk(self, node: tree.Node, owner: Path | None) -> None:
        """Take the notes of a node and of what is below it."""
        if isinstance(node, tree.Field):
            self.field(node, owner)
            return
        if isinstance(node, tree.ListLiteral):
            self.attach(node, owner)
            for child in children(node):
                path = self.path(child.span.start, owner, int)
                self.walk(child, owner if path is None else path)
            return
        if isinstance(node, tree.Comprehension):
            owner = self.within(node)
        elif isinstance(node, tree.Let):
            owner = None
        self.attach(node, owner)
        for child in children(node):
            self.walk(child, owner)

    def field(self, node: tree.Field, owner: Path | None) -> None:
        """Take the notes of a field; those of a chain belong to its last label."""
        last, path = node, self.path(node.label.span.start, owner, str)
        while isinstance(last.value, tree.Struct) and last.value.implied:
            (inner,) = last.value.declarations
            if not isinstance(inner, tree.Field):
                break
            last, path = inner, self.path(inner.label.span.start, path, str)
        self.attach(node, path)
        self.walk(last.value, path)

    def within(self, node: tree.Node) -> Path | None:
        """Return the path of the first field that came out of a node."""
        inside = (place for place in self.places if node.span.start < place < node.span.end)
        return next((path for place in sorted(inside) for path in self.places[place] if path), None)

    def attach(self, node: tree.Node, path: Path | None) -> None:
        """Note the comments of a node at a path."""
        comments = self.file.comments.get(node)
        place = node.span.start if isinstance(node, tree.Field) else None
        if path is None:
            if comments is not None:
                self.leave_out(node, comments)
            return
        if comments is None:
            if place is not None and blank_above(self.file.source, place):
                self.notes.add(path, [None])
            return
        before = above(self.file.source, comments.before, place, "//")
        if node is self.first:
            header, before = split_header(before)
            self.notes.add((), header)
        inside = above(self.file.source, comments.inside, None, "//")
        ends = behind(comments.behind, "//")
        if isinstance(node, tree.Rest):
            self.notes.add(path, inside=[*before, *ends])
        else:
            self.notes.add(path, before, ends, inside)

    def leave_out(self, node: tree.Node, comments: tree.Comments) -> None:
        """Count the comments of what is not in the value; the first of the file may speak of all of it, and stays."""
        before = above(self.file.source, comments.before, None, "//")
        if node is self.first:
            self.notes.add((), before)
            before = []
        lost = (*before, *behind((*comments.behind, *comments.inside), "//"))
        self.notes.left_out += sum(line is not None for line in lost)
