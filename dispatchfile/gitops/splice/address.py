"""What `--set FILE:PATH=VALUE` names: a value in a file.

FILE is relative to where the update runs. `FILE#KIND/NAME:PATH` picks one of several documents. PATH is keys with dots
between, positions in brackets, `[KEY=VALUE]` for the element whose key has that value, and `["a.b/c"]` for a key that has
dots or brackets in it: spec.template.spec.containers[name=web].image
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from dispatchfile.errors import UsageError
from dispatchfile.gitops.splice.tree import Alias, Document, Items, Mapping, Node, Scalar, failure
from dispatchfile.record import Record
from dispatchfile.source import Span
from dispatchfile.spelling import nearest

_KEY = re.compile(r"[^.\[\]=\"']+")
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]')
_INDEX = re.compile(r"\[(\d{1,6})\]")
_PICK = re.compile(r"\[([^\]=\[\"]+)=([^\]]*)\]")


class Step(Record):
    """A key ("" for none), a position, or a key and the value that it is to have."""

    key: str = ""
    index: int = -1
    value: str | None = None

    def __str__(self) -> str:
        if self.value is not None:
            return f"[{self.key}={self.value}]"
        return f"[{self.index}]" if self.index >= 0 else self.key


class Address(Record):
    """A value to set. `kind` and `name` pick the document, "" for whichever has the path; `path` is as it was written."""

    file: str
    kind: str
    name: str
    steps: tuple[Step, ...]
    path: str
    value: str


def parse(text: str) -> Address:
    """Return what a value of --set names. Raises UsageError."""
    where, colon, rest = text.partition(":")
    file, mark, chosen = where.partition("#")
    kind, slash, name = chosen.partition("/")
    if not colon or not file or (mark and not (slash and kind and name)):
        raise UsageError(
            f'-set takes FILE:PATH=VALUE or FILE#KIND/NAME:PATH=VALUE, not "{text}"',
            help="-set=app.yaml:spec.replicas=3",
        )
    steps, at = _steps(rest, text)
    value = rest[at + 1 :]
    if any(not letter.isprintable() for letter in value):
        raise UsageError(f"-set={where}:{rest[:at]}: the value holds a control character or a line end")
    return Address(file.removeprefix("./"), kind, name, tuple(steps), rest[:at], value)


def find(documents: Sequence[Document], address: Address) -> tuple[int, Node, bool]:
    """Return the document's position, the value, and whether an alias repeats it. Raises SpliceError.

    Of several documents that have the path none is chosen.
    """
    numbers = [number for number, document in enumerate(documents) if _is_chosen(document, address)]
    if not numbers:
        there = ", ".join(filter(None, map(identity, documents))) or "documents without kind and name"
        source = documents[0].source if documents else None
        message = f"there is no {address.kind}/{address.name}" if address.kind else "this file holds nothing"
        if source is None:
            raise UsageError(f"{address.file} holds nothing to set")
        raise failure(Span(source, 0, 0), message, f"it holds {there}")
    found = [(number, *_walk(documents[number], address)) for number in numbers]
    hits = [(number, node, shared) for number, node, shared, _ in found if node is not None]
    if not hits:
        raise next(problem for _, _, _, problem in found if problem)
    if len(hits) > 1:
        document = documents[hits[1][0]]
        places = [_place(documents[number], node) for number, node, _ in hits]
        names = [identity(documents[number]) for number, _, _ in hits]
        pick = f"{address.file}#{names[0]}:{address.path}" if names[0] else "split the file"
        raise document.fail(
            hits[1][1], f"{address.path} is in several documents: {', '.join(places)}", f"say which: {pick}"
        )
    return hits[0]


def identity(document: Document) -> str:
    """Return KIND/NAME of a document, or "" where it has none."""
    root = document.root
    metadata = root.get("metadata") if isinstance(root, Mapping) else None
    name = metadata.text("name") if isinstance(metadata, Mapping) else ""
    return f"{root.text('kind')}/{name}" if isinstance(root, Mapping) and name else ""


def _place(document: Document, node: Node) -> str:
    return f"{document.source.name}:{document.source.position(node.start)[0]}"


def _is_chosen(document: Document, address: Address) -> bool:
    return not address.kind or identity(document) == f"{address.kind}/{address.name}"


def _walk(document: Document, address: Address) -> tuple[Node | None, bool, Exception | None]:
    """Return the node at the path and whether it is repeated, or None and why there is none."""
    node, shared, way = document.root, False, ""
    for step in address.steps:
        shared = shared or _is_repeated(document, node)
        if isinstance(node, Alias):
            hint = f"set it where &{node.anchor} is"
            return None, shared, document.fail(node, f"{way or 'this'} is an alias, *{node.anchor}", hint)
        found = _children(node, step)
        if len(found) != 1:
            return None, shared, _missing(document, node, step, way, len(found))
        node = found[0]
        way += f".{step}" if way and step.index < 0 and step.value is None else str(step)
    return node, shared or _is_repeated(document, node), None


def _is_repeated(document: Document, node: Node) -> bool:
    return isinstance(node, Alias) or bool(node.anchor and node.anchor in document.aliased)


def _children(node: Node, step: Step) -> list[Node]:
    if isinstance(node, Items):
        if step.value is not None:
            named = [item for item in node.items if isinstance(item, Mapping)]
            return [item for item in named if step.value == item.text(step.key)]
        return node.items[step.index : step.index + 1] if step.index >= 0 else []
    value = (
        node.get(step.key) if isinstance(node, Mapping) and step.index < 0 and step.value is None else None
    )
    return [value] if value is not None else []


def _missing(document: Document, node: Node, step: Step, way: str, count: int) -> Exception:
    here = way or "the document"
    if count:
        return document.fail(node, f"{here} has {count} elements with {step}", "take their position, as [0]")
    if isinstance(node, Items):
        return document.fail(node, f"{here} is a list of {len(node.items)} and has no {step}", "see the file")
    if not isinstance(node, Mapping):
        return document.fail(node, f"{here} is a single value and has no {step}", "see the file")
    if node.get("<<") is not None:
        hint = "write the key itself there, or set it where it is written"
        return document.fail(node, f"{here} has no {step} of its own, only what << brings", hint)
    keys = [key.value for key, _ in node.pairs if isinstance(key, Scalar)]
    near = nearest(str(step), keys)
    hint = f"did you mean {near}?" if near else f"it has {', '.join(keys) or 'none'}; a key is not added"
    return document.fail(node, f"{here} has no {step}", hint)


def _steps(rest: str, text: str) -> tuple[list[Step], int]:
    """Return the steps of a path and where it ends."""
    steps, at = list[Step](), 0
    while at < len(rest) and rest[at] != "=":
        dot = bool(steps) and rest[at] == "."
        key = _KEY.match(rest, at + dot) if dot or not steps else None
        if key:
            steps.append(Step(key[0]))
            at = key.end()
        elif not dot and (match := _QUOTED.match(rest, at)):
            steps.append(Step(str(json.loads(match[1], strict=False))))
            at = match.end()
        elif not dot and (match := _INDEX.match(rest, at)):
            steps.append(Step(index=int(match[1])))
            at = match.end()
        elif not dot and (match := _PICK.match(rest, at)):
            steps.append(Step(match[1], value=match[2]))
            at = match.end()
        else:
            raise UsageError(
                f'-set: the path in "{text.partition("=")[0]}" cannot be read at "{rest[at : at + 12]}"',
                help='spec.replicas, containers[0].image, containers[name=web].image, annotations["a.b/c"]',
            )
    if not steps or at >= len(rest):
        raise UsageError(f'-set takes FILE:PATH=VALUE, not "{text}"', help="-set=app.yaml:spec.replicas=3")
    return steps, at
