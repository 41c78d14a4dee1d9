"""The package `encoding/json`."""

from __future__ import annotations

import json
from decimal import Decimal

from dispatchfile.cue import literals
from dispatchfile.cue.builtins.limits import limited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def marshal(value: Any) -> str:
    """Return a value as compact JSON."""
    if isinstance(value, dict):
        return "{" + ",".join([f"{_string(label)}:{marshal(item)}" for label, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([marshal(item) for item in value]) + "]"
    if isinstance(value, bytes):
        from base64 import b64encode

        return '"' + b64encode(value).decode("ascii") + '"'
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value)


def _marshalled(value: Any) -> str:
    text = marshal(value)
    limited(len(text))
    return text


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escape(text: str) -> str:
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> Decimal:
    number = literals.number(text.lower().removeprefix("-"))
    return Decimal(-number if text[0] == "-" else number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for label, value in pairs:
        found[label] = _merged(found[label], value) if label in found else value
    return found


def _merged(a: Any, b: Any) -> Any:
    """Return what a label that is given twice stands for; raises ValueError when the two contradict each other."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {
            label: _merged(a[label], b[label]) if label in a and label in b else {**a, **b}[label]
            for label in {**a, **b}
        }
    if a != b or a.__class__ is not b.__class__:
        raise ValueError("a label has two values that contradict each other")
    return a


def unmarshal(value: str | bytes) -> Any:
    """Return the value of a JSON text; raises ValueError when it is none."""
    try:
        return json.loads(
            _text(value), parse_float=_float, parse_constant=_constant, object_pairs_hook=_object
        )
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def _validated(value: str | bytes, misfit: Callable[..., str], *, complete: bool) -> bool:
    """Return True when a JSON text fits a schema; raises ValueError, with the reason, when it does not."""
    reason = misfit(unmarshal(value), complete=complete)
    if reason:
        raise ValueError(reason)
    return True


def _valid(value: str | bytes) -> bool:
    try:
        unmarshal(value)
    except ValueError:
        return False
    return True


def _compact(value: str | bytes) -> str:
    """Return a JSON text without the white space between its parts, the rest as written."""
    unmarshal(value)
    kept: list[str] = []
    quoted = escaped = False
    for letter in _text(value):
        if quoted:
            quoted = letter != '"' or escaped
            escaped = letter == "\\" and not escaped
        elif letter in " \t\r\n":
            continue
        else:
            quoted = letter == '"'
        kept.append(letter)
    return "".join(kept)


def _indent(value: str | bytes, prefix: str, indent: str) -> str:
    lines = json.dumps(unmarshal(value), ensure_ascii=False, indent=indent, default=_decimal).split("\n")
    return ("\n" + prefix).join(lines)


def _decimal(value: Decimal) -> float:
    return float(value)


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Compact": ("b", _compact),
    "HTMLEscape": ("b", lambda value: _escape(_text(value))),
    "Indent": ("bss", _indent),
    "Marshal": ("a", _marshalled),
    "MarshalStream": ("l", lambda items: "".join([_marshalled(item) + "\n" for item in items])),
    "Unmarshal": ("b", unmarshal),
    "UnmarshalStream": (
        "b",
        lambda value: [unmarshal(line) for line in _text(value).splitlines() if line.strip()],
    ),
    "Valid": ("b", _valid),
    "Validate": ("bv", lambda value, misfit: _validated(value, misfit, complete=True)),
    "ValidatePartial": ("bv", lambda value, misfit: _validated(value, misfit, complete=False)),
}
