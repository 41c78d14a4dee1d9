"""Regular expressions in the syntax of RE2: whether a pattern matches somewhere in a text, in linear time.

Python's own engine backtracks, and a pattern such as `(a+)+$` can keep it busy for years. It is used only where that
cannot happen; other patterns are run as an automaton that is in many states at once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined] # not in the stubs
from re import _parser as parser  # type: ignore[attr-defined] # not in the stubs

from dispatchfile.cue.values import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.source import Span

_UNSUPPORTED = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P[=>])|\\[1-9]|(?<!\\)\\[ZuN]|[*+?}]\+(?![^\[]*\])")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_PROPERTIES = {"L": r"[^\W\d_]", "Lu": "[A-Z]", "Ll": "[a-z]", "N": r"\d", "Nd": r"\d"}
STATES = 10_000
LONG = 4_000  # characters, in which an expression with one repetition may still be tried from every place
WORK = 1_000_000  # states of an automaton, summed over the characters of a text
LARGEST_REPEAT = 1_000  # as in RE2


def search(pattern: str | bytes, text: str | bytes, span: Span | None) -> bool:
    """Return whether the pattern matches somewhere in the text; raises Stop when it is not a valid one."""
    if isinstance(pattern, bytes):
        pattern = pattern.decode("latin-1")
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    try:
        compiled = _compiled(pattern, long=len(text) > LONG)
    except (re.error, RecursionError, OverflowError, KeyError) as problem:
        raise fail(f"invalid regular expression: {problem}", span) from problem
    if not isinstance(compiled, Automaton):
        return compiled.search(text) is not None
    found = compiled.search(text)
    if found is None:
        raise fail(f"matching the regular expression takes more than {WORK} steps on this text", span)
    return found


@lru_cache(maxsize=4096)
def _compiled(pattern: str, *, long: bool = False) -> re.Pattern[str] | Automaton:
    if _UNSUPPORTED.search(pattern):
        raise re.error("look-around, back references and possessive repetitions are not part of the syntax")
    for times in re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern):
        if any(len(number) > 4 or int(number or 0) > LARGEST_REPEAT for number in times):
            raise re.error(f"nothing can be repeated more than {LARGEST_REPEAT} times")
    text = re.sub(r"\[:(\w+):\]", lambda m: _CLASSES.get(m.group(1), m.group()), pattern)
    text = re.sub(r"\\p\{?(\w+?)\}?(?=\W|$)", lambda m: _PROPERTIES.get(m.group(1), m.group()), text)
    text = text.replace(r"\z", r"\Z").replace(r"\C", ".")
    if "(?m" not in text:
        text = re.sub(r"(?<!\\)\$(?![^\[]*\])", r"\\Z", text)
    compiled = re.compile(text, re.ASCII)
    tree = parser.parse(text, re.ASCII)
    return Automaton(tree, compiled.flags) if _repeats(tree) > (0 if long else 1) else compiled


def _repeats(tree: Any) -> int:
    """Return how many repetitions may compete for the same characters; one within another counts for many."""
    count = 0
    for code, argument in tree:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            inner = _repeats(argument[2])
            count += inner * 9 + (argument[1] != argument[0]) if argument[1] > 1 else inner + 1
        elif code is op.SUBPATTERN:
            count += _repeats(argument[3])
        elif code is op.BRANCH:
            count += 1 + sum(_repeats(branch) for branch in argument[1])
    return count


class Automaton:
    """States with edges: on a character (a test), or free, some of them only at certain places."""

    def __init__(self, tree: Any, flags: int) -> None:
        self.flags = flags
        self.free: list[list[tuple[Any, int]]] = []
        self.test: list[tuple[re.Pattern[str], int] | None] = []
        self.start = self.state()
        self.end = self.sequence(tree, self.start)

    def state(self) -> int:
        """Return the number of a new state."""
        if len(self.free) >= STATES:
            raise re.error("the expression is too large")
        self.free.append([])
        self.test.append(None)
        return len(self.free) - 1

    def sequence(self, tree: Any, start: int) -> int:
        """Add the states of a sequence behind `start`; return the one it ends in."""
        for code, argument in tree:
            start = self.item(code, argument, start)
        return start

    def item(self, code: Any, argument: Any, start: int) -> int:
        """Add one item of a sequence behind `start`; return the state it ends in."""
        if code is op.SUBPATTERN:
            return self.sequence(argument[3], start)
        if code is op.AT:
            end = self.state()
            self.free[start].append((argument, end))
            return end
        if code is op.BRANCH:
            end = self.state()
            for branch in argument[1]:
                first = self.state()
                self.free[start].append((None, first))
                self.free[self.sequence(branch, first)].append((None, end))
            return end
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self.repeat(argument[0], argument[1], argument[2], start)
        end = self.state()
        self.test[start] = (_single(code, argument, self.flags), end)
        return end

    def repeat(self, least: int, most: Any, tree: Any, start: int) -> int:
        """Add a repetition behind `start`; return the state it ends in."""
        for _ in range(least):
            start = self.sequence(tree, start)
        end = self.state()
        self.free[start].append((None, end))
        if most is op.MAXREPEAT:
            first = self.state()
            self.free[start].append((None, first))
            last = self.sequence(tree, first)
            self.free[last] += [(None, first), (None, end)]
            return end
        for _ in range(most - least):
            first = self.state()
            self.free[start].append((None, first))
            start = self.sequence(tree, first)
            self.free[start].append((None, end))
        return end

    def search(self, text: str) -> bool | None:
        """Return whether the expression matches somewhere in the text; None when that takes too long to find out."""
        states: set[int] = set()
        work = 0
        for place in range(len(text) + 1):
            states = self.closed({*states, self.start}, text, place)
            work += len(states)
            if work > WORK:
                return None
            if self.end in states:
                return True
            if place < len(text):
                tests = [self.test[state] for state in states]
                states = {found[1] for found in tests if found is not None and found[0].match(text[place])}
        return False

    def closed(self, states: set[int], text: str, place: int) -> set[int]:
        """Return the states with all that free edges lead to at a place of the text."""
        todo = list(states)
        while todo:
            for where, target in self.free[todo.pop()]:
                if target not in states and (where is None or _at(where, text, place, self.flags)):
                    states.add(target)
                    todo.append(target)
        return states


def _at(where: Any, text: str, place: int, flags: int) -> bool:
    lines = bool(flags & re.MULTILINE)
    if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
        return place == 0 or (lines and where is op.AT_BEGINNING and text[place - 1] == "\n")
    if where in (op.AT_END, op.AT_END_STRING):
        return place == len(text) or (lines and where is op.AT_END and text[place] == "\n")
    words = [
        0 <= at < len(text) and (text[at] == "_" or (text[at].isascii() and text[at].isalnum()))
        for at in (place - 1, place)
    ]
    return (words[0] != words[1]) == (where is op.AT_BOUNDARY)


def _single(code: Any, argument: Any, flags: int) -> re.Pattern[str]:
    """Return a pattern for one character."""
    kept = flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
    if code is op.ANY:
        return re.compile(".", kept)
    if code in (op.LITERAL, op.NOT_LITERAL):
        text = f"\\U{argument:08x}"
        return re.compile(text if code is op.LITERAL else f"[^{text}]", kept)
    if code is not op.IN:
        raise re.error(f"{code} is not part of the syntax")
    return re.compile("[" + "".join([_member(*member) for member in argument]) + "]", kept)


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s", op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _member(code: Any, argument: Any) -> str:
    if code is op.NEGATE:
        return "^"
    if code is op.CATEGORY:
        return _CATEGORIES[argument]
    if code is op.RANGE:
        return f"\\U{argument[0]:08x}-\\U{argument[1]:08x}"
    return f"\\U{argument:08x}"
