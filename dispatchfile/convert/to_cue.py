"""A value and its notes as modern CUE text, in the order of the author."""

from __future__ import annotations

from dispatchfile.cue import printer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.convert.notes import Notes, Path
    from dispatchfile.value import Plain

INDENT = "  "
WIDTH = 90
"""The column up to which a list of scalars, or a small struct in a list, stands on one line."""


def cue(content: Plain, notes: Notes) -> str:
    """Return the text of a CUE Dispatchfile, with the line that names the flavour.

    A field that holds only structs, such as `task`, is written as `task: "test": {…}` for each of them.
    """
    own = notes.at(())
    lines = ["#!cue", *_comments(own.before, "")]
    if not isinstance(content, dict):
        spare, block = _expression(content, (), "", notes)
        return "\n".join([*lines, *_comments(spare, ""), *block]) + "\n"
    blocks = _top(content, notes)
    for at, block in enumerate(blocks):
        apart = own.before if at == 0 else _is_long(block) or _is_long(blocks[at - 1])
        if apart and block[0]:
            lines.append("")
        lines += block
    return "\n".join([*lines, *_comments([*own.behind, *own.inside], "")]) + "\n"


def _is_long(block: list[str]) -> bool:
    return sum(not line.startswith("//") for line in block) > 1


def _comments(lines: Sequence[str | None], indent: str) -> list[str]:
    return [f"{indent}//{line}" if line is not None else "" for line in lines]


def _top(content: dict[str, Plain], notes: Notes) -> list[list[str]]:
    """Return the lines of each field, and of each struct in a field that holds only structs."""
    blocks: list[list[str]] = []
    for name, item in content.items():
        note = notes.at((name,))
        if not isinstance(item, dict) or not item or not all(isinstance(one, dict) for one in item.values()):
            blocks.append(_field(name, item, (name,), "", notes))
            continue
        above = _comments([*note.before, *note.behind], "")
        for key, one in item.items():
            blocks.append([*above, *_field(key, one, (name, key), "", notes, f"{printer.label(name)}: ")])
            above = []
        blocks[-1] += _comments(note.inside, "")
    return blocks


def _field(name: str, item: Plain, path: Path, indent: str, notes: Notes, outer: str = "") -> list[str]:
    """Return the lines of a field with the comments above it; `outer` is what the name is chained to."""
    note = notes.at(path)
    head = outer + (printer.quoted(name) if outer else printer.label(name)) + ": "
    above = list(note.before)
    while isinstance(item, dict) and len(item) == 1 and not note.behind and not note.inside:
        name, below = next(iter(item.items()))
        note = notes.at((*path, name))
        if note.before:
            note = notes.at(path)
            break
        path, item, head = (*path, name), below, f"{head}{printer.label(name)}: "
    spare, lines = _expression(item, path, indent, notes)
    return [*_comments([*above, *spare], indent), f"{indent}{head}{lines[0]}", *lines[1:]]


def _expression(
    item: Plain, path: Path, indent: str, notes: Notes, comma: str = ""
) -> tuple[list[str | None], list[str]]:
    """Return the comments that must stand above a value, and its lines, the first without its indentation."""
    note = notes.at(path)
    mark = f" //{note.behind[0]}" if note.behind else ""
    scalar = not isinstance(item, (dict, list))
    line = _line(item) if scalar or not notes.within(path) else None
    if line is not None and (scalar or len(indent) + len(line) <= WIDTH):
        return [*note.behind[1:], *note.inside], [line + comma + mark]
    if scalar:
        *lines, last = printer.literal(item, indent if comma else indent + INDENT).split("\n")
        return [*note.behind, *note.inside], [*lines, last + comma]
    deeper = indent + INDENT
    opening, closing = "{}" if isinstance(item, dict) else "[]"
    inner = list(_inner(item, path, deeper, notes))
    inner = inner[1:] if inner and not inner[0] else inner
    end = [*_comments(note.inside, deeper), indent + closing + comma]
    return list(note.behind[1:]), [opening + mark, *inner, *end]


def _inner(item: Plain, path: Path, indent: str, notes: Notes) -> Iterator[str]:
    """Yield the lines of what stands in a struct or list."""
    if isinstance(item, dict):
        for label, one in item.items():
            yield from _field(label, one, (*path, label), indent, notes)
    elif isinstance(item, list):
        for index, one in enumerate(item):
            yield from _element(one, (*path, index), indent, notes)


def _line(item: Plain) -> str | None:
    """Return a value on one line, None when it is better broken."""
    if isinstance(item, dict) and item:
        return None
    if isinstance(item, list):
        parts = [_small(one) for one in item]
        kinds = {isinstance(one, (dict, list)) for one in item}
        return f"[{', '.join(map(str, parts))}]" if None not in parts and True not in kinds else None
    text = printer.literal(item)
    return text if "\n" not in text else None


def _small(item: Plain) -> str | None:
    """Return a value of a list on one line: a scalar, or a struct of two scalars, such as a variable of `env`."""
    if not isinstance(item, dict) or not item:
        return _line(item)
    values = [_line(one) if not isinstance(one, list) else None for one in item.values()]
    if len(item) > 2 or None in values:
        return None
    return (
        "{"
        + ", ".join(f"{printer.label(name)}: {value}" for name, value in zip(item, values, strict=True))
        + "}"
    )


def _element(item: Plain, path: Path, indent: str, notes: Notes) -> list[str]:
    """Return the lines of an element and its comma, with the comments above it."""
    small = _small(item) if not notes.within(path) else None
    if small is not None and len(indent) + len(small) <= WIDTH:
        return [f"{indent}{small},"]
    spare, lines = _expression(item, path, indent, notes, ",")
    return [*_comments([*notes.at(path).before, *spare], indent), f"{indent}{lines[0]}", *lines[1:]]
