"""`dispatchfile login` to git hosts: the forges by token, any other server by token or by a key of ssh."""

from __future__ import annotations

import os

from dispatchfile.cli.login import FORGES, Nothing, secret_of, show
from dispatchfile.cli.options import note
from dispatchfile.credentials import git_helper, logins, manifests, place
from dispatchfile.credentials.entry import check_user
from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from typing import Literal

    from dispatchfile.credentials.logins import Login
    from dispatchfile.credentials.place import Place

_SERVERS = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket-cloud": "https://bitbucket.org",
}
# What stands for "the password is a token" where a name has to be given to git.
_NO_PERSON = {
    "github": "x-access-token",
    "gitlab": "oauth2",
    "gitea": "oauth2",
    "forgejo": "oauth2",
    "bitbucket-cloud": "x-token-auth",
    "bitbucket-server": "x-token-auth",
}


def main(args: argparse.Namespace) -> int:
    """Keep a token or a key, or print its Secret; return 0."""
    if args.private_key_path:
        return _with_key(args)
    where = server(args)
    if where.scheme == "ssh":
        raise UsageError("a token is not for ssh", help="give --private-key-path, or the server's https URL")
    user = check_user(args.user or "")
    if not user and args.kind not in FORGES:
        raise UsageError(f"login {args.kind} needs a user", help="--user NAME")
    token = secret_of(args, "token")
    user = _checked(args, where, user, token)
    if args.dry_run:
        name = manifests.check_name("--secret", args.secret or manifests.name_of(args.kind, where.url))
        show(args, manifests.basic_auth(name, "git", where.url, user, token, args.namespace or ""))
        if args.kind == "github":
            note(args, f"`tekton --target triggers` takes the token as --token-secret {name}/password")
        return 0
    made = logins.keep(logins.Login(where.url, args.kind, user, "file"), token)
    print(f"logged in to {where.url} as {user}; the token is kept {kept_where(made)}")
    _remarks(args, made)
    return 0


def remove(args: argparse.Namespace) -> int:
    """Forget a login; return 0. Raises Nothing."""
    where = server(args)
    found = logins.forget(where.url) or logins.forget(f"ssh://{where.host}")
    if found is None:
        raise Nothing(where.url)
    print(f"removed the login for {found.url}, which was kept {kept_where(found)}")
    return 0


def server(args: argparse.Namespace) -> Place:
    """Return the server that is meant. Raises UsageError."""
    named = args.git_server or _SERVERS.get(args.kind)
    if not named:
        raise UsageError(f"login {args.kind} needs to know the server", help="--git-server URL")
    return place.parse(named)


def kept_where(login: Login) -> str:
    """Return where a login's token is, in words."""
    if login.kept == "git":
        named = (
            " ".join(git_helper.helpers(place.parse(login.url), os.environ)) or "which is not set any more"
        )
        return f"by git's credential helper ({named})"
    if login.kept == "file":
        return f"in {logins.file_of(os.environ)}"
    return f"at {login.key}" if login.kept == "ssh" else f"in the keyring ({login.kept})"


def _remarks(args: argparse.Namespace, made: Login) -> None:
    """Say what the user should know of the place where the token is."""
    if made.kept == "file":
        note(
            args,
            "git has no credential helper that took it, and there is no keyring; only you can read that file",
        )
    if made.kept == "git":
        helpers = git_helper.helpers(place.parse(made.url), os.environ)
        if helpers and all(helper.split()[0] == git_helper.TEMPORARY for helper in helpers):
            note(args, "git's helper `cache` forgets it after 15 minutes, or what its --timeout says")
        if any(helper.split()[0] == "store" for helper in helpers):
            note(args, "git's helper `store` keeps it in plain text, in a file that only you can read")


def _checked(args: argparse.Namespace, where: Place, user: str, token: str) -> str:
    """Return the user to keep: as given, else whose token it is. Raises EnvironmentProblem for a token that is refused."""
    if args.kind not in FORGES:
        note(
            args, "the token was not tried: a git server that is no forge can be asked for a repository only"
        )
        return user
    if args.no_check or args.offline:
        return user or _NO_PERSON[args.kind]
    from dispatchfile.credentials import Credential
    from dispatchfile.gitops import whoami

    answer = whoami.ask(
        whoami.server(args.kind, where), Credential(user or _NO_PERSON[args.kind], token, "login")
    )
    if answer.note:
        note(args, answer.note)
    if user and answer.user and user.lower() != answer.user.lower() and _is_person(user):
        note(args, f"the token is {answer.user}'s, not {user}'s")
    return (
        user
        or (_NO_PERSON[args.kind] if args.kind.startswith("bitbucket") else answer.user)
        or _NO_PERSON[args.kind]
    )


def _is_person(user: str) -> bool:
    """Return whether a name is one that a forge would tell of a token: neither an address nor "the password is a token"."""
    return "@" not in user and user not in (*_NO_PERSON.values(), "git")


def _with_key(args: argparse.Namespace) -> int:
    from pathlib import Path

    from dispatchfile.credentials import ssh

    where = _ssh_server(args)
    path = Path(args.private_key_path).expanduser().absolute()
    key = ssh.read_key(path)
    files = (Path(args.known_hosts).expanduser().absolute(),) if args.known_hosts else ()
    known = ssh.known_hosts(where, files)
    if args.dry_run:
        name = manifests.check_name("--secret", args.secret or manifests.name_of("git", where.server))
        show(args, manifests.ssh_auth(name, where.server, key, known, args.namespace or ""))
        return 0
    keep_key(where, path, files, kind="git", by="login")
    print(f"git uses the key {path} for {where.server}")
    return 0


def keep_key(
    where: Place, path: Path, files: tuple[Path, ...], *, kind: str, by: Literal["login", "creds"]
) -> None:
    """Note a key for ssh, and the file of known hosts when one was given. Raises UsageError, EnvironmentProblem."""
    for file in (path, *files):
        if '"' in str(file):
            raise UsageError(f"ssh takes no path with a quotation mark, as {file} has")
    known = str(files[0]) if files else ""
    logins.keep_key(logins.Login(where.url, kind, where.user or "git", "ssh", by, "", str(path), known))


def _ssh_server(args: argparse.Namespace) -> Place:
    from dispatchfile.record import replace

    if args.token is not None or args.token_stdin:
        raise UsageError("a key and a token are two logins", help="leave one of them out")
    if not args.git_server:
        raise UsageError("login git needs to know the server", help="--git-server HOST")
    where = place.parse(args.git_server)
    # The port of a web address is not that of ssh.
    return replace(
        where,
        scheme="ssh",
        port=where.port if where.scheme == "ssh" or "://" not in args.git_server else None,
    )
