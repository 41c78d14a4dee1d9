"""`dispatchfile gitops agent`: watch the repositories of all applications."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser


def describe(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("--once", action="store_true", help="look at every application once, and end")


def main(args: argparse.Namespace) -> int:
    """Return the exit code."""
    raise NotImplementedError(args.once)
