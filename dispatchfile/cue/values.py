"""Kinds, scalars and bounds: the values at the leaves, and why a value may be missing."""

from __future__ import annotations

from dispatchfile.diagnostics import Related
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Any, TypeAlias

    from dispatchfile.cue.node import Node

    Atom: TypeAlias = bool | int | Decimal | str | bytes | None

# Kinds, as bits: what a value may still become.
NULL, BOOL, INT, FLOAT, STRING, BYTES, LIST, STRUCT = (1 << n for n in range(8))
NUMBER = INT | FLOAT
TOP = 255

_NAMES = {
    NULL: "null", BOOL: "bool", INT: "int", FLOAT: "float", STRING: "string", BYTES: "bytes",
    LIST: "list", STRUCT: "struct",
}  # fmt: skip
_KINDS: dict[type, int] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    str: STRING,
    bytes: BYTES,
    list: LIST,
    dict: STRUCT,
}

PREDECLARED_KINDS = {
    "_": TOP, "bool": BOOL, "int": INT, "float": FLOAT, "number": NUMBER, "string": STRING, "bytes": BYTES,
}  # fmt: skip


class Unset:
    """The type of the marks for what is not there."""


UNSET = Unset()

# Why there is no value. INCOMPLETE and CYCLE may still be mended by more information.
ERROR, INCOMPLETE, CYCLE = range(3)


class Bottom:
    """Why a value is missing: code, message, places, help."""

    __slots__ = (
        "choice",
        "code",
        "help",
        "message",
        "missing",
        "owner",
        "parties",
        "path",
        "related",
        "rule",
        "silent",
        "span",
    )

    def __init__(
        self,
        code: int,
        message: str,
        span: Span | None,
        related: tuple[Related, ...] = (),
        advice: str = "",
        rule: str = "",
    ) -> None:
        self.code = code
        self.message = message
        self.span = span
        self.related = related
        self.help = advice
        self.rule = rule or ("DF003" if code else "DF002")
        self.path: str | None = None
        self.silent = False  # already told elsewhere
        self.owner: Node | None = None  # the node that is incomplete for this reason
        self.missing = False  # it refers to a field or element that is not there, and none is to come
        self.choice = False  # every alternative of a disjunction failed; `related` has the reasons
        self.parties: Node | None = None  # the node whose conjuncts all take part in the error


class Stop(Exception):
    """Carries a Bottom out of a computation."""

    def __init__(self, bottom: Bottom) -> None:
        super().__init__(bottom.message)
        self.bottom = bottom


def fail(message: str, span: Span | None, *related: Related, advice: str = "") -> Stop:
    """Return the exception for an error that no more information can mend."""
    return Stop(Bottom(ERROR, message, span, related, advice))


def incomplete(message: str, span: Span | None) -> Stop:
    """Return the exception for a value that is not known yet."""
    return Stop(Bottom(INCOMPLETE, message, span))


def kind_of(value: object) -> int:
    """Return the kind of a Python value; anything that is none of the plain types is a Decimal."""
    return _KINDS.get(value.__class__, FLOAT)


def kind_name(kind: int) -> str:
    """Return how messages name a set of kinds."""
    if kind == TOP:
        return "_"
    names = []
    if kind & NUMBER == NUMBER:
        names.append("number")
        kind &= ~NUMBER
    names += [name for bit, name in _NAMES.items() if kind & bit]
    return " | ".join(names) or "_|_"


def show(value: Any) -> str:
    """Return a scalar as it is written in CUE, shortened when it is long."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "'" + value.decode("utf-8", "backslashreplace") + "'"
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "…"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    text = str(value)
    return text if len(text) <= 60 else f"a number of {len(text)} digits"


def same(a: object, b: object) -> bool:
    """Return whether two scalars are the same value of the same kind."""
    return kind_of(a) == kind_of(b) and a == b


class Bound:
    """A constraint `operator limit`, such as `>=1` or `=~"^v"`."""

    __slots__ = ("kinds", "limit", "operator", "span")

    def __init__(self, operator: str, limit: Atom, span: Span) -> None:
        self.operator = operator
        self.limit = limit
        self.span = span
        kind = kind_of(limit)
        if operator == "!=":
            self.kinds = TOP & ~NULL if kind == NULL else (NUMBER if kind & NUMBER else kind)
        elif operator in ("=~", "!~"):
            self.kinds = STRING
        else:
            self.kinds = NUMBER if kind & NUMBER else kind

    def allows(self, atom: Atom) -> bool:
        """Return whether a scalar of a fitting kind obeys the bound."""
        if self.operator == "!=" and self.limit is None:
            return atom is not None
        return bool(compare(self.operator, atom, self.limit, self.span))

    def __str__(self) -> str:
        return f"{self.operator}{show(self.limit)}"


def compare(operator: str, a: Any, b: Any, span: Span) -> bool:
    """Return the result of a comparison of scalars of one kind; raises Stop when they cannot be compared."""
    if operator in ("=~", "!~"):
        from dispatchfile.cue.builtins.regular import search

        return search(b, a, span) == (operator == "=~")
    if operator == "==":
        return bool(a == b)
    if operator == "!=":
        return bool(a != b)
    if operator == "<":
        return bool(a < b)
    if operator == "<=":
        return bool(a <= b)
    if operator == ">":
        return bool(a > b)
    return bool(a >= b)


_SIZES = {"uint": (0, None), "byte": (0, 255), "rune": (0, 0x10FFFF)}
_FLOATS = {
    "float32": "340282346638528859811704183484516925440",
    "float64": "1.797693134862315708145274237317043567981e308",
}


def number_range(name: str) -> tuple[int | Decimal | None, int | Decimal | None]:
    """Return the smallest and largest value of a predeclared type of numbers such as `uint8`."""
    if name in _SIZES:
        return _SIZES[name]
    if name in _FLOATS:
        from decimal import Decimal

        return Decimal("-" + _FLOATS[name]), Decimal(_FLOATS[name])
    bits = int(name.lstrip("uint"))
    return (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
