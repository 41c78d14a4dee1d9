"""The static pass: what every identifier means, found before anything is evaluated.

Each place that opens a scope when the tree is evaluated (a struct literal, a clause, an aliased value, a pattern
with a name) is one level here and one `Env` there, so an identifier becomes a number of levels to go up and what
to take there. A name that no level knows is an error even in a field that is never used.
"""

from __future__ import annotations

from functools import cached_property

from dispatchfile.cue import tree
from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.record import Record
from dispatchfile.source import Span
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# What an identifier stands for at its level.
FIELD, BINDING, LET, DYNAMIC, PACKAGE, PREDECLARED = range(6)

TYPES = ("_", "bool", "int", "float", "number", "string", "bytes", "rune", "uint", "byte", "float32", "float64",
         *(f"{sign}int{bits}" for bits in (8, 16, 32, 64, 128) for sign in ("", "u")))  # fmt: skip
MAX_UNKNOWN = 100
"""How many unknown names of a file are told, since for each one all known names are looked through."""

FUNCTIONS = ("len", "close", "and", "or", "div", "mod", "quo", "rem")
PACKAGES = ("strings", "list", "strconv", "math", "encoding/json")
_PREDECLARED = {name: name for name in (*TYPES, *FUNCTIONS)}
_PREDECLARED |= {f"__{name}": name for name in (*TYPES[1:], *FUNCTIONS)}


class Meaning(Record):
    """What an identifier refers to: how many levels up, and which field, binding, alias, package or type there."""

    kind: int
    hops: int
    name: str
    of: tree.Expression | tree.Label | None = None


class Scopes(Record):
    """The result of the pass. `closing` tells whether anything in the file can close a struct."""

    meanings: dict[tree.Identifier, Meaning]
    diagnostics: tuple[Diagnostic, ...]
    closing: bool
    size: int


class _Level:
    """The names of one scope."""

    __slots__ = ("names", "up")

    def __init__(self, up: _Level | None) -> None:
        self.up = up
        self.names: dict[str, tuple[int, tree.Expression | tree.Label | None]] = {}


def internal(name: str, *, quoted: bool) -> str:
    """Return the label under which a field is kept: hidden ones and definitions start with a NUL."""
    if not quoted and name[:1] in ("_", "#"):
        return "\0" + name
    return name


def resolve(file: tree.File, *, complete: bool = True) -> Scopes:
    """Return what every identifier of the file means; with `complete` false, unused names are not reported."""
    return _Pass(file, complete=complete).run()


class _Pass:
    """One walk over a file."""

    def __init__(self, file: tree.File, *, complete: bool) -> None:
        self.file = file
        self.complete = complete
        self.meanings: dict[tree.Identifier, Meaning] = {}
        self.found: list[Diagnostic] = []
        self.closing = False
        self.size = 0
        self.unknown = 0
        self.packages: dict[str, tree.Import] = {}
        self.used: set[str] = set()
        self.unread: dict[tree.Node, tree.Let] = {}

    def run(self) -> Scopes:
        for imported in self.file.imports:
            self.import_package(imported)
        self.declarations(self.file.declarations, None)
        for name, imported in self.packages.items():
            if name not in self.used and self.complete:
                self.report("DF004", f'package "{imported.path}" is imported and not used', imported.span)
        if self.complete:
            for let in self.unread.values():
                advice = f"a field is written {let.name}: …" if let.old else "use it, or take it out"
                self.report("DF004", f"{let.name} is given a value and never used", let.span, advice=advice)
        return Scopes(self.meanings, tuple(self.found), self.closing, self.size)

    def report(
        self, code: str, message: str, span: Span, *related: Related, advice: str = "", instead: str = ""
    ) -> None:
        fix = Fix(f"write {instead}", (Edit(span, instead),), safe=False) if instead else None
        self.found.append(Diagnostic(code, Severity.ERROR, message, span, "", related, advice, fix=fix))

    def import_package(self, imported: tree.Import) -> None:
        path, _, short = imported.path.partition(":")
        if path not in PACKAGES and len(self.found) < MAX_UNKNOWN:
            guess = nearest(path, PACKAGES)
            advice = f'did you mean "{guess}"?' if guess else f"packages here: {', '.join(PACKAGES)}"
            self.report("DF004", f'package "{imported.path}" is not supported', imported.span, advice=advice)
        name = imported.name or short or path.rpartition("/")[2]
        self.packages[name] = imported

    # Scopes

    def declarations(self, declarations: tuple[tree.Declaration, ...], up: _Level | None) -> None:
        level = _Level(up)
        for declaration in declarations:
            self.declare(declaration, level)
        for declaration in declarations:
            self.size += 1
            _DECLARATIONS[declaration.__class__](self, declaration, level)

    def declare(self, declaration: Any, level: _Level) -> None:
        if declaration.__class__ is tree.Field:
            label = declaration.label
            if label.__class__ is tree.Name:
                if not label.quoted:
                    level.names[label.name] = (FIELD, label)
                if declaration.alias:
                    level.names[declaration.alias] = (FIELD, label)
                if declaration.colon == "::" or label.name[:1] in "#_":
                    self.closing = True
            elif declaration.alias and label.__class__ is not tree.Pattern:
                level.names[declaration.alias] = (DYNAMIC, label)
        elif declaration.__class__ is tree.Let:
            known = level.names.get(declaration.name)
            if known is not None and known[0] in (FIELD, LET):
                if known[0] == LET and known[1] is not None:
                    self.unread.pop(known[1], None)
                self.report(
                    "DF004",
                    f"{declaration.name} is declared twice in one scope, once as an alias",
                    declaration.span,
                )
            level.names[declaration.name] = (LET, declaration.value)
            self.unread[declaration.value] = declaration

    def field(self, field: tree.Field, level: _Level) -> None:
        label: Any = field.label
        if label.__class__ is tree.Pattern:
            if label.value is not None:
                self.visit(label.value, level)
            if label.name or field.alias:
                level = _Level(level)
                for name in (label.name, field.alias):
                    if name:
                        level.names[name] = (BINDING, None)
        elif label.__class__ is not tree.Name:
            self.visit(label.value, level)
        value = field.value
        if value.__class__ not in _PLAIN:
            self.visit(value, level)

    def rest(self, rest: tree.Rest, level: _Level) -> None:
        if rest.value is not None:
            self.visit(rest.value, level)
            advice = "a type for all other fields is a pattern, [string]: T"
            self.report("DF001", "... in a struct takes no type", rest.value.span, advice=advice)

    def comprehension(self, comprehension: tree.Comprehension, level: _Level) -> None:
        clause: Any
        for clause in comprehension.clauses:
            if clause.__class__ is tree.If:
                self.visit(clause.condition, level)
                continue
            self.visit(clause.source if clause.__class__ is tree.For else clause.value, level)
            level = _Level(level)
            if clause.__class__ is tree.For:
                if clause.key:
                    level.names[clause.key] = (BINDING, None)
                level.names[clause.value] = (BINDING, None)
            else:
                level.names[clause.name] = (BINDING, None)
        self.visit(comprehension.value, level)

    # Expressions

    def visit(self, expression: Any, level: _Level) -> None:
        self.size += 1
        kind = expression.__class__
        if kind in _PLAIN:
            return
        if kind is tree.Struct:
            self.declarations(expression.declarations, level)
        elif kind is tree.ListLiteral:
            for element in expression.elements:
                self.visit(element, level)
            if expression.rest is not None and expression.rest.value is not None:
                self.visit(expression.rest.value, level)
        elif kind is tree.Identifier:
            self.identifier(expression, level)
        elif kind is tree.Aliased:
            inner = _Level(level)
            inner.names[expression.name] = (BINDING, None)
            self.visit(expression.value, inner)
        elif kind is tree.Comprehension:
            self.comprehension(expression, level)
        elif kind is tree.Binary and expression.operator == "|":
            for side in (expression.left, expression.right):
                self.visit(side.operand if _is_marked(side) else side, level)
        else:
            if _is_marked(expression):
                message = "the default mark * stands only in front of an alternative, as in *1 | int"
                self.report("DF001", message, expression.span)
            for part in _PARTS[kind](expression):
                if part is not None and part.__class__ is not str:
                    self.visit(part, level)

    def identifier(self, identifier: tree.Identifier, level: _Level | None) -> None:
        name, hops = identifier.name, 0
        lowest = level
        while level is not None:
            known = level.names.get(name)
            if known is not None:
                if known[0] == LET and known[1] is not None:
                    self.unread.pop(known[1], None)
                self.meanings[identifier] = Meaning(known[0], hops, name, known[1])
                return
            level, hops = level.up, hops + 1
        if name in self.packages:
            self.used.add(name)
            self.meanings[identifier] = Meaning(PACKAGE, 0, self.packages[name].path)
        elif name in _PREDECLARED:
            self.closing = self.closing or name == "close"
            self.meanings[identifier] = Meaning(PREDECLARED, 0, _PREDECLARED[name])
        else:
            self.unknown += 1
            if self.unknown <= MAX_UNKNOWN:
                self.report_unknown(identifier, lowest)

    def report_unknown(self, identifier: tree.Identifier, level: _Level | None) -> None:
        names: dict[str, None] = {}
        while level is not None:
            names.update(dict.fromkeys(level.names))
            level = level.up
        names.update(dict.fromkeys((*self.packages, *TYPES[1:], *FUNCTIONS)))
        names.pop(_own_label(identifier.span), None)
        guess = nearest(identifier.name, names)
        instead = guess or ""
        related: tuple[Related, ...] = ()
        if _follows_dash(identifier.span):
            advice = f'this looks like YAML; a list of CUE stands in brackets: ["{identifier.name}", …]'
            instead = ""
        elif identifier.name in PACKAGES:
            advice = f'import it first: import "{identifier.name}"'
            instead = ""
        elif guess:
            advice = f"did you mean {guess}?"
        else:
            quoted = self.quoted_fields.get(identifier.name)
            advice = f"declare it as a field ({identifier.name}: …), or put it in quotes if it is text"
            instead = f'"{identifier.name}"' if quoted is None and _is_whole_value(identifier.span) else ""
            if quoted is not None:
                advice = f"a quoted label cannot be referred to; write {identifier.name}: … without quotes"
                related = (Related(quoted, "the quoted field of that name"),)
        self.report(
            "DF004",
            f'reference "{identifier.name}" not found',
            identifier.span,
            *related,
            advice=advice,
            instead=instead,
        )

    @cached_property
    def quoted_fields(self) -> dict[str, Span]:
        """Return the first places of the file's own fields whose labels stand in quotes."""
        found: dict[str, Span] = {}
        for declaration in self.file.declarations:
            label = declaration.label if isinstance(declaration, tree.Field) else None
            if isinstance(label, tree.Name) and label.quoted:
                found.setdefault(label.name, label.span)
        return found


def _own_label(span: Span) -> str:
    """Return the label of the field whose value starts at a place: no value means itself. Empty for other places."""
    text, end = span.source.text, span.start
    while end and text[end - 1] in " \t":
        end -= 1
    if text[end - 1 : end] != ":":
        return ""
    start = end = end - 1
    while start and (text[start - 1].isalnum() or text[start - 1] in "_$#"):
        start -= 1
    return text[start:end]


def _is_whole_value(span: Span) -> bool:
    """Return whether a place is all of a field's value or of a list's entry, so that it may be a text without quotes."""
    text = span.source.text
    end = text.find("\n", span.end)
    after = text[span.end : end if end >= 0 else len(text)].strip()[:1]
    start = span.start
    while start and text[start - 1] in " \t\r\n":
        start -= 1
    return text[max(start - 1, 0) : start] in (":", ",", "[") and after in ("", ",", "]", "}", "/")


def _is_marked(expression: Any) -> bool:
    """Return whether an expression is an alternative that `*` marks as the default."""
    return expression.__class__ is tree.Unary and expression.operator == "*"


def _follows_dash(span: Span) -> bool:
    """Return whether a place is the first on its line but for a dash, as an entry of a list in YAML is."""
    text = span.source.text
    return text[text.rfind("\n", 0, span.start) + 1 : span.start].strip() == "-"


_PLAIN = frozenset((tree.String, tree.Number, tree.Bool, tree.Null, tree.Bytes, tree.Bottom))
_PARTS: dict[type, Callable[..., tuple[object, ...]]] = {
    tree.Interpolation: lambda e: e.parts,
    tree.Unary: lambda e: (e.operand,),
    tree.Binary: lambda e: (e.left, e.right),
    tree.Selector: lambda e: (e.operand,),
    tree.Index: lambda e: (e.operand, e.index),
    tree.Slice: lambda e: (e.operand, e.low, e.high),
    tree.Call: lambda e: (e.function, *e.arguments),
    tree.Parenthesis: lambda e: (e.inner,),
}
_DECLARATIONS: dict[type, Callable[..., None]] = {
    tree.Field: _Pass.field,
    tree.Embedding: lambda walk, d, level: walk.visit(d.value, level),
    tree.Let: lambda walk, d, level: walk.visit(d.value, level),
    tree.Rest: _Pass.rest,
    tree.Attribute: lambda _walk, _d, _level: None,
    tree.Comprehension: _Pass.comprehension,
}
