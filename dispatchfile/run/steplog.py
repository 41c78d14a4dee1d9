"""The output of one step: masked, kept in its log file, told line by line, remembered where it is a result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.mask import Masker
from dispatchfile.run.backend import Stream
from dispatchfile.run.progress import Board

TAIL_LINES = 20
LONGEST_LINE = 16 * 1024
LARGEST_RESULT = 1 << 20
"""Bytes; a program's argument can hold 128 KiB on Linux, so no variable needs more."""


class StepLog:
    """Takes a step's output as it comes. A context manager; `tail` holds the last lines that were told.

    `meet` is told as soon as the log cannot be written any more.
    """

    def __init__(
        self, board: Board, masker: Masker, path: Path, task: str, step: str, *, result: bool,
        meet: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self._board, self._path, self._task, self._step = board, path, task, step
        self._meet = meet
        self._streams = {"stdout": masker.stream(), "stderr": masker.stream()}
        self._line = {"stdout": b"", "stderr": b""}
        self._result = bytearray() if result else None
        self._file: BinaryIO | None = None
        self._problem: OSError | None = None
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)

    def __enter__(self) -> StepLog:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self._path.open("wb", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        for stream, masked in self._streams.items():
            self._write(stream, masked.end())
            if self._line[stream]:
                self._tell(stream, self._line[stream])
                self._line[stream] = b""
        if self._file is not None:
            self._file.close()

    def sink(self, stream: Stream, data: bytes) -> None:
        """Take some output; never raises, so that the program's output is always read to its end."""
        if stream == "stdout" and self._result is not None and len(self._result) <= LARGEST_RESULT:
            self._result += data
        self._write(stream, self._streams[stream].feed(data))

    def check(self) -> None:
        """Raise EnvironmentProblem when the log could not be written."""
        if self._problem is not None:
            raise self._unwritable(self._problem)

    def result(self) -> str | None:
        """Return the whole standard output less one line end at its end; None when it cannot be a variable."""
        if self._result is None or len(self._result) > LARGEST_RESULT or 0 in self._result:
            return None
        return self._result.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")

    def _write(self, stream: str, data: bytes) -> None:
        if not data:
            return
        try:
            if self._file is not None and self._problem is None:
                self._file.write(data)
        except OSError as error:
            self._problem = error
            self._meet(self._unwritable(error))
        *lines, rest = (self._line[stream] + data).split(b"\n")
        for line in lines:
            self._tell(stream, line)
        while len(rest) > LONGEST_LINE:
            self._tell(stream, rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._line[stream] = rest

    def _tell(self, stream: str, line: bytes) -> None:
        shown = line.rstrip(b"\r").rpartition(b"\r")[2]  # of a progress bar, the last state
        text = _without_controls(shown.decode("utf-8", "replace"))
        self.tail.append(text)
        self._board.tell("step.log", self._task, self._step, stream=stream, line=text)

    def _unwritable(self, error: OSError) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"cannot write the log {self._path}: {error.strerror}",
            help="make room, or choose another directory with --log-dir",
        )


def _without_controls(text: str) -> str:
    """Return the text without control characters but tab and escape sequences for colour."""
    if text.isprintable():
        return text
    import re

    kept = re.sub(r"\x1b\[[0-9;]*m", lambda found: found[0].replace("\x1b", "\0"), text)
    kept = re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.?)", "", kept)
    kept = re.sub(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]", "", kept)
    return kept.replace("\0[", "\x1b[").replace("\0", "")
