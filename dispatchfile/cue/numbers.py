"""Arithmetic with floats: decimal numbers of 24 digits, as CUE v0.1.2 has them."""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from dispatchfile.cue.literals import MAX_DIGITS
from dispatchfile.cue.values import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.source import Span

# More digits than the 24 of v0.1.2 are kept, as modern CUE does; numbers are compared by value.
CONTEXT = Context(prec=34, Emax=MAX_DIGITS, Emin=-MAX_DIGITS)

_EXACT = Context(prec=2 * MAX_DIGITS)
TOO_LARGE = f"the number would have more than {MAX_DIGITS} digits"


def combine(operator: str, left: int | Decimal, right: int | Decimal, span: Span) -> Decimal:
    """Return the decimal result of + - * /; raises Stop for a division by zero or a number out of range."""
    a, b = Decimal(left), Decimal(right)
    try:
        if operator == "+":
            return CONTEXT.add(a, b)
        if operator == "-":
            return CONTEXT.subtract(a, b)
        if operator == "*":
            return CONTEXT.multiply(a, b)
        return CONTEXT.divide(a, b)
    except (DivisionByZero, InvalidOperation) as problem:
        raise fail("division by zero", span) from problem
    except Overflow as problem:
        raise fail(TOO_LARGE, span) from problem


def json_number(value: Decimal) -> int | float:
    """Return a decimal as a number that JSON can hold."""
    if value == value.to_integral_value(context=_EXACT):
        return int(value)
    return float(value)
