"""YAML: text to value.

YAML is read event by event and never constructed into objects, so no tag can run anything and every scalar keeps its
place. Scalars are read by the rules of YAML 1.1 as go-yaml v2 has them (Dispatch's reader), with one exception that
real files need: a mapping key is the string it was written as, so `on:` is "on".
"""

from __future__ import annotations

import re
from decimal import Decimal

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.plain.refusal import LONGEST_NUMBER, MOST_DEPTH, Unreadable, repeated, wrong
from dispatchfile.source import Source, Span
from dispatchfile.value import Reading, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.value import Scalar

# Aliases are followed; this bound keeps a few hundred bytes from becoming gigabytes.
_MOST_NODES = 200_000

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CORE = "tag:yaml.org,2002:"
_TRUE = frozenset(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "y", "Y"))
_FALSE = frozenset(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_INT = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")


def read_yaml(source: Source) -> Reading:
    """Return the one document of a YAML text as a value; what is wrong with it stands in the diagnostics."""
    import yaml

    harmful = _UNPRINTABLE.search(source.text)
    if harmful is not None:
        message = f"a control character (U+{ord(harmful[0]):04X}) in the text"
        return Reading(source, None, (wrong(source, message, Span(source, *harmful.span())),))
    try:
        value, found = _attempt(source, source.text)
    except yaml.YAMLError as error:
        from dispatchfile.plain import yaml_recovery

        value, found = yaml_recovery.recover(source, error, lambda text: _attempt(source, text))
    return Reading(source, value, tuple(found))


def read_documents(source: Source, most_nodes: int = _MOST_NODES) -> list[Value]:
    """Return the documents of a YAML text that hold anything. Raises Unreadable with the first thing that is wrong."""
    import yaml

    harmful = _UNPRINTABLE.search(source.text)
    if harmful is not None:
        message = f"a control character (U+{ord(harmful[0]):04X}) in the text"
        raise Unreadable(wrong(source, message, Span(source, *harmful.span())))
    events = yaml.parse(source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    reader = _Yaml(source, events, most_nodes)
    try:
        documents = reader.documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index if mark else 0, len(source.text))
        raise Unreadable(wrong(source, error.problem or "not YAML", Span(source, at, at))) from None
    except yaml.YAMLError as error:
        raise Unreadable(wrong(source, str(error), None)) from None
    if reader.found:
        raise Unreadable(reader.found[0])
    return documents


def _attempt(source: Source, text: str) -> tuple[Value | None, list[Diagnostic]]:
    """Return the value of a text whose places are those of the source. Raises YAMLError where it is no YAML."""
    import yaml

    reader = _Yaml(source, yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    try:
        return reader.document(), reader.found
    except Unreadable as error:
        return None, [*reader.found, error.found]


class _Yaml:
    """Builds the value from the parser's events, one after the other, so that depth and size stay in hand."""

    def __init__(self, source: Source, events: Iterator[Any], most_nodes: int = _MOST_NODES) -> None:
        self.most_nodes = most_nodes
        self.source = source
        self.events = events
        self.found: list[Diagnostic] = []
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.nodes = 0

    def document(self) -> Value:
        """Return the value of the text. Raises Unreadable, and YAMLError where it is no YAML."""
        next(self.events)
        if _kind(next(self.events)) == "StreamEnd":
            return Value({}, (Span(self.source, 0, 0),))
        value = self.value(next(self.events), 0)
        next(self.events)
        more = next(self.events)
        if _kind(more) != "StreamEnd":
            span = Span(self.source, more.start_mark.index, more.end_mark.index)
            advice = "a Dispatchfile is one document; remove the `---`"
            raise Unreadable(wrong(self.source, "the file holds several documents", span, advice))
        return value

    def documents(self) -> list[Value]:
        """Return the values of all documents but those that hold nothing. Raises as `document`."""
        next(self.events)
        found: list[Value] = []
        while _kind(next(self.events)) != "StreamEnd":
            self.anchors.clear()  # which hold within a document
            value = self.value(next(self.events), 0)
            next(self.events)
            if value.data is not None:
                found.append(value)
        return found

    def refusal(self, event: Any, message: str, advice: str = "") -> Unreadable:
        """Return the error that the event's node cannot be taken."""
        return Unreadable(wrong(self.source, message, self.span(event, event), advice))

    def span(self, first: Any, last: Any) -> Span:
        """Return the place from one event to another, without the line ends that YAML counts to blocks."""
        start = first.start_mark.index
        return Span(self.source, start, start + len(self.source.text[start : last.end_mark.index].rstrip()))

    def value(self, event: Any, depth: int) -> Value:
        """Return the value of the node that the event begins."""
        self.nodes += 1
        if self.nodes > self.most_nodes:
            raise self.refusal(event, "the document is too large once its aliases are followed")
        if depth > MOST_DEPTH:
            raise self.refusal(event, "the document is nested too deeply")
        kind, before = _kind(event), self.nodes
        if kind == "Alias":
            return self.alias(event)
        if kind == "Scalar":
            value = Value(self.scalar(event), (self.span(event, event),))
        elif kind == "SequenceStart":
            value = self.sequence(event, depth)
        else:
            value = self.mapping(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before + 1)
        return value

    def alias(self, event: Any) -> Value:
        """Return the value of an anchor; it counts again each time, since whoever reads it walks it again."""
        known = self.anchors.get(event.anchor)
        if known is None:
            raise self.refusal(
                event, f"the alias *{event.anchor} has no anchor before it", f"define it with &{event.anchor}"
            )
        value, size = known
        self.nodes += size
        return value

    def sequence(self, start: Any, depth: int) -> Value:
        """Return a list."""
        self.no_tag(start, "seq")
        elements: list[Value] = []
        while _kind(event := next(self.events)) != "SequenceEnd":
            elements.append(self.value(event, depth + 1))
        return Value(elements, (self.span(start, event),))

    def mapping(self, start: Any, depth: int) -> Value:
        """Return a struct; a repeated key is a finding, merge keys (`<<`) give way to the mapping's own."""
        self.no_tag(start, "map")
        own: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        while _kind(event := next(self.events)) != "MappingEnd":
            if _kind(event) != "Scalar":
                raise self.refusal(event, "a key must be a plain string")
            below = self.value(next(self.events), depth + 1)
            place = self.span(event, event)
            if event.value == "<<" and not event.style:
                self.merge(event, below, merged)
            elif event.value in own:
                self.found.append(repeated(event.value, place, own[event.value].keys))
            else:
                own[event.value] = Value(below.data, below.spans, (place,))
        kept = {label: item for label, item in merged.items() if label not in own}
        return Value({**kept, **own}, (self.span(start, event),))

    def merge(self, event: Any, value: Value, merged: dict[str, Value]) -> None:
        """Take in the fields of the mappings behind a merge key; the first one that has a field wins."""
        for one in value.data if isinstance(value.data, list) else [value]:
            if not isinstance(one.data, dict):
                raise self.refusal(event, "`<<` merges mappings only")
            for label, item in one.data.items():
                merged.setdefault(label, item)

    def no_tag(self, event: Any, kind: str) -> None:
        """Refuse a tag other than the node's own kind."""
        if event.tag not in (None, "!", _CORE + kind):
            raise self.refusal(event, f"the tag {_shown(event.tag)} is not supported here")

    def scalar(self, event: Any) -> Scalar:
        """Return a scalar by the rules of YAML 1.1; quoted ones, dates, and `!!str` are strings."""
        text: str = event.value
        if event.tag is None:
            return text if event.style else _plain(text)
        kind = event.tag.removeprefix(_CORE)
        if kind in ("bool", "int", "float", "null"):
            return _plain(text)
        if kind not in ("!", "str"):
            raise self.refusal(event, f"the tag {_shown(event.tag)} is not supported here")
        return text


def _kind(event: object) -> str:
    return type(event).__name__.removesuffix("Event")


def _shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag


def _plain(text: str) -> Scalar:
    """Return what an unquoted scalar means."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) <= LONGEST_NUMBER and text[0] in "-+.0123456789":
        if _INT.fullmatch(text):
            return _integer(text.replace("_", ""))
        if _FLOAT.fullmatch(text):
            return Decimal(text)
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    base = {"0b": 2, "0x": 16, "0o": 8}.get(
        digits[:2].lower(), 8 if digits[:1] == "0" and len(digits) > 1 else 10
    )
    number = int(digits, 0 if base != 8 else 8) if base != 10 else int(digits)
    return -number if text[0] == "-" else number
