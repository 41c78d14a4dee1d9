"""Sends notifications behind the back of what they tell about.

A thread of its own takes them one by one, each with a few tries, so that a receiver that is slow or gone costs the loop
nothing. Who ends the program waits a little for what is still to go out.
"""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from dispatchfile.notify import Occasion, messages
from dispatchfile.notify.targets import Target
from dispatchfile.record import replace
from dispatchfile.remote import is_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Verdict: TypeAlias = Literal["done", "again", "refused"]

TRIES = 5
TIMEOUTS = (3.0, 5.0)
"""Seconds to connect, and between two pieces of an answer."""
LONGEST_WAIT = 30.0
WAITING = 200
"""Occasions that may wait; more than a receiver takes for that long are noted and dropped."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class Notifier:
    """Tells `targets` of occasions; `note` gets a line for what could not be told. `close` it at the end."""

    def __init__(
        self, targets: Sequence[Target], note: Callable[[str], None], *, first_wait: float = 0.5
    ) -> None:
        self._targets = targets
        self._note = note
        self._first_wait = first_wait
        self._queue: queue.Queue[tuple[Occasion, Target] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def tell(self, occasion: Occasion) -> None:
        """Have whoever asked for such an occasion told of it; returns at once."""
        occasion = occasion if occasion.time else replace(occasion, time=time.time())
        for target in self._targets:
            if occasion.what not in target.on:
                continue
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
                self._thread.start()
            try:
                self._queue.put_nowait((occasion, target))
            except queue.Full:
                self._note(f"{target.name} was not told of {occasion.what} of {occasion.app}: too much waits")

    def close(self, patience: float = 5.0) -> None:
        """Let go; wait at most `patience` seconds for what is still to be sent, and note what is not."""
        if self._thread is None:
            return
        self._hurry.set()
        end = time.monotonic() + patience
        try:
            self._queue.put(None, timeout=patience)
        except queue.Full:
            self._note("notifications were not sent in time")
            return
        self._thread.join(max(0.0, end - time.monotonic()))
        if self._thread.is_alive():
            self._note("notifications were not sent in time")

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._deliver(*item)

    def _deliver(self, occasion: Occasion, target: Target) -> None:
        body = messages.webhook(occasion) if target.secret else messages.slack(occasion)
        delivery = str(uuid.uuid4())
        wait, reason = self._first_wait, ""
        for attempt in range(TRIES):
            headers = {"Content-Type": "application/json"}
            if target.secret:
                headers |= messages.signed(occasion, body, target.secret, delivery, time.time())
            verdict, reason, asked = _post(target.url, body, headers)
            if verdict == "done":
                return
            if verdict == "refused" or attempt == TRIES - 1:
                break
            if self._hurry.is_set():
                time.sleep(self._first_wait)
            else:
                pause = max(wait * random.uniform(0.5, 1.5), asked)  # noqa: S311 no secret
                self._hurry.wait(min(pause, LONGEST_WAIT))
            wait *= 3
        self._note(f"{target.name} was not told of {occasion.what} of {occasion.app}: {reason}")


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[Verdict, str, float]:
    """Return what came of posting, why in words that hold nothing of the URL, and the seconds that it asks to wait."""
    import requests

    try:
        with requests.Session() as session:
            # What is on this machine is not asked for through a proxy, and no password of .netrc goes along.
            session.trust_env = not is_loopback(urlsplit(url).hostname or "")
            session.auth = lambda request: request
            # A redirect is not followed: what is signed, and a URL that is a secret, are for this host alone.
            answer = session.post(
                url, data=body, headers=headers, timeout=TIMEOUTS, allow_redirects=False, stream=True
            )
            status, after = answer.status_code, answer.headers.get("Retry-After", "")
    except requests.exceptions.SSLError:
        return "refused", "its certificate is not trusted", 0.0
    except requests.Timeout:
        return "again", "it did not answer in time", 0.0
    except requests.ConnectionError:
        return "again", "it cannot be reached", 0.0
    except (requests.RequestException, ValueError, UnicodeError) as error:
        return "refused", f"its URL cannot be used ({type(error).__name__})", 0.0
    if status // 100 == 2:
        return "done", "", 0.0
    wait = float(after) if after.isascii() and after.isdigit() else 0.0
    return ("again" if status in _PASSING else "refused"), f"it answered {status}", wait
