"""The run as plain lines: step output on stdout behind a `[task/step]` prefix, what happens on stderr."""

from __future__ import annotations

import time

from dispatchfile.cli.terminal import Terminal
from dispatchfile.report.text import flat
from dispatchfile.run.outcome import NOT_BEGUN
from dispatchfile.run.progress import Happening, duration

SIGNS = {"succeeded": "yes", "failed": "no", "skipped": "none", "stopped": "no", "kept": "item"}
COLORS = {"succeeded": "green", "failed": "red", "skipped": "yellow", "stopped": "yellow", "kept": "cyan"}
TASK_COLORS = ("cyan", "magenta", "blue", "yellow", "green")
"""Red is for failures."""


class PlainView:
    """Writes lines as they come; prefixes are padded to one width, and a task keeps its colour."""

    def __init__(
        self,
        out: Terminal,
        err: Terminal,
        steps: dict[str, list[str]],
        *,
        quiet: bool = False,
        timestamps: bool = False,
    ) -> None:
        self._out, self._err = out, err
        self._quiet, self._timestamps = quiet, timestamps
        names = [f"{task}/{step}" for task, its in steps.items() for step in its]
        self._width = min(40, max(map(len, names), default=0))
        self._color = {task: TASK_COLORS[at % len(TASK_COLORS)] for at, task in enumerate(steps)}

    def __call__(self, event: Happening) -> None:
        """Write what happened."""
        if event.kind == "step.log":
            if not self._quiet:
                self._log(event)
            return
        text = self._sentence(event)
        if text:
            self._out.stream.flush()
            self._err.print(self._clock(event) + text)
            self._err.stream.flush()

    def _log(self, event: Happening) -> None:
        name = f"{event.task}/{event.step}"
        prefix = self._out.style(
            f"[{name}]{' ' * (self._width - len(name))}", self._color.get(event.task, "cyan")
        )
        self._out.stream.write(f"{self._clock(event)}{prefix} {event.data['line']}\n")
        self._out.stream.flush()

    def _clock(self, event: Happening) -> str:
        return time.strftime("%H:%M:%S ", time.localtime(event.time)) if self._timestamps else ""

    def _sentence(self, event: Happening) -> str:
        if event.kind == "run.note":
            return f"{self._err.style('note:', 'yellow')} {flat(str(event.data['message']))}"
        if self._quiet:
            return ""
        if event.kind == "task.started":
            return f"{self._err.sign('arrow')} {event.task}"
        if event.kind == "task.finished" and event.data.get("message") != NOT_BEGUN:
            status = str(event.data["status"])
            sign = self._err.style(f"{self._err.sign(SIGNS[status])} {event.task}", COLORS[status])
            seconds = event.data.get("duration")
            took = f" in {duration(float(str(seconds)))}" if seconds else ""
            message = event.data.get("message")
            return f"{sign} {status}{took}{f': {message}' if message else ''}"
        return ""

    def pause(self) -> None:
        """Flush: the terminal goes to a shell."""
        self._out.stream.flush()
        self._err.stream.flush()

    def resume(self) -> None:
        """Go on; nothing was lost."""

    def close(self) -> None:
        """Flush what is left."""
        self.pause()
