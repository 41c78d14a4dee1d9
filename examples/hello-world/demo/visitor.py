"""Somebody who asks for a page all the time, and counts what comes back."""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.request
from urllib.parse import urlsplit

READERS = 3


def page(url: str) -> str:
    """Return what a URL answers with, after redirects."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 the application's own address
        return str(answer.read().decode())


class Visitor:
    """Several readers, some of whom keep their connection open, from entering the context to leaving it."""

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url)
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._readers = [
            threading.Thread(target=self._read, args=(bool(number),)) for number in range(READERS)
        ]
        self._seen: dict[str, int] = {}
        self.failures: list[str] = []

    def __enter__(self) -> Visitor:
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for reader in self._readers:
            reader.join()

    def summary(self) -> str:
        """Return what was counted, in one line."""
        pages = ", ".join(f"{count} times “{heading}”" for heading, count in self._seen.items())
        return f"{sum(self._seen.values())} requests answered ({pages}), {len(self.failures)} failed"

    def saw(self, *headings: str) -> bool:
        """Return whether these headings came, in this order, and no others."""
        return tuple(self._seen) == headings

    def _read(self, keeps: bool) -> None:  # noqa: FBT001 the two kinds of readers
        connection = http.client.HTTPConnection(self._where.hostname or "", self._where.port, timeout=10)
        while not self._end.is_set():
            try:
                connection.request("GET", f"{self._where.path.rstrip('/')}/")
                answer = connection.getresponse()
                body = answer.read().decode()
                found = re.search("<h1>(.*)</h1>", body)
                if answer.status != 200 or found is None:
                    raise OSError(f"HTTP {answer.status}")
                with self._lock:
                    self._seen[found[1]] = self._seen.get(found[1], 0) + 1
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                connection.close()
            if not keeps:
                connection.close()
            time.sleep(0.02)
        connection.close()
