"""Expressions of CEL as the interceptor of Tekton Triggers evaluates them (Triggers v0.37, its `cel` interceptor).

`matches` searches with RE2, and every number of a JSON body is a double. Of the extensions of strings only those of
version 0 are used, which every Triggers has, and of those of Triggers itself `truncate`, which counts bytes. Regular
expressions stand in raw strings (`r'…'`), in which CEL takes no backslash for its own; in YAML a backslash is one
anyway, outside of double quotes. Long expressions are broken before a dot, where CEL lets them be.
"""

from __future__ import annotations

from dispatchfile import glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPACE = r"[\t-\r\x1c-\x20\x85\pZ]"
"""What separates words in Python, and so in comments that are read elsewhere here."""
LINE_END = r"[\n-\r\x1c-\x1e\x85\x{2028}\x{2029}]"
"""What ends a line in Python."""


def literal(text: str) -> str:
    """Return a text as a string of CEL."""
    if "'" not in text and text.isprintable() and not text.endswith("\\"):  # readers of CEL differ on r'\'
        return f"r'{text}'" if "\\" in text else f"'{text}'"
    return f"'{''.join(_escaped(char) for char in text)}'"


def _escaped(char: str) -> str:
    if char in "'\\":
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def takes(patterns: Sequence[str], value: str, mode: glob.Mode = "name") -> list[str]:
    """Return clauses that all hold where `glob.decide` takes the value of an expression; raises GlobError."""
    positive = [pattern for pattern in patterns if not pattern.startswith("!")]
    negative = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    clauses = [_matched(pattern, value, mode, negated=True) for pattern in dict.fromkeys(negative)]
    if positive and not any(_takes_all(pattern, mode) for pattern in positive):
        clauses.insert(0, any_of(_matched(pattern, value, mode) for pattern in dict.fromkeys(positive)))
    return clauses


def any_of(clauses: Iterable[str]) -> str:
    """Return a clause that holds where one of these does; there must be one."""
    clauses = list(clauses)
    return f"({' || '.join(clauses)})" if len(clauses) > 1 else clauses[0]


def _takes_all(pattern: str, mode: glob.Mode) -> bool:
    items = glob.parse(pattern)
    return len(items) == 1 and isinstance(items[0], glob.Star) and (mode == "name" or items[0].crosses)


def _matched(pattern: str, value: str, mode: glob.Mode, *, negated: bool = False) -> str:
    items = glob.parse(pattern)
    text = "".join(item for item in items if isinstance(item, str))
    if len(text) == len(items):
        return f"{value} {'!=' if negated else '=='} {literal(text)}"
    return f"{'!' * negated}{value}.matches({literal(glob.to_regex(pattern, mode))})"


def slug(text: str, longest: int) -> str:
    """Return an expression for what `names.plain` makes of the value of one, cut to a number of characters."""
    plain = f'{text}.lowerAscii()\n.split("").map(c, c.matches("[a-z0-9]") ? c : " ").join("")'
    words = f'{plain}\n.split(" ").filter(w, w != "").join(" ")'
    return f'{words}\n.truncate({longest}).trim().replace(" ", "-")'


def label_value(text: str) -> str:
    """Return an expression for a text as the value of a label: nothing where it would begin or end as none may."""
    kept = f'{text}\n.split("").map(c, c.matches("[A-Za-z0-9._-]") ? c : "-").join("").truncate(63)'
    return f'[{kept}]\n.map(l, l.matches("^[A-Za-z0-9](.*[A-Za-z0-9])?$") ? l : "")[0]'


def words_of_first_line(text: str) -> str:
    """Return an expression for the first line of a text that is not empty, one space between its words.

    What `payload.Body.chatop` takes for spaces and for ends of lines is taken for them here.
    """
    chars = f'c.matches(r"{LINE_END}") ? "\\n" : c.matches(r"{SPACE}") ? " " : c'
    line = f'{text}\n.split("").map(c, {chars}).join("")\n.trim().split("\\n")[0]'
    return f'{line}.split(" ").filter(w, w != "").join(" ")'


def quoted(text: str) -> str:
    """Return a regular expression of RE2 that matches just this text."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)
