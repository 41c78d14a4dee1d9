"""A pipeline as data again, and as YAML text that is itself a Dispatchfile (the layout of `dispatch ci render`)."""

from __future__ import annotations

import re

from dispatchfile.model.schema import PIPELINE
from dispatchfile.model.shape import ListOf, MapOf, Table
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.model.shape import Shape
    from dispatchfile.value import Plain

HEADER = "#!yaml\n# vi:syntax=yaml\n\n"


def data(pipeline: Pipeline) -> dict[str, Plain]:
    """Return the pipeline as it was written, without helper fields: fields under their proper names, no nulls.

    Every step carries `resources`, as the original's output does.
    """
    found = _plain(pipeline.value, PIPELINE)
    return found if isinstance(found, dict) else {}


def _plain(value: Value, shape: Shape) -> Plain:
    content = value.data
    if isinstance(shape, ListOf) and isinstance(content, list):
        return [_plain(item, shape.item) for item in content]
    if isinstance(shape, MapOf) and isinstance(content, dict):
        return {label: _plain(item, shape.item) for label, item in content.items()}
    if not (isinstance(shape, Table) and isinstance(content, dict)):
        return value.plain()
    fields: dict[str, Plain] = {}
    for label, item in content.items():
        field = shape.by_name.get(label) or shape.by_alias.get(label)
        if field is not None and item.data is not None:
            fields[field.name] = _plain(item, field.shape)
    if shape.name == "step":
        fields.setdefault("resources", {})
    return fields


# YAML. Written out here because importing a YAML library takes longer than reading and printing a Dispatchfile.

# What a reader of YAML 1.1 or 1.2 may take for something other than a string, in small letters.
_WORDS = frozenset(("~", "=", "<<", "null", "y", "n", "yes", "no", "on", "off", "true", "false"))
_NUMBER = (
    r"[-+]?0(b[01_]*|x[0-9a-f_]*|o[0-7_]*)|[-+]?\.(inf|nan|[0-9_]+(e[-+]?[0-9]*)?)"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?(e[-+]?[0-9]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([t \t].*)?"
)
_NOT_FIRST = frozenset(",[]{}#&*!|>'\"%@` ")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def yaml(content: Plain) -> str:
    """Return the data as YAML: keys sorted, list dashes under their key, strings plain where they may be."""
    if isinstance(content, (dict, list)) and content:
        return "".join(f"{line}\n" for line in _block(content, ""))
    return f"{_scalar(content, '')}\n"


def _block(content: dict[str, Plain] | list[Plain], indent: str) -> list[str]:
    """Return the lines of a struct or list that has something in it."""
    lines: list[str] = []
    if isinstance(content, list):
        for item in content:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _block(item, indent + "  ")
                lines += (f"{indent}- {first.removeprefix(indent + '  ')}", *rest)
            else:
                lines.append(f"{indent}- {_scalar(item, indent)}")
        return lines
    for label in sorted(content):
        item, key = content[label], _text(label)
        if isinstance(item, dict) and item:
            lines += (f"{indent}{key}:", *_block(item, indent + "  "))
        elif isinstance(item, list) and item:
            lines += (f"{indent}{key}:", *_block(item, indent))
        else:
            lines.append(f"{indent}{key}: {_scalar(item, indent)}")
    return lines


def _scalar(content: Plain, indent: str) -> str:
    if isinstance(content, str):
        return _literal(content, indent) if "\n" in content and _fits_literal(content) else _text(content)
    if isinstance(content, bool):
        return "true" if content else "false"
    if content is None:
        return "null"
    return (
        str(content) if not isinstance(content, (dict, list)) else "{}" if isinstance(content, dict) else "[]"
    )


def _text(text: str) -> str:
    """Return a string on one line: plain, in single quotes, or in double quotes where it needs escapes."""
    if not text or _ambiguous(text):
        return f'"{text}"'
    if not text.isprintable():
        return f'"{"".join(_escaped(char) for char in text)}"'
    if text[0] in _NOT_FIRST or text[-1] in ": " or ": " in text or " #" in text:
        plain = False
    else:
        plain = not text.startswith(("- ", "? ", "---", "...")) and text not in ("-", "?")
    doubled = text.replace("'", "''")
    return text if plain else f"'{doubled}'"


def _ambiguous(text: str) -> bool:
    if text[0] in "-+.0123456789":
        return re.fullmatch(_NUMBER, text.lower(), re.ASCII) is not None
    return text.lower() in _WORDS


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    number = ord(char)
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _fits_literal(text: str) -> bool:
    return text.strip("\n \t") != "" and text.replace("\n", "").replace("\t", "").isprintable()


def _literal(text: str, indent: str) -> str:
    """Return a block of the lines as they are; its header says the indentation only where a reader could not tell."""
    width = "2" if text[0] in " \n\t" else ""
    body = text.rstrip("\n")
    chomping = {0: "-", 1: ""}.get(len(text) - len(body), "+")
    lines = [f"{indent}  {line}" if line else "" for line in body.split("\n")]
    kept = [""] * (len(text) - len(body) - 1)
    return "\n".join([f"|{width}{chomping}", *lines, *kept])
