"""Does an image registry take a user and a password? Asked as `docker login` asks it.

Distribution specification, "/v2/": 200 lets in, 401 names the way in its WWW-Authenticate header: Basic, or a token
from another server (distribution/distribution, "Token Authentication Specification").
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dispatchfile import outages
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.remote import is_loopback

if TYPE_CHECKING:
    import requests

TIMEOUTS = (10.0, 30.0)
LARGEST = 1 << 20
_CERTIFICATES = Path("/etc/docker/certs.d")
_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"|(\w+)=([^\s",]+)')


class Rejected(EnvironmentProblem):
    """The registry does not take this user and password."""


def check(server: str, user: str, password: str) -> None:
    """Return when a registry takes a user and a password. Raises Rejected, and EnvironmentProblem when it does not answer.

    `server` is as Docker's config names it. Plain http is spoken with this machine alone.
    """
    host = _host(server)
    base, answer = _knock(host)
    if answer.status_code == 200:
        return  # everybody is let in, and nothing can be found out about a password
    challenge = answer.headers.get("WWW-Authenticate", "")
    scheme, _, rest = challenge.strip().partition(" ")
    if answer.status_code != 401 or scheme.lower() not in ("basic", "bearer"):
        raise EnvironmentProblem(
            f"{host} answers {answer.status_code} to what every registry is asked first",
            help="is it a registry? --no-check keeps the login without asking",
        )
    if scheme.lower() == "basic":
        shown = _get(f"{base}/v2/", host, basic=(user, password))
    else:
        token = _token(_parameters(rest), host, user, password)
        shown = _get(f"{base}/v2/", host, bearer=token)
    if shown.status_code in (401, 403):
        raise _rejected(host, user)
    if shown.status_code != 200:
        raise EnvironmentProblem(f"{host} answers {shown.status_code}, which says nothing about the login")


def _host(server: str) -> str:
    """Return HOST[:PORT] of a registry's API; that of the default registry is not where its logins are kept."""
    from docker.auth import INDEX_NAME, INDEX_URL

    return f"registry-1.{INDEX_NAME}" if server == INDEX_URL else server


def _knock(host: str) -> tuple[str, requests.Response]:
    near = is_loopback(urlsplit(f"//{host}").hostname or "")
    try:
        return f"https://{host}", _get(f"https://{host}/v2/", host)
    except EnvironmentProblem:
        if not near:
            raise
        return f"http://{host}", _get(f"http://{host}/v2/", host)


def _token(parameters: dict[str, str], host: str, user: str, password: str) -> str:
    """Return the token that the registry's token server gives for a user. Raises Rejected, EnvironmentProblem."""
    realm = urlsplit(parameters.get("realm", ""))
    near = is_loopback(realm.hostname or "") and is_loopback(urlsplit(f"//{host}").hostname or "")
    if realm.scheme != "https" and not (realm.scheme == "http" and near):
        raise EnvironmentProblem(
            f"{host} wants the password sent to {realm.scheme or 'a place'}://{realm.hostname or ''}, in plain text",
            help="the registry's realm has to be https",
        )
    if realm.username or realm.password:
        raise EnvironmentProblem(f"{host} names a token server that is no URL")
    query = {name: value for name in ("service", "scope") if (value := parameters.get(name))}
    query |= {"account": user, "client_id": "dispatchfile"}
    answer = _get(realm.geturl(), host, basic=(user, password), query=query)
    if answer.status_code in (400, 401, 403):
        raise _rejected(host, user)
    try:
        found: Any = answer.json()
        token = found.get("token") or found.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if (
        answer.status_code != 200
        or not isinstance(token, str)
        or not token.isascii()
        or not token.isprintable()
    ):
        raise EnvironmentProblem(f"the token server of {host} ({realm.hostname}) gives no token")
    return token


def _parameters(text: str) -> dict[str, str]:
    """Return the parameters of a challenge (RFC 9110, 11.2) by their names in small letters."""
    found = {}
    for name, quoted, other, plain in _PARAMETER.findall(text):
        found[(name or other).lower()] = re.sub(r"\\(.)", r"\1", quoted) if name else plain
    return found


def _get(
    url: str,
    host: str,
    *,
    basic: tuple[str, str] | None = None,
    bearer: str = "",
    query: dict[str, str] | None = None,
) -> requests.Response:
    """Return an answer, its body read; a redirect is not followed. Raises EnvironmentProblem."""
    import requests
    import urllib3

    def shown(request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Set here, so that nothing of ~/.netrc takes its place.
        if bearer:
            request.headers["Authorization"] = f"Bearer {bearer}"
        elif basic:
            from dispatchfile.credentials import Credential

            request.headers["Authorization"] = Credential(*basic, source="").basic
        return request

    bundle = _CERTIFICATES / host / "ca.crt"
    with requests.Session() as session:
        session.trust_env = not is_loopback(urlsplit(url).hostname or "")
        settings: dict[str, Any] = {"verify": str(bundle)} if bundle.is_file() else {}
        try:
            answer = session.get(
                url,
                params=query,
                auth=shown,
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
                **settings,
            )
            body = answer.raw.read(LARGEST + 1, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise EnvironmentProblem(
                f"{host} cannot be asked whether the login is right: {urlsplit(url).netloc}: {outages.why(error)}",
                help="--no-check keeps it without asking",
            ) from None
    if len(body) > LARGEST:
        raise EnvironmentProblem(f"{host} answers with more than {LARGEST >> 20} MB")
    answer._content = body  # what `content` would have read without a limit
    return answer


def _rejected(host: str, user: str) -> Rejected:
    return Rejected(
        f"{host} does not take this password for {user}",
        help="is it a token with the right to read (and write) images, and not expired?",
    )
