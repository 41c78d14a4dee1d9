"""The views of a run."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from dispatchfile.cli.progress.live import LiveView
from dispatchfile.cli.progress.plain import PlainView
from dispatchfile.cli.progress.summary import print_summary
from dispatchfile.cli.terminal import Terminal
from dispatchfile.run.engine import Ending
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import Board

STEPS = {"build": ["compile", "go"], "t": ["s"]}


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def end(board: Board, task: str, status: str, message: str = "", duration: float = 0.0) -> None:
    board.tell("task.finished", task, status=status, message=message, duration=duration)


def test_plain_lines_are_aligned_and_apart_from_what_happens() -> None:
    out, err = io.StringIO(), io.StringIO()
    board = Board([PlainView(Terminal(out, False, True), Terminal(err, False, True), STEPS)])
    board.tell("task.started", "build")
    board.tell("step.log", "build", "compile", stream="stdout", line="one")
    board.tell("step.log", "t", "s", stream="stderr", line="")
    end(board, "build", "failed", "step compile: exit code 3", 65.2)
    end(board, "t", "skipped", "needs build")
    assert out.getvalue() == "[build/compile] one\n[t/s]           \n"
    assert (
        err.getvalue()
        == "→ build\n✗ build failed in 1m05s: step compile: exit code 3\n– t skipped: needs build\n"
    )


@pytest.mark.parametrize("live", [False, True], ids=["plain", "live"])
def test_a_note_moves_no_cursor(live: bool) -> None:
    """It may hold names that a repository or a kubeconfig gives."""
    out, err = Screen(), Screen()
    terminals = Terminal(out, False, True), Terminal(err, False, True)
    view = LiveView(terminals[1], list(STEPS)) if live else PlainView(*terminals, STEPS)
    Board([view]).tell("run.note", message="a\x1b[2Jb\x1b]0;title\x07c\nd")
    assert "a\ufffd[2Jb" in err.getvalue()
    assert "\x1b[2J" not in err.getvalue()
    assert "\x07" not in err.getvalue()
    assert err.getvalue().count("\n") == 1


def test_plain_colours_are_stable_and_never_alone() -> None:
    out, err = io.StringIO(), io.StringIO()
    board = Board([PlainView(Terminal(out, True, False), Terminal(err, True, False), STEPS)])
    board.tell("step.log", "build", "go", stream="stdout", line="a")
    board.tell("step.log", "t", "s", stream="stdout", line="b")
    end(board, "build", "succeeded")
    first, second = out.getvalue().splitlines()
    assert first[:5] != second[:5]
    assert "\033[31m" not in out.getvalue()
    assert "+ build" in err.getvalue()
    assert "succeeded" in err.getvalue()


def test_timestamps_and_quiet() -> None:
    out, err = io.StringIO(), io.StringIO()
    board = Board([PlainView(Terminal(out, False, True), Terminal(err, False, True), STEPS, timestamps=True)])
    board.tell("step.log", "t", "s", stream="stdout", line="x")
    assert out.getvalue()[2:3] == ":"
    quiet = Board([PlainView(Terminal(out, False, True), Terminal(err, False, True), STEPS, quiet=True)])
    before = out.getvalue()
    quiet.tell("step.log", "t", "s", stream="stdout", line="x")
    end(quiet, "t", "succeeded")
    quiet.tell("run.note", message="look")
    assert (out.getvalue(), err.getvalue()) == (before, "note: look\n")


def drawn(screen: Screen) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


def test_the_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    screen = Screen()
    view = LiveView(Terminal(screen, True, True), ["build", "test", "deploy"])
    board = Board([view])
    board.tell("run.started")
    board.tell("task.started", "build")
    board.tell("step.started", "build", "compile", image="x")
    for line in ("old", "newer [red]", "newest " + "x" * 100):
        board.tell("step.log", "build", "compile", stream="stdout", line=line)
    end(board, "test", "failed", "step s: exit code 1", 2.0)
    time.sleep(0.25)
    shown = drawn(screen)
    assert "→ build" in shown
    assert "compile" in shown
    assert "newer [red]" in shown
    assert "old" not in shown
    assert "✗ test      2.0s  step s: exit code 1" in shown
    assert "• deploy" in shown
    assert "\x1b[?1049h" not in screen.getvalue()
    view.pause()
    silent = screen.getvalue()
    time.sleep(0.25)
    assert screen.getvalue() == silent
    view.resume()
    board.tell("run.note", message="a note")
    view.close()
    assert "a note" in drawn(screen)


def test_more_tasks_than_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "8")
    screen = Screen()
    view = LiveView(Terminal(screen, False, False), [f"t{n}" for n in range(30)])
    board = Board([view])
    board.tell("run.started")
    end(board, "t0", "succeeded")
    board.tell("task.started", "t20")
    time.sleep(0.25)
    view.close()
    shown = drawn(screen)
    assert "1 of 30 tasks are done" in shown
    assert "-> t20" in shown
    assert screen.getvalue().isascii()


def ending(*outcomes: Outcome, **more: Any) -> Ending:
    return Ending({outcome.task: outcome for outcome in outcomes}, **more)


def test_the_summary() -> None:
    from pathlib import Path

    err = io.StringIO()
    bad = Outcome("test", "failed", "step unit: exit code 3", "unit", 3, 1.25, tail=("one", "two"))
    done = ending(Outcome("build", "succeeded", duration=61), bad, Outcome("deploy", "skipped", "needs test"))
    print_summary(done, 62.3, Path("/logs"), "dispatchfile run --rerun X", Terminal(err, False, True))
    assert err.getvalue() == (
        "\n✓ build   succeeded   1m01s\n✗ test    failed       1.2s  step unit: exit code 3\n"
        "– deploy  skipped            needs test\n\ntest/unit ended with exit code 3; its last lines:\n  one\n  two\n"
        "\nfailed in 1m02s; logs in /logs\nrun again what did not succeed: dispatchfile run --rerun X\n"
    )
