r"""What a `<` begins: a template label `<Name>`, the arrow of an old comprehension, or the operator."""

from __future__ import annotations

import re

from dispatchfile.cue.lexer import ARROW, COLON, KIND, LESS, NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cue.lexer import Token

_TEMPLATE = rf"<[ \t]*{NAME}[ \t]*>(?=[ \t]*[:?\"<$\w])"
_ARROW = r"<-(?=\s*(?:for|if)\b)"
_BORDERS = frozenset((ARROW, COLON, KIND["OPEN_BRACE"], KIND["CLOSE_BRACE"]))


def meant(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the kind and the end of what `<` begins; `end` is the end of the operator.

    `<Name>` stands in front of a colon or label, `<-` in front of `for` or `if`.
    """
    for pattern, kind in ((_TEMPLATE, KIND["TEMPLATE"]), (_ARROW, ARROW)):
        found = re.compile(pattern).match(text, start)
        if found:
            return kind, found.end()
    return LESS, end


def goes_on(tokens: list[Token]) -> bool:
    """Return whether `for` or `if` at the start of a line is one more clause behind a `<-`."""
    for kind, _, _ in reversed(tokens):
        if kind in _BORDERS:
            return kind == ARROW
    return False
