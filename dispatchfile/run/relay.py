"""Pull requests from a step: the API of a remote's forge, asked with the user's token, which stays on this machine.

The update task asks `…/api/ENDPOINT/PATH`, where ENDPOINT is the API's URL in base64. It has to be the remote's own
host, and PATH one of those that a pull request of this one repository needs; the token goes nowhere else. URLs in the
answers are turned into the relay's, for clients follow them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError

from dispatchfile import remote
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.record import Record
from dispatchfile.remote import Remote, without_userinfo

LARGEST_BODY = 1 << 20
PREFIX = "/api/"
_ISSUE, _PULL = r"/issues/\d+/(?:comments|labels)", r"/pulls/\d+"
_PATHS = {
    "GET": rf"|/pulls|{_PULL}|{_ISSUE}",
    "POST": rf"/pulls|{_PULL}/requested_reviewers|{_ISSUE}",
    "PATCH": _PULL,
    "PUT": rf"{_PULL}/merge",
}
_KEPT = ("Content-Type", "Link", "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset")


class Answer(Record):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def pass_on(
    url: str, method: str, inner: str, query: str, body: IO[bytes] | None, *, authorization: str, base: str
) -> Answer:
    """Return the answer of the API of `url`'s forge to a request of a step; `base` is the gateway's URL of the remote.

    `inner` is the request's path behind `base`. Raises EnvironmentProblem when the forge does not answer.
    """
    name, slash, path = inner.removeprefix(PREFIX).partition("/")
    endpoint = _endpoint(remote.parse(url), name)
    repository = re.escape(f"/repos/{remote.parse(url).repository}")
    if not endpoint or not re.fullmatch(f"{repository}(?:{_PATHS.get(method, '(?!)')})", slash + path):
        return _refusal(404, f"{method} {slash}{path} is not passed on from a step")
    if not authorization:
        return _refusal(401, "no token is known for it on this machine")
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "dispatchfile"}
    if body:
        headers["Content-Type"] = "application/json"
    target = f"{endpoint}{slash}{path}{f'?{query}' if query else ''}"
    with ask(target, headers, body, authorization, method) as response:
        content = response.read().replace(endpoint.encode(), f"{base}{PREFIX}{name}".encode())
        kept = [(key, value) for key in _KEPT if (value := response.headers.get(key))]
        shown = [(key, value.replace(endpoint, f"{base}{PREFIX}{name}")) for key, value in kept]
        return Answer(response.status or 502, shown, content)


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
    try:
        answer: HTTPResponse = urlopen(request, timeout=300)  # noqa: S310 as above
    except HTTPError as error:
        return error
    except (URLError, OSError) as error:
        raise EnvironmentProblem(
            f"{without_userinfo(url)} does not answer: {getattr(error, 'reason', error)}"
        ) from None
    return answer
