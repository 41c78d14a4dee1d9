"""Calls of the programs that keep secrets: git's helpers, Docker's, the keyring's.

Such a program is not ours. It may hang, print without end, print rubbish, or be missing; none of that may hold up or
confuse the caller. A secret goes to it through its standard input, never in an argument. What it says on stderr goes
nowhere: it may quote what it was told.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

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


def ask(words: Sequence[str], text: str, *, env: Mapping[str, str], directory: str = "/") -> Answer:
    """Return what a program answers to `text`, which fits into a pipe; raises Unusable. It has no terminal to prompt on."""
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
            bufsize=0,
        )
    except OSError as error:
        raise Unusable(f"cannot run {name}: {error.strerror}", help="is it installed, and on PATH?") from None
    until = time.monotonic() + PATIENCE_S
    try:
        output = _talk(process, text, until)
        if len(output) > LONGEST:
            raise Unusable(f"{name} prints without end, and was stopped")
        code = process.wait(max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Unusable(f"{name} did not end within {PATIENCE_S:.0f} seconds, and was stopped") from None
    finally:
        _end(process)
    try:
        return Answer(code, output.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unusable(f"{name} printed what is no text") from None


def _talk(process: subprocess.Popen[bytes], text: str, until: float) -> bytes:
    """Tell a program a text, and return what it prints, little more than LONGEST at most. Raises TimeoutExpired.

    It is not waited for: a child that it left behind may hold the pipe open.
    """
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(text.encode("utf-8"))
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended without reading; how it ended says the rest
    output = bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while len(output) <= LONGEST:
            if not waiting.select(until - time.monotonic()) and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(process.args, PATIENCE_S)
            block = os.read(process.stdout.fileno(), 1 << 16)
            if not block:
                break
            output += block
    return bytes(output)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes, and end a program that has not ended, with all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it may have ended just now
            os.killpg(process.pid, signal.SIGKILL)
    with process:
        pass
