"""The package `strconv`."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from dispatchfile.cue.literals import BadLiteral, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _parse_int(text: str, base: int, bits: int) -> int:
    number = _parsed(text, base, bits)
    if bits and not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f'"{text}" does not fit into {bits} bits')
    return number


def _parse_uint(text: str, base: int, bits: int) -> int:
    number = _parsed(text, base, bits)
    if text[:1] in ("+", "-") or number < 0 or (bits and number >= 2**bits):
        raise ValueError(f'"{text}" is no unsigned number of {bits or "any"} bits')
    return number


def _parsed(text: str, base: int, bits: int) -> int:
    if base != 0 and not 2 <= base <= 36:
        raise ValueError(f"invalid base {base}")
    if bits < 0:
        raise ValueError(f"invalid bit size {bits}")
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
    value = _single(float(number)) if bits == 32 else float(number)
    if precision > 1_000:
        raise ValueError("a precision of more than 1000 is not supported")
    if precision >= 0:
        return f"{value:.{precision}{letter}}"
    shortest = _shortest(value, bits)
    digits = len(shortest.normalize().as_tuple().digits)
    exponent = shortest.adjusted() if shortest else 0
    if letter in "eE" or (letter in "gG" and not -4 <= exponent < 6):
        return f"{value:.{digits - 1}{'e' if letter in 'eg' else 'E'}}"
    return f"{shortest:f}".removesuffix(".0")


def _single(value: float) -> float:
    """Return the number of 32 bits that is nearest; raises ValueError when there is none."""
    from struct import pack, unpack

    try:
        return float(unpack("f", pack("f", value))[0])
    except OverflowError as problem:
        raise ValueError("the number does not fit into 32 bits") from problem


def _shortest(value: float, bits: int) -> Decimal:
    """Return the decimal number of the fewest digits that stands for a float of so many bits."""
    if bits == 32:
        for digits in range(1, 9):
            text = f"{value:.{digits}g}"
            if _single(float(text)) == value:
                return Decimal(text)
    return Decimal(repr(value))


def _parse_bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueError(f'invalid bool "{text}"')


def _parse_float(text: str, bits: int) -> Decimal:
    try:
        number = Decimal(repr(float.fromhex(text))) if "x" in text.lower() else Decimal(text)
    except (InvalidOperation, ValueError, OverflowError) as problem:
        raise ValueError(f'invalid number "{text}"') from problem
    if not number.is_finite() or text != text.strip() or "_" in text or abs(number.adjusted()) > 400:
        raise ValueError(f'invalid number "{text}"')
    return Decimal(repr(_single(float(number)))) if bits == 32 else number


_SHORT = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\"}


def _quoted(text: str, quote: str = '"', *, ascii_only: bool = False) -> str:
    """Return a text as a literal of Go."""
    out = [quote]
    for letter in text:
        code = ord(letter)
        if letter == quote or letter in _SHORT:
            out.append("\\" + _SHORT.get(letter, letter))
        elif code < 0x80 if ascii_only else letter.isprintable():
            out.append(letter if letter.isprintable() else f"\\x{code:02x}")
        else:
            out.append(
                f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
            )
    return "".join([*out, quote])


def _rune(code: int) -> str:
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError("this is the number of no character")
    return chr(code)


def _unquote(text: str) -> str:
    """Return what a literal of CUE stands for; raises ValueError when the text is none, or one with holes."""
    bare = text.strip("#")
    quote = bare[:1]
    if quote not in ('"', "'") or len(bare) < 2 or bare[-1] != quote or "\n" in bare:
        raise ValueError("invalid syntax")
    if "#" not in (text[0], text[-1]) and quote in re.sub(r"\\.", "", bare[1:-1]):
        raise ValueError("invalid syntax")
    try:
        value = unquoted(text)
    except BadLiteral as problem:
        raise ValueError("invalid syntax") from problem
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Atoi": ("s", lambda text: _parse_int(text, 10, 0)),
    "FormatBool": ("t", lambda value: "true" if value else "false"),
    "FormatFloat": ("naii", _format_float),
    "FormatInt": ("ii", _format_int),
    "FormatUint": ("ii", _format_int),
    "ParseBool": ("s", _parse_bool),
    "ParseFloat": ("si", _parse_float),
    "ParseInt": ("sii", _parse_int),
    "ParseUint": ("sii", _parse_uint),
    "Quote": ("s", _quoted),
    "QuoteRune": ("i", lambda code: _quoted(_rune(code), "'")),
    "QuoteRuneToASCII": ("i", lambda code: _quoted(_rune(code), "'", ascii_only=True)),
    "QuoteToASCII": ("s", lambda text: _quoted(text, ascii_only=True)),
    "QuoteToGraphic": ("s", _quoted),
    "Unquote": ("s", _unquote),
}
