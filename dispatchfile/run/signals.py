"""Signals that are to end a run, for whoever decides about it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def caught(tell: Callable[[int], None]) -> Iterator[None]:
    """Hand the numbers of SIGINT, SIGTERM and SIGHUP to `tell` as they come, and put the old handlers back.

    Handlers can be set in the main thread only; in another one nothing is caught. Neither is SIGHUP where nohup has
    it ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: tell(int(number))) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
