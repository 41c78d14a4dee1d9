"""`dispatchfile gitops app`: run what a repository holds, and keep it that way. The verbs are Argo CD's."""

from __future__ import annotations

from dispatchfile.apps.app import ENGINES
from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Parser

EXAMPLES = examples(
    "dispatchfile gitops app create web --repo https://git.example.com/acme/gitops.git --path staging",
    "dispatchfile gitops app get web --refresh         how does it stand, asking the repository?",
    "dispatchfile gitops app diff web                  what differs between the repository and what runs?",
    "dispatchfile gitops app set web --auto-sync off   touch nothing from now on",
    "dispatchfile gitops app rollback web              back to what was deployed before",
)

VERBS = {
    "create": (
        "follow a repository, and run what it holds",
        (
            "dispatchfile gitops app create web --repo https://git.example.com/acme/gitops.git --path staging",
            "dispatchfile gitops app create web --repo ../gitops --auto-sync off",
            "dispatchfile gitops app create web --repo git@git.example.com:acme/gitops.git --engine argocd --dry-run -o yaml",
        ),
    ),
    "list": (
        "list the applications",
        ("dispatchfile gitops app list", "dispatchfile gitops app list --engine argocd -o name"),
    ),
    "get": (
        "say how an application stands",
        ("dispatchfile gitops app get web", "dispatchfile gitops app get web --refresh -o json"),
    ),
    "diff": (
        "show what differs between the repository and what runs",
        ("dispatchfile gitops app diff web", "dispatchfile gitops app diff web --revision v1.2 --exit-code"),
    ),
    "sync": (
        "bring about what the repository wants",
        (
            "dispatchfile gitops app sync web --prune",
            "dispatchfile gitops app sync web --dry-run",
            "dispatchfile gitops app sync web --resource Deployment/web",
        ),
    ),
    "refresh": (
        "ask the repository now, and sync when that is due",
        ("dispatchfile gitops app refresh web",),
    ),
    "wait": (
        "wait until an application is synced and healthy",
        ("dispatchfile gitops app wait web --timeout 5m", "dispatchfile gitops app wait web --operation"),
    ),
    "history": ("list what was deployed", ("dispatchfile gitops app history web",)),
    "rollback": (
        "deploy again what was deployed before",
        ("dispatchfile gitops app rollback web", "dispatchfile gitops app rollback web 3 --prune"),
    ),
    "set": (
        "change an application",
        (
            "dispatchfile gitops app set web --auto-sync off",
            "dispatchfile gitops app set web --revision v1.3",
        ),
    ),
    "delete": (
        "remove an application and what runs of it",
        ("dispatchfile gitops app delete web", "dispatchfile gitops app delete web --data --yes"),
    ),
}
"""Each verb with what it does and its examples."""

ON_OFF = ("on", "off")


def describe(parser: Parser) -> None:
    """Add the verbs and their options."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (text, lines) in VERBS.items():
        below = verbs.add_parser(
            verb, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=examples(*lines)
        )
        if verb != "list":
            below.add_argument("name", metavar="NAME", help="the application")
        _OPTIONS[verb](below)


def main(args: argparse.Namespace) -> int:
    """Do what the verb says and return the exit code."""
    from dispatchfile.cli import gitops_app_verbs

    code: int = getattr(gitops_app_verbs, f"{args.verb}_")(args)
    return code


def _create(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--repo",
        "--repository",
        dest="repository",
        metavar="URL",
        help="the repository: a URL, or a path on this machine",
    )
    _source_options(parser)
    add(
        "--engine",
        choices=ENGINES,
        default="local",
        help="where it runs: Docker here, a cluster, or Argo CD on one (default: local)",
    )
    add(
        "--namespace",
        "--dest-namespace",
        dest="namespace",
        metavar="NAME",
        help="of objects that name none (default: default)",
    )
    add("--dest-server", metavar="URL", help="the cluster that Argo CD deploys to (default: its own)")
    add("--context", metavar="NAME", help="the kubeconfig's context (default: the current one)")
    add("--argocd-namespace", metavar="NAME", help="where Argo CD itself lives (default: argocd)")
    add("--project", metavar="NAME", help="Argo CD's project (default: default)")
    _policy_options(parser)
    add(
        "--allow-host-path",
        action="append",
        metavar="DIR",
        help="a folder of this machine that its pods may mount, as a whole; may be repeated",
    )
    add("--allow-privileged", action="store_true", help="let its pods have rights over this machine")
    add("--upsert", action="store_true", help="change the application when there is one of that name")
    add("--no-sync", action="store_true", help="leave the first sync to the agent, or to `sync`")
    add("--dry-run", action="store_true", help="change nothing; print the application")
    add(
        "--service-account",
        "--scm-secret",
        dest="scm_secret",
        metavar="NAME",
        help="taken for scripts of Dispatch: see `dispatchfile gitops creds add`",
    )
    _output(parser, "json", "yaml", "wide")


def _source_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--path", metavar="DIR", help="the folder in it (default: its top)")
    add("--revision", metavar="REV", help="a branch, a tag, or a commit (default: HEAD, the default branch)")
    add(
        "--recurse",
        choices=ON_OFF,
        nargs="?",
        const="on",
        help="take plain manifests from folders below the path too",
    )
    add(
        "--values",
        action="append",
        metavar="FILE",
        help="a values file for Helm, relative to the path; may be repeated",
    )
    add(
        "--set",
        action="append",
        dest="settings_of_helm",
        metavar="NAME=VALUE",
        help="a value for Helm; may be repeated",
    )


def _policy_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--auto-sync", choices=ON_OFF, help="sync each new commit without being asked (default: on)")
    add(
        "--prune",
        choices=ON_OFF,
        nargs="?",
        const="on",
        help="remove what the repository does not hold any more (default: off)",
    )
    add(
        "--self-heal",
        choices=ON_OFF,
        nargs="?",
        const="on",
        help="correct what was changed by hand (default: off)",
    )
    add(
        "--strict",
        choices=ON_OFF,
        nargs="?",
        const="on",
        help="fail for kinds that the engine does not know (default: off)",
    )


def _list(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--engine",
        choices=ENGINES,
        help="only those of an engine; argocd: all that Argo CD has, also what was made elsewhere",
    )
    add("--context", metavar="NAME", help="with --engine argocd: the kubeconfig's context")
    add(
        "--argocd-namespace",
        metavar="NAME",
        default="argocd",
        help="with --engine argocd: where it lives (default: argocd)",
    )
    _output(parser, "wide", "name", "json", "yaml")


def _get(parser: Parser) -> None:
    parser.add_argument("--refresh", action="store_true", help="ask the repository first")
    parser.add_argument(
        "--hard-refresh", action="store_true", help="the same, and forget what was rendered before"
    )
    _output(parser, "wide", "json", "yaml")


def _diff(parser: Parser) -> None:
    add = parser.add_argument
    add("--revision", metavar="REV", help="hold what runs against this revision")
    add(
        "--exit-code",
        action="store_true",
        help="end with 20 in place of 1 when there is a difference, which no error does",
    )
    add("--no-refresh", action="store_true", help="go by what is known, and ask no repository")
    add("--hard-refresh", action="store_true", help="forget what was rendered before")


def _sync(parser: Parser) -> None:
    add = parser.add_argument
    add("--revision", metavar="REV", help="this revision for this once; not while auto-sync is on")
    add(
        "--prune", action="store_true", default=None, help="remove what the repository does not hold any more"
    )
    add("--dry-run", action="store_true", help="say what would be done")
    add(
        "--resource",
        action="append",
        metavar="KIND/NAME",
        help="only this object (also GROUP:KIND:NAME); may be repeated",
    )
    add("--strict", action="store_true", default=None, help="fail for kinds that the engine does not know")
    _timeout(parser)
    add("--no-wait", action="store_true", help="do not wait until it is healthy")
    _output(parser, "json", "yaml", "wide")


def _refresh(parser: Parser) -> None:
    parser.add_argument("--hard", action="store_true", help="forget what was rendered before")
    _output(parser, "json", "yaml", "wide")


def _wait(parser: Parser) -> None:
    add = parser.add_argument
    add("--sync", action="store_true", help="wait until it is as the repository says")
    add("--health", action="store_true", help="wait until it is healthy")
    add("--operation", action="store_true", help="wait until nothing is being done")
    _timeout(parser)
    _output(parser, "json", "yaml", "wide")


def _history(parser: Parser) -> None:
    _output(parser, "wide", "id", "json", "yaml")


def _rollback(parser: Parser) -> None:
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="of `history` (default: the deployment before the last)"
    )
    parser.add_argument("--prune", action="store_true", help="remove what it did not hold")
    _timeout(parser)
    parser.add_argument("--no-wait", action="store_true", help="do not wait until it is healthy")
    _output(parser, "json", "yaml", "wide")


def _set(parser: Parser) -> None:
    _source_options(parser)
    _policy_options(parser)
    _output(parser, "json", "yaml", "wide")


def _delete(parser: Parser) -> None:
    add = parser.add_argument
    add("--no-cascade", action="store_true", help="forget the application, and let run what runs")
    add("--data", action="store_true", help="remove also what its volumes hold")
    add("-y", "--yes", action="store_true", help="do not ask")


def _timeout(parser: Parser) -> None:
    from dispatchfile.cli.options import seconds

    parser.add_argument(
        "--timeout",
        type=seconds,
        default=600.0,
        metavar="TIME",
        help="end with 124 after 90s, 5m, … (default: 10m; 0: never)",
    )


def _output(parser: Parser, *formats: str) -> None:
    parser.add_argument("-o", "--output", choices=formats, help="how to print it")
    if "json" in formats:
        parser.add_argument(
            "--json", action="store_const", const="json", dest="output", help="the same as -o json"
        )


_OPTIONS = {
    "create": _create,
    "list": _list,
    "get": _get,
    "diff": _diff,
    "sync": _sync,
    "refresh": _refresh,
    "wait": _wait,
    "history": _history,
    "rollback": _rollback,
    "set": _set,
    "delete": _delete,
}
