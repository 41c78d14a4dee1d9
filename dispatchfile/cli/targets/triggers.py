"""`dispatchfile tekton --target triggers`."""

from __future__ import annotations

import re

from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from dispatchfile.cli.parser import Parser
    from dispatchfile.model.pipeline import Pipeline, SecretKey
    from dispatchfile.tekton.emit import Emission
    from dispatchfile.tekton.options import Options
    from dispatchfile.tekton.triggers.waiting import Settings


def add_options(parser: Parser) -> None:
    """Add the options of this target."""
    add = parser.add_argument_group("with --target triggers").add_argument
    add(
        "--webhook-secret",
        metavar="NAME[/KEY]",
        help="secret that webhooks are signed with (default: key secret of the secret called as --name, -webhook)",
    )
    add(
        "--token-secret",
        metavar="NAME[/KEY]",
        help="secret with a GitHub token (key: token), to list the paths that pull requests change",
    )
    add(
        "--repository",
        metavar="URL",
        help="what schedules and pushed images clone (default: the origin of the clone you are in)",
    )
    add(
        "--rbac",
        action="store_true",
        help="with the service accounts of listener and schedules, and their rights",
    )
    add(
        "--members-only",
        action="store_true",
        help="comments start runs only where an owner, a member or a collaborator wrote them (default: anyone)",
    )
    add("--kubectl-image", metavar="REF", help="an image with kubectl, for schedules")


def emission(args: argparse.Namespace, pipeline: Pipeline, options: Options) -> Emission:
    """Return the objects for all actions; raises EvaluationError for what the target cannot express."""
    from dispatchfile.cli.options import note
    from dispatchfile.tekton.triggers import objects as triggers

    settings = _settings(args, pipeline)
    made = triggers.objects(pipeline, options, settings)
    if not args.check:
        for text in _needed(pipeline, options, settings, {one["kind"] for one in made.objects}):
            note(args, text)
    return made


def _needed(pipeline: Pipeline, options: Options, settings: Settings, kinds: set[str]) -> Iterator[str]:
    """Yield what has to be there besides the objects, which are of these kinds."""
    from dispatchfile.tekton.triggers import objects as triggers
    from dispatchfile.tekton.triggers import waiting

    runs_as = []
    if "EventListener" in kinds:
        secret = waiting.webhook_secret(options, settings)
        runs_as.append(f"the listener runs as {waiting.listener_account(options)}")
        yield (
            f"webhooks go to the service el-{triggers.listener_name(options)}, port 8080, as JSON, and are signed with "
            f'the key "{secret.key}" of the secret "{secret.name}"; that secret, and an Ingress or Route to the service, '
            "are yours to make"
        )
    if "CronJob" in kinds:
        runs_as.append(f"schedules run as {waiting.schedule_account(options)}")
    if runs_as and not settings.rbac:
        yield f"{' and '.join(runs_as)}, which --rbac --namespace NAME emits"
    asks_paths = any(  # of a comment it cannot ask them
        on.kind == "pull_request" and on.paths and not on.chatops
        for on in (action.on for action in pipeline.actions if action.on)
    )
    if asks_paths and not settings.token_secret:
        yield "the paths that pull requests change are asked of GitHub: of private repositories with --token-secret alone"


def _settings(args: argparse.Namespace, pipeline: Pipeline) -> Settings:
    from dispatchfile.event.checkout import public_url
    from dispatchfile.tekton.triggers.waiting import KUBECTL_IMAGE, Settings

    repository, revision = public_url(args.repository or ""), ""
    kinds = {action.on.kind for action in pipeline.actions if action.on}
    if kinds & {"cron", "image"}:
        there, revision = _here()
        repository = repository or there
    return Settings(
        webhook_secret=_secret("--webhook-secret", args.webhook_secret, "secret"),
        token_secret=_secret("--token-secret", args.token_secret, "token"),
        rbac=args.rbac,
        kubectl_image=_image(args.kubectl_image) or KUBECTL_IMAGE,
        repository=repository,
        revision=revision,
        partial=args.partial,
        members_only=args.members_only,
    )


def _image(ref: str | None) -> str:
    """Return the image of --kubectl-image, "" where none is given; raises UsageError."""
    from dispatchfile.cli.tekton_options import image

    return "" if ref is None else image("kubectl_image", ref)


def _here() -> tuple[str, str]:
    """Return the URL of the repository this is in and its default branch; nothing outside of one."""
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.event import checkout

    try:
        here = checkout.read()
    except EnvironmentProblem:
        return "", ""
    return here.url, checkout.default_branch(here.root) or ""


def _secret(option: str, text: str | None, key: str) -> SecretKey | None:
    """Return the secret of an option NAME[/KEY], or None where it is not given; raises UsageError."""
    from dispatchfile.model.pipeline import SecretKey
    from dispatchfile.tekton import names

    if text is None:
        return None
    name, slash, given = text.partition("/")
    if not names.is_subdomain(name) or (
        slash and not re.fullmatch(r"[\w.-]*[A-Za-z0-9][\w.-]*", given, re.ASCII)
    ):
        raise UsageError(
            f'{option} "{text}" names no secret of a cluster', help=f"write {option} NAME or NAME/KEY"
        )
    return SecretKey(name, given or key)
