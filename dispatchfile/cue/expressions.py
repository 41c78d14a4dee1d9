"""Operators, interpolation, slices and calls: expressions that need concrete operands."""

from __future__ import annotations

from dispatchfile.cue import tree
from dispatchfile.cue.literals import MAX_DIGITS
from dispatchfile.cue.node import Conjunct, Env, Node, Plain
from dispatchfile.cue.values import (
    BOOL,
    BYTES,
    ERROR,
    INT,
    LIST,
    NULL,
    NUMBER,
    STRING,
    STRUCT,
    Bound,
    Stop,
    compare,
    fail,
    kind_name,
    kind_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.cue.unify import Machine
    from dispatchfile.source import Span

TEXT_A_STEP = 256  # characters that count as one step
LONGEST = 4_000_000  # characters that one operator may make
LARGEST = MAX_DIGITS * 10 // 3  # bits of an int
_BOUNDS = frozenset(("<", "<=", ">", ">=", "!=", "=~", "!~"))
_COMPARISONS = frozenset(("==", *_BOUNDS))


def perform(machine: Machine, node: Node, conjunct: Conjunct) -> None:
    """Work an expression's result into a node; raises Stop when it has none (yet)."""
    expr, env = conjunct.expr, conjunct.env
    kind = expr.__class__
    if kind is tree.Unary and expr.operator in _BOUNDS:
        limit = operand(machine, expr.operand, env)
        if limit.__class__ is Node or limit.__class__ is list:
            raise fail(f"{expr.operator} takes a scalar", expr.span)
        if expr.operator in ("=~", "!~"):
            _require(limit, STRING | BYTES, expr.span, expr.operator)
        elif expr.operator != "!=":
            _require(limit, NUMBER | STRING | BYTES, expr.span, expr.operator)
        bound = Bound(expr.operator, limit, expr.span)
        if machine.restrict(node, bound.kinds, conjunct):
            node.bounds = [*node.bounds, (bound, conjunct)]
        return
    if kind is tree.Call:
        from dispatchfile.cue import builtins

        if builtins.perform(machine, node, conjunct):
            return
    result = compute(machine, expr, env)
    machine.derive(node, conjunct.of(result if result.__class__ is Node else Plain(result, expr.span), None))


def operand(machine: Machine, expr: Any, env: Env | None) -> Any:
    """Return a concrete scalar, a Python list of terms, or the node of a list or struct; raises Stop."""
    kind = expr.__class__
    if kind in _LITERALS:
        return None if kind is tree.Null else expr.value
    if kind is tree.Parenthesis:
        return operand(machine, expr.inner, env)
    if kind in COMPUTED and not (kind in (tree.Binary, tree.Unary) and is_lattice(expr)):
        return compute(machine, expr, env)
    from dispatchfile.cue.references import target

    found = target(machine, expr, env)
    if found.__class__ is Plain:
        return found.value
    return machine.value(found, expr.span)


def is_lattice(expr: Any) -> bool:
    """Return whether a unary or binary expression is a bound, a unification or a disjunction."""
    if expr.__class__ is tree.Unary:
        return expr.operator in _BOUNDS
    return expr.operator in "&|"


def compute(machine: Machine, expr: Any, env: Env | None) -> Any:
    """Return the result of an operator, interpolation, slice or call; raises Stop when it has none (yet)."""
    result = _computed(machine, expr, env)
    machine.spend(len(result) // TEXT_A_STEP + 1 if result.__class__ in (str, bytes) else 1)
    return result


def _computed(machine: Machine, expr: Any, env: Env | None) -> Any:
    kind = expr.__class__
    if kind is tree.Binary:
        return _binary(machine, expr, env)
    if kind is tree.Interpolation:
        return _interpolation(machine, expr, env)
    if kind is tree.Unary:
        return _unary(machine, expr, env)
    if kind is tree.Slice:
        return _slice(machine, expr, env)
    if kind is tree.Call:
        from dispatchfile.cue import builtins

        return builtins.call(machine, expr, env)
    raise fail("this expression is not supported here", expr.span)


def _binary(machine: Machine, expr: tree.Binary, env: Env | None) -> Any:
    operator = expr.operator
    if operator in ("==", "!=") and tree.Bottom in (expr.left.__class__, expr.right.__class__):
        tested = expr.right if expr.left.__class__ is tree.Bottom else expr.left
        return is_bottom(machine, tested, env) == (operator == "==")
    left = operand(machine, expr.left, env)
    if operator in ("&&", "||"):
        _require(left, BOOL, expr.left.span, operator)
        if left is (operator == "||"):
            return left
        right = operand(machine, expr.right, env)
        _require(right, BOOL, expr.right.span, operator)
        return right
    right = operand(machine, expr.right, env)
    if operator in _COMPARISONS:
        return _compare(machine, operator, left, right, expr.span)
    return _ARITHMETIC[operator](machine, left, right, expr.span)


def is_bottom(machine: Machine, expr: Any, env: Env | None) -> bool:
    """Return whether an expression is an error or leads nowhere; raises Stop while it depends on itself."""
    from dispatchfile.cue.disjunction import deep_error
    from dispatchfile.cue.references import target

    if expr.__class__ is tree.Bottom:
        return True
    before = machine.cycles
    try:
        found = target(machine, expr, env)
        if found.__class__ is not Node:
            return False
        machine.evaluate(found)
        if found.error is None and found.blocked is not None:
            raise Stop(found.blocked)
        return deep_error(machine, found) is not None
    except Stop as stop:
        if stop.bottom.code != ERROR and machine.cycles != before and not machine.last_call:
            raise
        return True


def _compare(machine: Machine, operator: str, left: Any, right: Any, span: Span) -> bool:
    if left.__class__ in (Node, list) or right.__class__ in (Node, list):
        from dispatchfile.cue.exporter import concrete

        if operator not in ("==", "!="):
            raise fail(f"{operator} does not compare lists and structs", span)
        a, b = concrete(machine, left, span), concrete(machine, right, span)
        if a is not None and b is not None and (kind_of(a) != kind_of(b) or kind_of(a) == STRUCT):
            raise fail(f"{operator} compares a {kind_name(kind_of(a))} with a {kind_name(kind_of(b))}", span)
        return bool((a == b) == (operator == "=="))
    a, b = kind_of(left), kind_of(right)
    if operator in ("=~", "!~"):
        _require(left, STRING | BYTES, span, operator)
        _require(right, STRING | BYTES, span, operator)
    elif NULL in (a, b) and operator in ("==", "!="):
        return (a == b) == (operator == "==")
    elif a != b and not (a & NUMBER and b & NUMBER):
        raise fail(f"{operator} compares a {kind_name(a)} with a {kind_name(b)}", span)
    elif operator not in ("==", "!="):
        _require(left, NUMBER | STRING | BYTES, span, operator)
    return compare(operator, left, right, span)


def _require(value: Any, kinds: int, span: Span, operator: str) -> None:
    kind = kind_of(value) if value.__class__ is not Node else value.kind
    if not kind & kinds:
        raise fail(f"{operator} cannot take a {kind_name(kind)}; it takes {kind_name(kinds)}", span)


def _unary(machine: Machine, expr: tree.Unary, env: Env | None) -> Any:
    operator = expr.operator
    value = operand(machine, expr.operand, env)
    if operator == "!":
        _require(value, BOOL, expr.span, operator)
        return not value
    _require(value, NUMBER, expr.span, operator)
    return -value if operator == "-" else value


# Arithmetic


def _terms(value: Any) -> list[Any] | None:
    """Return the elements when a value is a list."""
    if isinstance(value, list):
        return value
    if value.__class__ is Node and value.kind == LIST:
        return value.items()
    return None


def _add(machine: Machine, left: Any, right: Any, span: Span) -> Any:
    a, b = kind_of(left), kind_of(right)
    if a & NUMBER and b & NUMBER and Node not in (left.__class__, right.__class__):
        return _rounded(left, right, a | b, "+", span)
    if a == b and a & (STRING | BYTES):
        return _limited(left, len(right), span) + right
    first, second = _terms(left), _terms(right)
    if first is not None and second is not None:
        machine.spend(len(first) + len(second))
        return first + second
    raise _mismatch("+", left, right, span)


def _multiply(machine: Machine, left: Any, right: Any, span: Span) -> Any:
    if left.__class__ is not Node and right.__class__ is not Node:
        a, b = kind_of(left), kind_of(right)
        if a & NUMBER and b & NUMBER:
            return _rounded(left, right, a | b, "*", span)
        if a == INT and b & (STRING | BYTES):
            left, right, a, b = right, left, b, a
        if a & (STRING | BYTES) and b == INT:
            if right < 0:
                raise fail(f"cannot repeat something {right} times", span)
            return _limited(left, len(left) * right, span) * right
    first, second = _terms(left), _terms(right)
    items, times = (first, right) if first is not None else (second, left)
    if items is not None and kind_of(times) == INT and times.__class__ is int:
        if times < 0:
            raise fail(f"cannot repeat something {times} times", span)
        machine.spend(len(items) * times)
        return items * times
    raise _mismatch("*", left, right, span)


def _limited(value: Any, length: int, span: Span) -> Any:
    if length > LONGEST:
        raise fail(f"the result would be longer than {LONGEST} characters", span)
    return value


def _rounded(left: Any, right: Any, kinds: int, operator: str, span: Span) -> Any:
    if kinds == INT:
        bits = left.bit_length() + right.bit_length()
        if bits > LARGEST and (operator == "*" or max(left.bit_length(), right.bit_length()) >= LARGEST):
            raise fail(f"the number would have more than {MAX_DIGITS} digits", span)
        return {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[operator](left, right)
    from dispatchfile.cue.numbers import combine

    return combine(operator, left, right, span)


def _subtract(_machine: Machine, left: Any, right: Any, span: Span) -> Any:
    a, b = kind_of(left), kind_of(right)
    if Node in (left.__class__, right.__class__) or not (a & NUMBER and b & NUMBER):
        raise _mismatch("-", left, right, span)
    return _rounded(left, right, a | b, "-", span)


def _divide(_machine: Machine, left: Any, right: Any, span: Span) -> Any:
    a, b = kind_of(left), kind_of(right)
    if Node in (left.__class__, right.__class__) or not (a & NUMBER and b & NUMBER):
        raise _mismatch("/", left, right, span)
    from dispatchfile.cue.numbers import combine

    return combine("/", left, right, span)


def integer_division(operator: str, left: Any, right: Any, span: Span) -> int:
    """Return `div` and `mod` (rounded down for a positive divisor), `quo` and `rem` (towards zero) of ints."""
    if kind_of(left) != INT or kind_of(right) != INT or Node in (left.__class__, right.__class__):
        raise _mismatch(operator, left, right, span)
    if right == 0:
        raise fail("division by zero", span)
    if operator in ("div", "mod"):
        remainder = left % abs(right)
        return int(remainder if operator == "mod" else (left - remainder) // right)
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return int(quotient if operator == "quo" else left - quotient * right)


def _mismatch(operator: str, left: Any, right: Any, span: Span) -> Stop:
    names = [kind_name(v.kind if v.__class__ is Node else kind_of(v)) for v in (left, right)]
    return fail(f"{operator} cannot take a {names[0]} and a {names[1]}", span)


def _integer(operator: str) -> Callable[..., int]:
    return lambda _machine, left, right, span: integer_division(operator, left, right, span)


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "div": _integer("div"),
    "mod": _integer("mod"),
    "quo": _integer("quo"),
    "rem": _integer("rem"),
}


# Text and slices


def _interpolation(machine: Machine, expr: tree.Interpolation, env: Env | None) -> str | bytes:
    pieces: list[str | bytes] = []
    waits: Stop | None = None
    part: Any
    for part in expr.parts:
        if part.__class__ is str:
            pieces.append(part)
            continue
        try:
            value = operand(machine, part, env)
            pieces.append(value if expr.is_bytes and isinstance(value, bytes) else text_of(value, part.span))
        except Stop as stop:
            if stop.bottom.code == ERROR:
                raise
            waits = waits or stop
    if waits is not None:
        raise waits
    _limited(pieces, sum([len(piece) for piece in pieces]), expr.span)
    if expr.is_bytes:
        return b"".join([piece if isinstance(piece, bytes) else piece.encode() for piece in pieces])
    return "".join([str(piece) for piece in pieces])


def text_of(value: Any, span: Span) -> str:
    """Return a scalar as an interpolation shows it; raises Stop for null, lists and structs."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _readable(value)
    if value is None or value.__class__ in (Node, list, dict):
        kind = kind_name(value.kind if value.__class__ is Node else kind_of(value))
        raise fail(f"a {kind} cannot be put into a string; take one of its fields, or encode it", span)
    return str(value)


def _readable(value: bytes) -> str:
    """Return bytes as text; a run of bytes that is not UTF-8 becomes one replacement character."""
    pieces: list[str] = []
    while value:
        try:
            pieces.append(value.decode())
            break
        except UnicodeDecodeError as problem:
            pieces.append(value[: problem.start].decode())
            if problem.start or not pieces[:-1]:
                pieces.append("\ufffd")
            value = value[problem.end :]
    return "".join(pieces)


def _slice(machine: Machine, expr: tree.Slice, env: Env | None) -> Any:
    value = operand(machine, expr.operand, env)
    items: Any = value if isinstance(value, bytes) else _terms(value)
    if items is None:
        kind = kind_name(value.kind if value.__class__ is Node else kind_of(value))
        raise fail(f"a {kind} cannot be sliced", expr.span)
    ends = []
    for end, otherwise in ((expr.low, 0), (expr.high, len(items))):
        number = otherwise if end is None else operand(machine, end, env)
        if not isinstance(number, int) or isinstance(number, bool):
            raise fail("the ends of a slice must be ints", expr.span)
        ends.append(number)
    low, high = ends
    if not 0 <= low <= high <= len(items):
        raise fail(f"slice [{low}:{high}] is out of range: there are {len(items)} elements", expr.span)
    return items[low:high]


_LITERALS = frozenset((tree.String, tree.Number, tree.Bool, tree.Null, tree.Bytes))
COMPUTED = frozenset((tree.Binary, tree.Unary, tree.Interpolation, tree.Slice, tree.Call))
