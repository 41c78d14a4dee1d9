"""`dispatchfile gitops cert`: trust the certificate authority of a git server."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser

EXAMPLES = examples(
    "dispatchfile gitops cert add-tls git.example.com --from ca.crt",
    "dispatchfile gitops cert list",
    "dispatchfile gitops cert remove git.example.com",
)


def describe(parser: Parser) -> None:
    """Add the verbs."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    adding = verbs.add_parser(
        "add-tls",
        help="trust a certificate authority for one server",
        description="Trust a certificate authority for one server: in what is fetched, pushed and asked of its forge from here.",
        epilog=EXAMPLES,
    )
    adding.add_argument("host", metavar="HOST", help="the server: HOST or HOST:PORT")
    adding.add_argument(
        "--from", dest="source", metavar="FILE", required=True, help="its authority's certificates (PEM)"
    )
    verbs.add_parser(
        "list",
        help="list the servers",
        description="List the servers for which a certificate authority was added.",
        epilog=examples("dispatchfile gitops cert list"),
    )
    removing = verbs.add_parser(
        "remove",
        help="trust a server no more than the system does",
        description="Remove the certificate authority that was added for a server.",
        epilog=examples("dispatchfile gitops cert remove git.example.com"),
    )
    removing.add_argument("host", metavar="HOST", help="the server, as it was added")


def main(args: argparse.Namespace) -> int:
    """Do what the verb says; return 0."""
    from pathlib import Path

    from dispatchfile.credentials import certificates, place

    if args.verb == "list":
        out = Terminal.of(sys.stdout, args.color)
        for server in certificates.listed():
            out.print(server)
        return 0
    where = place.parse(args.host)
    if args.verb == "remove":
        if not certificates.remove(where):
            raise DispatchfileError(
                f"nothing was added for {where.server}", help="`dispatchfile gitops cert list`"
            )
        print(f"removed the certificates for {where.server}")
        return 0
    many = certificates.add(where, Path(args.source).expanduser())
    print(f"{where.server} is trusted by {many} certificate{'s' if many > 1 else ''} of {args.source}")
    return 0
