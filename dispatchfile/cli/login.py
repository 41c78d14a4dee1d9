"""`dispatchfile login`: give this machine the tokens for git hosts and image registries, or print them for a cluster."""

from __future__ import annotations

import sys

from dispatchfile import late
from dispatchfile.cli.options import note
from dispatchfile.cli.parser import examples
from dispatchfile.errors import DispatchfileError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from dispatchfile.cli.parser import Commands

FORGES = ("github", "gitlab", "gitea", "forgejo", "bitbucket-cloud", "bitbucket-server")
KINDS = (*FORGES, "git", "docker")

# The options that only some kinds have, as the user writes them, and these kinds.
OF_KINDS = {
    "git_server": ("--git-server", (*FORGES, "git")),
    "registry": ("--registry", ("docker",)),
    "docker_config_path": ("--docker-config-path", ("docker",)),
    "private_key_path": ("--private-key-path", ("git",)),
    "known_hosts": ("--known-hosts", ("git",)),
    "insecure_webhook_skip_tls_verify": ("--insecure-webhook-skip-tls-verify", FORGES),
}
OF_A_CLUSTER = {"service_account": "--service-account", "secret": "--secret", "namespace": "--namespace"}
OF_STATUS = {"json": "--json", "check": "--check"}

EXAMPLES = examples(
    "dispatchfile login github                                  asks for the token",
    "dispatchfile login gitlab --git-server https://git.example.com --token-stdin <token",
    "dispatchfile login git --git-server git.example.com --private-key-path ~/.ssh/deploy",
    "dispatchfile login docker --registry registry.example.com --username ci --password-stdin <password",
    "dispatchfile login --status --check                        what is there, and does it work?",
    "dispatchfile login github --remove",
    "dispatchfile login github --service-account ci --dry-run -o yaml    the Secret for a cluster",
)


def add_parser(commands: Commands) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "login",
        description="Keep the token for a git host with git's credential helper, else in the keyring, else in a file that only\n"
        "you can read; the password of an image registry where Docker keeps it. It is asked for on a terminal.",
        epilog=EXAMPLES,
    )
    parser.add_argument("kind", nargs="?", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument(
        "path", nargs="?", metavar="FILE", help="the same as --private-key-path, --docker-config-path"
    )
    add = parser.add_argument_group("who and where").add_argument
    add(
        "--git-server", "--git-prefix", metavar="URL", help="the forge (default: the public one of that kind)"
    )
    add("--registry", metavar="HOST", help="the image registry (default: Docker's own)")
    add("--user", "--username", dest="user", metavar="NAME", help="the user (default: whose token it is)")
    add_token(add, "--app-password")
    add("--private-key-path", metavar="FILE", help="for `git`: a key of ssh in place of a token")
    add("--known-hosts", metavar="FILE", help="for `git`: the server's keys (default: those that ssh knows)")
    add(
        "--docker-config-path",
        metavar="FILE",
        help="for `docker` with --dry-run: the config.json to take logins from",
    )
    add("--no-check", action="store_true", help="do not ask the server whether it takes the token")
    add("--offline", action="store_true", default=None, help="the same as --no-check")
    add = parser.add_argument_group("what is there").add_argument
    add("--status", action="store_true", help="list logins, of KIND or all; never a token")
    add("--check", action="store_true", help="with --status: ask the servers; exits with 1 when one says no")
    add("--json", action="store_true", help="with --status: print JSON")
    add("--remove", "--logout", dest="remove", action="store_true", help="forget the token")
    add = parser.add_argument_group("for a cluster").add_argument
    add("--dry-run", action="store_true", help="keep nothing; print the Kubernetes Secret")
    add("-o", "--output", choices=("yaml", "json"), help="how to print it (default: yaml)")
    add("--service-account", metavar="NAME", help="print the service account with the Secret too")
    add("--secret", metavar="NAME", help="the Secret's name (default: after KIND and the host)")
    add("-n", "--namespace", metavar="NAME", help="their namespace (default: left out)")
    add(
        "--insecure-webhook-skip-tls-verify",
        action="store_true",
        help="means nothing here: login makes no webhook",
    )


def add_token(add: Callable[..., object], *names: str) -> None:
    """Add the options that `secret_of` reads; `names` are more of the first one's."""
    add(
        "--token",
        "--password",
        *names,
        dest="token",
        metavar="VALUE",
        help="the token; others on this machine can read it so",
    )
    add(
        "--token-stdin",
        "--password-stdin",
        dest="token_stdin",
        action="store_true",
        help="read it from stdin",
    )


def main(args: argparse.Namespace) -> int:
    """Do what is asked; return 1 when `--status` found nothing of KIND, or --check a login that does not work."""
    _settle(args)
    if args.status:
        code: int = late.module("dispatchfile.cli.login_status").main(args)
        return code
    module = late.module(f"dispatchfile.cli.login_{'docker' if args.kind == 'docker' else 'git'}")
    code = module.remove(args) if args.remove else module.main(args)
    return int(code)


def secret_of(args: argparse.Namespace, what: str) -> str:
    """Return the token or password that is given, or typed. Raises UsageError."""
    lines = what == "password"
    from dispatchfile.credentials.entry import LONGEST, check_token

    if args.token is not None and args.token_stdin:
        raise UsageError(f"the {what} is given twice: on the command line and on stdin")
    if args.token is not None:
        note(
            args,
            f"others on this machine could read the {what} in the list of processes; --{what}-stdin keeps it to itself",
        )
        return check_token(args.token, what, lines=lines)
    if args.token_stdin:
        return check_token(_text(sys.stdin.buffer.read(LONGEST + 3)), what, lines=lines)
    if not sys.stdin.isatty():
        raise UsageError(f"no {what} is given", help=f"pipe it in with --{what}-stdin")
    from getpass import getpass

    try:
        typed = getpass(f"{what}: ", sys.stderr)
    except EOFError:
        raise UsageError(f"no {what} is given") from None
    return check_token(typed, what, lines=lines)


class Nothing(DispatchfileError):
    """There is no such login."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no login for {what}", help="`dispatchfile login --status` lists them")


def show(args: argparse.Namespace, secret: dict[str, Any]) -> None:
    """Print a Secret for a cluster, and the service account that is to have it. Raises UsageError."""
    import json

    from dispatchfile.credentials import manifests
    from dispatchfile.tekton import manifest

    objects = [secret]
    if args.service_account:
        account = manifests.check_name("--service-account", args.service_account)
        objects.append(manifests.account(account, objects, args.namespace or ""))
        where = f" -n {args.namespace}" if args.namespace else ""
        patch = json.dumps({"secrets": [{"name": secret["metadata"]["name"]}]})
        note(
            args,
            f"{account} as printed has this Secret alone; one that is there already keeps its others and gets it with: "
            f"kubectl patch serviceaccount {account}{where} -p '{patch}'",
        )
    if args.output == "json":
        made = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        print(json.dumps(made, indent=2))
    else:
        print(manifest.text(objects), end="")


def _settle(args: argparse.Namespace) -> None:
    """Hold the options against each other; raises UsageError."""
    if args.kind is None and not args.status:
        raise UsageError("login needs to know where to", help=f"one of {', '.join(KINDS)}; or --status")
    _settle_path(args)
    for name, (option, kinds) in OF_KINDS.items():
        if getattr(args, name) and args.kind not in kinds:
            raise UsageError(
                f"{option} is not for {args.kind or 'all logins'}", help=f"it is for {', '.join(kinds)}"
            )
    if args.dry_run and (args.remove or args.status):
        raise UsageError("--dry-run prints the Secret of a new login")
    for name, option in OF_STATUS.items():
        if getattr(args, name) and not args.status:
            raise UsageError(f"{option} goes with --status")
    if args.status and (args.remove or args.token is not None or args.token_stdin):
        raise UsageError("--status only looks")
    if args.output and not args.dry_run:
        raise UsageError("--output is how --dry-run prints", help="add --dry-run to have the Secret printed")
    for name, option in OF_A_CLUSTER.items():
        if getattr(args, name) and not args.dry_run:
            note(
                args,
                f"{option} means nothing on this machine; with --dry-run -o yaml it is printed for a cluster",
            )
    if args.insecure_webhook_skip_tls_verify:
        note(args, "--insecure-webhook-skip-tls-verify means nothing here: login makes no webhook")


def _settle_path(args: argparse.Namespace) -> None:
    """Take the argument FILE as the original's first versions did; raises UsageError."""
    if args.path is None:
        return
    name = {"git": "private_key_path", "docker": "docker_config_path"}.get(args.kind)
    if name is None:
        # It is not shown: it may well be a token.
        raise UsageError(f"login {args.kind} takes no argument", help="a token goes to --token-stdin")
    if getattr(args, name):
        raise UsageError(f"FILE is given twice, also as {OF_KINDS[name][0]}")
    setattr(args, name, args.path)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("what is on stdin is no text in UTF-8") from None
