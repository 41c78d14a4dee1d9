"""Regular expressions in the syntax of RE2, run by Python's engine."""

from __future__ import annotations

import re
from functools import lru_cache

from dispatchfile.cue.values import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.source import Span

_UNSUPPORTED = re.compile(r"\(\?(?:[=!>(]|<[=!]|P=)|\\[1-9]")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_PROPERTIES = {"L": r"[^\W\d_]", "Lu": "[A-Z]", "Ll": "[a-z]", "N": r"\d", "Nd": r"\d"}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    if _UNSUPPORTED.search(pattern):
        raise re.error("look-around and back references are not part of the syntax")
    text = re.sub(r"\[:(\w+):\]", lambda m: _CLASSES.get(m.group(1), m.group()), pattern)
    text = re.sub(r"\\p\{?(\w+?)\}?(?=\W|$)", lambda m: _PROPERTIES.get(m.group(1), m.group()), text)
    text = text.replace(r"\z", r"\Z").replace(r"\C", ".")
    text = re.sub(r"(?<!\\)\$", r"\\Z", text) if "(?m" not in text else text
    return re.compile(text, re.ASCII)


def search(pattern: str | bytes, text: str | bytes, span: Span) -> bool:
    """Return whether the pattern matches somewhere in the text; raises Stop when it is not a valid one."""
    if isinstance(pattern, bytes):
        pattern = pattern.decode("latin-1")
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    try:
        return _compiled(pattern).search(text) is not None
    except (re.error, RecursionError, OverflowError) as problem:
        raise fail(f"invalid regular expression: {problem}", span) from problem
