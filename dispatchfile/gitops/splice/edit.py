"""Edits of a text by the places of its nodes, and the proof that they did what was meant and nothing else."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

from dispatchfile.gitops.splice.tree import (
    Document,
    Mapping,
    Node,
    Scalar,
    SpliceError,
    documents,
    facts,
    failure,
    kind_of,
)
from dispatchfile.record import Record
from dispatchfile.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from dispatchfile.gitops.splice.tree import Kind, Path

# What stands unquoted without a second thought; all else is quoted. Readers of YAML 1.2 and Go's know numbers that
# 1.1 does not (1e3, 0o17, and so the short commit 12e4567).
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?")
_ODD = re.compile(
    r"(?i)[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:e[-+]?[0-9]+)?"
    r"|0[xob][0-9a-f_]+|y|n|yes|no|on|off|true|false|null|~"
)
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class Edit(Record):
    """Replace characters `start` to `end` of a document's text.

    `change` is what that does to the tree at `path`: a scalar's "value", the "name" of its key, a pair that goes ("drop")
    or comes into the mapping there ("add"). `new` is the value or the name, for "add" the key and the value.
    """

    start: int
    end: int
    text: str
    change: Literal["value", "name", "drop", "add"]
    path: Path
    kind: Kind = "text"
    new: tuple[str, ...] = ()


def set_value(document: Document, node: Node, value: str, kind: Kind = "text") -> Edit:
    """Return the edit that gives a scalar another value in its own style. Raises SpliceError."""
    if not isinstance(node, Scalar):
        raise document.fail(node, "this is no single value", "name a value below it, or change it by hand")
    if node.tag or node.anchor:
        what = f"the tag {node.tag}" if node.tag else f"the anchor &{node.anchor}"
        raise document.fail(node, f"this value has {what}", "change it by hand")
    if node.style in ("|", ">"):
        start, end = _block_line(document, node)
        new = value + node.value[len(node.value.rstrip("\n")) :]
        return Edit(start, end, value, "value", node.path, "text", (new,))
    gap = (
        " "
        if node.start == node.end and document.source.text[node.start - 1 : node.start] in (":", "-")
        else ""
    )
    text = gap + _written(node, value, kind, in_json=_is_json(document))
    return Edit(node.start, node.end, text, "value", node.path, kind, (value,))


def rename(document: Document, mapping: Mapping, old: str, name: str) -> Edit:
    """Return the edit that gives the key of a single value another name, in its quotes."""
    key, value = _pair(mapping, old)
    text = document.source.text[key.start : key.end]
    quote = text[:1] if text[:1] in "\"'" else ""
    return Edit(key.start, key.end, f"{quote}{name}{quote}", "name", value.path, "text", (name,))


def add(document: Document, mapping: Mapping, after: str, name: str, value: str) -> Edit:
    """Return the edit that adds a pair after the one of key `after`, which is there."""
    key, before = _pair(mapping, after)
    in_json = _is_json(document)
    pair = f"{json.dumps(name)}: {json.dumps(value)}" if in_json else f"{name}: {_plain_or_quoted(value)}"
    text = document.source.text
    if mapping.flow:
        start, written = before.end, f", {pair}"
    else:
        end = text.find("\n", before.end)
        crlf = text[end - 1 : end] == "\r"
        start = len(text) if end < 0 else end - crlf
        column = key.start - (text.rfind("\n", 0, key.start) + 1)
        written = ("\r\n" if "\r\n" in text else "\n") + " " * column + pair
    return Edit(start, start, written, "add", mapping.path, "text", (name, value))


def drop(document: Document, mapping: Mapping, name: str) -> Edit:
    """Return the edit that removes a pair, its line with it. Raises SpliceError where a comment would go astray."""
    text = document.source.text
    key, value = _pair(mapping, name)
    at = mapping.pairs.index((key, value))
    following = mapping.pairs[at + 1][0] if at + 1 < len(mapping.pairs) else None
    line = text.rfind("\n", 0, key.start) + 1
    if mapping.flow and at and following is None:
        start, end = mapping.pairs[at - 1][1].end, value.end
    elif not mapping.flow and not text[line : key.start].strip("\ufeff "):
        newline = text.find("\n", value.end)
        start, end = line, len(text) if newline < 0 else newline + 1
    elif following is not None and not text[value.end : following.start].strip(", \t\r\n"):
        start, end = key.start, following.start
    else:
        raise document.fail(key, f'"{name}" cannot be removed without its neighbours', "remove it by hand")
    return Edit(start, end, "", "drop", value.path)


def apply(source: Source, before: Sequence[Document], edits: Sequence[tuple[int, Edit]]) -> str:
    """Return the text with the edits made; each has the position of its document in the file.

    Raises SpliceError when two of them want different things of one place, or when the result, read again, is not what
    was there with just these changes.
    """
    text = source.text
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit[1].start, edit[1].end))
    for (_, one), (_, two) in itertools.pairwise(ordered):
        if two.start < one.end or (one.change != "add" and (one.start, one.end) == (two.start, two.end)):
            raise failure(
                Span(source, two.start, two.end), "two settings change this differently", "give one of them"
            )
    wanted = [facts(document.root) for document in before]
    # From behind, so that the places before stay what they are.
    for number, edit in reversed(ordered):
        text = text[: edit.start] + edit.text + text[edit.end :]
        _follow(wanted[number], edit)
    try:
        after = [facts(document.root) for document in documents(source.with_text(text))]
    except SpliceError as error:
        raise _disproved(source, ordered, f": {error.message}") from error
    if after != wanted:
        raise _disproved(source, ordered, "")
    return text


def _pair(mapping: Mapping, name: str) -> tuple[Node, Node]:
    return next(pair for pair in mapping.pairs if isinstance(pair[0], Scalar) and pair[0].value == name)


def _disproved(source: Source, edits: Sequence[tuple[int, Edit]], why: str) -> SpliceError:
    first = edits[0][1]
    place = Span(source, first.start, first.end)
    return failure(place, f"this cannot be changed without changing more than it{why}", "change it by hand")


def _follow(tree: dict[Path, tuple[str, ...]], edit: Edit) -> None:
    """Do to the facts of a tree what an edit means."""
    if edit.change == "add":
        name, value = edit.new
        tree[*edit.path, ("", "", "text", name)] = ("", "", "text", value)
    elif edit.change == "drop":
        del tree[edit.path]
    elif edit.change == "name":
        tree[*edit.path[:-1], ("", "", "text", edit.new[0])] = tree.pop(edit.path)
    else:
        tree[edit.path] = ("", "", edit.kind, edit.new[0])


def _block_line(document: Document, node: Scalar) -> tuple[int, int]:
    """Return where the one line of a block scalar stands."""
    text, content = document.source.text, node.value.rstrip("\n")
    head = text.find("\n", node.start, node.end) + 1
    at = text.find(content, head, node.end) if head and content and "\n" not in content else -1
    if at < 0 or text[head:at].strip() or text[at + len(content) : node.end].strip():
        raise document.fail(node, "this text has several lines", "change it by hand")
    return at, at + len(content)


def _written(node: Scalar, value: str, kind: Kind, *, in_json: bool) -> str:
    """Return a value in the style of the scalar that it replaces."""
    if kind != "text":
        return value
    if in_json:
        return json.dumps(value, ensure_ascii=False)
    if node.style == "'":
        return "'" + value.replace("'", "''") + "'"
    return _quoted(value) if node.style == '"' else _plain_or_quoted(value)


def _plain_or_quoted(value: str) -> str:
    odd = _ODD.fullmatch(value) or kind_of(value) != "text"
    return value if _PLAIN.fullmatch(value) and not odd else _quoted(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_json(document: Document) -> bool:
    return document.source.name.endswith(".json")
