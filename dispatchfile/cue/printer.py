"""Values as CUE text, in the modern syntax."""

from __future__ import annotations

import re

from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.value import Plain

INDENT = "  "
WIDTH = 110
"""The column that a line may reach before a list or struct on it is broken."""

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


# Values


def literal(value: Value | Plain, indent: str = "") -> str:
    """Return plain data as a modern CUE expression without a line end; the value read back is equal.

    A struct keeps its order and has each field on a line of its own; a struct with a single field is a chain
    (`on: push: {…}`). A list of scalars stands on one line where it fits. Lines but the first start with `indent`.
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
            if column + len(line.split("\n", 1)[0]) <= WIDTH and not (blocks == [True]):
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
