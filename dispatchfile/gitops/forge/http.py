"""Forges over HTTP: one small layer under all of them, with what goes wrong between here and there.

Whatever fails becomes one EnvironmentProblem that names the forge, what was tried, the reason that the forge gave and
what to do. The token is in a header of the session and in nothing else: not in a URL, not in an error. It goes to one
host alone, redirects and next pages that lead elsewhere are not followed.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from dispatchfile import outages
from dispatchfile.credentials import certificates
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import answer as answers
from dispatchfile.gitops.forge.answer import Answer
from dispatchfile.mask import Masker
from dispatchfile.remote import is_loopback, without_userinfo

if TYPE_CHECKING:
    import requests

# Seconds. A limit that asks for more is told to the user instead of slept through.
LONGEST_WAIT = 60.0
BETWEEN_WRITES = 1.0
TIMEOUTS = (10.0, 60.0)
LONGEST_ANSWER = 180.0
TRIES = 4
LARGEST_BODY = 16 << 20
MOST_PAGES = 200
MOST_REDIRECTS = 3

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "SSL_CERT_FILE")
_MOVED = (301, 302, 307, 308)
_LONGEST_REASON = 400


class Refused(EnvironmentProblem):
    """The forge said no; `status` is the HTTP status, `reason` what it said."""

    def __init__(self, tried: str, forge: str, status: int, reason: str) -> None:
        super().__init__(f"cannot {tried}: {forge} answered {status}: {reason}", help=_advice(status))
        self.status = status
        self.reason = reason


class Api:
    """The API at `endpoint` of a forge; `authorization` is the header's value, or empty.

    `direct` says that a runner's relay is asked: in plain text, on this machine's own network, without a token.
    """

    def __init__(self, forge: str, endpoint: str, authorization: str = "", *, direct: bool = False) -> None:
        self.forge = forge
        self.endpoint = endpoint.rstrip("/")
        parts = urlsplit(self.endpoint)
        near = is_loopback(parts.hostname or "")
        if not _is_plain(self.endpoint):
            shown = without_userinfo(endpoint)
            raise EnvironmentProblem(f"{shown} is no URL of an API", help="-api-endpoint=https://HOST/…")
        if authorization and parts.scheme != "https" and not near:
            raise EnvironmentProblem(
                f"{endpoint} would get the token in plain text", help="-api-endpoint must be https"
            )
        secret = authorization.partition(" ")[2]
        self._masker = Masker([secret] if secret else [])
        self._between_writes = 0.0 if near or direct else BETWEEN_WRITES
        self._last_write = 0.0
        self._session = _session(authorization, alone=near or direct)
        self._session.verify = str(certificates.of(self.endpoint) or _bundle() or "") or True

    def get(self, tried: str, path: str, **query: str) -> Any:
        """Return what the forge has at a path; `tried` says what for, in words that follow "cannot"."""
        data = self.ask(tried, "GET", path, query=query).data
        if data is None:
            raise self._strange(tried, "is empty")
        return data

    def send(self, tried: str, method: str, path: str, body: Any = None, *, repeatable: bool = False) -> Any:
        """Return the answer to a change. `repeatable`: a POST may be sent again after a failure in between."""
        return self.ask(tried, method, path, body=body, repeatable=repeatable).data

    def pages(self, tried: str, path: str, **query: str) -> Iterator[Any]:
        """Yield the items of a list over all its pages, however the forge tells of the next one."""
        answer = self.ask(tried, "GET", path, query=query)
        for _ in range(MOST_PAGES):
            data = answer.data
            values = data["values"] if isinstance(data, dict) else data
            if not isinstance(values, list):
                raise self._strange(tried, "is no list")
            yield from values
            following = answers.next_page(answer, query)
            if following is None:
                return
            url, query = following
            answer = self.ask(tried, "GET", url or path, query=query)
        raise EnvironmentProblem(f"cannot {tried}: {self.forge} lists more than {MOST_PAGES} pages")

    def ask(
        self,
        tried: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        repeatable: bool = False,
    ) -> Answer:
        """Return the answer to one request. Raises Refused for an answer that is an error, EnvironmentProblem.

        `path` is below the endpoint, or a whole URL that the forge itself named.
        """
        url = self._url(tried, path)
        repeatable = repeatable or method != "POST"
        for tries in range(1, TRIES + 1):
            answer = self._follow(tried, method, url, query, body)
            if answer.status < 300:
                return answer
            pause = answers.pause(answer, tries, repeatable=repeatable)
            if pause is None or tries == TRIES:
                break
            if pause > LONGEST_WAIT:
                raise EnvironmentProblem(
                    f"cannot {tried}: {self.forge}'s rate limit is used up for {_span(pause)}",
                    help="run it again then; it goes on where it stopped",
                )
            time.sleep(pause)
        raise Refused(tried, self.forge, answer.status, self._reason(answer))

    def _follow(
        self, tried: str, method: str, url: str, query: Mapping[str, str] | None, body: Any
    ) -> Answer:
        """Return the answer after redirects within the same host, as for a repository that was renamed."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(tried, method, url, query, body)
            if answer.status not in _MOVED:
                return answer
            target = urljoin(url, answer.headers.get("location", ""))
            if _origin(target) != _origin(self.endpoint):
                raise EnvironmentProblem(
                    f"cannot {tried}: {self.forge} redirects to {_origin(target)}, which does not get the token",
                    help="name the right API: -api-endpoint=URL",
                )
            if method != "GET" and answer.status in (301, 302):
                raise Refused(tried, self.forge, answer.status, f"it has moved to {target.partition('?')[0]}")
            url, query = target, None
        raise EnvironmentProblem(f"cannot {tried}: {self.forge} redirects in a circle")

    def _once(self, tried: str, method: str, url: str, query: Mapping[str, str] | None, body: Any) -> Answer:
        import requests

        if method != "GET":
            time.sleep(max(0.0, self._last_write + self._between_writes - time.monotonic()))
        try:
            with self._session.request(
                method,
                url,
                params=query,
                json=body,
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._content(tried, response)
                return self._answer(tried, response, content)
        except requests.RequestException as error:
            raise EnvironmentProblem(
                f"cannot {tried}: {self.forge} at {urlsplit(url).netloc} cannot be reached: {outages.why(error)}",
                help=_way_out(error, urlsplit(url).netloc),
            ) from None
        finally:
            if method != "GET":
                self._last_write = time.monotonic()

    def _content(self, tried: str, response: requests.Response) -> bytes:
        end = time.monotonic() + LONGEST_ANSWER
        content = b""
        for block in response.iter_content(1 << 16):
            content += block
            if len(content) > LARGEST_BODY or time.monotonic() > end:
                limit = f"{LARGEST_BODY >> 20} MiB" if len(content) > LARGEST_BODY else _span(LONGEST_ANSWER)
                raise EnvironmentProblem(f"cannot {tried}: {self.forge}'s answer takes more than {limit}")
        return content

    def _answer(self, tried: str, response: requests.Response, content: bytes) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}

        def missing(name: str) -> EnvironmentProblem:
            return self._strange(tried, f"has no {name}")

        try:
            hook = partial(answers.Fields, missing)
            data = json.loads(content, object_pairs_hook=hook) if content.strip() else None
        except (ValueError, RecursionError):
            if response.status_code < 300:
                raise self._strange(tried, "is no JSON") from None
            plain = headers.get("content-type", "").startswith("text/plain")
            data = content.decode("utf-8", "replace") if plain else None
        return Answer(response.status_code, headers, data, response.url or self.endpoint)

    def _strange(self, tried: str, what: str) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"cannot {tried}: {self.forge}'s answer {what}",
            help=f"check that its API is at {self.endpoint}: -api-endpoint=URL",
        )

    def _url(self, tried: str, path: str) -> str:
        if "://" not in path:
            return self.endpoint + path
        if _origin(path) != _origin(self.endpoint):
            raise EnvironmentProblem(
                f"cannot {tried}: {self.forge} continues on {_origin(path)}, which does not get the token",
                help="name the right API: -api-endpoint=URL",
            )
        return path

    def _reason(self, answer: Answer) -> str:
        told = "; ".join(dict.fromkeys(text.strip() for text in answers.told(answer.data) if text.strip()))
        if not told:
            known = answer.status in {status.value for status in HTTPStatus}
            told = HTTPStatus(answer.status).phrase if known else "no reason"
        clean = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", self._masker.text(told))
        return clean if len(clean) <= _LONGEST_REASON else f"{clean[:_LONGEST_REASON]}…"


def _bundle() -> str:
    """Return the file with certificates that the user's environment names, "" for none."""
    return next((path for name in _BUNDLES if (path := os.environ.get(name))), "")


def _session(authorization: str, *, alone: bool) -> requests.Session:
    """Return the session; `alone`: without the proxies that the environment names, as to this machine itself."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    from dispatchfile import __version__

    def shown(request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Set here, so that no ~/.netrc replaces it; a session without a token has none either.
        if authorization:
            request.headers["Authorization"] = authorization
        return request

    session = requests.Session()
    session.auth = shown
    session.get_redirect_target = lambda _response: None  # type: ignore[method-assign, assignment] # `_follow` judges where they lead
    session.trust_env = not alone
    session.headers.update({"User-Agent": f"dispatchfile/{__version__}", "Accept": "application/json"})
    # A connection that fails is tried again; an answer is judged in `ask`, by its body too.
    retry = Retry(
        total=3,
        connect=3,
        read=2,
        status=0,
        redirect=0,
        other=0,
        backoff_factor=0.3,
        respect_retry_after_header=False,
    )
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


def _is_plain(url: str) -> bool:
    """Return whether a URL is of http, names a host, and holds neither user, password, query nor fragment."""
    parts = urlsplit(url)
    try:
        known = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False
    rest = parts.query or parts.fragment or "@" in parts.netloc
    return known and parts.scheme in ("http", "https") and bool(parts.hostname) and not rest


def _origin(url: str) -> str:
    """Return scheme, host and port, so that equal ones compare equal."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host.removesuffix({'http': ':80', 'https': ':443'}.get(parts.scheme, ':'))}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _way_out(error: Exception, server: str) -> str:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return (
            "if it has an authority of its own: "
            f"dispatchfile gitops cert add-tls {server} --from FILE, or ${_BUNDLES[0]}=FILE"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return "check $HTTPS_PROXY, or name the host in $NO_PROXY"
    return "check the address and the network, and run it again to go on: what was done stays"


def _advice(status: int) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return "is the token complete, and not expired?"
    if status == HTTPStatus.FORBIDDEN:
        return "the token needs the right to write contents and pull requests of this repository"
    if status == HTTPStatus.NOT_FOUND:
        return "check the repository's name, and that the token may see it"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "run it again when the forge is well; it goes on where it stopped"
    return ""
