"""YAML and JSON as a tree of nodes that know where they stand in the text; aliases stay aliases.

Built from PyYAML's events: they tell styles, anchors and places, and an alias is never followed, so that a file of a few
lines cannot become a tree of gigabytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.errors import EvaluationError
from dispatchfile.record import Record
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Kind: TypeAlias = Literal["text", "number", "boolean", "null", "other"]
    Step: TypeAlias = int | tuple[str, ...]
    Path: TypeAlias = tuple[Step, ...]

DEEPEST = 100
_KINDS: dict[str, Kind] = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "null": "null",
}
# PyYAML takes no tab between a value and a comment or a line's end, nor behind a key; YAML 1.2 does.
_TABS = re.compile(r"(?m)(?<=\S)[ \t]*\t[ \t]*(?=#|\r?$)|(?<=:)\t[ \t]*")
_SPACE = re.compile(r"[ \t\r\n]*")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_JSON_WORD = re.compile(r"[-+.\w]+")
_JSON_KINDS: dict[str, Kind] = {"t": "boolean", "f": "boolean", "n": "null"}


class SpliceError(EvaluationError):
    """A file that cannot be changed, or not without a guess; `diagnostics` say where."""

    exit_code = 1


class Node(Record, eq=False):
    """A piece of a document: characters `start` to `end` of the text.

    `path` leads to it: positions in sequences, and `step` of the keys in mappings.
    """

    start: int
    end: int
    path: Path
    anchor: str


class Scalar(Node, eq=False):
    """A single value; `style` is "plain", or what it begins with: a quote, "|" or ">". `tag` is one that is written."""

    value: str
    kind: Kind
    style: str
    tag: str
    in_flow: bool


class Alias(Node, eq=False):
    """A reference to what `anchor` names."""


class Mapping(Node, eq=False):
    """Keys and values in their order; `flow` says that it is written with braces."""

    pairs: list[tuple[Node, Node]]
    flow: bool

    def get(self, name: str) -> Node | None:
        """Return the value of a key."""
        return next(
            (value for key, value in self.pairs if isinstance(key, Scalar) and key.value == name), None
        )

    def text(self, name: str) -> str:
        """Return the value of a key as text; "" when it is none or not there."""
        value = self.get(name)
        return value.value if isinstance(value, Scalar) else ""


class Items(Node, eq=False):
    """A sequence."""

    items: list[Node]
    flow: bool


class Document(Record, eq=False):
    """A document of a file; `aliased` are the names of anchors that something refers to."""

    source: Source
    root: Node
    anchors: dict[str, Node]
    aliased: set[str]

    def fail(self, node: Node, message: str, hint: str) -> SpliceError:
        """Return the error that says what is wrong with a node."""
        return failure(Span(self.source, node.start, node.end), message, hint)


def failure(span: Span, message: str, hint: str) -> SpliceError:
    """Return the error about one place."""
    place = f"{span.source.name}:{span.line}"
    return SpliceError(f"{place}: {message}", [Diagnostic("DF902", Severity.ERROR, message, span, help=hint)])


def documents(source: Source) -> list[Document]:
    """Return the documents of a file, JSON where it is named so. Raises SpliceError where it cannot be read."""
    if source.name.endswith(".json"):
        return [_Json(source).document()]
    return list(_yaml_documents(source))


def step(key: Node) -> Step:
    """Return what a key is in a path."""
    if isinstance(key, Scalar):
        return told(key)
    return ("complex", repr(sorted(facts(key).items(), key=repr)))


def told(node: Node) -> tuple[str, ...]:
    """Return what a node alone says, without its place, its style and what is in it."""
    if isinstance(node, Scalar):
        return (node.anchor, node.tag, node.kind, node.value)
    return (type(node).__name__, node.anchor)


def facts(root: Node) -> dict[Path, tuple[str, ...]]:
    """Return what each node of a tree says, by its path; the order of keys is not told."""
    return {node.path: told(node) for node in nodes(root)}


def nodes(node: Node) -> Iterator[Node]:
    """Yield a node and all below it that are no keys."""
    yield node
    if isinstance(node, Mapping):
        for _, value in node.pairs:
            yield from nodes(value)
    elif isinstance(node, Items):
        for item in node.items:
            yield from nodes(item)


def check_keys(document: Document) -> None:
    """Raise SpliceError where a mapping has a key twice: readers differ in which of them counts."""
    for node in nodes(document.root):
        seen = set[str]()
        for key, _ in node.pairs if isinstance(node, Mapping) else ():
            name = key.value if isinstance(key, Scalar) else ""
            if name and name in seen:
                raise document.fail(key, f'the key "{name}" stands here twice', "keep the one that is meant")
            seen.add(name)


def kind_of(text: str) -> Kind:
    """Return what a plain scalar of this text is to a reader of YAML 1.1, as Kubernetes' tools are."""
    import yaml

    loader: Any = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    return _KINDS.get(tag.rpartition(":")[2], "other")


def _yaml_documents(source: Source) -> Iterator[Document]:
    import yaml

    try:
        # The pure reader: the marks of libyaml count differently.
        loader: Any = yaml.SafeLoader(_TABS.sub(lambda tabs: " " * len(tabs[0]), source.text))
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                yield _Composer(source, loader).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(source.text)) if mark else 0
        raise failure(Span(source, at, at), f"this is no YAML: {error.problem}", "mend the file") from error
    except yaml.YAMLError as error:
        raise failure(Span(source, 0, 0), f"this is no YAML: {_one_line(error)}", "mend the file") from error


class _Composer:
    """Makes a tree of one document's events."""

    def __init__(self, source: Source, loader: Any) -> None:
        self.source = source
        self.loader = loader
        self.anchors: dict[str, Node] = {}
        self.aliased = set[str]()

    def document(self) -> Document:
        root = self.node((), in_flow=False)
        return Document(self.source, root, self.anchors, self.aliased)

    def node(self, path: Path, *, in_flow: bool) -> Node:
        import yaml

        event = self.loader.get_event()
        start, end = event.start_mark.index, event.end_mark.index
        if len(path) > DEEPEST:
            raise failure(
                Span(self.source, start, end), "this is nested too deeply", f"at most {DEEPEST} levels"
            )
        name = event.anchor or ""
        if isinstance(event, yaml.AliasEvent):
            self.aliased.add(name)
            return Alias(start, end, path, name)
        made: Node
        if isinstance(event, yaml.ScalarEvent):
            made = self.scalar(event, path, in_flow=in_flow)
        elif isinstance(event, yaml.MappingStartEvent):
            pairs: list[tuple[Node, Node]] = []
            flow = bool(event.flow_style)
            while not self.loader.check_event(yaml.MappingEndEvent):
                key = self.node(path, in_flow=flow)
                pairs.append((key, self.node((*path, step(key)), in_flow=flow)))
            made = Mapping(start, self.loader.get_event().end_mark.index, path, name, pairs, flow)
        else:
            items: list[Node] = []
            flow = bool(event.flow_style)
            while not self.loader.check_event(yaml.SequenceEndEvent):
                items.append(self.node((*path, len(items)), in_flow=flow))
            made = Items(start, self.loader.get_event().end_mark.index, path, name, items, flow)
        if name:
            self.anchors[name] = made
        return made

    def scalar(self, event: Any, path: Path, *, in_flow: bool) -> Scalar:
        start, end = event.start_mark.index, event.end_mark.index
        kind: Kind = "text"
        if event.tag:
            kind = "other"
        elif event.implicit[0]:
            kind = kind_of(event.value)
        style = event.style or "plain"
        return Scalar(
            start, end, path, event.anchor or "", event.value, kind, style, event.tag or "", in_flow
        )


class _Json:
    """Reads JSON; the standard library has said before that it is some."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 1 if self.text.startswith("\ufeff") else 0
        try:
            json.loads(self.text[self.at :])
        except ValueError as error:
            at = self.at + getattr(error, "pos", 0)
            raise failure(
                Span(source, at, at), f"this is no JSON: {_one_line(error)}", "mend the file"
            ) from error
        except RecursionError as error:
            raise failure(
                Span(source, 0, 0), "this is nested too deeply", f"at most {DEEPEST} levels"
            ) from error

    def document(self) -> Document:
        return Document(self.source, self.node(()), {}, set())

    def skip(self) -> str:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def node(self, path: Path) -> Node:
        first, start = self.skip(), self.at
        if len(path) > DEEPEST:
            raise failure(
                Span(self.source, start, start), "this is nested too deeply", f"at most {DEEPEST} levels"
            )
        if first == "{":
            pairs: list[tuple[Node, Node]] = []
            while self.more("}"):
                key = self.node(path)
                self.skip()
                self.at += 1  # the colon
                pairs.append((key, self.node((*path, step(key)))))
            return Mapping(start, self.at, path, "", pairs, flow=True)
        if first == "[":
            items: list[Node] = []
            while self.more("]"):
                items.append(self.node((*path, len(items))))
            return Items(start, self.at, path, "", items, flow=True)
        return self.scalar(first, path)

    def more(self, closing: str) -> bool:
        """Return whether another element follows; what stands before it, or the closing bracket, is passed."""
        here = self.skip()
        if here in "{[,":
            self.at += 1
            here = self.skip()
        if here == closing:
            self.at += 1
        return here != closing

    def scalar(self, first: str, path: Path) -> Scalar:
        start, quoted = self.at, first == '"'
        match = (_JSON_STRING if quoted else _JSON_WORD).match(self.text, start)
        raw = match[0] if match else ""
        self.at += len(raw)
        value = str(json.loads(raw)) if quoted else raw
        kind: Kind = "text" if quoted else _JSON_KINDS.get(first, "number")
        return Scalar(start, self.at, path, "", value, kind, '"' if quoted else "plain", "", in_flow=True)


def _one_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
