"""`dispatchfile gitops app`: run what a repository holds, and keep it that way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser


def describe(parser: Parser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="list the applications")


def main(args: argparse.Namespace) -> int:
    """Return the exit code."""
    raise NotImplementedError(args.verb)
