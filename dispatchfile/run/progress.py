"""What happens in a run, told to whoever shows or keeps it.

Every happening has a kind, a time (seconds since the epoch), and where it applies a task and a step:

    run.started     run, event, tasks: [{name, needs}]
    run.note        message                                  a warning, or something worth knowing
    task.started
    step.started    image
    step.log        stream (stdout or stderr), line          one line, masked, without its line end
    step.finished   exit_code, reason, message, duration
    task.finished   status, message, step, exit_code, duration, results, digests
    run.finished    status, exit_code, duration, message

Durations are in seconds. A task's status is succeeded, failed, skipped, stopped or kept (taken from an earlier
run); that of a run is succeeded, failed, stopped or error. Kinds and fields stay the same within a major version;
new ones may come.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from dispatchfile.value import Plain

    class View(Protocol):
        """Shows a run."""

        def __call__(self, event: Happening) -> None:
            """Show what happened."""

        def pause(self) -> None:
            """Leave the terminal to somebody else."""

        def resume(self) -> None:
            """Take the terminal back."""

        def close(self) -> None:
            """Show nothing more."""


class Happening(Record):
    """One thing that happened; `data` holds what its kind brings along."""

    kind: str
    time: float
    task: str
    step: str
    data: Mapping[str, Plain]


Listener = Callable[[Happening], None]


class Board:
    """Passes what happens to all listeners, one happening at a time, from whatever thread it comes.

    A listener whose reader has gone away (a closed pipe) is dropped; so is one that fails to write, and
    `problem` keeps why.
    """

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self.problem: OSError | None = None

    def tell(self, kind: str, task: str = "", step: str = "", **data: Plain) -> None:
        """Tell all listeners that something happened now."""
        event = Happening(kind, time.time(), task, step, data)
        with self._lock:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except BrokenPipeError:
                    self._listeners.remove(listener)
                except OSError as error:
                    self._listeners.remove(listener)
                    self.problem = error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let whoever has something to tell wait: the terminal has a question to ask."""
        with self._lock:
            yield

    def close(self) -> None:
        """Tell nobody anything more; threads that were left behind may still have something to say."""
        with self._lock:
            self._listeners.clear()


def as_plain(event: Happening) -> dict[str, Plain]:
    """Return a happening as it is written in JSON: `event`, `time` (RFC 3339, UTC), `task`, `step` and its data."""
    told: dict[str, Plain] = {"event": event.kind, "time": rfc3339(event.time)}
    if event.task:
        told["task"] = event.task
    if event.step:
        told["step"] = event.step
    return {**told, **event.data}


def rfc3339(seconds: float) -> str:
    """Return a time in UTC to the millisecond, such as 2026-01-31T08:00:00.000Z."""
    whole = int(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int((seconds - whole) * 1000):03d}Z"


def duration(seconds: float) -> str:
    """Return a duration for people: 0.4s, 12s, 3m05s, 1h02m."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def jobs_by_default() -> int:
    """Return how many tasks run at once when nobody says: four for each processor, and at least eight.

    Most tasks wait most of their time, for a network, a disk or a server; a limit of one for each processor would
    let processors idle, and no limit at all can bring a machine down.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return max(8, 4 * processors)
