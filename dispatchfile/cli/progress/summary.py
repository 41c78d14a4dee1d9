"""What stands below a run that is over: a table of its tasks, the end of what failed, and what to do next."""

from __future__ import annotations

from pathlib import Path

from dispatchfile.cli.progress.plain import COLORS, SIGNS
from dispatchfile.cli.terminal import Terminal
from dispatchfile.run.engine import Ending
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import duration


def print_summary(ending: Ending, took: float, logs: Path, rerun: str, err: Terminal) -> None:
    """Print the end of a run that took some seconds; `rerun` is the command that runs what failed again, if any does."""
    err.print()
    width = max(map(len, ending.outcomes), default=0)
    for outcome in ending.outcomes.values():
        err.print(_row(outcome, width, err))
    for outcome in ending.outcomes.values():
        if outcome.status == "failed" and outcome.step:
            _print_tail(outcome, err)
    style = "green" if ending.exit_code == 0 else "red"
    err.print(f"\n{err.style(ending.status, style, 'bold')} in {duration(took)}; logs in {logs}")
    if ending.exit_code != 0 and rerun:
        err.print(f"run again what did not succeed: {err.style(rerun, 'bold')}")


def _row(outcome: Outcome, width: int, err: Terminal) -> str:
    sign = err.style(err.sign(SIGNS[outcome.status]), COLORS[outcome.status])
    took = duration(outcome.duration) if outcome.duration else ""
    return f"{sign} {outcome.task:{width}}  {outcome.status:9}  {took:>6}  {outcome.message}".rstrip()


def _print_tail(outcome: Outcome, err: Terminal) -> None:
    place = f"{outcome.task}/{outcome.step}"
    if not outcome.tail:
        err.print(f"\n{err.style(place, 'bold')} ended with exit code {outcome.exit_code} and wrote nothing")
        return
    err.print(f"\n{err.style(place, 'bold')} ended with exit code {outcome.exit_code}; its last lines:")
    for line in outcome.tail:
        err.print(f"  {line}")
