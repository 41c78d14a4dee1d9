"""The command line: global options, the choice of a command, and how errors are told.

Only the module of the chosen command is imported, and none for `--help`: that is what keeps the start short.
A command's module `dispatchfile/cli/NAME.py` has two functions, `add_parser(commands)`, which adds its parser
(see `parser.Parser`), and `main(args) -> int`, which returns the exit code.
"""

from __future__ import annotations

import os
import sys

from dispatchfile import __version__, late
from dispatchfile.cli.parser import plain, suggestion
from dispatchfile.config import apply
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, EvaluationError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from types import ModuleType

    from dispatchfile.cli.argument_parser import Parser

COMMANDS = {
    "run": "run what an event would run, in Docker",
    "plan": "say what would run and why; run nothing",
    "graph": "draw the task graph",
    "lint": "find mistakes, and mend those that can be",
    "fmt": "format Dispatchfiles",
    "migrate": "rewrite deprecated syntax, convert between CUE, YAML, and JSON",
    "init": "write a Dispatchfile to start from",
    "render": "print the evaluated pipeline",
    "tekton": "print the same pipeline for a cluster: Tekton, Triggers, Pipelines-as-Code",
    "gitops": "update GitOps repositories, and run what they hold",
    "login": "keep the token of a git host or a registry, or print it for a cluster",
    "doctor": "say what works on this machine, and what to do about what does not",
    "explain": "say what a rule, field, variable, or exit code means",
    "completions": "print the completions for a shell",
    "lsp": "run the language server, for editors",
    "runs": "list the runs of this repository",
    "logs": "print the logs of a run",
    "clean": "remove what killed runs left behind",
}

USAGE = "dispatchfile [-C DIR] [-f FILE] [--color auto|always|never] [-v | -q] COMMAND …"

COMMAND_LIST = "commands:\n" + "".join(f"  {name:11}  {text}\n" for name, text in COMMANDS.items())

GLOBAL_OPTIONS = """\
global options (before or after the command):
  -C DIR             work as if started in DIR
  -f, --file FILE    the Dispatchfile (default: Dispatchfile, else Dispatchfile.cue .yaml .json)
  --flavour FLAVOUR  cue, yaml or json, whatever its first line and its name say
  --config FILE      project settings (default: the nearest .dispatchfile.toml up to the git root)
  --color WHEN       auto, always or never
  -v, --verbose      say more
  -q, --quiet        say nothing but results and errors
  --debug            show a traceback with an error
  --version          print the version
  -h, --help         this text; `dispatchfile COMMAND --help` says more about a command
"""

EXAMPLES = """\
examples:
  dispatchfile plan --event push --branch main     what would a push to main run, and why?
  dispatchfile run                                 run what the commit you are on would run
  dispatchfile run build --event pull-request      run one task, and what it needs
  dispatchfile graph --format svg --out tasks.svg  draw the tasks"""


def main(argv: Sequence[str]) -> int:
    """Run the command that the arguments ask for and return its exit code; errors are told on stderr."""
    debug, color = "--debug" in argv, None
    try:
        started_in = os.getcwd()
    except FileNotFoundError:
        tell(EnvironmentProblem("the directory you are in does not exist any more", help="cd to another one"))
        return EnvironmentProblem.exit_code
    try:
        args = parse(argv)
        if isinstance(args, int):
            return args
        color = args.color
        _enter(args.directory)
        apply(args)
        color = args.color
        code: int = _module(args.command).main(args)
    except DispatchfileError as error:
        if debug:
            raise
        tell(error, color)
        return error.exit_code
    finally:
        os.chdir(started_in)
    return code


def parse(argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the parsed arguments, or the exit code when nothing is left to do; raises UsageError."""
    if argv and argv[0] in COMMANDS:
        args = plain(_module(argv[0]).add_parser, argv[1:])
        if args is not None:
            args.command = argv[0]
            return args
    return _parsed(argv)


def _parsed(argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the same, read by argparse."""
    import argparse

    from dispatchfile.cli.argument_parser import Parser, add_global_options

    top = Parser(prog="dispatchfile", usage=USAGE, add_help=False)
    add_global_options(top)
    at = _command_index(top, argv)
    args = argparse.Namespace()
    top.parse(argv[:at], args)
    if args.help or args.version:
        print(help_text() if args.help else f"dispatchfile {__version__}")
        return 0
    if at == len(argv):
        print(f"usage: {USAGE}\n\n{COMMAND_LIST}\n{EXAMPLES}", file=sys.stderr)
        return 2
    name = argv[at]
    if name not in COMMANDS:
        raise UsageError(
            f'unknown command "{name}"',
            help=suggestion(name, COMMANDS) or f"the commands are {', '.join(COMMANDS)}",
        )
    del args.help, args.version
    try:
        command_parser(name).parse(argv[at + 1 :], args)
    except SystemExit:  # argparse ends so when it has printed a command's help
        return 0
    args.command = name
    return args


def help_text() -> str:
    """Return what `dispatchfile --help` prints."""
    return f"usage: {USAGE}\n\nInterpreter and toolchain for Dispatchfiles.\n\n{COMMAND_LIST}\n{GLOBAL_OPTIONS}\n{EXAMPLES}"


def command_parser(name: str) -> Parser:
    """Return argparse's parser of one command; imports that command's module only."""
    from dispatchfile.cli.argument_parser import Parser

    commands = Parser(prog="dispatchfile", add_help=False).add_subparsers(
        prog="dispatchfile", dest="command", parser_class=Parser
    )
    _module(name).add_parser(commands)
    parser: Parser = commands.choices[name]
    parser.accept_global_options()
    return parser


def _module(name: str) -> ModuleType:
    """Return the module of a command."""
    return late.module(f"dispatchfile.cli.{name}")


def _command_index(top: Parser, argv: Sequence[str]) -> int:
    """Return where the command stands: the first argument that is neither an option nor an option's value."""
    takes_value = {text for action in top.options() if action.nargs is None for text in action.option_strings}
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-":
        at += 2 if argv[at] in takes_value else 1
    return min(at, len(argv))


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(
            f"cannot work in {directory}: {error.strerror}", help="-C names a directory"
        ) from error


def tell(error: DispatchfileError, color: str | None = None) -> None:
    """Print an error on stderr: its diagnostics when it has some, one line, and what to do about it."""
    from dispatchfile.cli.terminal import Terminal
    from dispatchfile.report.text import harmless

    err = Terminal.of(sys.stderr, color)
    if isinstance(error, EvaluationError) and error.diagnostics:
        from dispatchfile.report.text import render

        print(render(error.diagnostics, color=err.color).rstrip("\n"), end="\n\n", file=sys.stderr)
    print(f"{err.style('error:', 'red', 'bold')} {harmless(error.message)}", file=sys.stderr)
    if error.help:
        print(f"{err.style('help:', 'cyan', 'bold')} {harmless(error.help)}", file=sys.stderr)
