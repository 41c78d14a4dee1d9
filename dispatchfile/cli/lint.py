"""`dispatchfile lint`: find mistakes, and mend those that can be mended."""

from __future__ import annotations

import os
import sys

from dispatchfile import late
from dispatchfile.cli.parser import examples
from dispatchfile.diagnostics import Severity
from dispatchfile.errors import DispatchfileError, EvaluationError, UsageError
from dispatchfile.spelling import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import TextIO

    from dispatchfile.cli.parser import Commands
    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.settings import Settings
    from dispatchfile.source import Source

FORMATS = ("full", "concise", "json", "sarif", "github")
_RANK = (Severity.ERROR, Severity.WARNING, Severity.INFO)

EXAMPLES = examples(
    "dispatchfile lint                                  all Dispatchfiles that git tracks",
    "dispatchfile lint --fix --diff                     what --fix would change",
    "dispatchfile lint --select DF7 --fix ci/           mend deprecated syntax below ci/",
    "dispatchfile lint - --stdin-filename Dispatchfile < text",
    "dispatchfile lint --output-format sarif > lint.sarif",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "lint",
        usage="dispatchfile lint [OPTION…] [FILE…]",  # else argparse works it out, help or not
        description="Find mistakes in Dispatchfiles. `dispatchfile explain CODE` tells about a rule.\n"
        'A comment "// dispatchfile: ignore[CODE] why" at the end of a line, or above a field, silences a rule there.',
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="FILE",
        help="files, or folders; - is standard input (default: all in git)",
    )
    add("--fix", action="store_true", help="mend what has a safe fix")
    add("--unsafe-fixes", action="store_true", help="with --fix or --diff: also where the meaning may change")
    add(
        "--diff", action="store_true", help="show what --fix would change, change nothing; exit 1 if it would"
    )
    add(
        "--select",
        action="append",
        metavar="RULES",
        help="only these: codes or their beginnings, names (DF6,DF201)",
    )
    add("--ignore", action="append", metavar="RULES", help="all but these")
    add(
        "--fail-on",
        choices=_RANK,
        metavar="SEVERITY",
        help="error, warning (default), or info: what makes exit 1",
    )
    add("--output-format", choices=FORMATS, metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: full)")
    add(
        "--statistics",
        action="store_true",
        help="show how often each rule was broken instead of the findings",
    )
    add("--no-cache", action="store_true", help="find everything anew")
    add("--stdin-filename", metavar="NAME", help="the name of standard input, in messages and for settings")


def main(args: argparse.Namespace) -> int:
    """Tell what is found in the files; return 1 when it is as bad as `--fail-on`, else 0.

    A file that is not there or cannot be opened is told about, and decides the exit code; the others are linted.
    Raises UsageError for options and settings, and the first bug that was met once everything is told.
    """
    settings = _settings(args)
    sources, unreadable, refused = _opened(args)
    findings, crash = _found(sources, settings, args)
    mended = 0
    if args.fix or args.diff:
        from dispatchfile.cli.mend import mend

        changes = mend(sources, findings, settings, args)
        if args.diff and changes.crash is None:
            return max(refused, 1 if changes.count else 0)
        findings, mended, refused = changes.findings, changes.count, max(refused, changes.code)
        crash = crash or changes.crash
    told = [one for some in findings for one in some] + unreadable
    _tell(told, mended, len(sources), args)
    if crash is not None:
        raise crash
    bad = _RANK[: _RANK.index(args.fail_on or settings.fail_on) + 1]
    return refused or int(any(one.severity in bad for one in told))


def _settings(args: argparse.Namespace) -> Settings:
    """Return the project's settings with the options in their place; raises UsageError."""
    from dispatchfile.config import lint_settings

    made: Settings = lint_settings(args.settings)
    if args.output_format not in (None, *FORMATS):
        origin = args.settings["output-format"].origin
        raise UsageError(
            f'the output format "{args.output_format}" of {origin} is not known',
            help=f"for lint use one of {', '.join(FORMATS)}",
        )
    if args.unsafe_fixes and not (args.fix or args.diff):
        raise UsageError("--unsafe-fixes says which fixes to make", help="add --fix, or --diff to see them")
    if args.select or args.ignore:
        from dispatchfile.lint.project import words
        from dispatchfile.record import replace

        ignore = words(args.ignore or (), "--ignore", off=True)
        if args.select:
            return replace(made, select=words(args.select, "--select"), ignore=ignore)
        return replace(made, ignore=made.ignore + ignore)
    return made


def _opened(args: argparse.Namespace) -> tuple[list[Source], list[Diagnostic], int]:
    """Return the texts of the files, what is told of those that are no text, and the exit code for the others."""
    from dispatchfile import front
    from dispatchfile.source import Source

    names: Sequence[str] = args.paths or ([args.file] if args.file else ())
    if not names or any(os.path.isdir(name) for name in names):
        from dispatchfile.cli.files import chosen

        names = chosen(names)
    if args.stdin_filename and "-" not in names:
        raise UsageError("--stdin-filename is for standard input", help="name - as the file")
    sources: list[Source] = []
    unreadable: list[Diagnostic] = []
    code = 0
    for name in dict.fromkeys(names):
        try:
            source = front.open_source(name, args.flavour)
            if name == "-" and args.stdin_filename:
                source = Source(args.stdin_filename, source.text, args.flavour)
            sources.append(source)
        except EvaluationError as problem:
            unreadable += problem.diagnostics
        except DispatchfileError as problem:
            from dispatchfile.cli.main import tell

            tell(problem, args.color)
            code = max(code, problem.exit_code)
    return sources, unreadable, code


def _found(
    sources: Sequence[Source], settings: Settings, args: argparse.Namespace
) -> tuple[list[tuple[Diagnostic, ...]], Exception | None]:
    from dispatchfile.lint.many import inspect_all

    cache = None
    if not args.no_cache:
        from dispatchfile.lint.cache import Cache, default_folder

        chosen = args.settings.get("cache-dir")
        cache = Cache(chosen.value if chosen else default_folder(), settings)
    result = inspect_all(sources, settings, cache)
    return result.findings, result.crash


def _tell(told: Sequence[Diagnostic], mended: int, files: int, args: argparse.Namespace) -> None:
    """Print the findings, to stderr when the mended text of standard input takes stdout, and how many there are."""
    kind = args.output_format or "full"
    out = sys.stderr if args.fix and "-" in args.paths else sys.stdout
    if args.statistics:
        from dispatchfile.cli.statistics import statistics

        out.write(statistics(told, kind))
    else:
        out.write(_rendered(told, kind, out, args.color))
    out.flush()
    if kind in ("full", "concise") and not args.quiet and (told or files):
        print(_summary(told, mended, files, args), file=out if told and kind == "full" else sys.stderr)


def _rendered(told: Sequence[Diagnostic], kind: str, out: TextIO, color: str | None) -> str:
    if kind != "full":
        text: str = late.module(f"dispatchfile.report.{kind}").render(told)
        return text
    if not told:
        return ""
    from dispatchfile.cli.terminal import wants_color
    from dispatchfile.report.text import render

    return render(told, color=wants_color(out, color)) + "\n"


def _summary(told: Sequence[Diagnostic], mended: int, files: int, args: argparse.Namespace) -> str:
    parts = [f"Mended {counted(mended, 'finding')}."] if mended else []
    if not told:
        return "  ".join([*parts, f"Nothing found in {counted(files, 'file')}."])
    from dispatchfile.report.text import summary

    parts.append(summary(told))
    if not args.fix:
        safe = sum(one.fix is not None and one.fix.safe for one in told)
        unsafe = sum(one.fix is not None and not one.fix.safe for one in told)
        parts += [f"{safe} can be mended by --fix."] if safe else []
        more = "more" if safe else "can be mended"
        parts += [f"{unsafe} {more} by --fix --unsafe-fixes."] if unsafe else []
    worst = min(told, key=lambda one: _RANK.index(one.severity))
    parts.append(f"Run `dispatchfile explain {worst.code}` for details.")
    return "  ".join(parts)
