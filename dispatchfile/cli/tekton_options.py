"""The options of `dispatchfile tekton`, and what they say about the objects."""

from __future__ import annotations

from dispatchfile.cli import options
from dispatchfile.cli.parser import examples
from dispatchfile.errors import UsageError
from dispatchfile.late import module
from dispatchfile.spelling import nearest
from dispatchfile.tekton.options import GIT_IMAGE, STORAGE_IMAGE, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from dispatchfile.cli.parser import Commands, Parser

TARGETS = ("tekton", "triggers", "pac")
"""What objects are for. `--target` is also the event option of that name, whose branches are called otherwise."""

EXAMPLES = examples(
    "dispatchfile tekton --kind run | kubectl create -f -   run on a cluster what your commit would run",
    "dispatchfile tekton --event push --branch main         the Pipeline of a push to main, and its run",
    "dispatchfile tekton --out cluster test build           two tasks and what they need, one file an object",
    "dispatchfile tekton --all | kubectl apply -f -         the Pipelines of all actions",
    "dispatchfile tekton --from-run last --kind run         again what the last run here ran",
    "dispatchfile tekton --target triggers                  Tekton Triggers that wait for the events",
    "dispatchfile tekton --target pac --out .tekton         .tekton/*.yaml for Pipelines-as-Code",
    "dispatchfile tekton --target pac --out .tekton --check are they those of the Dispatchfile as it is now?",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "tekton",
        description="Print what an event would run, or TASK and what it needs, as a Pipeline and a PipelineRun for\n"
        "Tekton (v0.50 or newer). --target triggers (Tekton Triggers) and --target pac (Pipelines-as-Code) print\n"
        "what waits for the events of all actions; any other --target is the branch of a pull request.",
        epilog=EXAMPLES,
    )
    options.add_task_options(parser)
    _add_object_options(parser)
    add_form_options(parser)
    for target in TARGETS[1:]:
        module(f"dispatchfile.cli.targets.{target}").add_options(parser)
    options.add_event_options(parser)


def _add_object_options(parser: Parser) -> None:
    add = parser.add_argument_group("objects").add_argument
    add(
        "--target-branch",
        metavar="BRANCH",
        help='the same as --target below, also for a branch called "triggers" or "pac"',
    )
    add(
        "--kind",
        choices=("pipeline", "run", "all"),
        help="which objects (default: all); a run alone has its Pipeline in it, so it can be created again",
    )
    add("--all", action="store_true", help="the Pipelines of all actions, whatever happened")
    add("--from-run", metavar="RUN", help='event and tasks of an earlier run: its id, or "last"')
    add("--out", metavar="DIR", help="write one file an object into DIR")
    add("--force", action="store_true", help="with --out: write over files that were not made by this")
    add(
        "--check",
        action="store_true",
        help="with --out: write nothing; name the files that differ, and exit 1",
    )


def add_form_options(parser: Parser) -> None:
    """Add the options that say how objects are to be made, which are those of `tekton.options.Options`."""
    add = parser.add_argument_group("on the cluster").add_argument
    add("--name", metavar="NAME", help="what names begin with (default: the name of the repository)")
    add("--namespace", metavar="NAME", help="namespace of the objects (default: that of who applies them)")
    add("--service-account", metavar="NAME", help="service account of the runs, with their credentials")
    add(
        "--timeout", metavar="TIME", help="limit of a run: 90s, 1h30m, or 0 for none (default: the cluster's)"
    )
    add(
        "--workspace",
        choices=("emptydir", "pvc"),
        help="git inputs: each task clones (emptydir, default), or all share one volume (pvc)",
    )
    add("--volume-size", metavar="SIZE", help="size of the volume that tasks share (default: 1Gi)")
    add(
        "--results",
        choices=("stdout-wrapper", "sh", "alpha"),
        help="how a step's output gets to other tasks: by Tekton's entrypoint (stdout-wrapper, default), by the "
        "image's shell, or by Tekton's alpha field stdoutConfig",
    )
    add("--image", action="append", metavar="NAME=REF", help="use the image REF where a step says NAME")
    add("--gitops-image", metavar="REF", help="the image that stands in for update-gitops-repo")
    add("--git-image", metavar="REF", help=f"an image with git and sh (default: {GIT_IMAGE})")
    add("--storage-image", metavar="REF", help=f"an image with gsutil (default: {STORAGE_IMAGE})")


def target_of(args: argparse.Namespace) -> str:
    """Return what the objects are for; from here on `args.target` is the branch of a pull request, or None."""
    target = args.target if args.target in TARGETS else "tekton"
    if args.target in TARGETS:
        args.target = None
    if args.target is not None and (near := nearest(args.target, TARGETS)):
        raise UsageError(
            f'--target "{args.target}" is nothing to emit for',
            help=f'did you mean "{near}"? A branch of that name: --target-branch {args.target}',
        )
    if args.target_branch is not None:
        if args.target is not None:
            raise UsageError("--target and --target-branch both name a branch", help="give one of them")
        args.target = args.target_branch
    return target


def options_from(args: argparse.Namespace, name: str) -> Options:
    """Return what the options ask for, names beginning with `name` unless they say otherwise; raises UsageError."""
    from dispatchfile.cli.supplies import image_overrides

    given: dict[str, Any] = {
        field: value
        for field in ("namespace", "service_account", "workspace", "volume_size", "results")
        if (value := getattr(args, field)) is not None
    }
    images: dict[str, Any] = {
        field: image(field, value)
        for field in ("git_image", "storage_image", "gitops_image")
        if (value := getattr(args, field)) is not None
    }
    _check_names(args)
    return Options(
        name=args.name or name,
        timeout=None if args.timeout is None else options.seconds(args.timeout),
        images=image_overrides(args.image or ()),
        **given,
        **images,
    )


def _check_names(args: argparse.Namespace) -> None:
    from dispatchfile.tekton import names

    for option, text in (
        ("--name", args.name), ("--namespace", args.namespace), ("--service-account", args.service_account)
    ):  # fmt: skip
        if text is None:
            continue
        if not names.is_subdomain(text) or ("." in text and option != "--service-account"):
            near = names.label(text)
            raise UsageError(
                f'{option} "{text}" is no name of an object on a cluster',
                help=f"small letters, digits, and dashes between them{f', such as {near}' if near else ''}",
            )
    if args.volume_size is not None:
        from dispatchfile.model.quantities import quantity

        try:
            above, _under = quantity(args.volume_size)
        except ValueError as error:
            raise UsageError(f'--volume-size "{args.volume_size}": {error}') from None
        if above <= 0:
            raise UsageError(f'--volume-size "{args.volume_size}" is no size', help="such as 1Gi")


def image(field: str, ref: str) -> str:
    """Return the image of an option, called as the field; raises UsageError for what names none."""
    if not ref or ref.startswith("-") or not ref.isprintable() or " " in ref or "$(" in ref:
        option = f"--{field.replace('_', '-')}"
        raise UsageError(f'{option} "{ref}" names no image', help=f"write {option} NAME:TAG")
    return ref
