"""Where the lines of a CUE text break, and how far they are indented.

The author's own breaks are kept, made whole, and added to only where a line is too long:

- Declarations in a struct, import group or file stand on lines of their own, unless the whole struct is on one line.
- Brackets break behind the opening one and before the closing one, or at neither. A list that is not broken itself
  may hold one that is (`steps: [{`, `}, {`, `}]`); a struct with several declarations may not.
- A break behind an operator, or before a clause that stands behind its value, is kept and indented, one before any
  other clause of a comprehension is kept. A broken struct or list behind an operator moves up to it. All other breaks
  inside a declaration go.
- Where a line is longer than WIDTH, the longest struct or list on it with several items is broken, one item a line,
  when that brings its longest word within WIDTH. A line with a comment behind it is left alone: the comment may be
  about something that has to stay on its line.
"""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.lexer import CLOSERS, END, KIND, OPENERS
from dispatchfile.cue.walk import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.cue.atoms import Atoms

INDENT = "  "
WIDTH = 110
"""How many characters a line may have before a list or struct on it is broken."""

_MANY = 20
"""So many brackets on a line that is too long are broken all at once: to look for the longest again takes too long."""

COLON, COMMA, DOT, NUMBER = KIND["COLON"], KIND["COMMA"], KIND["DOT"], KIND["NUMBER"]
ELLIPSIS, EQUALS, IMPORT, LET = KIND["ELLIPSIS"], KIND["EQUALS"], KIND["IMPORT"], KIND["LET"]
QUESTION, EXCLAMATION = KIND["QUESTION"], KIND["EXCLAMATION"]
OPERATORS = frozenset(
    KIND[name]
    for name in (
        "DISJOIN", "CONJOIN", "OR", "AND", "EQUAL", "UNEQUAL", "LESS", "AT_MOST", "GREATER", "AT_LEAST", "MATCHES",
        "DIFFERS", "PLUS", "MINUS", "TIMES", "DIVIDE", "EXCLAMATION",
    )
)  # fmt: skip
_OPERAND_ENDS = frozenset(
    KIND[name]
    for name in (
        "IDENT", "STRING", "BYTES", "NUMBER", "NULL", "TRUE", "FALSE", "BOTTOM", "CLOSE_BRACE", "CLOSE_BRACKET",
        "CLOSE_PARENTHESIS",
    )
)  # fmt: skip
_TREE_NEEDED = frozenset(KIND[name] for name in ("FOR", "IF", "EQUALS"))


class Group:
    """A pair of brackets, or the file: its atoms, the gaps between its items, and how it is laid out.

    `role` is struct, list, index, call, parenthesis, imports or file. `hard`: a line ends somewhere inside.
    `indent` counts the levels of the line that it opens on.
    """

    __slots__ = ("broken", "close", "hard", "indent", "open", "role", "separators", "trailing_comma")

    def __init__(self, opening: int, role: str) -> None:
        self.open, self.close, self.role = opening, -1, role
        self.separators: list[int] = []
        self.broken = self.hard = False
        self.trailing_comma = role in ("list", "call")
        self.indent = -1


class Layout:
    """Whether a line breaks before each atom of a text, or what stands there else, and where items are separated."""

    def __init__(self, atoms: Atoms, file: tree.File) -> None:
        count = len(atoms.kinds)
        self.atoms = atoms
        self.breaks = [False] * count
        self.separates = [False] * count
        self.aligned: set[int] = set()
        self.spaces = [" "] * count
        self.groups: dict[int, Group] = {}
        self.marks = Marks(file) if not _TREE_NEEDED.isdisjoint(atoms.kinds) else None
        self.group = self.file = Group(-1, "file")
        self._read()
        self.lengths = [0]
        for text, space in zip(atoms.texts, self.spaces, strict=True):
            self.lengths.append(self.lengths[-1] + len(text) + len(space))

    def _read(self) -> None:
        """Decide the breaks from the author's, and the spaces, in one pass over the atoms."""
        kinds, texts = self.atoms.kinds, self.atoms.texts
        opened = [self.file]
        unary = False
        for at, kind in enumerate(kinds):
            group = opened[-1]
            if kind in CLOSERS or kind == END:
                self._close(group, at)
                opened.pop()
                if opened:
                    opened[-1].hard |= group.hard or group.broken
            else:
                self._place(group, at, unary=unary)
            group.hard |= "\n" in texts[at]
            unary = kind in OPERATORS and not self._follows_operand(at)
            if kind in OPENERS:
                group = Group(at, self._role(at))
                self.groups[at] = group
                opened.append(group)

    def _follows_operand(self, at: int) -> bool:
        return at > 0 and self.atoms.kinds[at - 1] in _OPERAND_ENDS and not self.atoms.gaps[at].separates

    def _role(self, at: int) -> str:
        kind = OPENERS[self.atoms.kinds[at]]
        if kind == "{":
            return "struct"
        behind_operand = self._follows_operand(at)
        if kind == "[":
            return "index" if behind_operand else "list"
        if at and self.atoms.kinds[at - 1] == IMPORT:
            return "imports"
        return "call" if behind_operand else "parenthesis"

    def _place(self, group: Group, at: int, *, unary: bool) -> None:
        """Decide the gap before an atom that closes nothing; `unary`: the one before it is a prefix."""
        gap, marks = self.atoms.gaps[at], self.marks
        clause = marks is not None and self.atoms.starts[at] in marks.clauses
        if clause and marks is not None:
            if self.atoms.starts[at] in marks.old_clauses:
                group.trailing_comma = False
            else:
                self.aligned.add(at)
        if at == group.open + 1:
            self.spaces[at] = ""
        elif gap.separates and not clause:
            group.separators.append(at)
            self.separates[at] = True
            self.spaces[at] = ", "
        else:
            behind_operator = self.atoms.kinds[at - 1] in OPERATORS and not self._is_mark(at - 1)
            self.breaks[at] = bool(gap.comments) or (gap.newline and (behind_operator or clause))
            self.spaces[at] = ", " if gap.comma else self._space(group, at, unary=unary)
            group.hard |= self.breaks[at]

    def _is_mark(self, at: int) -> bool:
        """Return whether a `?` or `!` belongs to the label before it."""
        kind = self.atoms.kinds[at]
        return kind == QUESTION or (kind == EXCLAMATION and self._follows_operand(at))

    def _space(self, group: Group, at: int, *, unary: bool) -> str:
        """Return what stands between an atom and the one before it, of the same declaration, on one line."""
        kind, before = self.atoms.kinds[at], self.atoms.kinds[at - 1]
        if kind == DOT:
            return " " if before == NUMBER else ""
        if kind in (COLON, COMMA) or before in (DOT, ELLIPSIS) or self._is_mark(at):
            return ""
        if before == COLON:
            return "" if group.role == "index" else " "
        if unary or (
            EQUALS in (kind, before) and not self._is_declared(at - 1 if kind == EQUALS else at - 2)
        ):
            return " " if self.atoms.texts[at].startswith(("=~", "==")) else ""
        if kind in OPENERS and OPENERS[kind] != "{" and self._role(at) in ("index", "call"):
            return ""
        return " "

    def _is_declared(self, name: int) -> bool:
        """Return whether the name before a `=` is one that `let X = …` or the old `X = …` declares."""
        kinds, starts = self.atoms.kinds, self.atoms.starts
        return kinds[name - 1] == LET or (self.marks is not None and starts[name] in self.marks.names)

    def _close(self, group: Group, at: int) -> None:
        """Decide the breaks of a group, all of whose atoms but the closing one are known."""
        gaps = self.atoms.gaps
        group.close = at
        own = [group.open + 1, *group.separators, at]
        self.spaces[at] = ""
        if group.role == "file":
            group.broken = True
        elif at == group.open + 1 or group.role == "index":
            group.broken = any(gaps[gap].comments for gap in own)
        else:
            group.broken = any(gaps[gap].newline for gap in own) or (
                group.role == "struct" and group.hard and bool(group.separators)
            )
        if group.broken:
            by_line = group.role not in ("list", "call")
            for gap in own:
                self.breaks[gap] = by_line or gaps[gap].newline
            self.breaks[own[0]] = self.breaks[at] = True
        moves_up = (group.broken or group.hard) and group.role in ("struct", "list")
        if moves_up and self.breaks[group.open] and not gaps[group.open].comments:
            self._move_up(group)
        last = group.separators[-1] if group.separators else group.open + 1
        following = self.atoms.kinds[at + 1] if at + 1 < len(gaps) else END
        if (
            self.atoms.kinds[last] == ELLIPSIS
            or following in (COLON, QUESTION)
            or self._is_label_mark(at + 1)
        ):
            group.trailing_comma = False

    def _is_label_mark(self, at: int) -> bool:
        return at < len(self.atoms.kinds) and self.atoms.kinds[at] == EXCLAMATION and self._is_mark(at)

    def _move_up(self, group: Group) -> None:
        """Take the break out that stands between an operator and a broken struct or list."""
        if self.atoms.kinds[group.open - 1] in OPERATORS:
            self.breaks[group.open] = False

    # Lines that are too long

    def line_end(self, start: int) -> int:
        """Return the atom before which the line that starts at an atom ends."""
        end = start + 1
        while end < len(self.breaks) and not self.breaks[end]:
            end += 1
        return end

    def fit(self, start: int, indent: int, opened: Sequence[Group]) -> None:
        """Break the line that starts at an atom, in the innermost of the opened groups, until it fits or nothing more helps."""
        while True:
            end = self.line_end(start)
            room = WIDTH - len(INDENT) * indent
            if self._length(start, end) <= room or self._is_left_alone(start, end):
                return
            if self._break_items(start, end, opened):
                continue
            groups = self._breakable(start, end, room)
            if not groups:
                return
            few = len(groups) < _MANY
            for group in (
                (max(groups, key=lambda one: self._length(one.open, one.close + 1)),) if few else groups
            ):
                self._break(group)

    def _length(self, start: int, end: int) -> int:
        return self.lengths[end] - self.lengths[start] - len(self.spaces[start])

    def _is_left_alone(self, start: int, end: int) -> bool:
        commented = end < len(self.breaks) and any(not own for _, own, _ in self.atoms.gaps[end].comments)
        return commented or any("\n" in self.atoms.texts[at] for at in range(start, end))

    def _breakable(self, start: int, end: int, room: int) -> list[Group]:
        """Return the outermost groups on a line whose breaking helps."""
        found: list[Group] = []
        at = start
        if start in self.groups and self.atoms.kinds[start - 1] in OPERATORS:
            at = self.groups[start].close  # broken, it would have moved up
        while at < end:
            group = self.groups.get(at)
            at += 1
            if (
                group is None
                or group.close >= end
                or not group.separators
                or group.role not in ("struct", "list")
            ):
                continue
            helps = max(map(len, self.atoms.texts[group.open : group.close])) + len(INDENT) <= room
            if helps:
                found.append(group)
            if helps or group.role == "struct":  # which what is broken inside it would break too
                at = group.close + 1
        return found

    def _break_items(self, start: int, end: int, opened: Sequence[Group]) -> bool:
        """Break a line between the items of the broken list that it is part of; return whether there are several."""
        at, level, found = start, len(opened) - 1, False
        while at < end:
            if at in self.groups:
                at = self.groups[at].close
            elif self.atoms.kinds[at] in CLOSERS:
                level -= 1
            at += 1
            if at < end and self.separates[at] and opened[level].broken:
                self.breaks[at] = found = True
        return found

    def _break(self, group: Group) -> None:
        group.broken = True
        for gap in (group.open + 1, *group.separators, group.close):
            self.breaks[gap] = True


class Marks:
    """What only the tree tells about a text, as offsets: names that `X = …` declares, and clauses but the first."""

    def __init__(self, file: tree.File) -> None:
        self.names: set[int] = set()
        self.clauses: set[int] = set()
        self.old_clauses: set[int] = set()
        for node in descendants(file):
            if isinstance(node, tree.Let) and node.old:
                self.names.add(node.span.start)
            elif isinstance(node, tree.Comprehension):
                starts = [clause.span.start for clause in node.clauses]
                self.clauses.update(starts if node.old else starts[1:])
                self.old_clauses.update(starts if node.old else ())
