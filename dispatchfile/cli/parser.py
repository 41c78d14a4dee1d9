"""How commands describe their options, and the reading of plain command lines.

A command's `add_parser(commands)` speaks to argparse. But to import argparse and build its parsers takes as long as to
evaluate a Dispatchfile. So a command line is first held against an `Outline`, which takes the same description. What
is not plain (a call for help, something unknown, wrong or missing, a value to convert) is left to argparse, and with
it every message: see `argument_parser.py`.
"""

from __future__ import annotations

import os
from types import SimpleNamespace

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from dispatchfile.cli.argument_parser import Commands as Commands
    from dispatchfile.cli.argument_parser import Parser as Parser

GLOBAL_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-C",), {"dest": "directory", "metavar": "DIR", "default": "."}),
    (("-f", "--file"), {"metavar": "FILE"}),
    (("--flavour",), {"choices": ("cue", "yaml", "json")}),
    (("--config",), {"metavar": "FILE"}),
    (("--color",), {"choices": ("auto", "always", "never")}),
    (("-v", "--verbose"), {"action": "store_true"}),
    (("-q", "--quiet"), {"action": "store_true"}),
    (("--debug",), {"action": "store_true"}),
)
"""The options of every command, which may stand before or behind it."""


class NotPlain(Exception):
    """Argparse is to read this command line."""


class Argument(Record):
    """An option, or an argument without a name, as it was described to `add_argument`."""

    dest: str
    action: str
    nargs: str | None
    choices: Sequence[str]
    is_converted: bool


_UNSET: Any = object()


class Outline:
    """Stands in for argparse's parser of a command, its subparsers and its groups while the command describes itself."""

    def __init__(self) -> None:
        self.options: dict[str, Argument] = {}
        self.arguments: list[Argument] = []
        self.values: dict[str, Any] = {}
        for names, settings in GLOBAL_OPTIONS:
            self.add_argument(*names, **settings)

    def add_parser(self, _name: str, **_settings: Any) -> Outline:
        """Return the outline itself, which stands for the command's parser."""
        return self

    def add_argument_group(self, *_words: str) -> Outline:
        """Return the outline itself; groups matter to the help only."""
        return self

    def add_mutually_exclusive_group(self, **_settings: Any) -> Outline:
        """Raise NotPlain."""
        raise NotPlain

    def add_subparsers(self, **_settings: Any) -> Outline:
        """Raise NotPlain."""
        raise NotPlain

    def add_argument(
        self,
        *names: str,
        dest: str = "",
        action: Any = "store",
        nargs: Any = None,
        default: Any = _UNSET,
        choices: Sequence[str] = (),
        type: Callable[[str], Any] | None = None,  # noqa: A002 argparse's word
        **_settings: Any,
    ) -> None:
        """Note an argument; raises NotPlain for one that only argparse understands."""
        is_option = names[0].startswith("-")
        if (
            action not in ("store", "store_true", "append")
            or nargs not in (None, "?", "*")
            or (nargs and is_option)
        ):
            raise NotPlain
        if any(name in self.options for name in names):  # which one is meant depends on where it stands
            raise NotPlain
        long = next((name for name in names if name.startswith("--")), names[0])
        dest = dest or (long.lstrip("-").replace("-", "_") if is_option else names[0])
        argument = Argument(dest, action, nargs, choices, type is not None)
        if is_option:
            self.options.update(dict.fromkeys(names, argument))
        else:
            self.arguments.append(argument)
        empty: Any = False if action == "store_true" else [] if nargs == "*" else None
        self.values[dest] = empty if default is _UNSET else default

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Return what argparse would make of the arguments; raises NotPlain when they are not plain."""
        values, given = dict(self.values), iter(argv)
        words: list[str] = []
        for word in given:
            if word == "--":
                words += given
                break
            if not word.startswith("-") or word == "-":
                words.append(word)
                continue
            name, equals, text = word.partition("=")
            option = self.options.get(name)
            if option is None or (equals and not name.startswith("--")):
                raise NotPlain
            if option.action == "store_true":
                if equals:
                    raise NotPlain
                values[option.dest] = True
                continue
            if not equals:
                text = next(given, "-?")
                if text.startswith("-") and text != "-":
                    raise NotPlain
            _put(values, option, text)
        self._take(words, values)
        return SimpleNamespace(**values)  # type: ignore[return-value] # as good as argparse's own

    def _take(self, words: list[str], values: dict[str, Any]) -> None:
        """Hand the words that are no options to the arguments without a name, in their order."""
        for argument in self.arguments:
            if argument.nargs == "*":
                for word in words:
                    _put(values, argument, word)
                values[argument.dest] = [*words] or values[argument.dest]
                words = []
            elif words:
                _put(values, argument, words.pop(0))
            elif argument.nargs is None:
                raise NotPlain
        if words:
            raise NotPlain


def _put(values: dict[str, Any], argument: Argument, text: str) -> None:
    if argument.is_converted or (argument.choices and text not in argument.choices):
        raise NotPlain
    values[argument.dest] = [*(values[argument.dest] or ()), text] if argument.action == "append" else text


def plain(add_parser: Callable[[Any], None], argv: Sequence[str]) -> argparse.Namespace | None:
    """Return the arguments of a command whose command line is plain, else None."""
    try:
        outline = Outline()
        add_parser(outline)
        return outline.read(argv)
    except NotPlain:
        return None


def columns() -> int:
    """Return the width of the terminal by COLUMNS or the terminal itself, else 80."""
    try:
        return int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size().columns or 80
    except (OSError, ValueError):
        return 80


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest known spelling, or nothing."""
    from dispatchfile.spelling import nearest

    near = nearest(name, known)
    return f'did you mean "{near}"?' if near else ""


def examples(*lines: str) -> str:
    """Return the text of a command's examples, for the end of its help."""
    return "examples:\n" + "".join(f"  {line}\n" for line in lines)
