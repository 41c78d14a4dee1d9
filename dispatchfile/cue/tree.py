"""The syntax tree of a CUE file, in the old and the modern syntax alike.

The tree keeps what was written (a chain `a b: c` stays a chain), so that a formatter can print it again.
Every node knows its span; comments hang on the node they stand before or behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from dispatchfile.source import Source, Span


@dataclass(slots=True, eq=False)
class Node:
    """Anything in the tree. `before` are comments on lines of their own above it, `behind` the one after it."""

    span: Span
    before: tuple[Span, ...] = field(default=(), kw_only=True)
    behind: tuple[Span, ...] = field(default=(), kw_only=True)


# Expressions


@dataclass(slots=True, eq=False)
class Identifier(Node):
    """A bare name that refers to a field, alias, loop variable, package or predeclared name."""

    name: str


@dataclass(slots=True, eq=False)
class Null(Node):
    """`null`."""


@dataclass(slots=True, eq=False)
class Bool(Node):
    """`true` or `false`."""

    value: bool


@dataclass(slots=True, eq=False)
class Number(Node):
    """An int (Python int) or float (Decimal) literal."""

    value: int | Decimal


@dataclass(slots=True, eq=False)
class String(Node):
    """A string literal without interpolation, escapes resolved."""

    value: str


@dataclass(slots=True, eq=False)
class Bytes(Node):
    """A bytes literal without interpolation, escapes resolved."""

    value: bytes


@dataclass(slots=True, eq=False)
class Interpolation(Node):
    r"""A string or bytes literal with `\( )` in it: literal pieces and expressions in turn."""

    parts: tuple[str | Expression, ...]
    is_bytes: bool = False


@dataclass(slots=True, eq=False)
class Bottom(Node):
    """`_|_`."""


@dataclass(slots=True, eq=False)
class Struct(Node):
    """`{ … }`, or the body that a field chain implies (`implied`)."""

    declarations: tuple[Declaration, ...]
    implied: bool = False


@dataclass(slots=True, eq=False)
class ListLiteral(Node):
    """`[a, b, ...T]`; elements may be comprehensions."""

    elements: tuple[Expression | Comprehension, ...]
    rest: Rest | None = None


@dataclass(slots=True, eq=False)
class Unary(Node):
    """A prefix operator: + - ! * < <= > >= != =~ !~."""

    operator: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Binary(Node):
    """An infix operator: | & || && == != < <= > >= =~ !~ + - * / div mod quo rem."""

    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Selector(Node):
    """`operand.label`; `quoted` when the label was written as a string."""

    operand: Expression
    label: str
    quoted: bool = False


@dataclass(slots=True, eq=False)
class Index(Node):
    """`operand[index]`."""

    operand: Expression
    index: Expression


@dataclass(slots=True, eq=False)
class Slice(Node):
    """`operand[low:high]`."""

    operand: Expression
    low: Expression | None
    high: Expression | None


@dataclass(slots=True, eq=False)
class Call(Node):
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Parenthesis(Node):
    """`(inner)`."""

    inner: Expression


@dataclass(slots=True, eq=False)
class Aliased(Node):
    """A value alias, `label: X={ … }`."""

    name: str
    value: Expression


# Labels


@dataclass(slots=True, eq=False)
class Name(Node):
    """A plain label; a quoted one cannot be reached by a bare identifier."""

    name: str
    quoted: bool = False


@dataclass(slots=True, eq=False)
class Interpolated(Node):
    r"""A label `"a-\(x)"`."""

    value: Interpolation


@dataclass(slots=True, eq=False)
class Dynamic(Node):
    """A label `(expression)`, from CUE v0.4."""

    value: Expression


@dataclass(slots=True, eq=False)
class Pattern(Node):
    """A label `[expression]` or `[X=expression]`, or the old template `<X>` (no expression: every string)."""

    name: str | None
    value: Expression | None


# Clauses of a comprehension


@dataclass(slots=True, eq=False)
class For(Node):
    """`for value in source` or `for key, value in source`."""

    key: str | None
    value: str
    source: Expression


@dataclass(slots=True, eq=False)
class If(Node):
    """`if condition`."""

    condition: Expression


# Declarations


@dataclass(slots=True, eq=False)
class Field(Node):
    """`label: value`. In a chain the value is an implied Struct with one Field.

    `colon` is ":" or "::" (an old definition), or "" inside an old space-separated chain.
    `mark` is "?" for optional, "!" for required, else "". `alias` names the field: `X=label: value`.
    """

    label: Label
    value: Expression
    colon: str = ":"
    mark: Literal["", "?", "!"] = ""
    alias: str | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(slots=True, eq=False)
class Embedding(Node):
    """An expression that stands as a declaration of its own."""

    value: Expression


@dataclass(slots=True, eq=False)
class Let(Node):
    """`let X = value`, also a clause; the old alias `X = value` has `old` set."""

    name: str
    value: Expression
    old: bool = False


@dataclass(slots=True, eq=False)
class Rest(Node):
    """`...` or `...T`."""

    value: Expression | None = None


@dataclass(slots=True, eq=False)
class Attribute(Node):
    """`@name(…)`; it has no meaning for the value."""

    text: str


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    r"""`for … if … { value }`; the old forms `"\(k)": v for …` and `[v for …]` come out the same, `old` set.

    In a struct `value` is a Struct (for the old form an implied one with the field); in a list any expression.
    """

    clauses: tuple[For | If | Let, ...]
    value: Expression
    old: bool = False


@dataclass(slots=True, eq=False)
class Import(Node):
    """One import: the path, and the name it is known by here (None: the path's last part)."""

    path: str
    name: str | None = None


@dataclass(slots=True, eq=False)
class File(Node):
    """A whole file."""

    source: Source
    package: str | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]


Expression: TypeAlias = (
    Identifier | Null | Bool | Number | String | Bytes | Interpolation | Bottom | Struct | ListLiteral
    | Unary | Binary | Selector | Index | Slice | Call | Parenthesis | Aliased
)  # fmt: skip
Label: TypeAlias = Name | Interpolated | Dynamic | Pattern
Declaration: TypeAlias = Field | Embedding | Let | Rest | Attribute | Comprehension
