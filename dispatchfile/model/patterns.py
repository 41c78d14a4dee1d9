"""The patterns of conditions: those that cannot be read, and lists that nothing can ever match."""

from __future__ import annotations

from itertools import pairwise

from dispatchfile.diagnostics import Diagnostic, Related, Severity
from dispatchfile.model.pipeline import Action, Condition
from dispatchfile.model.schema import ON
from dispatchfile.model.shape import ListOf, Table, Text
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.glob import Mode

# Patterns of these characters can be read, and match names that git allows.
_ORDINARY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./*@")
# What git refuses in the name of a branch or tag (git-check-ref-format), other than what patterns use themselves.
_NEVER_IN_REFS = {" ": "space", "~": "`~`", "^": "`^`", ":": "`:`"}


def check(found: Condition, action: Action, path: str) -> Iterator[Diagnostic]:
    """Yield the bad patterns of a condition, and its lists that exclude all they include."""
    for name, kind in _lists(found):
        place = found.value.at(name)
        if place is None or not isinstance(place.data, list):
            continue
        listed = [(item, item.data) for item in place.data if isinstance(item.data, str)]
        bad = [
            problem
            for index, (item, pattern) in enumerate(listed)
            if not (pattern and _ORDINARY.issuperset(pattern.removeprefix("!")) and pattern != "!")
            for problem in _check_pattern(item, pattern, f"{path}.{name}[{index}]", kind)
        ]
        yield from bad
        if not bad and any(pattern.startswith("!") for _, pattern in listed):
            yield from _check_contradiction(place, listed, action, f"{path}.{name}", kind)


def _lists(found: Condition) -> Iterator[tuple[str, Mode | None]]:
    """Yield the fields of a condition that list patterns, and how their patterns match; labels are no patterns."""
    table: Table = ON
    for part in found.path:
        shape = table.by_name[part].shape
        table = shape if isinstance(shape, Table) else table
    for field in table.fields:
        if isinstance(field.shape, ListOf) and isinstance(field.shape.item, Text):
            kind = field.shape.item.kind
            if kind in ("glob", "path-glob"):
                yield field.name, "path" if kind == "path-glob" else "name"
            elif field.name == "labels":
                yield field.name, None


def _check_pattern(item: Value, pattern: str, path: str, mode: Mode | None) -> Iterator[Diagnostic]:
    if mode is None:
        return
    from dispatchfile import glob

    try:
        glob.check((pattern,))
    except glob.GlobError as error:
        yield Diagnostic(
            "DF303", Severity.ERROR, f'"{pattern}" is no pattern: {error}', item.span or item.key,
            help="a backslash takes the next character as it is" if pattern.strip("!") else "", path=path,
        )  # fmt: skip
        return
    never = _never_in_refs(pattern) if mode == "name" else ""
    if never:
        yield Diagnostic(
            "DF303", Severity.ERROR, f'the pattern "{pattern}" never matches: git allows no {never} in a name',
            item.span or item.key, help="write one pattern an entry" if never == "space" else "", path=path,
        )  # fmt: skip


def _never_in_refs(pattern: str) -> str:
    """Return the name of a character in the pattern that no name of git holds; those of classes and choices aside."""
    if any(char in pattern for char in "[{"):
        return ""
    # One in front of a letter takes it as it is, which nobody would write.
    after = [following for char, following in pairwise(pattern) if char == "\\"]
    if any(char == "\\" or char.isalnum() for char in after):
        return "backslash"
    return next((name for char, name in _NEVER_IN_REFS.items() if char in pattern), "")


def _check_contradiction(
    place: Value, listed: list[tuple[Value, str]], action: Action, path: str, mode: Mode | None
) -> Iterator[Diagnostic]:
    excluding = {pattern[1:]: item for item, pattern in listed if pattern.startswith("!")}
    including = [pattern for _, pattern in listed if not pattern.startswith("!")]
    if mode is None:
        # All labels of the list are asked for, so a single contradiction is enough.
        blocked = [excluding[label] for label in including if label in excluding][:1]
        barred = bool(blocked)
    else:
        blockers = [
            next((item for other, item in excluding.items() if _covers(other, pattern, mode)), None)
            for pattern in including or ["*" if mode == "name" else "**"]
        ]
        blocked = [item for item in blockers if item is not None]
        barred = len(blocked) == len(blockers)
    if not barred:
        return
    places = dict.fromkeys(item.span for item in blocked if item.span is not None)
    yield Diagnostic(
        "DF302",
        Severity.WARNING,
        f"{action.title} never fires: its `{path.rsplit('.', 1)[-1]}` exclude all that they include",
        place.span or place.key,
        "nothing is left",
        tuple(Related(span, "excluded here") for span in places),
        "order does not matter: what a `!` pattern matches is out; remove it, or include something else",
        path,
    )


def _covers(excluding: str, including: str, mode: Mode) -> bool:
    """Return whether one pattern certainly matches all that another one does.

    In names a `*` takes anything, so a pattern of plain characters and `*` takes what another matches when it takes
    its text with a letter that no name holds for each `*`. Paths are compared without wildcards, or as they are.
    """
    if excluding == including or (mode == "path" and excluding == "**"):
        return True
    if any(char in "?[{\\" for char in excluding) or any(char in "[{\\" for char in including):
        return False
    if mode == "path" and any(char in "*?" for char in including):
        return False
    from dispatchfile import glob

    return glob.matches(excluding, including.replace("*", "\x00").replace("?", "\x00"), mode)
