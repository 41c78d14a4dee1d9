"""Files of manifests: the objects in them, and the lines on which these begin."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from dispatchfile.apps.export import SourceProblem
from dispatchfile.record import Record
from dispatchfile.source import Source
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dispatchfile.apps.manifest import Object

SUFFIXES = (".yaml", ".yml", ".json")
MOST_NODES = 500_000
_MOST_BYTES = 32 << 20
_EXACT = 2**53
_API_VERSION = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[a-z0-9]+")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Document(Record):
    """An object of a file, `line` being where it begins."""

    object: Object
    file: str
    line: int

    @property
    def place(self) -> str:
        """Return FILE:LINE, or the file alone where no line is known."""
        return f"{self.file}:{self.line}" if self.line else self.file


def read_file(path: Path, name: str) -> list[Document]:
    """Return what a file holds, object or not, a List taken apart. Raises SourceProblem naming file and line."""
    return read_text(text_of(path, name), name)


def text_of(path: Path, name: str) -> str:
    """Return a file's text. Raises SourceProblem for one that is too large or no text."""
    if path.stat().st_size > _MOST_BYTES:
        raise SourceProblem(f"{name} is larger than {_MOST_BYTES >> 20} MiB")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceProblem(f"{name} is not UTF-8 (byte {error.start})") from None


def read_text(text: str, name: str) -> list[Document]:
    """Return the same of a text."""
    values = _values(Source(name, text))
    return [document for value in values for document in _taken_apart(value, name)]


def is_kubernetes(document: Document) -> bool:
    """Return whether a document means to be an object of Kubernetes."""
    found = document.object
    return isinstance(found, dict) and "apiVersion" in found and "kind" in found


def check(document: Document, *, hook: bool = False) -> None:
    """Raise SourceProblem for an object whose head cannot be right; a `hook` may have generateName in place of a name."""
    found = document.object
    if not is_kubernetes(document):
        lacking = "apiVersion" if isinstance(found, dict) and "kind" in found else "kind"
        raise SourceProblem(
            f"{document.place} is not an object of Kubernetes: it has no {lacking}",
            help="a file of manifests holds nothing else; put other YAML into another folder",
        )
    metadata = found.get("metadata")
    if not isinstance(metadata, dict):
        raise SourceProblem(
            f"{document.place}: {_shown(found['kind'])} has no metadata", help="it needs a metadata.name"
        )
    name = metadata.get("name")
    if name is None and hook and metadata.get("generateName"):
        name = f"{metadata['generateName']}0"
    if name is None:
        raise SourceProblem(
            f"{document.place}: {_shown(found['kind'])} has no metadata.name", help=_why_named(metadata)
        )
    fits = (
        ("apiVersion", found["apiVersion"], _API_VERSION),
        ("kind", found["kind"], _KIND),
        ("metadata.name", name, _NAME),
        ("metadata.namespace", metadata.get("namespace") or "default", _NAMESPACE),
    )
    for field, value, pattern in fits:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise SourceProblem(f"{document.place}: {field} cannot be {_shown(value)}")
    for field in ("labels", "annotations"):
        _check_texts(document, metadata, field)


def _check_texts(document: Document, metadata: dict[str, Any], field: str) -> None:
    entries = metadata.get(field)
    if entries is None:
        return
    if not isinstance(entries, dict):
        raise SourceProblem(f"{document.place}: metadata.{field} must be a mapping")
    for name, value in entries.items():
        if not isinstance(value, str):
            raise SourceProblem(
                f"{document.place}: metadata.{field}.{name} must be a text, not {_shown(value)}",
                help="put it in quotes",
            )


def _why_named(metadata: dict[str, Any]) -> str:
    if "generateName" in metadata:
        return "generateName is for hooks alone: an object that is to be kept has one name"
    return "every object has one"


def _values(source: Source) -> list[Value]:
    if source.name.endswith(".json"):
        return _json(source)
    from dispatchfile.plain.refusal import Unreadable
    from dispatchfile.plain.yaml_reader import read_documents

    try:
        return read_documents(source, MOST_NODES)
    except Unreadable as error:
        where = f"{source.name}:{error.found.span.line}" if error.found.span else source.name
        raise SourceProblem(f"{where}: {error.found.message}", help=error.found.help) from None


def _json(source: Source) -> list[Value]:
    """Return what a JSON text holds; YAML's reader would not take all of JSON's escapes."""
    import json

    from dispatchfile.diagnostics import errors
    from dispatchfile.plain.json_reader import read_json

    reading = read_json(source)
    for found in errors(reading.diagnostics):
        where = f"{source.name}:{found.span.line}" if found.span else source.name
        raise SourceProblem(f"{where}: {found.message}", help=found.help)
    if reading.value is None:
        return []
    if "\\u" in source.text:
        try:
            json.dumps(_plain(reading.value), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SourceProblem(f"{source.name} holds half of a character (\\ud800 to \\udfff)") from None
    return [reading.value]


def _taken_apart(value: Value, name: str) -> Iterator[Document]:
    kind, items = value.at("kind"), value.at("items")
    is_list = kind is not None and isinstance(kind.data, str) and kind.data.endswith("List")
    if is_list and value.at("apiVersion") is not None and items is not None and isinstance(items.data, list):
        for item in items.data:
            yield from _taken_apart(item, name)
    else:
        yield Document(_plain(value), name, value.span.line if value.span else 1)


def _plain(value: Value) -> Any:
    """Return plain data as JSON has it; numbers as Go's decoder makes them of JSON."""
    if isinstance(value.data, dict):
        return {label: _plain(below) for label, below in value.data.items()}
    if isinstance(value.data, list):
        return [_plain(below) for below in value.data]
    if isinstance(value.data, Decimal):
        whole = value.data == value.data.to_integral_value() and abs(value.data) < _EXACT
        return int(value.data) if whole else float(value.data)
    return value.data


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
