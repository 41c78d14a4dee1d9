"""The syntax tree of a CUE file, in the old and the modern syntax alike.

The tree keeps what was written (a chain `a b: c` stays a chain), so that a formatter can print it again.
Every node knows its span; `File.comments` says which comments belong to which node.
"""

from __future__ import annotations

from dispatchfile.record import Record
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Literal, TypeAlias


class Node(Record, eq=False):
    """Anything in the tree; nodes are compared by identity."""

    span: Span


class Comments(Record):
    """The comments of a node: on lines of their own above it, at the end of its line, and last inside its brackets."""

    before: tuple[Span, ...] = ()
    behind: tuple[Span, ...] = ()
    inside: tuple[Span, ...] = ()


# Expressions


class Identifier(Node):
    """A bare name that refers to a field, alias, loop variable, package or predeclared name."""

    name: str


class Null(Node):
    """`null`."""


class Bool(Node):
    """`true` or `false`."""

    value: bool


class Number(Node):
    """An int (Python int) or float (Decimal) literal."""

    value: int | Decimal


class String(Node):
    """A string literal without interpolation, escapes resolved."""

    value: str


class Bytes(Node):
    """A bytes literal without interpolation, escapes resolved."""

    value: bytes


class Interpolation(Node):
    r"""A string or bytes literal with `\( )` in it: literal pieces and expressions in turn."""

    parts: tuple[str | Expression, ...]
    is_bytes: bool = False


class Bottom(Node):
    """`_|_`."""


class Struct(Node):
    """`{ … }`, or the body that a field chain implies (`implied`)."""

    declarations: tuple[Declaration, ...]
    implied: bool = False


class ListLiteral(Node):
    """`[a, b, ...T]`; elements may be comprehensions."""

    elements: tuple[Expression | Comprehension, ...]
    rest: Rest | None = None


class Unary(Node):
    """A prefix operator: + - ! * < <= > >= != =~ !~."""

    operator: str
    operand: Expression


class Binary(Node):
    """An infix operator: | & || && == != < <= > >= =~ !~ + - * / div mod quo rem."""

    operator: str
    left: Expression
    right: Expression


class Selector(Node):
    """`operand.label`; `quoted` when the label was written as a string."""

    operand: Expression
    label: str
    quoted: bool = False


class Index(Node):
    """`operand[index]`."""

    operand: Expression
    index: Expression


class Slice(Node):
    """`operand[low:high]`."""

    operand: Expression
    low: Expression | None
    high: Expression | None


class Call(Node):
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Expression, ...]


class Parenthesis(Node):
    """`(inner)`."""

    inner: Expression


class Aliased(Node):
    """A value alias, `label: X={ … }`."""

    name: str
    value: Expression


# Labels


class Name(Node):
    """A plain label; a quoted one cannot be reached by a bare identifier."""

    name: str
    quoted: bool = False


class Interpolated(Node):
    r"""A label `"a-\(x)"`."""

    value: Interpolation


class Dynamic(Node):
    """A label `(expression)`, from CUE v0.4."""

    value: Expression


class Pattern(Node):
    """A label `[expression]` or `[X=expression]`, or the old template `<X>` (no expression: every string)."""

    name: str | None
    value: Expression | None


# Clauses of a comprehension


class For(Node):
    """`for value in source` or `for key, value in source`."""

    key: str | None
    value: str
    source: Expression


class If(Node):
    """`if condition`."""

    condition: Expression


# Declarations


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


class Embedding(Node):
    """An expression that stands as a declaration of its own."""

    value: Expression


class Let(Node):
    """`let X = value`, also a clause; the old alias `X = value` has `old` set."""

    name: str
    value: Expression
    old: bool = False


class Rest(Node):
    """`...` or `...T`."""

    value: Expression | None = None


class Attribute(Node):
    """`@name(…)`; it has no meaning for the value."""

    text: str


class Comprehension(Node):
    r"""`for … if … { value }`; the old forms `"\(k)": v for …` and `[v for …]` come out the same, `old` set.

    In a struct `value` is a Struct (for the old form an implied one with the field); in a list any expression.
    """

    clauses: tuple[For | If | Let, ...]
    value: Expression
    old: bool = False


class Import(Node):
    """One import: the path, and the name it is known by here (None: the path's last part)."""

    path: str
    name: str | None = None


class File(Node):
    """A whole file; `chained` when old space-separated chains stand in it."""

    source: Source
    package: str | None
    imports: tuple[Import, ...]
    declarations: tuple[Declaration, ...]
    comments: Mapping[Node, Comments]
    chained: bool = False


if TYPE_CHECKING:
    Expression: TypeAlias = (
        Identifier | Null | Bool | Number | String | Bytes | Interpolation | Bottom | Struct | ListLiteral
        | Unary | Binary | Selector | Index | Slice | Call | Parenthesis | Aliased
    )  # fmt: skip
    Label: TypeAlias = Name | Interpolated | Dynamic | Pattern
    Declaration: TypeAlias = Field | Embedding | Let | Rest | Attribute | Comprehension
