"""A value and its notes as YAML text, in the order and with the blank lines of the author."""

from __future__ import annotations

import re

from dispatchfile.plain import yaml_writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.convert.notes import Notes, Path
    from dispatchfile.value import Plain

INDENT = "  "
_KEEPS = re.compile(r"(: |- )\|2?\+(  #.*)?\n")


def yaml(content: Plain, notes: Notes) -> str:
    """Return the text of a YAML Dispatchfile, with the line that names the flavour."""
    own = notes.at(())
    head = ["#!yaml", *_comments(own.before, "")]
    if isinstance(content, (dict, list)) and content:
        body = _block(content, (), "", notes)
        if own.before and body[0]:
            head.append("")
    else:
        body = [yaml_writer.scalar(content, "")]
    lines = [*head, *body, *_comments([*own.behind, *own.inside], "")]
    return "\n".join(_without_swallowed(lines)) + "\n"


def _without_swallowed(lines: list[str]) -> list[str]:
    """Return the lines without the blank ones behind a block that would count them as its own."""
    kept = lines[:1]
    for line in lines[1:]:
        if line or not _KEEPS.search(kept[-1]):
            kept.append(line)
    return kept


def _comments(lines: Sequence[str | None], indent: str) -> list[str]:
    return [f"{indent}#{line}" if line is not None else "" for line in lines]


def _block(content: dict[str, Plain] | list[Plain], path: Path, indent: str, notes: Notes) -> list[str]:
    """Return the lines of a struct or list that has something in it."""
    lines: list[str] = []
    was_long = False
    for label, item in content.items() if isinstance(content, dict) else enumerate(content):
        below = (*path, label)
        entry = (
            _field(label, item, below, indent, notes)
            if isinstance(label, str)
            else _element(item, below, indent, notes)
        )
        if not path and lines and entry[0] and (was_long or _is_long(entry)):
            lines.append("")
        was_long = _is_long(entry)
        lines += entry
    return lines


def _is_long(entry: list[str]) -> bool:
    return sum(not line.startswith("#") for line in entry) > 1 or "\n" in entry[-1]


def _field(label: str, item: Plain, path: Path, indent: str, notes: Notes) -> list[str]:
    """Return the lines of a field with the comments above it."""
    note = notes.at(path)
    # Bare, as people write it; a key is the string it was written as.
    key = label if label == "on" else yaml_writer.text(label)
    if not (isinstance(item, (dict, list)) and item):
        above: list[str | None] = [*note.before, *note.inside, *note.behind[1:]]
        return [
            *_comments(above, indent),
            _marked(f"{indent}{key}: {yaml_writer.scalar(item, indent)}", note.behind),
        ]
    deeper = indent + INDENT if isinstance(item, dict) else indent
    inner = _block(item, path, deeper, notes)
    above = [*note.before, *note.behind[1:]]
    if not inner[0]:  # a blank line belongs above the whole, not behind its key
        inner = inner[1:]
        above = above if above[:1] == [None] else [None, *above]
    # Further in than the key, but not so far that a block of text in front would take it for its own.
    swallowed = isinstance(item, list) and "\n" in inner[-1]
    end = _comments(note.inside, indent if swallowed else indent + INDENT)
    return [*_comments(above, indent), _marked(f"{indent}{key}:", note.behind), *inner, *end]


def _element(item: Plain, path: Path, indent: str, notes: Notes) -> list[str]:
    """Return the lines of an element with the comments above it, also those of its first field."""
    note = notes.at(path)
    if not (isinstance(item, (dict, list)) and item):
        above = [*note.before, *note.inside, *note.behind[1:]]
        return [
            *_comments(above, indent),
            _marked(f"{indent}- {yaml_writer.scalar(item, indent)}", note.behind),
        ]
    deeper = indent + INDENT
    inner = _block(item, path, deeper, notes)
    lines = _comments([*note.before, *note.behind], indent)
    while not inner[0] or inner[0].startswith(f"{deeper}#"):
        line = inner.pop(0)
        if line:
            lines.append(line.replace(deeper, indent, 1))
    first = inner.pop(0).removeprefix(deeper)
    return [*lines, f"{indent}- {first}", *inner, *_comments(note.inside, deeper)]


def _marked(line: str, behind: list[str]) -> str:
    """Return a field or element with a comment at the end of its first line."""
    if not behind:
        return line
    first, end, rest = line.partition("\n")
    return f"{first}  #{behind[0]}{end}{rest}"
