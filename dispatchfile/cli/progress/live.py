"""The run on a terminal: a line for each task in plan order, and under the running ones the end of their logs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dispatchfile.cli.progress.plain import COLORS, SIGNS
from dispatchfile.cli.terminal import Terminal
from dispatchfile.report.text import flat
from dispatchfile.run.progress import Happening, duration

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

LINES = 2
"""Lines of its log under a running task."""
REDRAWS = 10
"""A second."""


class _Row:
    """What is known of a task."""

    def __init__(self) -> None:
        self.status = ""
        self.started = 0.0
        self.step = ""
        self.took = 0.0
        self.message = ""
        self.lines: deque[str] = deque(maxlen=LINES)


class LiveView:
    """Draws the state of all tasks in place, at most ten times a second; what has scrolled by stays as it was."""

    def __init__(self, terminal: Terminal, tasks: Sequence[str]) -> None:
        from rich.console import Console

        self._terminal = terminal
        self._console = Console(
            file=terminal.stream, no_color=not terminal.color, highlight=False, markup=False
        )
        self._rows = {task: _Row() for task in tasks}
        self._width = max(map(len, tasks), default=0)
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __call__(self, event: Happening) -> None:
        """Take in what happened."""
        if event.kind == "run.started":
            self.resume()
        elif event.kind == "run.note":
            self._console.print(f"note: {flat(str(event.data['message']))}")
        elif event.task in self._rows:
            with self._lock:
                self._take(self._rows[event.task], event)

    def _take(self, row: _Row, event: Happening) -> None:
        if event.kind == "task.started":
            row.status, row.started = "running", event.time
        elif event.kind == "step.started":
            row.step = event.step
        elif event.kind == "step.log":
            row.lines.append(str(event.data["line"]))
        elif event.kind == "task.finished":
            row.status, row.message = str(event.data["status"]), str(event.data["message"])
            row.took = float(str(event.data["duration"]))

    def _draw(self) -> Text:
        from rich.text import Text

        now = time.time()
        text = Text(no_wrap=True, overflow="ellipsis")
        with self._lock:
            room = max(3, self._console.size.height - 2)
            rows = list(self._rows.items())
            busy = sum(row.status == "running" for _, row in rows)
            tails = LINES if len(rows) + LINES * busy <= room else 0
            if len(rows) > room:  # what is over, or waits, gives way
                rows = [pair for pair in rows if pair[1].status in ("running", "failed")][: room - 1]
                text.append(f"{self._done()}\n", "dim")
            for name, row in rows:
                self._line(text, name, row, now)
                if row.status == "running" and tails:
                    for line in row.lines:
                        text.append_text(Text.from_ansi(f"    {line.expandtabs(4)}", style="dim"))
                        text.append("\n")
        text.right_crop(1)
        return text

    def _done(self) -> str:
        over = sum(row.status not in ("", "running") for row in self._rows.values())
        return f"{over} of {len(self._rows)} tasks are done"

    def _line(self, text: Text, name: str, row: _Row, now: float) -> None:
        if row.status == "":
            text.append(f"{self._terminal.sign('item')} {name}\n", "dim")
        elif row.status == "running":
            text.append(f"{self._terminal.sign('arrow')} {name:{self._width}}  ", "bold")
            text.append(f"{duration(max(0.0, now - row.started)):>6}  {row.step}\n")
        else:
            text.append(f"{self._terminal.sign(SIGNS[row.status])} {name:{self._width}}", COLORS[row.status])
            took = duration(row.took) if row.took else ""
            text.append(f"  {took:>6}  {row.message if row.status != 'succeeded' else ''}".rstrip() + "\n")

    def pause(self) -> None:
        """Take the drawing off the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def resume(self) -> None:
        """Draw again."""
        from rich.live import Live

        self._live = Live(
            console=self._console, get_renderable=self._draw, refresh_per_second=REDRAWS, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def close(self) -> None:
        """Take the drawing off the terminal; the closing table takes its place."""
        self.pause()
