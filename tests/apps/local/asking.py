"""A client that asks all the time, on connections that last and on new ones, and keeps every answer that was none."""

from __future__ import annotations

import http.client
import threading
import time
from types import TracebackType

BODY = b"x" * 20000
PAUSE_S = 0.02


class Asking:
    """Threads that ask while the block lasts. `failures` has each request that got no 200, or the wrong answer."""

    def __init__(
        self, *places: tuple[int, str], host: str = "127.0.0.1", kinds: tuple[str, ...] = ()
    ) -> None:
        kinds = kinds or ("GET keep", "GET new", "POST keep", "POST new")
        self.failures: list[str] = []
        self.answers: list[str] = []
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(host, port, path, *kind.split()))
            for port, path in places
            for kind in kinds
        ]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, host: str, port: int, path: str, method: str, life: str) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        while not self._done.is_set():
            begun = time.monotonic()
            try:
                connection.request(method, path, BODY if method == "POST" else None)
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status != 200 or not text.endswith(str(len(BODY)) if method == "POST" else "0"):
                    self.failures.append(f"{method} {life} {port}{path}: {answer.status} {text[:80]}")
                self.answers.append(text)
                if life == "new" or answer.will_close:
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                took = time.monotonic() - begun
                self.failures.append(f"{method} {life} {port}{path}: {error!r} after {took:.2f} s")
                connection.close()
            time.sleep(PAUSE_S)
        connection.close()
