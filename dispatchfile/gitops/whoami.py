"""Who is it that a token belongs to? Each forge is asked in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatchfile import remote
from dispatchfile.credentials import Credential
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.forges import Place, authorization, place_of
from dispatchfile.record import Record

if TYPE_CHECKING:
    from dispatchfile.credentials.place import Place as Server
    from dispatchfile.gitops.forge.http import Api

_NO_FORGE = "check KIND and --git-server; --no-check keeps the token without asking"
_TRIED = "ask whose token this is"
_NAME = {
    "github": ("/user", "login"),
    "gitlab": ("/user", "username"),
    "gitea": ("/user", "login"),
    "forgejo": ("/user", "login"),
    "bitbucket-cloud": ("/user", "username"),
}


class Answer(Record):
    """What a forge says of a token; `user` is empty where the token may not ask for it."""

    user: str
    note: str = ""


class Rejected(EnvironmentProblem):
    """The forge does not take the token."""


def server(kind: str, where: Server) -> Place:
    """Return a forge of a kind by the address of its web pages; it is no repository of it. Raises EnvironmentProblem."""
    # A forge below a path of its host has its API there too; GitHub has none such.
    endpoint = where.url if where.path and kind != "github" else ""
    found = place_of(remote.parse(f"{where.url}/owner/name"), provider=kind, endpoint=endpoint)
    if found is None:
        raise EnvironmentProblem(f"{where.url} is no address of a forge")
    return found


def ask(place: Place, credential: Credential) -> Answer:
    """Return whose token it is. Raises Rejected, and EnvironmentProblem when the forge cannot be asked."""
    from dispatchfile.gitops.forge.http import Api, Refused

    api = Api(place.name, place.endpoint, authorization(place.kind, credential))
    try:
        if place.kind == "bitbucket-server":
            return _of_bitbucket_server(api)
        path, field = _NAME[place.kind]
        user: Any = api.get(_TRIED, path)
    except Refused as problem:
        if problem.status == 403:
            return Answer("", "the token works, and may not ask whose it is")
        if problem.status != 401:
            raise EnvironmentProblem(problem.message, help=_NO_FORGE) from None
        raise Rejected(
            f"{place.name} does not take this token: {problem.reason}",
            help="is it complete, and not expired? --no-check keeps it without asking",
        ) from None
    name = user.get(field) or user.get("nickname") if isinstance(user, dict) else None
    if not isinstance(name, str):
        raise EnvironmentProblem(
            f"{place.name} at {place.endpoint} does not say whose token this is",
            help=_NO_FORGE,
        )
    return Answer(name)


def _of_bitbucket_server(api: Api) -> Answer:
    """Return what Bitbucket Server says in a header of every answer to a user who is known, X-AUSERNAME."""
    answer = api.ask(_TRIED, "GET", "/projects", query={"limit": "1"})
    if name := answer.headers.get("x-ausername"):
        return Answer(name)
    raise Rejected(
        "Bitbucket Server answers as to a stranger", help="is the token complete, and not expired?"
    )
