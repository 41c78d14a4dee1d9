"""Pull requests from a step: the API of a remote's forge, asked with the user's token, which stays on this machine.

The update task asks `…/api/KIND/ENDPOINT/PATH`: the forge's kind, the API's URL in base64, and a path below it. The
API has to be the remote's own host, and PATH one of those that a pull request of this one repository needs; the token
goes nowhere else. URLs in the answers are turned into the relay's, for clients follow them.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import re
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from dispatchfile import forges, remote
from dispatchfile.credentials import Credential, certificates
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record
from dispatchfile.remote import Remote, without_userinfo

LARGEST_BODY = 1 << 20
PREFIX = "/api/"

# What is passed on below the repository's own path, by forge and method.
_GITEA = {
    "GET": r"|/labels|/pulls|/pulls/\d+|/issues/\d+/(?:comments|labels)",
    "POST": r"/pulls|/labels|/pulls/\d+/(?:requested_reviewers|merge)|/issues/\d+/(?:comments|labels)",
    "PATCH": r"/pulls/\d+",
}
# A branch in a path, quoted; nothing that a server might take for a way up.
_BRANCH = r"(?!.*(?:\.\.|%2[eE]))[\w.%~-]+"
_BELOW: Mapping[str, Mapping[str, str]] = {
    "github": {
        "GET": r"|/pulls|/pulls/\d+|/issues/\d+/(?:comments|labels)",
        "POST": r"/pulls|/pulls/\d+/requested_reviewers|/issues/\d+/(?:comments|labels)",
        "PATCH": r"/pulls/\d+",
        "PUT": r"/pulls/\d+/merge",
    },
    "gitlab": {
        "GET": r"|/merge_requests|/merge_requests/\d+|/merge_requests/\d+/notes",
        "POST": r"/merge_requests|/merge_requests/\d+/notes",
        "PUT": r"/merge_requests/\d+|/merge_requests/\d+/merge",
    },
    "gitea": _GITEA,
    "forgejo": _GITEA,
    "bitbucket-cloud": {
        "GET": rf"|/pullrequests|/pullrequests/\d+|/pullrequests/\d+/(?:comments|statuses)|/refs/branches/{_BRANCH}",
        "POST": r"/pullrequests|/pullrequests/\d+/(?:comments|merge|decline)",
        "PUT": r"/pullrequests/\d+",
    },
    "bitbucket-server": {
        "GET": r"|/branches|/pull-requests|/pull-requests/\d+|/pull-requests/\d+/(?:activities|merge)",
        "POST": r"/pull-requests|/pull-requests/\d+/(?:comments|merge|decline|participants)",
        "PUT": r"/pull-requests/\d+",
    },
}
_REPOSITORY = {
    "gitlab": "/projects/{all}",
    "bitbucket-cloud": "/repositories/{path}",
    "bitbucket-server": "/projects/{owner}/repos/{name}",
}
# What else a pull request asks for, to be read alone: who a reviewer is, which labels there are.
_BESIDE = {
    "gitlab": "/users",
    "gitea": "/orgs/{owner}/labels",
    "forgejo": "/orgs/{owner}/labels",
    "bitbucket-cloud": "/workspaces/{owner}/members",
    "bitbucket-server": r"/users/(?:[\w~-]|%40)(?:[\w.~-]|%40)*",
}
_KEPT = (
    *("Content-Type", "Link", "X-Next-Page", "Retry-After"),
    *("X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Remaining", "RateLimit-Reset"),
)
_NODE = "query($id: ID!) { node(id: $id) { ... on PullRequest { repository { nameWithOwner } } } }"


class Answer(Record):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def pass_on(
    url: str,
    method: str,
    inner: str,
    query: str,
    body: IO[bytes] | None,
    *,
    credential: Credential | None,
    base: str,
) -> Answer:
    """Return the answer of the API of `url`'s forge to a request of a step; `base` is the gateway's URL of the remote.

    `inner` is the request's path behind `base`. Raises EnvironmentProblem when the forge does not answer.
    """
    kind, _, rest = inner.removeprefix(PREFIX).partition("/")
    name, slash, path = rest.partition("/")
    where = remote.parse(url)
    endpoint = _endpoint(where, name)
    place = forges.place_of(where, provider=kind, endpoint=endpoint) if endpoint and kind in _BELOW else None
    if place is None or not _allowed(place, method, slash + path):
        return _refusal(404, f"{method} {slash}{path} is not passed on from a step")
    if credential is None:
        return _refusal(401, "no token is known for it on this machine")
    authorization = forges.authorization(kind, credential)
    target = f"{endpoint}{slash}{path}{f'?{query}' if query else ''}"
    if slash + path == "/graphql":
        target = forges.graphql_of(endpoint)
        if not _is_own(target, place, body, authorization):
            return _refusal(
                404, "GraphQL is passed on from a step for its own pull requests' auto-merge alone"
            )
    headers = {"Accept": "application/json", "User-Agent": "dispatchfile"}
    if body:
        headers["Content-Type"] = "application/json"
    with ask(target, headers, body, authorization, method) as response:
        shown = f"{base}{PREFIX}{kind}/{name}"
        content = response.read().replace(endpoint.encode(), shown.encode())
        kept = [(key, value) for key in _KEPT if (value := response.headers.get(key))]
        told = [(key, value.replace(endpoint, shown)) for key, value in kept]
        return Answer(response.status or 502, told, content)


def _endpoint(where: Remote, name: str) -> str:
    """Return the API's URL that a step named, "" for one that must not get the token of the remote."""
    try:
        url = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        asked = remote.parse(url)
    except (binascii.Error, UnicodeDecodeError, UsageError):
        return ""
    same = (asked.host, asked.port) == (where.host, where.port)
    own = same or (asked.host == f"api.{where.host}" and not asked.port)
    plain = set("?#@") & set(url)
    return url.rstrip("/") if own and asked.scheme == where.scheme and not plain else ""


def _allowed(place: forges.Place, method: str, path: str) -> bool:
    if (place.kind, method, path) == ("github", "POST", "/graphql"):
        return True
    owner, _, name = place.repository.partition("/")
    words = {
        "all": re.escape(quote(place.repository, safe="")),
        "path": re.escape(quote(place.repository)),
        "owner": re.escape(quote(owner, safe="")),
        "name": re.escape(quote(name, safe="")),
    }
    beside = _BESIDE.get(place.kind, "")
    if method == "GET" and beside and re.fullmatch(_filled(beside, words), path):
        return True
    here = _filled(_REPOSITORY.get(place.kind, "/repos/{path}"), words)
    return bool(re.fullmatch(f"{here}(?:{_BELOW[place.kind].get(method, '(?!)')})", path))


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        pattern = pattern.replace(f"{{{name}}}", word)
    return pattern


def _is_own(target: str, place: forges.Place, body: IO[bytes] | None, authorization: str) -> bool:
    """Return whether a GraphQL request is the one for auto-merge, of a pull request of this very repository."""
    try:
        asked = json.loads(body.read() if body else b"")
        wanted = asked["variables"]["input"]
        number = wanted["pullRequestId"]
        fits = set(asked) == {"query", "variables"} and set(asked["variables"]) == {"input"}
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    known = {"pullRequestId", "expectedHeadOid", "mergeMethod"}
    if not fits or asked["query"] != forges.GITHUB_AUTO_MERGE or not set(wanted) <= known:
        return False
    question = json.dumps({"query": _NODE, "variables": {"id": number}}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "dispatchfile"}
    with ask(target, headers, io.BytesIO(question), authorization) as response:
        return _repository(response.read()).lower() == place.repository.lower()


def _repository(answer: bytes) -> str:
    """Return the repository that GraphQL names of a pull request, "" for anything else."""
    try:
        data: Any = json.loads(answer)
        return str(data["data"]["node"]["repository"]["nameWithOwner"])
    except (ValueError, LookupError, TypeError):
        return ""


def _refusal(status: int, text: str) -> Answer:
    body = json.dumps({"message": f"dispatchfile: {text}"}).encode()
    return Answer(status, [("Content-Type", "application/json")], body)


def ask(
    url: str, headers: Mapping[str, str], body: IO[bytes] | None, authorization: str, method: str = ""
) -> HTTPResponse | HTTPError:
    """Return a remote's answer to a whole body, an error answer too. Raises EnvironmentProblem when there is none."""
    from urllib.request import Request, urlopen

    length = {"Content-Length": str(body.seek(0, os.SEEK_END))} if body else {}
    if body:
        body.seek(0)
    request = Request(url, data=body, headers={**headers, **length}, method=method or None)  # noqa: S310 http(s) only, the gateway serves no others this way
    if authorization:
        # Not sent on when the remote redirects elsewhere.
        request.add_unredirected_header("Authorization", authorization)
    trust = certificates.context(url)
    try:
        answer: HTTPResponse = urlopen(request, timeout=300, context=trust)  # noqa: S310 as above
    except HTTPError as error:
        return error
    except (URLError, OSError) as error:
        raise EnvironmentProblem(
            f"{without_userinfo(url)} does not answer: {getattr(error, 'reason', error)}"
        ) from None
    return answer
