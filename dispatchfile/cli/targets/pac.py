"""`dispatchfile tekton --target pac`."""

from __future__ import annotations

from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options


def add_options(parser: Parser) -> None:
    """Add the options of this target."""
    add = parser.add_argument_group("with --target pac").add_argument
    add(
        "--partial",
        action="store_true",
        help="leave out, with a warning, actions that it cannot start (also with --target triggers)",
    )
    add("--keep-runs", metavar="N", help="how many finished runs of each action stay (default: all)")
    add(
        "--cancel-in-progress",
        action="store_true",
        help="a newer run of a branch or pull request ends those before it",
    )
    add(
        "--git-auth",
        action="store_true",
        help="git gets the token that Pipelines-as-Code makes for each run, for private repositories",
    )


def emission(args: argparse.Namespace, pipeline: Pipeline, options: Options) -> Emission:
    """Return the objects for all actions; raises EvaluationError for what the target cannot express."""
    from dispatchfile.cli.options import note
    from dispatchfile.tekton.pac import objects as pac

    settings = pac.Settings(_count(args.keep_runs), args.cancel_in_progress, args.git_auth, args.partial)
    made = pac.objects(pipeline, options, settings)
    if made.files and not args.check:
        private = "" if settings.git_auth else "; --git-auth clones private repositories with its token"
        note(
            args,
            f"Pipelines-as-Code needs a Repository object, which `tkn pac create repository` makes{private}",
        )
    return made


def _count(text: str | None) -> int | None:
    """Return the number of --keep-runs; raises UsageError."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:10]) < 2**31):
        raise UsageError(f'--keep-runs "{text}" is no number of runs', help="write --keep-runs 5")
    return int(text)
