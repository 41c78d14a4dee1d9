"""`dispatchfile gitops`: set images and values in a GitOps repository."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dispatchfile.cli.argument_parser import Parser
from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dispatchfile.cli.parser import Commands
    from dispatchfile.gitops.flags import Options

EXAMPLES = examples(
    "dispatchfile gitops update --help                              the flags, and more examples",
    "dispatchfile gitops update -git-revision=4f2c1e0 -substitute=imageName=web@sha256:…",
)

DIFFERENCE = 20
"""The exit code of --exit-code when there is something to update; unlike 1, no error has it."""


class FlagParser(Parser):
    """The parser of `gitops update`: it hands its arguments on, for they are read as Go reads them."""

    def parse_known_args(  # type: ignore[override] # argparse's own overloads differ in types only
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return all arguments as `flags`, whatever the namespace; print the help when it is asked for."""
        del namespace
        words = list(args or ())
        if any(word in ("-h", "-help", "--help") for word in words):
            self.print_help()
            self.exit()
        return argparse.Namespace(flags=words), []

    def format_help(self) -> str:
        """Return the help of the flags."""
        from dispatchfile.gitops.flags import help_text

        return f"{help_text()}\n"


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "gitops",
        description="Set images and values in a GitOps repository, by the templates that it holds.",
        epilog=EXAMPLES,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=FlagParser)
    actions.add_parser("update", help="render templates, push, open a pull request", add_help=False)


def main(args: argparse.Namespace) -> int:
    """Run the update and return its exit code."""
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.gitops import flags

    options = flags.parse(args.flags)
    try:
        return _update(Path.cwd(), options)
    except OSError as error:
        raise EnvironmentProblem(f"{error.filename or 'the update'}: {error.strerror}") from error


def _update(here: Path, options: Options) -> int:
    from dispatchfile.gitops import outcome
    from dispatchfile.gitops.update import compile_only, update
    from dispatchfile.report.text import harmless

    if options.compile_only:
        print(harmless("\n".join(compile_only(here, options))))
        return 0
    result = update(here, options, lambda note: print(harmless(note), file=sys.stderr))
    if options.output == "json":
        print(outcome.as_json(result))
    else:
        # The diff shows what stands in the repository's files.
        print(harmless(outcome.as_text(result)))
    if result.status != "pending":
        return 0
    return 1 if options.check else DIFFERENCE if options.exit_code else 0
