"""`dispatchfile gitops creds`: let this machine, or Argo CD, read private repositories."""

from __future__ import annotations

import sys

from dispatchfile.apps.app import ENGINES
from dispatchfile.cli.login import add_token, secret_of
from dispatchfile.cli.options import note
from dispatchfile.cli.parser import examples
from dispatchfile.cli.terminal import Terminal
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands, Parser
    from dispatchfile.credentials import Credential
    from dispatchfile.credentials.place import Place

EXAMPLES = examples(
    "dispatchfile gitops creds add https://git.example.com/acme/gitops.git --username ci      asks for the token",
    "dispatchfile gitops creds add https://git.example.com/acme/ --username ci --token-stdin  all below acme/",
    "dispatchfile gitops creds add git@git.example.com:acme/gitops.git --ssh-private-key-path ~/.ssh/deploy",
    "dispatchfile gitops creds add https://git.example.com/acme/ --username ci --engine argocd --dry-run",
)


def describe(parser: Parser) -> None:
    """Add the verbs."""
    parser.epilog = EXAMPLES
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _describe_add(verbs)
    listing = verbs.add_parser(
        "list",
        help="list what was added; never a token",
        description="List what was added, and where its token is. The token itself is never shown.",
        epilog=examples("dispatchfile gitops creds list --json"),
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    removing = verbs.add_parser(
        "remove",
        help="forget what was added",
        description="Forget what was added for a URL, and its token.",
        epilog=examples("dispatchfile gitops creds remove https://git.example.com/acme/"),
    )
    removing.add_argument("url", metavar="URL", help="the URL as it was added")


def _describe_add(verbs: Commands) -> None:
    adding = verbs.add_parser(
        "add",
        help="add or replace what opens a repository, or all below a path",
        description="Keep what opens a repository in the keyring, else in a file that only you can read. A URL that ends in / is\n"
        "for all repositories below it; of several that fit the longest is taken. One repository is tried before that.",
        epilog=EXAMPLES,
    )
    add = adding.add_argument
    add("url", metavar="URL", help="the repository, or what the URLs of repositories begin with")
    add("--username", "--user", dest="user", metavar="NAME", help="the user (default: git)")
    add_token(add)
    add("--ssh-private-key-path", metavar="FILE", help="a key of ssh in place of a token")
    add("--known-hosts", metavar="FILE", help="the server's keys (default: those that ssh knows)")
    add("--no-check", action="store_true", help="do not try it")
    add("--offline", action="store_true", default=None, help="the same as --no-check")
    add(
        "--engine",
        choices=ENGINES,
        default="local",
        help="argocd: give it to Argo CD on the cluster",
    )
    add("--context", metavar="NAME", help="for Argo CD: the kubeconfig's context")
    add(
        "--argocd-namespace",
        metavar="NAME",
        default="argocd",
        help="for Argo CD: where it is installed (default: argocd)",
    )
    add("--project", metavar="NAME", help="for Argo CD: the project that may use it (default: all)")
    add("--dry-run", action="store_true", help="for Argo CD: print the Secret")
    add("-o", "--output", choices=("yaml", "json"), help="how --dry-run prints it (default: yaml)")


def main(args: argparse.Namespace) -> int:
    """Do what the verb says; return 0."""
    if args.verb == "list":
        return _list(args)
    if args.verb == "remove":
        return _remove(args)
    return _add(args)


def _add(args: argparse.Namespace) -> int:
    from dispatchfile.credentials import Credential, place
    from dispatchfile.credentials.entry import check_user

    where = place.parse(args.url)
    if args.ssh_private_key_path or where.scheme == "ssh":
        return _add_key(args, where)
    if args.known_hosts:
        raise UsageError("--known-hosts goes with --ssh-private-key-path")
    user = check_user(args.user or "git")
    token = secret_of(args, "token")
    _try(args, where, Credential(user, token, "the command line"))
    if args.engine == "argocd":
        return _give_to_argocd(args, where, username=user, password=token)
    return _keep(args, where, user, token)


def _keep(args: argparse.Namespace, where: Place, user: str, token: str) -> int:
    from dispatchfile.cli.login_git import kept_where
    from dispatchfile.credentials import logins

    _refuse_printing(args)
    # Git's helpers have one token for a server, as it is set up nearly everywhere: another path's would be replaced.
    made = logins.keep(logins.Login(where.url, "", user, "file", "creds"), token, git=False)
    print(f"{where.url} is read as {user}; the token is kept {kept_where(made)}")
    return 0


def _add_key(args: argparse.Namespace, where: Place) -> int:
    from pathlib import Path

    from dispatchfile.cli.login_git import keep_key
    from dispatchfile.credentials import ssh

    if not args.ssh_private_key_path or where.scheme != "ssh":
        raise UsageError(
            "a key of ssh and a URL of ssh go together", help="ssh://git@HOST/PATH or git@HOST:PATH"
        )
    if args.token is not None or args.token_stdin or args.user:
        raise UsageError("a key and a token are two things", help="leave one of them out")
    path = Path(args.ssh_private_key_path).expanduser().absolute()
    files = (Path(args.known_hosts).expanduser().absolute(),) if args.known_hosts else ()
    key = ssh.read_key(path)
    ssh.known_hosts(where, files)
    _try(args, where, None, ssh.command(str(path), str(files[0]) if files else ""))
    if args.engine == "argocd":
        note(
            args,
            "Argo CD knows servers by its ConfigMap argocd-ssh-known-hosts-cm; add this one there if it is new",
        )
        return _give_to_argocd(args, where, ssh_key=key)
    _refuse_printing(args)
    keep_key(where, path, files, kind="", by="creds")
    print(f"{where.url} is read with the key {path}")
    return 0


def _try(
    args: argparse.Namespace, where: Place, credential: Credential | None, env: dict[str, str] | None = None
) -> None:
    """See whether a repository can be read. Raises EnvironmentProblem."""
    from dispatchfile import remote
    from dispatchfile.gitops import reach

    if args.no_check or args.offline:
        return
    if not _is_repository(args.url, where):
        note(args, f"not tried: {where.url}/ is no repository")
        return
    try:
        reach.head(remote.parse(args.url), credential, env)
    except EnvironmentProblem as problem:
        raise EnvironmentProblem(
            problem.message,
            help=problem.help or "is the token right, and may it read this? --no-check adds it untried",
        ) from None


def _give_to_argocd(
    args: argparse.Namespace, where: Place, *, username: str = "", password: str = "", ssh_key: str = ""
) -> int:
    from dispatchfile.apps.argocd import secrets

    every = not _is_repository(args.url, where)
    if args.project and every:
        raise UsageError("--project is for one repository; what is for all below a path has none")
    made = secrets.repository(
        args.url,
        username=username,
        password=password,
        ssh_key=ssh_key,
        project=args.project or "",
        control=args.argocd_namespace,
        every=every,
    )
    if not args.dry_run:
        secrets.add(made, args.context or "")
        print(f"Argo CD reads {args.url} from now on (Secret {made['metadata']['name']})")
    elif args.output == "json":
        import json

        print(json.dumps(made, indent=2))
    else:
        from dispatchfile.tekton import manifest

        print(manifest.text([made]), end="")
    return 0


def _list(args: argparse.Namespace) -> int:
    from dispatchfile.cli.login_git import kept_where
    from dispatchfile.cli.table import print_table
    from dispatchfile.credentials import logins

    found = [login for login in logins.read() if login.by == "creds"]
    if args.json:
        import json

        told = [{"url": login.url, "user": login.user, "kept": kept_where(login)} for login in found]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    if found:
        rows = [(login.url, login.user, kept_where(login)) for login in found]
        print_table(["URL", "USER", "KEPT"], rows, Terminal.of(sys.stdout, args.color))
    else:
        Terminal.of(sys.stderr, args.color).print("none; `dispatchfile gitops creds add URL` adds some")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from dispatchfile.credentials import logins, place

    where = place.parse(args.url)
    known = {login.url: login for login in logins.read()}
    if where.url not in known or known[where.url].by != "creds":
        raise DispatchfileError(
            f"nothing was added for {where.url}", help="`dispatchfile gitops creds list` shows what was"
        )
    logins.forget(where.url)
    print(f"removed what opened {where.url}")
    return 0


def _is_repository(url: str, where: Place) -> bool:
    return bool(where.path) and not url.endswith(("/", ":"))


def _refuse_printing(args: argparse.Namespace) -> None:
    if args.dry_run or args.output:
        raise UsageError(
            "--dry-run prints Argo CD's Secret",
            help="add --engine argocd; Tekton's Secret is printed by dispatchfile login git --dry-run",
        )
