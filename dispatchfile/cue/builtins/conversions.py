"""The package `strconv`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _parse_int(text: str, base: int, bits: int) -> int:
    number = _parsed(text, base)
    if not bits:
        return number
    size = bits
    if not -(2 ** (size - 1)) <= number < 2 ** (size - 1):
        raise ValueError(f'"{text}" does not fit into {size} bits')
    return number


def _parse_uint(text: str, base: int, bits: int) -> int:
    number = _parsed(text, base)
    if text[:1] in ("+", "-") or number < 0 or (bits and number >= 2**bits):
        raise ValueError(f'"{text}" is no unsigned number of {bits or "any"} bits')
    return number


def _parsed(text: str, base: int) -> int:
    if base != 0 and not 2 <= base <= 36:
        raise ValueError(f"invalid base {base}")
    if text != text.strip() or ("_" in text and base != 0) or len(text) > 200:
        raise ValueError(f'invalid number "{text}"')
    digits = text.lstrip("+-")
    if base == 0 and len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return int(text, 8)
    return int(text, base)


def _format_int(number: int, base: int) -> str:
    if not 2 <= base <= 36:
        raise ValueError(f"invalid base {base}")
    digits, rest = "", abs(number)
    while rest:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return ("-" if number < 0 else "") + (digits or "0")


def _format_float(number: Any, form: Any, precision: int, bits: int) -> str:
    letter = chr(form) if isinstance(form, int) else (form.decode() if isinstance(form, bytes) else form)
    if letter not in ("e", "E", "f", "g", "G"):
        raise ValueError(f"the format {letter!r} is not supported")
    value = float(number)
    if bits == 32:
        from struct import pack, unpack

        value = unpack("f", pack("f", value))[0]
    if precision >= 0:
        return f"{value:.{precision}{letter}}"
    shortest = Decimal(repr(value))
    if letter == "f":
        return f"{shortest:f}".removesuffix(".0")
    if letter in "eE":
        digits = len(shortest.normalize().as_tuple().digits)
        return f"{value:.{digits - 1}{letter}}"
    exponent = shortest.adjusted() if shortest else 0
    if exponent < -4 or exponent >= 21:
        digits = len(shortest.normalize().as_tuple().digits)
        return f"{value:.{digits - 1}{'e' if letter == 'g' else 'E'}}"
    return f"{shortest:f}".removesuffix(".0")


def _parse_bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError(f'invalid bool "{text}"')


def _parse_float(text: str, _bits: int) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as problem:
        raise ValueError(f'invalid number "{text}"') from problem
    if not number.is_finite():
        raise ValueError(f'"{text}" is not finite')
    return number


def _quote(text: str) -> str:
    from json import dumps

    return dumps(text, ensure_ascii=False)


def _unquote(text: str) -> Any:
    from json import loads

    return loads(text) if text[:1] == '"' else _raw(text)


def _raw(text: str) -> str:
    if len(text) < 2 or text[0] != text[-1] or text[0] != "`":
        raise ValueError("invalid syntax")
    return text[1:-1]


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Atoi": ("s", lambda text: _parse_int(text, 10, 0)),
    "FormatBool": ("a", lambda value: "true" if value else "false"),
    "FormatFloat": ("naii", _format_float),
    "FormatInt": ("ii", _format_int),
    "FormatUint": ("ii", _format_int),
    "ParseBool": ("s", _parse_bool),
    "ParseFloat": ("si", _parse_float),
    "ParseInt": ("sii", _parse_int),
    "ParseUint": ("sii", _parse_uint),
    "Quote": ("s", _quote),
    "Unquote": ("s", _unquote),
}
