"""CUE text from a syntax tree, in the one layout there is, and from plain values.

`printed` keeps every word and comment of the text that a tree was read from and changes only what stands between
them, so there is nothing that it could forget: `atoms.py` takes the text apart, `layout.py` decides where lines break.
"""

from __future__ import annotations

import re

from dispatchfile.cue.atoms import Atoms
from dispatchfile.cue.layout import INDENT, WIDTH, Layout
from dispatchfile.cue.lexer import CLOSERS, END
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.cue import tree
    from dispatchfile.value import Plain

_BARE = re.compile(r"[A-Za-z$][A-Za-z0-9_$]*")
_KEYWORDS = frozenset(("for", "if", "in", "let", "true", "false", "null", "package", "import"))
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
}


def printed(file: tree.File) -> str:
    """Return the text of a file without syntax errors in the layout that `grammar/README.md` describes.

    The tree must be what `parse` made of its source. The text says the same, comments included; it is checked anew
    that it does, and AssertionError raised when it does not.
    """
    atoms = Atoms(file.source.text)
    text = _Printer(atoms, Layout(atoms, file)).print()
    if text != file.source.text:
        from dispatchfile.cue.sameness import difference

        found = difference(atoms, Atoms(text))
        if found:
            raise AssertionError(f"formatting would change the text: {found}")
    return text


class _Printer:
    """Writes atoms out line by line."""

    def __init__(self, atoms: Atoms, layout: Layout) -> None:
        self.atoms = atoms
        self.layout = layout
        self.out: list[str] = [atoms.first_line] if atoms.first_line else []
        self.opened = [layout.file]

    def print(self) -> str:
        """Return the whole text."""
        atoms, layout, out = self.atoms, self.layout, self.out
        indent = 0
        for at, kind in enumerate(atoms.kinds):
            starts_line = layout.breaks[at]
            if starts_line:
                indent = self.line_break(at)
                layout.fit(at, indent, self.opened)
            else:
                out.append(layout.spaces[at])
            out.append(self.word(at, indent + (not starts_line)))
            if kind in CLOSERS:
                self.opened.pop()
            elif at in layout.groups:
                group = layout.groups[at]
                group.indent = indent
                self.opened.append(group)
        text = "".join(out)
        return f"{text}\n" if text else ""

    def line_break(self, at: int) -> int:
        """End a line, with the comments that stand before an atom; return the indent of the atom's own line."""
        atoms, out, group = self.atoms, self.out, self.opened[-1]
        gap, separates = atoms.gaps[at], self.layout.separates[at]
        opens, closes = at == group.open + 1, at == group.close
        if separates or closes:
            comma = group.role in ("list", "call") and (separates or (group.trailing_comma and not opens))
        else:
            comma = gap.comma
        if comma:
            out.append(",")
        body = group.indent + 1
        aligned = opens or separates or closes or at in self.layout.aligned
        indent = body if aligned else body + group.broken
        fresh = opens and not (at == 0 and atoms.first_line)
        for text, own_line, blank in gap.comments:
            if own_line:
                self.line(indent, blank=blank and not fresh)
                fresh = False
                out.append(text)
            else:
                out.append(f" {text}")
        if closes:
            indent = group.indent
            if atoms.kinds[at] == END:
                return indent
        self.line(indent, blank=gap.blank and not (fresh or closes) and (opens or separates))
        return indent

    def line(self, indent: int, *, blank: bool) -> None:
        """Start a line, with an empty one before it if asked for."""
        if self.out:
            self.out.append("\n\n" if blank else "\n")
        self.out.append(INDENT * indent)

    def word(self, at: int, indent: int) -> str:
        """Return an atom; the lines of a string of several lines are moved to an indent."""
        text = self.atoms.texts[at]
        if "\n" not in text or text[0] == "@":
            return text
        if any("\n" in expression for expression in self.atoms.expressions(at)):
            return text
        first, *lines = re.compile(r"(?<!\r)\r\n").sub("\n", text).split("\n")
        old = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip(" \t"))]
        moved = [first]
        for line in lines:
            bare = line.removeprefix(old)
            moved.append(INDENT * indent + bare if bare and line.startswith(old) else line.strip(" \t"))
        return "\n".join(moved)


# Values


def literal(value: Value | Plain, indent: str = "") -> str:
    """Return plain data as a modern CUE expression without a line end; the value read back is equal.

    A struct keeps its order and has each field on a line of its own; a struct with a single field is a chain
    (`on: push: {…}`). A list of scalars stands on one line where it fits. Lines but the first start with `indent`,
    also those of a text of several lines: behind a label it looks best with an indent one deeper than the label's.
    """
    return _expression(value.plain() if isinstance(value, Value) else value, indent, len(indent))


def declarations(value: dict[str, Plain]) -> str:
    """Return a struct as the text of a CUE file: its fields without the braces, empty for an empty struct.

    A field that holds only structs, such as `task`, is written as `task: "test": {…}` for each of them, with blank
    lines between.
    """
    blocks: list[str] = []
    for name, content in value.items():
        if isinstance(content, dict) and content and all(isinstance(item, dict) for item in content.values()):
            blocks += (f"{label(name)}: {quoted(key)}: {literal(item)}" for key, item in content.items())
        else:
            blocks.append(_field({name: content}, ""))
    text = ""
    for before, block in zip(["", *blocks], blocks, strict=False):
        between = "\n" if before and ("\n" in before or "\n" in block) else ""
        text += f"{between}{block}\n"
    return text


def label(name: str) -> str:
    """Return a field's name as a label, in quotes where a bare word would be no name, a hidden one, or a keyword."""
    return name if _BARE.fullmatch(name) and name not in _KEYWORDS else quoted(name)


def quoted(text: str) -> str:
    """Return a text as a string literal on one line; what cannot be seen is escaped."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _expression(value: Plain, indent: str, column: int) -> str:
    """Return a value that starts at a column, behind what stands on the line already."""
    if isinstance(value, dict):
        if not value:
            return "{}"
        lines = (f"{indent}{INDENT}{line}\n" for line in _fields(value, indent + INDENT))
        return f"{{\n{''.join(lines)}{indent}}}"
    if isinstance(value, list):
        return _list(value, indent, column)
    if isinstance(value, str):
        opens_line = column == len(indent)
        return _block(value, indent + INDENT * (not opens_line)) if _is_block(value) else quoted(value)
    return _scalar(value)


def _scalar(value: Plain) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if isinstance(value, int) or not text.lstrip("-").isdecimal() else f"{text}.0"


def _fields(value: dict[str, Plain], indent: str) -> Iterator[str]:
    for name, content in value.items():
        yield _field({name: content}, indent)


def _field(value: Plain, indent: str) -> str:
    """Return a struct of one field as a chain of labels and what stands at its end."""
    text = ""
    while isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
        text += f"{label(name)}: "
    return text + _expression(value, indent, len(indent) + len(text))


def _list(elements: list[Plain], indent: str, column: int) -> str:
    """Return a list on one line where it fits; a text of several lines may be the last thing on it."""
    if not any(isinstance(item, (dict, list)) and item for item in elements):
        blocks = [isinstance(item, str) and _is_block(item) for item in elements]
        if not any(blocks[:-1]):
            line = f"[{', '.join(_expression(item, indent, -1) for item in elements)}]"
            if column + len(line.split("\n", 1)[0]) <= WIDTH and blocks != [True]:
                return line
    deeper = indent + INDENT
    lines = (f"{deeper}{_expression(item, deeper, len(deeper))},\n" for item in elements)
    return f"[\n{''.join(lines)}{indent}]"


def _is_block(text: str) -> bool:
    """Return whether a text has several lines, none of which holds or ends with what cannot be seen."""
    lines = text.split("\n")
    return "\n" in text.strip("\n") and all(
        line == line.rstrip() and line.replace("\t", "").isprintable() for line in lines
    )


def _block(text: str, indent: str) -> str:
    body = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = (f"{indent}{line}\n" if line else "\n" for line in body.split("\n"))
    return f'"""\n{"".join(lines)}{indent}"""'
