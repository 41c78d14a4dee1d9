"""`dispatchfile render`: the evaluated pipeline."""

from __future__ import annotations

from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands

EXAMPLES = examples(
    "dispatchfile render                         the pipeline as YAML, itself a Dispatchfile",
    "dispatchfile render ci/Dispatchfile -o json  as JSON, for other programs",
    "dispatchfile render -o cue                  as CUE without references, helpers, and old syntax",
    "dispatchfile render - < Dispatchfile.cue    from standard input",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "render",
        usage="dispatchfile render [-o yaml|json|cue] [FILE]",  # else argparse works it out, help or not
        description="Print the evaluated pipeline: resources, tasks, and actions, every reference resolved.\n"
        "Variables such as $(context.git.commit) stay as they are. Helper fields are left out.",
        epilog=EXAMPLES,
    )
    parser.add_argument("path", nargs="?", metavar="FILE", help="the Dispatchfile (- is standard input)")
    parser.add_argument(
        "-o", "--output", choices=("yaml", "json", "cue"), default="yaml", help="format (default: yaml)"
    )


def main(args: argparse.Namespace) -> int:
    """Print the pipeline; return 0. Raises what `front.load` and `front.find` raise."""
    from dispatchfile.cli import options
    from dispatchfile.cli.files import put
    from dispatchfile.model import render

    if args.path is not None:
        args.file = args.path
    content = render.data(options.pipeline_from(args))
    if args.output == "json":
        put(_json(content))
    elif args.output == "cue":
        put(render.CUE_HEADER + render.cue(content))
    else:
        put(render.HEADER + render.yaml(content))
    return 0


def _json(content: object) -> str:
    import json

    # Amounts such as `cpu: 0.5` are the only numbers with a fraction.
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, default=float) + "\n"
