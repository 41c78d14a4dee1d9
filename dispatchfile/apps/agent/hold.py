"""One agent keeps an application; the others wait until it is gone, however it went.

What is held is a lock of the kernel on `agent.lock` in the application's folder: it ends with the process. Commands like
`app sync` do not ask for it; they and the agent take turns by the application's own lock (apps/store.py).
"""

from __future__ import annotations

import contextlib
import os

from dispatchfile import locks
from dispatchfile.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class Hold:
    """The right to keep the application whose state is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agent.lock"
        self._lock: int | None = None

    def take(self) -> bool:
        """Return whether it is ours now. Raises EnvironmentProblem where the folder cannot be written."""
        if self._lock is not None and self._is_there():
            return True
        self.release()
        try:
            lock = locks.take(self._path)
        except OSError as error:
            raise EnvironmentProblem(f"{self._path} cannot be made: {error.strerror}") from error
        if lock is None:
            return False
        with contextlib.suppress(OSError):  # on a full disk nobody is told who has it
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        return True

    def holder(self) -> str:
        """Return the number of the process that has it, "?" when that is not known."""
        try:
            return self._path.read_text(encoding="ascii", errors="replace").strip() or "?"
        except OSError:
            return "?"

    def release(self) -> None:
        """Let another have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_there(self) -> bool:
        """Return whether the file is still the one that is locked: an application deleted and made again has another."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._lock) if self._lock is not None else None
        return mine is not None and (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)
