"""`dispatchfile fmt`: the one layout."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands

EXAMPLES = examples(
    "dispatchfile fmt                          format every Dispatchfile that git tracks",
    "dispatchfile fmt ci/Dispatchfile deploy/  a file, and all below a folder",
    "dispatchfile fmt --check                  name the files that it would change; exit 1 if there are any",
    "dispatchfile fmt --diff                   show what it would change",
    "dispatchfile fmt - < Dispatchfile         from standard input to standard output",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "fmt",
        usage="dispatchfile fmt [--check | --diff] [FILE…]",
        description="Format Dispatchfiles in CUE and JSON, in place. What a file says does not change, and every\n"
        "comment stays. YAML is left as it is. The exit code is 0 also when files were changed, 3 when\n"
        "one cannot be parsed; that one is left alone, and the others are formatted.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="FILE", help="files, or folders with Dispatchfiles (- is standard input)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; name the files that would change"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    parser.add_argument("--stdin-filename", metavar="NAME", help="the name of what comes from standard input")


def main(args: argparse.Namespace) -> int:
    """Format the files; return the worst exit code of them.

    Raises what `files.chosen` raises, UsageError, and AssertionError when all is done but for files on which the layout
    has a bug.
    """
    from dispatchfile.cli import files
    from dispatchfile.errors import DispatchfileError, UsageError
    from dispatchfile.spelling import counted

    paths = files.chosen(args.paths or ([args.file] if args.file else []))
    if args.stdin_filename and "-" not in paths:
        raise UsageError("--stdin-filename is for standard input", help="name - as the file")
    worst, changed = 0, 0
    bugs: list[AssertionError] = []
    for path in paths:
        try:
            changed += _format(path, args)
        except DispatchfileError as error:
            from dispatchfile.cli.main import tell

            tell(error, args.color)
            worst = max(worst, error.exit_code)
        except AssertionError as bug:  # the layout would change what this file says; the others come first
            bug.add_note(f"while formatting {path}, which is left as it was")
            bugs.append(bug)
    if bugs:
        raise bugs[0]
    if (args.check or args.diff) and changed:
        worst = max(worst, 1)
        if not args.quiet:
            print(f"{counted(changed, 'file')} would change; `dispatchfile fmt` formats", file=sys.stderr)
    return worst


def _format(path: str, args: argparse.Namespace) -> bool:
    """Format one file, or say what would change; return whether it changes."""
    from dispatchfile import fmt, front
    from dispatchfile.cli import files
    from dispatchfile.source import Source

    source = front.open_source(path, args.flavour)
    if path == "-" and args.stdin_filename:
        source = Source(args.stdin_filename, source.text, args.flavour)
    text = fmt.formatted(source)
    changed = text != source.text or (path != "-" and files.has_mark(path))
    if args.diff:
        from dispatchfile.cli.terminal import wants_color

        color = wants_color(sys.stdout, args.color)
        files.put(files.difference(source.name, source.text, text, color=color))
    elif args.check:
        if changed:
            print(source.name)
    elif path == "-":
        files.put(text)
    elif changed:
        files.rewrite(source, text, keep_mark=False)
        if not args.quiet:
            print(f"formatted {path}", file=sys.stderr)
    return changed
