"""`dispatchfile lsp`: the language server for editors, over standard input and output."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples
from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands

EXAMPLES = examples(
    "dispatchfile lsp    an editor starts this; grammar/editors/README.md says how",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "lsp",
        description="Run the language server on standard input and output: findings while typing, quick fixes,\n"
        "explanations, completion, definitions, formatting. Needs the extra `lsp`.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--stdio", action="store_true", help="what it does anyway; many editors pass it")


def main(_args: argparse.Namespace) -> int:
    """Serve until the editor says `exit`; return 1 when it goes without having said `shutdown`.

    Raises EnvironmentProblem when the extra is not installed.
    """
    import logging
    import os

    try:
        from dispatchfile.lsp.server import create
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("pygls", "lsprotocol"):
            raise
        raise EnvironmentProblem(
            f"the language server needs {missing}, which is not installed",
            help=f"{sys.executable} -m pip install 'dispatchfile[lsp]'",
        ) from error
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    server = create()
    # The protocol has standard output for itself; whatever else is printed must not get in between.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        sys.stdout = sys.stderr
        server.start_io(stdout=out)
    return 0 if server.is_shut_down else 1
