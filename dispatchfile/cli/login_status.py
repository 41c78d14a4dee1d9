"""`dispatchfile login --status`: which logins there are, where their tokens are, and whether they work."""

from __future__ import annotations

import os
import sys

from dispatchfile.cli.login_docker import kept_where as kept_by_docker
from dispatchfile.cli.login_docker import shown
from dispatchfile.cli.login_git import kept_where
from dispatchfile.cli.terminal import Terminal
from dispatchfile.credentials import docker_config, host_variables, logins
from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dispatchfile.credentials.logins import Login

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com"}


class Row(Record, hidden=("check",)):
    """A login as it is told. `works` is None where nobody asked, or can ask; `check` asks, and returns whose token it is."""

    server: str
    kind: str
    user: str
    kept: str
    works: bool | None = None
    message: str = ""
    check: Callable[[], str] | None = None


def main(args: argparse.Namespace) -> int:
    """Print the logins; return 1 when there is none of the kind that is asked for, or one does not work."""
    rows = [row for row in _rows() if args.kind in (None, row.kind)]
    if args.check:
        rows = [_tried(row) for row in rows]
    if args.json:
        import json

        names = ("server", "kind", "user", "kept", "works", "message")
        print(
            json.dumps(
                [{name: getattr(row, name) for name in names} for row in rows], indent=2, ensure_ascii=False
            )
        )
    else:
        _print(rows, Terminal.of(sys.stdout, args.color))
    return 1 if any(row.works is False for row in rows) or (args.kind and not rows) else 0


def _rows() -> Iterator[Row]:
    for kind, host in _HOSTS.items():
        for name in host_variables(host):
            if token := os.environ.get(name, "").strip():
                yield Row(
                    f"https://{host}",
                    kind,
                    "",
                    f"in ${name}",
                    check=_asking_forge(kind, f"https://{host}", "", token),
                )
                break
    try:
        for login in logins.read():
            yield Row(login.url, login.kind or "git", login.user, kept_where(login), check=_asking(login))
    except EnvironmentProblem as problem:
        yield _unreadable("git", logins.file_of(os.environ), problem)
    try:
        known = docker_config.listed()
    except EnvironmentProblem as problem:
        known = []
        yield _unreadable("docker", docker_config.file_of(os.environ), problem)
    for found in known:
        where = kept_by_docker(found.helper)
        if found.problem:
            name = shown(found.server) or "registries"
            yield Row(name, "docker", "", where, works=False, message=found.problem)
        else:
            yield Row(shown(found.server), "docker", found.user, where, check=_asking_registry(found.server))


def _unreadable(kind: str, file: Path, problem: EnvironmentProblem) -> Row:
    """Return the row in place of the logins that a file does not tell."""
    message = f"{problem.message}: {problem.help}" if problem.help else problem.message
    return Row("all", kind, "", f"in {file}", works=False, message=message)


def _tried(row: Row) -> Row:
    if row.check is None:
        return row
    try:
        user = row.check()
    except DispatchfileError as problem:
        return replace(row, works=False, message=problem.message)
    return replace(row, works=True, user=row.user or user)


def _asking(login: Login) -> Callable[[], str] | None:
    """Return what asks whether a login works; None where that takes a repository that nobody named."""
    from dispatchfile.cli.login import FORGES

    if login.kind in FORGES and login.kept != "ssh" and login.by == "login":
        return lambda: _asking_forge(login.kind, login.url, login.user, _token(login))()
    if login.url.count("/") < 4 or login.by != "creds":
        return None
    return lambda: _asking_repository(login)


def _asking_forge(kind: str, url: str, user: str, token: str) -> Callable[[], str]:
    def ask() -> str:
        from dispatchfile.credentials import Credential, place
        from dispatchfile.gitops import whoami

        return whoami.ask(whoami.server(kind, place.parse(url)), Credential(user, token, "login")).user

    return ask


def _asking_repository(login: Login) -> str:
    from dispatchfile import remote
    from dispatchfile.credentials import Credential
    from dispatchfile.gitops import reach

    where = remote.parse(
        login.url.replace("://", f"://{login.user}@", 1) if login.kept == "ssh" else login.url
    )
    reach.head(where, None if login.kept == "ssh" else Credential(login.user, _token(login), "login"))
    return login.user


def _asking_registry(server: str) -> Callable[[], str]:
    def ask() -> str:
        from dispatchfile.credentials import registry

        known = docker_config.get(server)
        if known is None:
            raise EnvironmentProblem("the password is not there any more")
        registry.check(docker_config.server_of(server) if "://" in server else server, *known)
        return known[0]

    return ask


def _token(login: Login) -> str:
    token = logins.token_of(login)
    if token is None:
        raise EnvironmentProblem("the token is not there any more")
    return token


def _print(rows: list[Row], out: Terminal) -> None:
    from dispatchfile.report.text import flat

    if not rows:
        out.print("no logins; `dispatchfile login --help` says how to make one")
    signs = {True: out.style(out.sign("yes"), "green"), False: out.style(out.sign("no"), "red"), None: " "}
    widths = [
        max((len(text) for text in column), default=0) for column in zip(*map(_cells, rows), strict=True)
    ]
    for row in rows:
        cells = "  ".join(f"{flat(cell):{width}}" for cell, width in zip(_cells(row), widths, strict=True))
        out.print(f"{signs[row.works]} {cells}{flat(row.kept)}")
        if row.message:
            out.print(f"    {flat(row.message)}")


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.kind, row.server, row.user or "-", ""
