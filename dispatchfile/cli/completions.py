"""`dispatchfile completions`: the script that lets a shell complete commands, options, and their values."""

from __future__ import annotations

import argparse
import sys

from dispatchfile import late
from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cli.argument_parser import Parser
    from dispatchfile.cli.parser import Commands

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = examples(
    "dispatchfile completions bash > ~/.local/share/bash-completion/completions/dispatchfile",
    'dispatchfile completions zsh > "${fpath[1]}/_dispatchfile"',
    "dispatchfile completions fish > ~/.config/fish/completions/dispatchfile.fish",
)

# What the value of an option or an argument is, by the word that the help has for it.
_PATHS = {"FILE": "FILE", "JSON": "FILE", "PATH": "FILE", "DIR": "DIRECTORY"}
_WORDS = "dispatchfile explain --all 2>/dev/null | cut -d ' ' -f 1"
# The words that stand for no branch where `tekton` asks for one.
_TARGETS = "printf '%s\\n' triggers pac"


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "completions",
        description="Print a script for completions of commands, options, files, and values in a shell.",
        epilog=EXAMPLES,
    )
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh, or fish")


def main(args: argparse.Namespace) -> int:
    """Print the script; return 0."""
    import shtab

    sys.stdout.write(shtab.complete(whole_parser(), args.shell))
    return 0


def whole_parser() -> Parser:
    """Return one parser of the whole command line, with what shtab asks for about commands and paths."""
    from dispatchfile.cli.argument_parser import Parser, add_global_options
    from dispatchfile.cli.main import COMMANDS

    top = Parser(prog="dispatchfile", add_help=False)
    add_global_options(top)
    commands = top.add_subparsers(prog="dispatchfile", dest="command", parser_class=Parser)
    for name, text in COMMANDS.items():
        late.module(f"dispatchfile.cli.{name}").add_parser(commands)
        commands.choices[name].description = text
    _describe(top)
    return top


def _describe(parser: Parser) -> None:
    """Say what the values of a parser's options and arguments are, and name its commands."""
    import shtab

    parser.fill()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                text = (below.description or "").partition("\n")[0]
                below.description = text
                action._choices_actions.append(action._ChoicesPseudoAction(name, (), text))
                _describe(below)
        elif isinstance(action.metavar, str) and action.metavar in _PATHS:
            action.complete = getattr(shtab, _PATHS[action.metavar])  # type: ignore[attr-defined] # where shtab looks
        elif "--target" in action.option_strings and parser.prog.endswith(" tekton"):
            action.complete = shtab.cmd(_TARGETS)  # type: ignore[attr-defined] # as above
        elif action.metavar == "WORD":
            action.complete = shtab.cmd(_WORDS)  # type: ignore[attr-defined] # as above
