"""The package `math`."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from dispatchfile.cue.numbers import CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _to(rounding: str) -> Callable[[Any], int]:
    return lambda number: int(Decimal(number).to_integral_value(rounding))


def _real(function: Callable[..., float]) -> Callable[..., Decimal]:
    def run(*numbers: Any) -> Decimal:
        result = function(*[float(number) for number in numbers])
        if not math.isfinite(result):
            raise ValueError("the result is not finite")
        return Decimal(repr(float(result)))

    return run


def _log(number: Any) -> Decimal:
    if number <= 0:
        raise ValueError("the logarithm takes a positive number")
    return CONTEXT.ln(Decimal(number))


def _log10(number: Any) -> Decimal:
    if number <= 0:
        raise ValueError("the logarithm takes a positive number")
    return CONTEXT.log10(Decimal(number))


def _log2(number: Any) -> Decimal:
    return CONTEXT.divide(_log(number), CONTEXT.ln(Decimal(2)))


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if max(base.bit_length(), 1) * exponent > 100_000:
            raise ValueError("the number is too large")
        return base**exponent
    return CONTEXT.power(Decimal(base), Decimal(exponent))


def _multiple(number: Any, of: Any) -> bool:
    if of == 0:
        raise ValueError("division by zero")
    if isinstance(number, int) and isinstance(of, int):
        return number % of == 0
    top, bottom = Fraction(number), Fraction(of)
    return (top / bottom).denominator == 1


def _jacobi(x: int, y: int) -> int:
    if y % 2 == 0:
        raise ValueError("the second argument must be odd")
    sign = -1 if y < 0 and x < 0 else 1
    y = abs(y)
    x %= y
    while x:
        while x % 2 == 0:
            x //= 2
            if y % 8 in (3, 5):
                sign = -sign
        x, y = y, x
        if x % 4 == 3 and y % 4 == 3:
            sign = -sign
        x %= y
    return sign if y == 1 else 0


def _tens(exponent: int) -> Any:
    return (
        Decimal(10).scaleb(exponent - 1, CONTEXT)
        if abs(exponent) < 10_000
        else CONTEXT.power(Decimal(10), exponent)
    )


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Abs": ("n", abs),
    "Acos": ("n", _real(math.acos)),
    "Asin": ("n", _real(math.asin)),
    "Atan": ("n", _real(math.atan)),
    "Cbrt": (
        "n",
        _real(
            lambda x: (
                math.copysign(abs(x) ** (1 / 3), x)
                if round(abs(x) ** (1 / 3)) ** 3 != abs(x)
                else math.copysign(round(abs(x) ** (1 / 3)), x)
            )
        ),
    ),
    "Ceil": ("n", _to(ROUND_CEILING)),
    "Copysign": ("nn", lambda x, y: -abs(x) if y < 0 else abs(x)),
    "Cos": ("n", _real(math.cos)),
    "Cosh": ("n", _real(math.cosh)),
    "Dim": ("nn", lambda x, y: max(x - y, 0)),
    "Exp": ("n", lambda x: CONTEXT.exp(Decimal(x))),
    "Exp2": ("n", lambda x: CONTEXT.power(Decimal(2), Decimal(x))),
    "Floor": ("n", _to(ROUND_FLOOR)),
    "Hypot": ("nn", _real(math.hypot)),
    "Jacobi": ("ii", _jacobi),
    "Log": ("n", _log),
    "Log10": ("n", _log10),
    "Log1p": ("n", _real(math.log1p)),
    "Log2": ("n", _log2),
    "Mod": ("nn", _real(math.fmod)),
    "MultipleOf": ("nn", _multiple),
    "Pow": ("nn", _power),
    "Pow10": ("i", _tens),
    "Remainder": ("nn", _real(math.remainder)),
    "Round": ("n", _to(ROUND_HALF_UP)),
    "RoundToEven": ("n", _to(ROUND_HALF_EVEN)),
    "Signbit": ("n", lambda x: x < 0),
    "Sin": ("n", _real(math.sin)),
    "Sinh": ("n", _real(math.sinh)),
    "Sqrt": ("n", lambda x: CONTEXT.sqrt(Decimal(x))),
    "Tan": ("n", _real(math.tan)),
    "Tanh": ("n", _real(math.tanh)),
    "Trunc": ("n", _to(ROUND_DOWN)),
}
CONSTANTS: dict[str, Any] = {
    "E": Decimal("2.71828182845904523536028747135266249775724709369995957496696763"),
    "Ln10": Decimal("2.30258509299404568401799145468436420760110148862877297603332790"),
    "Ln2": Decimal("0.693147180559945309417232121458176568075500134360255254120680009"),
    "MaxInt64": 2**63 - 1,
    "MinInt64": -(2**63),
    "Phi": Decimal("1.61803398874989484820458683436563811772030917980576286213544862"),
    "Pi": Decimal("3.14159265358979323846264338327950288419716939937510582097494459"),
    "Sqrt2": Decimal("1.41421356237309504880168872420969807856967187537694807317667974"),
}
