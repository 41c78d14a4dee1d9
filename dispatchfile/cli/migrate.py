"""`dispatchfile migrate`: today's words for deprecated ones, and other flavours."""

from __future__ import annotations

import sys

from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands
    from dispatchfile.source import Source

EXAMPLES = examples(
    "dispatchfile migrate                              what would change in the Dispatchfiles that git tracks",
    "dispatchfile migrate --write                      change them",
    "dispatchfile migrate --check                      name the files with deprecated syntax; exit 1 if there are any",
    "dispatchfile migrate --to yaml Dispatchfile       print it as YAML",
    "dispatchfile migrate --to yaml --write ci.cue     write ci.yaml in place of ci.cue, which git has",
    "dispatchfile migrate - < Dispatchfile             from standard input to standard output",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "migrate",
        usage="dispatchfile migrate [--to cue|yaml|json] [--write | --diff | --check] [FILE…]",
        description="Rewrite deprecated syntax: chains without colons, `on: push:`, `deps`, `params`, old CUE, the old\n"
        "first line. With --to, convert to another flavour; comments go along where both have them, and\n"
        "what was computed is written out. The pipeline stays the same, else the file is refused.\n"
        "Nothing is written without --write.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="FILE", help="files, or folders with Dispatchfiles (- is standard input)")
    add("--to", choices=("cue", "yaml", "json"), help="the flavour to convert to (default: stay)")
    add(
        "--write",
        action="store_true",
        help="change the files; one in another flavour takes the old one's place where git has that",
    )
    add("--diff", action="store_true", help="show what would change; exit 1 if anything would (default)")
    add("--check", action="store_true", help="name the files that would change; exit 1 if there are any")


def main(args: argparse.Namespace) -> int:
    """Migrate the files; return the worst exit code of them. Raises what `files.chosen` raises, and UsageError."""
    from dispatchfile.cli import files
    from dispatchfile.errors import DispatchfileError, UsageError
    from dispatchfile.spelling import counted

    if args.write + args.diff + args.check > 1:
        raise UsageError("--write, --diff, and --check exclude each other")
    paths = files.chosen(args.paths or ([args.file] if args.file else []))
    if args.to and len(paths) > 1 and not (args.write or args.diff or args.check):
        raise UsageError(f"--to prints one file, and these are {len(paths)}", help="name one, or add --write")
    worst, changed = 0, 0
    for path in paths:
        try:
            changed += _migrate(path, args)
        except DispatchfileError as error:
            from dispatchfile.cli.main import tell

            tell(error, args.color)
            worst = max(worst, error.exit_code)
    if changed and not args.write and not args.quiet:
        print(f"{counted(changed, 'file')} would change; --write does it", file=sys.stderr)
    return max(worst, 1) if changed and not args.write else worst


def _migrate(path: str, args: argparse.Namespace) -> bool:
    """Migrate one file, or show what would change; return whether it does, False for what is printed as asked."""
    from dispatchfile import front
    from dispatchfile.cli import files, options
    from dispatchfile.migrate.migrate import migrate

    source = front.open_source(path, args.flavour)
    done = migrate(source, args.to)
    for remark in done.remarks:
        options.note(args, f"{source.name}: {remark}")
    changed = done.text != source.text
    if args.check:
        if changed:
            print(source.name)
    elif not args.diff and (path == "-" or (args.to and not args.write)):
        files.put(done.text)
        return False
    elif not args.write:
        from dispatchfile.cli.terminal import wants_color

        color = wants_color(sys.stdout, args.color)
        files.put(files.difference(source.name, source.text, done.text, color=color))
    elif changed:
        _write(source, done.text, args)
    return changed


def _write(source: Source, text: str, args: argparse.Namespace) -> None:
    """Write the new text in place of a file, under its own name or that of the flavour.

    A conversion cannot be undone, so what git could not bring back stays: next to a file of another name, and where
    it would be the same name, UsageError is raised. Raises what `files.move` and `files.rewrite` raise, too.
    """
    from pathlib import Path
    from shlex import quote

    from dispatchfile import front
    from dispatchfile.cli import files, options
    from dispatchfile.errors import UsageError

    path, name, to = Path(source.name), source.name, args.to
    converted = to is not None and to != front.flavour_of(source)
    keep = converted and not files.in_git(source)
    if converted and path.suffix.lower() in front.EXTENSIONS and path.suffix != f".{to}":
        name = files.move(source, text, str(path.with_suffix(f".{to}")), keep=keep)
    elif keep:
        raise UsageError(
            f"{name}: not converted in place: git does not have this text, which would be lost",
            help=f"`git add` it first, or print the new text: dispatchfile migrate --to {to} {quote(name)} > FILE",
        )
    else:
        # Where no extension tells the flavour, the first line does.
        bare = converted and to == "json" and path.suffix.lower() != ".json"
        files.rewrite(source, f"#!json\n{text}" if bare else text)
    if not args.quiet:
        print(f"migrated {source.name}" + (f" to {name}" if name != source.name else ""), file=sys.stderr)
    if keep:
        options.note(args, f"{source.name} stays: git does not have its text; remove one of the two")
