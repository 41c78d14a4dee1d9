"""`dispatchfile gitops update`: set images and values in a GitOps repository."""

from __future__ import annotations

import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from dispatchfile.config import Setting
    from dispatchfile.gitops.flags import Options
    from dispatchfile.gitops.outcome import Outcome
    from dispatchfile.notify import Occasion

DIFFERENCE = 20
"""The exit code of --exit-code when there is something to update; unlike 1, no error has it."""


def main(args: argparse.Namespace) -> int:
    """Run the update and return its exit code."""
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.gitops import flags

    options = flags.parse(args.flags)
    try:
        return _update(Path.cwd(), options, args.settings)
    except OSError as error:
        raise EnvironmentProblem(f"{error.filename or 'the update'}: {error.strerror}") from error


def _update(here: Path, options: Options, settings: Mapping[str, Setting]) -> int:
    from dispatchfile.cli.notifications import notifier
    from dispatchfile.gitops import outcome
    from dispatchfile.gitops.update import compile_only, update
    from dispatchfile.report.text import harmless

    def say(note: str) -> None:
        print(harmless(note), file=sys.stderr)

    if options.compile_only:
        print(harmless("\n".join(compile_only(here, options, say))))
        return 0
    tell = notifier(settings, say)
    try:
        result = update(here, options, say, lambda opened: tell.tell(_opened(opened)))
        # The diff shows what stands in the repository's files.
        text = outcome.as_json(result) if options.output == "json" else harmless(outcome.as_text(result))
        print(text, flush=True)
    finally:
        tell.close()
    if result.status != "pending":
        return 0
    return 1 if options.check else DIFFERENCE if options.exit_code else 0


def _opened(result: Outcome) -> Occasion:
    from dispatchfile.notify import Occasion

    images = [f"{change.file}: {change.now}" for change in result.changes if change.image]
    return Occasion(
        "pull-request-opened",
        result.app,
        "\n".join([result.title, *images]),
        result.remote.url,
        result.commit,
        result.pull_request,
    )
