"""Scalars as YAML text.

Written out here because importing a YAML library takes longer than reading and printing a Dispatchfile.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from dispatchfile.value import Plain

# What a reader of YAML 1.1 or 1.2 may take for something other than a string, in small letters; numbers without `_`.
_WORDS = frozenset(("~", "=", "<<", "null", "y", "n", "yes", "no", "on", "off", "true", "false"))
_NUMBER = (
    r"[-+]?0(b[01]*|x[0-9a-f]*|o[0-7]*)|[-+]?\.(inf|nan|[0-9]+(e[-+]?[0-9]*)?)"
    r"|[-+]?[0-9]+(:[0-5]?[0-9])*(\.[0-9]*)?(e[-+]?[0-9]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([t \t].*)?"
)
_NOT_FIRST = frozenset(",[]{}#&*!|>'\"%@` ")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def scalar(content: Plain, indent: str) -> str:
    """Return a scalar, or what has nothing in it, behind a key or a dash that stands `indent` far in."""
    if isinstance(content, str):
        return _literal(content, indent) if "\n" in content and _fits_literal(content) else text(content)
    if isinstance(content, bool):
        return "true" if content else "false"
    if content is None:
        return "null"
    if isinstance(content, (dict, list)):
        return "{}" if isinstance(content, dict) else "[]"
    return str(content) if isinstance(content, int) else fraction(content)


def fraction(content: Decimal | float) -> str:
    """Return a number with its point: without one, readers take 1e3 for a string and 5 for a whole number."""
    digits, exponent, power = str(content).partition("E")
    return digits + ("" if "." in digits else ".0") + exponent + power


def text(content: str) -> str:
    """Return a string on one line: plain, in single quotes, or in double quotes for escapes and for single quotes."""
    if not content or _ambiguous(content) or not content.isprintable():
        return f'"{"".join(_escaped(char) for char in content)}"'
    if content[0] in _NOT_FIRST or content[-1] in ": " or ": " in content or " #" in content:
        plain = False
    else:
        plain = not content.startswith(("- ", "? ", "---", "...")) and content not in ("-", "?")
    if plain:
        return content
    if "'" in content and '"' not in content and "\\" not in content:
        return f'"{content}"'
    doubled = content.replace("'", "''")
    return f"'{doubled}'"


def _ambiguous(text: str) -> bool:
    if text[0] in "-+.0123456789":
        # Go's reader takes all underscores out first: -_1 and 1e_5 are numbers to kubectl.
        return re.fullmatch(_NUMBER, text.lower().replace("_", ""), re.ASCII) is not None
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
