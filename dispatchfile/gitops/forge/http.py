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
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.mask import Masker
from dispatchfile.record import Record
from dispatchfile.remote import is_loopback

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
_RESETS = ("X-RateLimit-Reset", "RateLimit-Reset")
_LEFT = ("X-RateLimit-Remaining", "RateLimit-Remaining")
# GitHub's names of its limits on bursts, which come as 403.
_BURST = re.compile(r"secondary rate|abuse detection|rate limit exceeded", re.IGNORECASE)
_PASSING = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
_MOVED = (301, 302, 307, 308)
_LONGEST_REASON = 400


class Answer(Record):
    """A forge's answer; `data` is its JSON, None when it is empty. Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: Any
    url: str


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
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise EnvironmentProblem(f"{endpoint} is no URL of an API", help="-api-endpoint=https://HOST/…")
        if authorization and parts.scheme != "https" and not near:
            raise EnvironmentProblem(
                f"{endpoint} would get the token in plain text", help="-api-endpoint must be https"
            )
        secret = authorization.partition(" ")[2]
        self._masker = Masker([secret] if secret else [])
        self._between_writes = 0.0 if near or direct else BETWEEN_WRITES
        self._last_write = 0.0
        self._session = _session(authorization, alone=near or direct)

    def get(self, tried: str, path: str, **query: str) -> Any:
        """Return what the forge has at a path; `tried` says what for, in words that follow "cannot"."""
        return self.ask(tried, "GET", path, query=query).data

    def send(self, tried: str, method: str, path: str, body: Any = None, *, repeatable: bool = False) -> Any:
        """Return the answer to a change. `repeatable`: a POST may be sent again after a failure in between."""
        return self.ask(tried, method, path, body=body, repeatable=repeatable).data

    def pages(self, tried: str, path: str, **query: str) -> Iterator[Any]:
        """Yield the items of a list over all its pages, however the forge tells of the next one."""
        answer = self.ask(tried, "GET", path, query=query)
        for _ in range(MOST_PAGES):
            data = answer.data
            yield from data if isinstance(data, list) else data.get("values", ())
            following = _next_page(answer, query)
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
            pause = _pause(answer, tries, repeatable=repeatable)
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
                f"cannot {tried}: {self.forge} at {urlsplit(url).netloc} cannot be reached: {_why(error)}",
                help=_way_out(error),
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
        try:
            data = json.loads(content) if content.strip() else None
        except (ValueError, RecursionError):
            if response.status_code < 300:
                raise EnvironmentProblem(
                    f"cannot {tried}: {self.forge} answered with something that is no JSON",
                    help=f"check that its API is at {self.endpoint}: -api-endpoint=URL",
                ) from None
            plain = headers.get("content-type", "").startswith("text/plain")
            data = content.decode("utf-8", "replace") if plain else None
        return Answer(response.status_code, headers, data, response.url or self.endpoint)

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
        told = "; ".join(dict.fromkeys(text.strip() for text in _told(answer.data) if text.strip()))
        if not told:
            known = answer.status in {status.value for status in HTTPStatus}
            told = HTTPStatus(answer.status).phrase if known else "no reason"
        clean = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", self._masker.text(told))
        return clean if len(clean) <= _LONGEST_REASON else f"{clean[:_LONGEST_REASON]}…"


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
    session.trust_env = not alone
    session.headers.update({"User-Agent": f"dispatchfile/{__version__}", "Accept": "application/json"})
    session.verify = next((path for name in _BUNDLES if (path := os.environ.get(name))), True)
    # A connection that fails is tried again; an answer is judged in `ask`, by its body too.
    retry = Retry(total=3, connect=3, read=2, status=0, redirect=0, other=0, backoff_factor=0.3)
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


def _pause(answer: Answer, tries: int, *, repeatable: bool) -> float | None:
    """Return the seconds after which to ask again, None when the answer stands."""
    limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if answer.status == HTTPStatus.FORBIDDEN:
        left = next((value for name in _LEFT if (value := answer.headers.get(name.lower()))), "")
        text = " ".join(_told(answer.data))
        limited = left == "0" or "retry-after" in answer.headers or bool(_BURST.search(text))
    if limited:
        asked = _asked_to_wait(answer)
        return LONGEST_WAIT if asked is None else asked
    if answer.status in _PASSING and repeatable:
        asked = _asked_to_wait(answer)
        return 0.5 * 2**tries if asked is None else asked
    return None


def _asked_to_wait(answer: Answer) -> float | None:
    """Return what Retry-After (seconds or a date) or a limit's reset (seconds since 1970) asks for."""
    after = answer.headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after)
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
        except ValueError:
            return None
    for name in _RESETS:
        reset = answer.headers.get(name.lower(), "").strip()
        if reset.isdecimal():
            return max(0.0, float(reset) - time.time())
    return None


def _next_page(answer: Answer, query: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """Return URL and query of the next page; the URL is empty for that of this one. None on the last page."""
    link = re.search(r'<([^>]*)>\s*;[^,]*\brel="?next"?', answer.headers.get("link", ""))
    if link:
        return urljoin(answer.url, link[1]), {}
    if page := answer.headers.get("x-next-page", "").strip():
        return "", {**query, "page": page}
    if isinstance(answer.data, dict):
        if following := answer.data.get("next"):
            return urljoin(answer.url, str(following)), {}
        if answer.data.get("isLastPage") is False:
            return "", {**query, "start": str(answer.data.get("nextPageStart", ""))}
    return None


def _told(data: Any) -> Iterator[str]:
    """Yield what an error's body says, in the order in which forges say it."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _told(item)
    elif isinstance(data, dict):
        known = [
            name for name in ("message", "error", "error_description", "detail", "errors") if name in data
        ]
        if known:
            for name in known:
                yield from _told(data[name])
            return
        for name, value in data.items():
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                yield f"{name} {', '.join(value)}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _why(error: Exception) -> str:
    """Return why a connection failed, from the innermost cause; never with the request's URL."""
    import requests

    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return cause.strerror
        inner = next((arg for arg in cause.args if isinstance(arg, BaseException)), None)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None) or inner
    return type(error).__name__


def _way_out(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return f"name the certificates to trust: ${_BUNDLES[0]}=FILE"
    if isinstance(error, requests.exceptions.ProxyError):
        return "check $HTTPS_PROXY, or name the host in $NO_PROXY"
    return "run it again to go on; what was done stays"


def _advice(status: int) -> str:
    if status in (401, 403):
        return "the token needs the right to write contents and pull requests of this repository"
    if status == 404:
        return "check the repository's name, and that the token may see it"
    return ""
