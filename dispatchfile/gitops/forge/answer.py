"""What a forge's answer says: its data, its next page, when to ask again, and why it refuses."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record

WITHOUT_A_TIME = 60.0
"""Seconds to wait at a limit that does not say how long; GitHub asks for a minute."""

_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_LEFT = ("x-ratelimit-remaining", "ratelimit-remaining")
# GitHub's names of its limits on bursts, which come as 403.
_BURST = re.compile(r"secondary rate|abuse detection|rate limit exceeded", re.IGNORECASE)
_PASSING = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
_REASONS = ("message", "error", "error_description", "detail", "errors")


class Answer(Record):
    """A forge's answer; `data` is its JSON, None when it is empty. Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: Any
    url: str


class Fields(dict[str, Any]):
    """A JSON object of an answer; to ask for a field that it has not is an error of the forge, not a bug here."""

    def __init__(
        self, missing: Callable[[str], EnvironmentProblem], pairs: Iterable[tuple[str, Any]]
    ) -> None:
        super().__init__(pairs)
        self._missing = missing

    def __missing__(self, name: str) -> Any:
        raise self._missing(name)


def pause(answer: Answer, tries: int, *, repeatable: bool) -> float | None:
    """Return the seconds after which to ask again, None when the answer stands."""
    limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if answer.status == HTTPStatus.FORBIDDEN:
        left = next((value for name in _LEFT if (value := answer.headers.get(name))), "")
        text = " ".join(told(answer.data))
        limited = left == "0" or "retry-after" in answer.headers or bool(_BURST.search(text))
    if limited:
        asked = _asked_to_wait(answer)
        return WITHOUT_A_TIME if asked is None else asked
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
        reset = answer.headers.get(name, "").strip()
        if reset.isdecimal():
            return max(0.0, float(reset) - time.time())
    return None


def next_page(answer: Answer, query: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
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


def told(data: Any) -> Iterator[str]:
    """Yield what an error's body says, in the order in which forges say it."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from told(item)
    elif isinstance(data, dict):
        known = [name for name in _REASONS if name in data]
        if known:
            for name in known:
                yield from told(data[name])
            return
        for name, value in data.items():
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                yield f"{name} {', '.join(value)}"
