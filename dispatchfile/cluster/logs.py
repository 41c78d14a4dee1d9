"""The log of a container, followed to its end, whatever happens to connections on the way.

Lines are asked for with their times. Where a stream breaks, it is asked for again from the time of the last whole
line; that brings lines of that second twice, and those that were told already are left out. A stream also ends, as if
all were said, when the kubelet turns to a new log file; so an end counts only once the container has ended.
"""

from __future__ import annotations

from dispatchfile.kube.problems import Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dispatchfile.kube.client import Cluster

LONGEST_LINE = 1 << 20
"""Bytes of a line that are held back until the rest of it comes."""
LAST_TRIES = 5
"""How often the rest of a log is asked for once its container has ended."""
PATIENCE_S = 2.0
"""Seconds in which a container that wrote its last line is told to have ended."""


def follow(
    cluster: Cluster, pod: str, container: str, sink: Callable[[bytes], None], ended: Callable[[float], bool]
) -> str:
    """Pass a container's log to `sink` as it comes; return why it is not whole, or "".

    `ended` returns whether the container has ended, or does so within some seconds.
    """
    lines = _Lines(sink)
    tries = 0
    problem = ""
    while tries < LAST_TRIES:
        try:
            lines.begin()
            for chunk in cluster.log(pod, container, since=lines.last):
                lines.feed(chunk)
            lines.end()
            if ended(PATIENCE_S):
                return ""
            problem = ""
        except Refused as refused:
            if refused.code == 404:
                return "its pod is gone, and its log with it"
            if not refused.passes and refused.code != 400:  # 400: the container does not run yet
                return f"its log cannot be read: {refused.message}"
            problem = refused.message
        except Unreachable as lost:
            problem = lost.message
        tries = tries + 1 if ended(min(5.0, 0.2 * 2**tries)) else 0
    return f"the end of its log could not be read: {problem}" if problem else ""


class _Lines:
    """Takes timed lines in pieces, from several streams, and passes each on once, without its time."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._rest = b""
        self._is_begun = False
        self._last, self._at_last = b"", 0
        self._again, self._skipping = 0, False

    @property
    def last(self) -> str:
        """Return the time of the last line passed on, as the server wrote it; "" before the first."""
        return self._last.decode("ascii", "replace")

    def begin(self) -> None:
        """Expect a new stream, from the time of the last line on."""
        self._rest, self._is_begun = b"", False
        self._again, self._skipping = 0, bool(self._last)

    def feed(self, data: bytes) -> None:
        """Take a piece of a stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        told = bytearray()  # passed on at once: a call for each line is what takes longest
        for line in lines:
            told += self._new(line + b"\n")
            self._is_begun = False
        if len(self._rest) > LONGEST_LINE:
            told += self._new(self._rest)
            self._rest, self._is_begun = b"", True
        if told:
            self._sink(bytes(told))

    def end(self) -> None:
        """Pass on what came behind the last line end."""
        if told := self._rest and self._new(self._rest):
            self._sink(told)
        self._rest = b""

    def _new(self, line: bytes) -> bytes:
        """Return what of a line was not told yet, without its time."""
        if self._is_begun:
            return line
        time, _, text = line.partition(b" ")
        if self._skipping:
            if time < self._last:
                return b""
            if time == self._last:
                self._again += 1
                if self._again <= self._at_last:
                    return b""
            self._skipping = time == self._last
        self._at_last = self._at_last + 1 if time == self._last else 1
        self._last = time
        return text
