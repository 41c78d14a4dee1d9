"""What is taken out of a text before it is read: the marks of merge conflicts, and NUL bytes. Offsets stay the same."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Fault

_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?:[ \t].*)?\r?$", re.MULTILINE)


def without_conflicts(text: str) -> tuple[str, list[Fault]]:
    """Return the text with the markers of merge conflicts and the second side blanked, and a fault for each."""
    faults: list[Fault] = []
    blanks: list[tuple[int, int]] = []
    begin = second = -1
    for found in _CONFLICT.finditer(text):
        mark = found[1][0]
        if begin < 0 and mark != "<":
            blanks.append(found.span())
            faults.append(("leftover", *found.span()))
        elif mark == "<" and begin < 0:
            begin = found.start()
            blanks.append(found.span())
        elif mark in "|=" and begin >= 0 > second:
            second = found.start()
        elif mark == ">" and begin >= 0:
            blanks.append((second if second >= 0 else found.start(), found.end()))
            faults.append(("conflict", begin, found.end()))
            begin = second = -1
    if begin >= 0:
        faults.append(("conflict", begin, blanks[-1][1]))
    parts: list[str] = []
    position = 0
    for start, end in blanks:
        parts += (text[position:start], re.sub(r"[^\n]", " ", text[start:end]))
        position = end
    return "".join((*parts, text[position:])), faults


def without_nul(text: str) -> tuple[str, list[Fault]]:
    """Return the text with NUL bytes blanked, and a fault at the first of them."""
    at = text.find("\0")
    return text.replace("\0", " "), [] if at < 0 else [("nul", at, at + 1)]
