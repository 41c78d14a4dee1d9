r"""Glob patterns of conditions and file selections, as gobwas/glob reads them; whole-string match.

`*` any characters, `?` one character, `[abc]` `[!a]` `[a-z]` one of a class, `{a,b}` alternatives (nested too),
`\\` takes the next character as it is. There are two modes. For names (branches, tags) `*` crosses `/`. For paths
`/` separates: `*`, `?` and classes stop at it, `**` crosses it, and a leading `**/` matches at the root too.

A pattern becomes a set of states that is walked once along the value, so time is bounded by the product of the two
lengths whatever the pattern; a backtracking `re` would not be.
"""

from __future__ import annotations

from functools import lru_cache

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal, TypeAlias

    Mode: TypeAlias = Literal["name", "path"]
    Items: TypeAlias = "tuple[Item, ...]"
    Item: TypeAlias = "str | Class | Star | Alternatives"
    States: TypeAlias = "frozenset[State]"

LONGEST = 2000
DEEPEST = 20


class GlobError(ValueError):
    """A pattern that cannot be read; `offset` is where in the pattern."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Class(Record):
    """One character: of the ranges, or of none of them when negated. No range and negated is any character."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool


class Star(Record):
    """Any characters; `crosses` the separator or not."""

    crosses: bool


class Alternatives(Record):
    """One of several sequences."""

    branches: tuple[Items, ...]


ANY = Class((), negated=True)


def matches(pattern: str, value: str, mode: Mode = "name") -> bool:
    """Return whether a single pattern, without a leading `!`, matches the whole value; raises GlobError."""
    states = _compiled(pattern, mode)
    for char in value:
        states = frozenset().union(*(state.follow for state in states if state.takes(char)))
        if not states:
            return False
    return END in states


class Verdict(Record):
    """What a list of patterns says of a value, and the pattern that decided; None when it was no single one."""

    holds: bool
    pattern: str | None


def decide(patterns: Sequence[str], value: str, mode: Mode = "name") -> Verdict:
    """Return whether a list of patterns takes a value; raises GlobError.

    It does when a positive pattern matches, or there is none, and no negative one (`!…`) matches; the order does
    not matter (Dispatch 1.4, "Glob patterns").
    """
    for pattern in patterns:
        if pattern.startswith("!") and matches(pattern[1:], value, mode):
            return Verdict(holds=False, pattern=pattern)
    positive = [pattern for pattern in patterns if not pattern.startswith("!")]
    for pattern in positive:
        if matches(pattern, value, mode):
            return Verdict(holds=True, pattern=pattern)
    return Verdict(holds=not positive, pattern=None)


def check(patterns: Iterable[str]) -> None:
    """Raise GlobError for the first pattern that cannot be read."""
    for pattern in patterns:
        if pattern == "!":
            raise GlobError('a "!" needs a pattern behind it', 0)
        if not pattern:
            raise GlobError("an empty pattern matches nothing", 0)
        parse(pattern.removeprefix("!"))


def to_regex(pattern: str, mode: Mode = "name") -> str:
    """Return the regular expression, valid for RE2 and Python alike, that matches the same values; raises GlobError."""
    return f"^(?s:{_regex(_rooted(parse(pattern), mode), mode)})$"


# Reading


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Items:
    """Return the items of a pattern without a leading `!`; raises GlobError."""
    if len(pattern) > LONGEST:
        raise GlobError(
            f"a pattern may have at most {LONGEST} characters, this one has {len(pattern)}", LONGEST
        )
    items, at = _sequence(pattern, 0, 0)
    if at < len(pattern):
        raise GlobError(f'"{pattern[at]}" without the "{{" it belongs to', at)
    return items


def _sequence(pattern: str, at: int, depth: int) -> tuple[Items, int]:
    """Read items up to the end, or inside braces up to the `,` or `}` that ends them."""
    items: list[Item] = []
    while at < len(pattern):
        char = pattern[at]
        if char == "}" or (depth and char == ","):
            break
        item: Item
        if char == "*":
            start = at
            while at < len(pattern) and pattern[at] == "*":
                at += 1
            item = Star(crosses=at - start > 1)
        elif char == "?":
            item, at = ANY, at + 1
        elif char == "[":
            item, at = _class(pattern, at)
        elif char == "{":
            item, at = _alternatives(pattern, at, depth + 1)
        elif char == "\\":
            if at + 1 == len(pattern):
                raise GlobError("a backslash needs a character behind it", at)
            item, at = pattern[at + 1], at + 2
        else:
            item, at = char, at + 1
        items.append(item)
    return tuple(items), at


def _alternatives(pattern: str, at: int, depth: int) -> tuple[Alternatives, int]:
    if depth > DEEPEST:
        raise GlobError(f"braces are nested more than {DEEPEST} deep", at)
    start, branches = at, []
    while True:
        items, at = _sequence(pattern, at + 1, depth)
        branches.append(items)
        if at == len(pattern):
            raise GlobError('"{" is never closed by "}"', start)
        if pattern[at] == "}":
            return Alternatives(tuple(branches)), at + 1


def _class(pattern: str, at: int) -> tuple[Class, int]:
    start, at = at, at + 1
    negated = pattern[at : at + 1] == "!"
    at += negated
    ranges: list[tuple[str, str]] = []
    while True:
        low, at = _class_char(pattern, at, start)
        if low is None:
            break
        high: str | None = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _class_char(pattern, at + 1, start)
        if high is None or high < low:
            raise GlobError(f'the range "{low}-{high}" runs backwards', at - 1)
        ranges.append((low, high))
    if not ranges:
        raise GlobError('"[]" names no character', start)
    return Class(tuple(ranges), negated), at


def _class_char(pattern: str, at: int, start: int) -> tuple[str | None, int]:
    """Return the next character of a class, None for its `]`, and where to go on."""
    escaped = pattern[at : at + 1] == "\\"
    at += escaped
    if at >= len(pattern):
        raise GlobError('"[" is never closed by "]"', start)
    return (None if pattern[at] == "]" and not escaped else pattern[at]), at + 1


def _rooted(items: Items, mode: Mode) -> Items:
    """Return the items with a leading `**/` of a path made optional, also where it leads alternatives."""
    if mode == "name" or not items:
        return items
    first = items[0]
    if isinstance(first, Alternatives):
        return Alternatives(tuple(_rooted(branch, mode) for branch in first.branches)), *items[1:]
    if first == Star(crosses=True) and items[1:2] == ("/",):
        return Alternatives(((), items[:2])), *items[2:]
    return items


# Walking


class State:
    """A place in the pattern that takes one character; `follow` are the places that may come next."""

    __slots__ = ("follow", "item", "separated")

    def __init__(self, item: str | Class, *, separated: bool, follow: States) -> None:
        self.item = item
        self.separated = separated
        self.follow = follow

    def takes(self, char: str) -> bool:
        """Return whether the character may stand here."""
        if isinstance(self.item, str):
            return char == self.item
        if self.separated and char == "/":
            return False
        return any(low <= char <= high for low, high in self.item.ranges) != self.item.negated


END = State("", separated=False, follow=frozenset())


@lru_cache(maxsize=1024)
def _compiled(pattern: str, mode: Mode) -> States:
    return _enter(_rooted(parse(pattern), mode), mode, frozenset((END,)))


def _enter(items: Items, mode: Mode, follow: States) -> States:
    """Return the states in which a sequence starts, when `follow` are those behind it."""
    for item in reversed(items):
        if isinstance(item, Alternatives):
            follow = frozenset().union(*(_enter(branch, mode, follow) for branch in item.branches))
        elif isinstance(item, Star):
            loop = State(ANY, separated=mode == "path" and not item.crosses, follow=follow)
            loop.follow = follow = follow | {loop}
        else:
            follow = frozenset((State(item, separated=mode == "path", follow=follow),))
    return follow


# Regular expressions


def _regex(items: Items, mode: Mode) -> str:
    return "".join(_regex_item(item, mode) for item in items)


def _regex_item(item: Item, mode: Mode) -> str:
    if isinstance(item, str):
        return _quoted(item, r"\.+*?()|[]{}^$")
    if isinstance(item, Alternatives):
        return f"(?:{'|'.join(_regex(branch, mode) for branch in item.branches)})"
    if isinstance(item, Star):
        return "[^/]*" if mode == "path" and not item.crosses else ".*"
    separated = mode == "path"
    if item == ANY:
        return "[^/]" if separated else "."
    if item.negated:
        return f"[^{_regex_ranges(item.ranges)}{'/' if separated else ''}]"
    ranges = _without_separator(item.ranges) if separated else item.ranges
    return f"[{_regex_ranges(ranges)}]" if ranges else r"[^\s\S]"


def _without_separator(ranges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ranges with `/` cut out of them."""
    cut: list[tuple[str, str]] = []
    for low, high in ranges:
        if low <= "/" <= high:
            cut += [(low, ".")] * (low < "/") + [("0", high)] * (high > "/")
        else:
            cut.append((low, high))
    return cut


def _regex_ranges(ranges: Iterable[tuple[str, str]]) -> str:
    return "".join(
        _quoted(low, r"\]^-[") + ("" if low == high else "-" + _quoted(high, r"\]^-["))
        for low, high in ranges
    )


def _quoted(char: str, special: str) -> str:
    return f"\\{char}" if char in special else char
