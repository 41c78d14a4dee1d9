"""`dispatchfile login docker`: the password of an image registry, where Docker keeps it."""

from __future__ import annotations

import os

from dispatchfile.cli.login import Nothing, secret_of, show
from dispatchfile.cli.options import note
from dispatchfile.credentials import docker_config, manifests
from dispatchfile.credentials.entry import check_user
from dispatchfile.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def main(args: argparse.Namespace) -> int:
    """Keep a login to a registry, or print its Secret; return 0."""
    if args.docker_config_path:
        return _of_config(args)
    server = docker_config.server_of(args.registry or "")
    user = check_user(args.user or "")
    if not user:
        raise UsageError("login docker needs a user", help="--username NAME")
    password = secret_of(args, "password")
    if not (args.no_check or args.offline):
        from dispatchfile.credentials import registry

        registry.check(server, user, password)
    if args.dry_run:
        url = server if "://" in server else f"https://{server}"
        name = _name(args, server)
        show(args, manifests.basic_auth(name, "docker", url, user, password, args.namespace or ""))
        return 0
    helper = docker_config.store(server, user, password)
    print(f"logged in to {shown(server)} as {user}; the password is kept {kept_where(helper)}")
    if not helper:
        note(
            args,
            "Docker keeps it in base64, which anyone can read who gets that file; a credsStore in it hides it",
        )
    return 0


def remove(args: argparse.Namespace) -> int:
    """Forget a login; return 0. Raises Nothing."""
    server = docker_config.server_of(args.registry or "")
    if not docker_config.remove(server):
        raise Nothing(shown(server))
    print(f"removed the login for {shown(server)}")
    return 0


def kept_where(helper: str) -> str:
    """Return where Docker has a password, in words."""
    return f"by docker-credential-{helper}" if helper else f"in {docker_config.file_of(os.environ)}"


def shown(server: str) -> str:
    """Return a registry as people write it."""
    return server.partition("://")[2].partition("/")[0] or server


def _of_config(args: argparse.Namespace) -> int:
    """Print the logins of a config.json as a Secret."""
    from pathlib import Path

    if not args.dry_run:
        raise UsageError(
            "--docker-config-path names logins that Docker has already",
            help="with --dry-run -o yaml they are printed for a cluster; elsewhere set DOCKER_CONFIG to its folder",
        )
    if args.token is not None or args.token_stdin or args.user or args.registry:
        raise UsageError("--docker-config-path goes with neither a registry, a user nor a password")
    path = Path(args.docker_config_path).expanduser()
    path = path / "config.json" if path.is_dir() else path
    if not path.exists():
        raise UsageError(f"there is no file {path}", help="--docker-config-path names a config.json")
    auths = docker_config.auths(path)
    if not auths:
        raise UsageError(f"{path} holds no logins", help="dispatchfile login docker makes one")
    show(args, manifests.docker_config(_name(args, "config"), auths, args.namespace or ""))
    return 0


def _name(args: argparse.Namespace, server: str) -> str:
    return manifests.check_name("--secret", args.secret or manifests.name_of("docker", shown(server)))
