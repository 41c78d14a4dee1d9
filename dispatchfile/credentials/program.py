"""Calls of the programs that keep secrets: git's helpers, Docker's, the keyring's.

Such a program is not ours. It may hang, print without end, print rubbish, or be missing; none of that may hold up or
confuse the caller. A secret goes to it through its standard input, never in an argument. What it says on stderr goes
nowhere: it may quote what it was told.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record

PATIENCE_S = 60.0
"""A keyring may ask its user to unlock it, in a window of its own."""
LONGEST = 1 << 20


class Answer(Record, hidden=("output",)):
    """How a program ended, and what it printed."""

    code: int
    output: str


class Unusable(EnvironmentProblem):
    """A program is missing, does not end, or prints what is no text."""


def ask(
    words: Sequence[str],
    text: str,
    *,
    env: Mapping[str, str],
    directory: str = "/",
    patience: float = PATIENCE_S,
) -> Answer:
    """Return what a program answers to `text`; raises Unusable. It has no terminal, so it cannot prompt on it."""
    name = words[0].rpartition("/")[2]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            cwd=directory,
            start_new_session=True,
        )
    except OSError as error:
        raise Unusable(f"cannot run {name}: {error.strerror}", help="is it installed, and on PATH?") from None
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(patience, end)
    timer.daemon = True
    timer.start()
    with process:
        output = _talk(process, text)
        if len(output) > LONGEST:
            _kill(process)
        code = process.wait()
    timer.cancel()
    if late.is_set():
        raise Unusable(f"{name} did not end within {patience:.0f} seconds, and was stopped")
    if len(output) > LONGEST:
        raise Unusable(f"{name} prints without end, and was stopped")
    try:
        return Answer(code, output.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unusable(f"{name} printed what is no text") from None


def _talk(process: subprocess.Popen[bytes], text: str) -> bytes:
    """Tell a program a text that fits into a pipe, and return what it prints, one byte more than LONGEST at most."""
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(text.encode("utf-8"))
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended without reading; how it ended says the rest
    return process.stdout.read(LONGEST + 1)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started; its children could hold the pipe open."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
