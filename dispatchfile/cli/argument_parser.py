"""An argument parser that raises our errors, knows near misses, and lets options and arguments mix.

It reads every command line that `parser.plain` does not, and prints all help.
"""

from __future__ import annotations

import argparse

from dispatchfile.cli.parser import GLOBAL_OPTIONS, columns, suggestion
from dispatchfile.errors import UsageError
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    Commands = argparse._SubParsersAction["Parser"]


# Help and messages are English throughout; looking for translations of argparse's own words takes 2 ms of each start.
argparse._ = str  # type: ignore[attr-defined] # the name under which it has imported gettext


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, which argparse asks `shutil` for at every option: a tenth of the start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns() - 2)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser for one command: no abbreviations, line breaks of descriptions and examples kept."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _Help)
        settings.setdefault("allow_abbrev", False)
        super().__init__(**settings)

    def options(self) -> list[argparse.Action]:
        """Return the actions that have option strings."""
        return [action for action in self._actions if action.option_strings]

    def parse(self, argv: Sequence[str], namespace: argparse.Namespace) -> None:
        """Parse a command's arguments into the namespace; raises UsageError."""
        argv = _with_words_marked(argv)
        nested = next((a for a in self._actions if isinstance(a, argparse._SubParsersAction)), None)
        read = self.parse_known_args if nested else self.parse_known_intermixed_args
        unknown = [_unmarked(text) for text in read(argv, namespace)[1]]
        for dest, value in vars(namespace).items():
            setattr(namespace, dest, _unmarked(value))
        if not unknown:
            return
        deepest = self._chosen(namespace)
        wrong = next((text for text in unknown if text.startswith("-")), unknown[0])
        name = wrong.partition("=")[0]
        what = "option" if wrong.startswith("-") else "argument"
        known = [text for action in deepest.options() for text in action.option_strings]
        raise UsageError(
            f'unknown {what} "{name}"', help=suggestion(name, known) or f"see `{deepest.prog} --help`"
        )

    def fill(self) -> None:
        """Add what was not added before it was needed; most parsers have all from the start."""

    def _chosen(self, namespace: argparse.Namespace) -> Parser:
        """Return the parser of the action that the arguments chose, or of the action of an action."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                below: Parser = action.choices[getattr(namespace, action.dest)]
                return below._chosen(namespace)
        return self

    def accept_global_options(self) -> None:
        """Let the global options stand behind the command too, wherever the command has no such option itself."""
        add_global_options(self, behind=True)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    parser.accept_global_options()

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message.removeprefix("argument "), help=f"see `{self.prog} --help`")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        value = _unmarked(value)
        choices = [str(choice) for choice in action.choices]
        near = nearest(str(value), choices)
        hint = f', did you mean "{near}"?' if near else f"; expected one of {', '.join(choices)}"
        raise argparse.ArgumentError(action, f'"{value}" is not known{hint}')


# No argument of a process holds this character.
_WORD = "\0"


def _with_words_marked(argv: Sequence[str]) -> list[str]:
    """Return arguments with those behind `--` marked as words: argparse would take them for options all the same."""
    at = argv.index("--") if "--" in argv else len(argv)
    return [*argv[:at], *(f"{_WORD}{text}" for text in argv[at + 1 :])]


def _unmarked(value: Any) -> Any:
    """Return a value, or the values of a list, without the mark of words."""
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    return value.removeprefix(_WORD) if isinstance(value, str) else value


def add_global_options(parser: Parser, *, behind: bool = False) -> None:
    """Add the options of every command; those `behind` a command are not shown and change nothing unless given."""
    taken = {text for action in parser.options() for text in action.option_strings}
    for names, settings in GLOBAL_OPTIONS:
        free = [name for name in names if name not in taken]
        if not free:
            continue
        settings = {"dest": names[-1].lstrip("-"), **settings}
        if behind:
            settings.update(default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        parser.add_argument(*free, **settings)
    if not behind:
        parser.add_argument("--version", action="store_true")
        parser.add_argument("-h", "--help", action="store_true")
