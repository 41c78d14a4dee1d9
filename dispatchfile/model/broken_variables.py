"""What was meant as a variable of Dispatch but is none: not closed, in the wrong brackets, or of a misspelt kind."""

from __future__ import annotations

import re

from dispatchfile.model.variables import CONTEXT
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"(?:context|inputs|outputs|resources)\.[A-Za-z0-9_.-]+"
# Never closed (the space before a `)` that comes too late is part of it), or in the brackets of a shell variable,
# whose names hold no dots, or with a first word that is none.
_BROKEN = (
    rf"\$\((?P<open>{_NAME})(?![A-Za-z0-9_.)-])(?P<late>[ \t]+\))?"
    rf"|\$\{{(?P<curly>{_NAME})\}}"
    r"|\$[({](?P<other>[A-Za-z]{5,10}(?:\.[A-Za-z0-9_-]+){2,3})[)}]"
)
_KINDS = ("context", "inputs", "outputs", "resources")
_LONG_FORM = (
    r"(?:inputs|outputs)\.(?:resources|tasks)\.[^.]+\.[^.]+|resources\.(?:inputs|outputs)\.[^.]+\.[^.]+"
)


def find(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end, the name that was meant, and what is wrong, for each broken variable of a text."""
    for found in re.finditer(_BROKEN, text):
        name = found["open"] or found["curly"] or found["other"]
        if found["curly"]:
            yield *found.span(), name, "variables are written with round brackets"
        elif found["open"]:
            # A shell may run a command of such a name; none takes the name of a whole variable.
            if _is_whole(name):
                problem = "a space in the variable" if found["late"] else "the variable is not closed"
                yield *found.span(), name, problem
        else:
            kind, _, rest = name.partition(".")
            meant = nearest(kind, _KINDS)
            if kind not in _KINDS and meant is not None and _is_whole(f"{meant}.{rest}"):
                yield *found.span(), f"{meant}.{rest}", "no such variable"


def _is_whole(name: str) -> bool:
    name = name.rstrip(".")
    return name in CONTEXT or re.fullmatch(_LONG_FORM, name) is not None
