"""Fixes files for `lint --fix`, or shows with `--diff` what that would change."""

from __future__ import annotations

import sys

from dispatchfile.cli import files
from dispatchfile.errors import DispatchfileError
from dispatchfile.lint.fix import fix, is_fixable
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.fix import Fixed
    from dispatchfile.lint.settings import Settings
    from dispatchfile.source import Source


class Changes(Record):
    """What is left to find in each file, how many findings were mended, and the exit code of what went wrong.

    `crash` is the first bug that was met; the file is as it was then.
    """

    findings: list[tuple[Diagnostic, ...]]
    count: int
    code: int
    crash: Exception | None = None


def mend(
    sources: Sequence[Source],
    findings: Sequence[tuple[Diagnostic, ...]],
    settings: Settings,
    args: argparse.Namespace,
) -> Changes:
    """Fix each file, or print the difference, and return what that has changed.

    What comes of standard input goes to standard output. A bug is handed back, a file that cannot be written told about.
    """
    left: list[tuple[Diagnostic, ...]] = []
    count = code = 0
    crash: Exception | None = None
    for source, found in zip(sources, findings, strict=True):
        is_input = source.name == "<stdin>" or source.name == args.stdin_filename
        mended = None
        if any(is_fixable(one, unsafe=args.unsafe_fixes) for one in found):
            try:
                mended = fix(source, settings, unsafe=args.unsafe_fixes, findings=found)
                _tell_refused(mended, args)
            except Exception as bug:  # noqa: BLE001 raised by the command, once the other files are done
                crash = crash or bug
        if args.diff:
            _show(source, mended, found, args)
        elif is_input:
            files.put(mended.source.text if mended else source.text)
        elif mended is not None and mended.count:
            try:
                files.rewrite(source, mended.source.text)
            except DispatchfileError as problem:
                from dispatchfile.cli.main import tell

                tell(problem, args.color)
                code, mended = max(code, problem.exit_code), None
        left.append(mended.findings if mended is not None else found)
        count += mended.count if mended is not None else 0
    return Changes(left, count, code, crash)


def _show(
    source: Source, mended: Fixed | None, found: Sequence[Diagnostic], args: argparse.Namespace
) -> None:
    """Print what is mended; secrets in the lines around it read `***`, and so the difference cannot be applied."""
    if mended is None:
        return
    from dispatchfile.cli.terminal import wants_color

    before, after = source.text, mended.source.text
    if any(one.secret for one in found):
        from dispatchfile.report.secrets import Screen

        screen = Screen(found)
        before, after = screen.text(before), screen.text(after)
    color = wants_color(sys.stdout, args.color)
    files.put(files.difference(source.name, before, after, color=color))


def _tell_refused(mended: Fixed, args: argparse.Namespace) -> None:
    for one in mended.refused:
        from dispatchfile.cli.options import note

        what = one.fix.message if one.fix is not None else "the fix"
        note(args, f"{one.span}: {one.code}: not done, the file could not be evaluated any more: {what}")
