"""The package `math`."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from dispatchfile.cue.expressions import LARGEST
from dispatchfile.cue.numbers import CONTEXT, TOO_LARGE

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
        if base == exponent == 0:
            raise ValueError("0 to the power of 0 is not defined")
        if max(base.bit_length() - 1, 0) * exponent > LARGEST:
            raise ValueError(TOO_LARGE)
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


def _binary_exponent(number: Any) -> int:
    if number == 0:
        raise ValueError("0 has no exponent")
    return math.frexp(float(number))[1] - 1


def _tens(exponent: int) -> Any:
    return (
        Decimal(10).scaleb(exponent - 1, CONTEXT)
        if abs(exponent) < 10_000
        else CONTEXT.power(Decimal(10), exponent)
    )


FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "Abs": ("n", abs),
    "Acos": ("n", _real(math.acos)),
    "Acosh": ("n", _real(math.acosh)),
    "Asin": ("n", _real(math.asin)),
    "Asinh": ("n", _real(math.asinh)),
    "Atan": ("n", _real(math.atan)),
    "Atan2": ("nn", _real(math.atan2)),
    "Atanh": ("n", _real(math.atanh)),
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
    "Erf": ("n", _real(math.erf)),
    "Erfc": ("n", _real(math.erfc)),
    "Exp": ("n", lambda x: CONTEXT.exp(Decimal(x))),
    "Exp2": ("n", lambda x: CONTEXT.power(Decimal(2), Decimal(x))),
    "Expm1": ("n", _real(math.expm1)),
    "Floor": ("n", _to(ROUND_FLOOR)),
    "Gamma": ("n", _real(math.gamma)),
    "Hypot": ("nn", _real(math.hypot)),
    "Ilogb": ("n", _binary_exponent),
    "Jacobi": ("ii", _jacobi),
    "Ldexp": ("ni", _real(lambda fraction, exponent: math.ldexp(fraction, int(exponent)))),
    "Log": ("n", _log),
    "Log10": ("n", _log10),
    "Log1p": ("n", _real(math.log1p)),
    "Log2": ("n", _log2),
    "Logb": ("n", _binary_exponent),
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
    "AwayFromZero": 3,
    "E": Decimal("2.71828182845904523536028747135266249775724709369995957496696763"),
    "Ln10": Decimal("2.30258509299404568401799145468436420760110148862877297603332790"),
    "Ln2": Decimal("0.693147180559945309417232121458176568075500134360255254120680009"),
    "Log10E": Decimal("0.434294481903251827651128918916605082294397005803666566114453783"),
    "Log2E": Decimal("1.44269504088896340735992468100189213742664595415298593413544940"),
    "MaxBase": 62,
    "MaxExp": 2**31 - 1,
    "MaxPrec": 2**32 - 1,
    "MinExp": -(2**31),
    "Phi": Decimal("1.61803398874989484820458683436563811772030917980576286213544862"),
    "Pi": Decimal("3.14159265358979323846264338327950288419716939937510582097494459"),
    "Sqrt2": Decimal("1.41421356237309504880168872420969807856967187537694807317667974"),
    "SqrtE": Decimal("1.64872127070012814684865078781416357165377610071014801157507931"),
    "SqrtPhi": Decimal("1.27201964951406896425242246173749149171560804184009624861664038"),
    "SqrtPi": Decimal("1.77245385090551602729816748334114518279754945612238712821380779"),
    "ToNearestAway": 1,
    "ToNearestEven": 0,
    "ToNegativeInf": 4,
    "ToPositiveInf": 5,
    "ToZero": 2,
}
