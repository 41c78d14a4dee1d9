"""What each rule of the grammar makes: one method for each name behind an arrow in `grammar/dispatchfile.lark`.

A method gets the values of the rule's symbols: a token is a tuple (kind, start, end), anything else what the
method of its own rule has returned. Problems that the grammar cannot see are noted as faults, like the lexer's.
"""

from __future__ import annotations

from dispatchfile.cue import literals, tree
from dispatchfile.record import replace
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    from dispatchfile.cue.lexer import Fault, Token

    Mark: TypeAlias = Literal["", "?", "!"]
    Marked: TypeAlias = tuple[tree.Label, Mark]
    Clause: TypeAlias = tree.For | tree.If | tree.Let

MAX_LENGTH = 500
"""How long a row of operators, selectors or calls may be, since each makes the tree one level deeper."""


class Builder:
    """Makes the tree of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.faults: list[Fault] = []
        self.lengths: dict[tree.Node, int] = {}
        self.chained = False

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def word(self, token: Token) -> str:
        word = self.text[token[1] : token[2]]
        return word[1:-1] if word[0] == "`" else word

    def fault(self, name: str, start: int, end: int) -> None:
        self.faults.append((name, start, end))

    def at(self, token: Token) -> Span:
        return Span(self.source, token[1], token[2])

    def from_to(self, first: Any, last: Any) -> Span:
        """Return the span from one symbol's value to another's, tokens or nodes."""
        start = first[1] if first.__class__ is tuple else first.span.start
        end = last[2] if last.__class__ is tuple else last.span.end
        return Span(self.source, start, end)

    # Lists of anything

    def nothing(self) -> list[Any]:
        return []

    def first(self, item: Any) -> list[Any]:
        return [item]

    def pair(self, one: Any, two: Any) -> list[Any]:
        return [one, two]

    def keep(self, items: list[Any], _separator: Token) -> list[Any]:
        return items

    def add(self, items: list[Any], *item: Any) -> list[Any]:
        items.append(item[-1])
        return items

    add_clause = add

    def add_pair(self, items: list[Any], token: Token, expression: tree.Expression) -> list[Any]:
        items += (token, expression)
        return items

    # The file

    def file(self, declarations: list[Any]) -> tree.File:
        package: str | None = None
        imports: list[tree.Import] = []
        rest: list[tree.Declaration] = []
        for item in declarations:
            if item.__class__ is str:
                package = item
            elif item.__class__ is list:
                imports += item
            else:
                rest.append(item)
        whole = Span(self.source, 0, len(self.text))
        return tree.File(whole, self.source, package, tuple(imports), tuple(rest), {}, self.chained)

    def package(self, _word: Token, name: Token) -> str:
        return self.word(name)

    def one_import(self, _word: Token, item: tree.Import) -> list[tree.Import]:
        return [item]

    def no_imports(self, _word: Token, _open: Token, _close: Token) -> list[tree.Import]:
        return []

    def many_imports(
        self, _word: Token, _open: Token, items: list[tree.Import], *_close: Token
    ) -> list[tree.Import]:
        return items

    def import_path(self, path: Token) -> tree.Import:
        return tree.Import(self.at(path), str(self.unquoted(path)))

    def named_import(self, name: Token, path: Token) -> tree.Import:
        return tree.Import(self.from_to(name, path), str(self.unquoted(path)), self.word(name))

    # Declarations

    def attributed(self, field: tree.Field, attributes: list[Token]) -> tree.Field:
        made = tuple(self.attribute(token) for token in attributes)
        return replace(field, span=self.from_to(field, attributes[-1]), attributes=made)

    def attribute(self, token: Token) -> tree.Attribute:
        return tree.Attribute(self.at(token), self.word(token))

    def embedding(self, value: tree.Expression) -> tree.Embedding:
        return tree.Embedding(value.span, value)

    def old_alias(self, name: Token, _equals: Token, value: tree.Expression) -> tree.Let:
        return tree.Let(self.from_to(name, value), self.word(name), value, old=True)

    def let(self, let: Token, name: Token, _equals: Token, value: tree.Expression) -> tree.Let:
        return tree.Let(self.from_to(let, value), self.word(name), value)

    def rest(self, dots: Token, value: tree.Expression | None = None) -> tree.Rest:
        return tree.Rest(self.from_to(dots, value or dots), value)

    def rest_comma(self, dots: Token, *more: Any) -> tree.Rest:
        return self.rest(dots, *more[:-1])

    def comprehension(self, clauses: list[Clause], value: tree.Struct) -> tree.Comprehension:
        return tree.Comprehension(self.from_to(clauses[0], value), tuple(clauses), value)

    def old_field_comprehension(self, field: tree.Field, clauses: list[Clause]) -> tree.Comprehension:
        value = tree.Struct(field.span, (field,), implied=True)
        return tree.Comprehension(self.from_to(field, clauses[-1]), tuple(clauses), value, old=True)

    def arrow_comprehension(
        self, field: tree.Field, _arrow: Token, clauses: list[Clause]
    ) -> tree.Comprehension:
        return self.old_field_comprehension(field, clauses)

    # Fields

    def unmarked(self, label: tree.Label) -> Marked:
        return label, ""

    def marked(self, label: tree.Label, mark: Token) -> Marked:
        return label, "?" if self.text[mark[1]] == "?" else "!"

    def old_chain(self, labels: list[Marked], _colon: Token, value: tree.Expression) -> tree.Field:
        for label, mark in reversed(labels[1:]):
            colon = ":" if label is labels[-1][0] else ""
            field = tree.Field(label.span.to(value.span), label, value, colon, mark)
            value = tree.Struct(field.span, (field,), implied=True)
        label, mark = labels[0]
        self.chained = True
        return tree.Field(label.span.to(value.span), label, value, "", mark)

    def field(self, marked: Marked, _colon: Token, value: tree.Expression) -> tree.Field:
        label, mark = marked
        return tree.Field(Span(self.source, label.span.start, value.span.end), label, value, ":", mark)

    def definition(self, marked: Marked, _colon: Token, value: tree.Expression) -> tree.Field:
        return replace(self.field(marked, _colon, value), colon="::")

    def aliased_field(self, name: Token, _is: Token, marked: Marked, colon: Token, value: Any) -> tree.Field:
        field = self.field(marked, colon, value)
        return replace(field, span=self.from_to(name, value), alias=self.word(name))

    def aliased_definition(
        self, name: Token, _is: Token, marked: Marked, colon: Token, value: Any
    ) -> tree.Field:
        return replace(self.aliased_field(name, _is, marked, colon, value), colon="::")

    def special_field(self, label: tree.Label, colon: Token, value: tree.Expression) -> tree.Field:
        return self.field((label, ""), colon, value)

    def marked_special_field(self, label: tree.Label, mark: Token, colon: Token, value: Any) -> tree.Field:
        return self.field(self.marked(label, mark), colon, value)

    def aliased_special_field(
        self, name: Token, _is: Token, label: tree.Label, colon: Token, value: Any
    ) -> tree.Field:
        return self.aliased_field(name, _is, (label, ""), colon, value)

    def aliased_marked_special_field(
        self, name: Token, _is: Token, label: Any, mark: Token, *rest: Any
    ) -> tree.Field:
        return self.aliased_field(name, _is, self.marked(label, mark), *rest)

    def implied(self, field: tree.Field) -> tree.Struct:
        return tree.Struct(field.span, (field,), implied=True)

    def value_alias(self, name: Token, _equals: Token, value: tree.Expression) -> tree.Aliased:
        return tree.Aliased(self.from_to(name, value), self.word(name), value)

    # Labels

    def name(self, token: Token) -> tree.Name:
        return tree.Name(self.at(token), self.word(token))

    def quoted_name(self, token: Token) -> tree.Name:
        return tree.Name(self.at(token), str(self.unquoted(token)), quoted=True)

    def template(self, token: Token) -> tree.Pattern:
        return tree.Pattern(self.at(token), self.word(token)[1:-1].strip(), None)

    def interpolated_label(self, value: tree.Interpolation) -> tree.Interpolated:
        if value.is_bytes:
            self.fault("bytes label", value.span.start, value.span.end)
        return tree.Interpolated(value.span, value)

    def pattern(self, items: tree.ListLiteral) -> tree.Pattern:
        if items.rest or len(items.elements) != 1 or isinstance(items.elements[0], tree.Comprehension):
            self.fault("pattern", items.span.start, items.span.end)
            return tree.Pattern(items.span, None, None)
        element = items.elements[0]
        if isinstance(element, tree.Aliased):
            return tree.Pattern(items.span, element.name, element.value)
        return tree.Pattern(items.span, None, element)

    def dynamic(self, value: tree.Parenthesis) -> tree.Dynamic:
        return tree.Dynamic(value.span, value.inner)

    # Clauses

    def for_value(self, word: Token, value: Token, _in: Token, source: tree.Expression) -> tree.For:
        return tree.For(self.from_to(word, source), None, self.word(value), source)

    def for_pair(self, word: Token, key: Token, _: Token, value: Token, _in: Token, source: Any) -> tree.For:
        return tree.For(self.from_to(word, source), self.word(key), self.word(value), source)

    def if_clause(self, word: Token, condition: tree.Expression) -> tree.If:
        return tree.If(self.from_to(word, condition), condition)

    # Expressions

    def measured(self, node: tree.Expression, *operands: tree.Node) -> tree.Expression:
        """Return a node that stands one level above its operands, `_|_` for one that makes too many levels."""
        length = 1 + max(self.lengths.get(operand, 0) for operand in operands)
        if length == MAX_LENGTH:
            self.fault("length", node.span.start, node.span.end)
            return tree.Bottom(node.span)
        self.lengths[node] = length
        return node

    def binary(self, left: tree.Expression, operator: Token, right: tree.Expression) -> tree.Expression:
        span = Span(self.source, left.span.start, right.span.end)
        return self.measured(tree.Binary(span, self.word(operator), left, right), left, right)

    def unary(self, operator: Token, operand: tree.Expression) -> tree.Expression:
        node = tree.Unary(self.from_to(operator, operand), self.word(operator), operand)
        return self.measured(node, operand)

    def selector(self, operand: tree.Expression, _dot: Token, name: Token) -> tree.Expression:
        node = tree.Selector(self.from_to(operand, name), operand, self.word(name))
        return self.measured(node, operand)

    def quoted_selector(self, operand: tree.Expression, _dot: Token, name: Token) -> tree.Expression:
        node = tree.Selector(self.from_to(operand, name), operand, str(self.unquoted(name)), quoted=True)
        return self.measured(node, operand)

    def index(
        self, operand: tree.Expression, _open: Token, index: tree.Expression, close: Token
    ) -> tree.Expression:
        return self.measured(tree.Index(self.from_to(operand, close), operand, index), operand)

    def sliced(self, operand: Any, low: Any, high: Any, close: Token) -> tree.Expression:
        return self.measured(tree.Slice(self.from_to(operand, close), operand, low, high), operand)

    def slice_all(self, operand: Any, _open: Token, _colon: Token, close: Token) -> tree.Expression:
        return self.sliced(operand, None, None, close)

    def slice_from(
        self, operand: Any, _open: Token, low: Any, _colon: Token, close: Token
    ) -> tree.Expression:
        return self.sliced(operand, low, None, close)

    def slice_to(self, operand: Any, _open: Token, _colon: Token, high: Any, close: Token) -> tree.Expression:
        return self.sliced(operand, None, high, close)

    def slice(
        self, operand: Any, _open: Token, low: Any, _colon: Token, high: Any, close: Token
    ) -> tree.Expression:
        return self.sliced(operand, low, high, close)

    def call(self, function: tree.Expression, _open: Token, *rest: Any) -> tree.Expression:
        arguments = rest[0] if rest[0].__class__ is list else []
        node = tree.Call(self.from_to(function, rest[-1]), function, tuple(arguments))
        return self.measured(node, function)

    # Operands

    def identifier(self, token: Token) -> tree.Identifier:
        return tree.Identifier(Span(self.source, token[1], token[2]), self.word(token))

    def unquoted(self, token: Token) -> str | bytes:
        """Return what a string token stands for, "" when it has a fault."""
        try:
            return literals.unquoted(self.text[token[1] : token[2]])
        except literals.BadLiteral as bad:
            self.fault(bad.reason, token[1] + bad.start, token[1] + bad.end)
            return ""

    def string(self, token: Token) -> tree.String:
        return tree.String(Span(self.source, token[1], token[2]), self.unquoted(token))  # type: ignore[arg-type] # "…"

    def bytes_literal(self, token: Token) -> tree.Bytes:
        return tree.Bytes(self.at(token), self.unquoted(token) or b"")  # type: ignore[arg-type] # '…'

    def number(self, token: Token) -> tree.Number:
        try:
            return tree.Number(self.at(token), literals.number(self.text[token[1] : token[2]]))
        except literals.BadLiteral as bad:
            self.fault(bad.reason, token[1] + bad.start, token[1] + bad.end)
            return tree.Number(self.at(token), 0)

    def null(self, token: Token) -> tree.Null:
        return tree.Null(self.at(token))

    def true(self, token: Token) -> tree.Bool:
        return tree.Bool(self.at(token), value=True)

    def false(self, token: Token) -> tree.Bool:
        return tree.Bool(self.at(token), value=False)

    def bottom(self, token: Token) -> tree.Bottom:
        return tree.Bottom(self.at(token))

    def interpolation(self, parts: list[Any], end: Token) -> tree.Interpolation:
        tokens = [*parts[::2], end]
        is_bytes = self.text[tokens[0][1] : tokens[0][2]].lstrip("#")[0] == "'"
        try:
            texts = literals.pieces([self.text[token[1] : token[2]] for token in tokens])
        except literals.BadLiteral as bad:
            texts = [""] * len(tokens)
            self.fault(bad.reason, *self.place_in(tokens, bad))
        made: list[str | tree.Expression] = []
        for text, expression in zip(texts, [*parts[1::2], None], strict=True):
            made.append(text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text)
            if expression is not None:
                made.append(expression)
        return tree.Interpolation(self.from_to(tokens[0], end), tuple(made), is_bytes)

    def place_in(self, tokens: list[Token], bad: literals.BadLiteral) -> tuple[int, int]:
        """Return the offsets in the text of a place that counts in the pieces alone."""
        passed = 0
        for _, start, end in tokens:
            if bad.start < passed + end - start:
                return start + bad.start - passed, start + bad.end - passed
            passed += end - start
        return tokens[-1][1], tokens[-1][2]

    def parenthesis(self, opening: Token, inner: tree.Expression, close: Token) -> tree.Parenthesis:
        return tree.Parenthesis(self.from_to(opening, close), inner)

    def struct(self, opening: Token, declarations: list[Any], close: Token) -> tree.Struct:
        return tree.Struct(Span(self.source, opening[1], close[2]), tuple(declarations))

    def empty_list(self, opening: Token, close: Token) -> tree.ListLiteral:
        return tree.ListLiteral(self.from_to(opening, close), ())

    def list(self, opening: Token, elements: Any, *rest: Token) -> tree.ListLiteral:
        return tree.ListLiteral(self.from_to(opening, rest[-1]), tuple(elements))

    def open_list(self, opening: Token, rest: tree.Rest, close: Token) -> tree.ListLiteral:
        return tree.ListLiteral(self.from_to(opening, close), (), rest)

    def list_with_rest(
        self, opening: Token, items: Any, _: Token, rest: tree.Rest, close: Token
    ) -> tree.ListLiteral:
        return tree.ListLiteral(self.from_to(opening, close), tuple(items), rest)

    def old_list_comprehension(
        self, opening: Token, value: Any, clauses: Any, close: Token
    ) -> tree.ListLiteral:
        made = tree.Comprehension(self.from_to(value, clauses[-1]), tuple(clauses), value, old=True)
        return tree.ListLiteral(self.from_to(opening, close), (made,))

    def list_value(self, items: tree.ListLiteral) -> tree.ListLiteral:
        for element in items.elements:
            if isinstance(element, tree.Aliased):
                self.fault("alias in list", element.span.start, element.span.end)
        return items
