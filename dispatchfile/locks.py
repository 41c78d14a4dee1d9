"""Locks between processes: files that the kernel locks (flock). Whoever ends lets go, however that came about."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_S = 0.05


def take(path: Path, patience: float = 0.0) -> int | None:
    """Return a descriptor that is the lock until it is closed, None when another has it for `patience` seconds on end.

    Threads of one process take turns as processes do. Raises OSError where the file cannot be made.
    """
    lock = _opened(path)
    until = time.monotonic() + patience
    try:
        while not _is_free(lock):
            if time.monotonic() >= until:
                os.close(lock)
                return None
            time.sleep(_POLL_S)
    except BaseException:
        os.close(lock)
        raise
    return lock


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock, having waited for whoever has it. Raises OSError where the file cannot be made."""
    lock = _opened(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_free(lock: int) -> bool:
    """Take a lock, and return whether that could be done at once."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
