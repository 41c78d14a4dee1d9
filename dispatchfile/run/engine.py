"""The scheduler: runs the tasks of a plan on a backend.

The plan is a graph, and it is run as one: a task starts as soon as the last task that it waits for has succeeded
and fewer than `jobs` tasks run; there are no levels or waves. Each running task has a thread. The threads share
nothing but `Known` (digests, results, outputs; each written once, by the task that makes it, before any task that
reads it starts) and the backend, whose contract allows it.

Everything that decides anything happens in the thread that calls `run`. It waits at one inbox, where task threads
put their outcome, the image threads their result, and the signal handler the signal; no other thread ever starts a
task or changes the state of the schedule. `SimpleQueue.put` is the one queue operation that may be called from a
signal handler, hence the type.

How a run ends early. There is one way, `_halt`: nothing more is started, the backend is asked to stop what runs, and
the loop goes on until all task threads have come home, each having closed its task. It is taken for `--fail-fast`,
for the timeout of the run, for signals, for an error of the environment (an engine that died fails everything, and
should say so once) and for a bug. A second signal, or ten seconds without success, kills what runs; whoever has still
not come home after that is given up, so that a dead engine cannot hang the run. The first reason to halt is the one
that is told.

A task fails by a step that ends with something other than zero, by its timeout, or by a variable that has no value;
tasks that need it are skipped, all others go on. The steps of a task run in order, and the container of the next step
is made by a helper thread (`_Ahead`) while the one before still runs.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from queue import Empty, SimpleQueue

from dispatchfile.errors import DispatchfileError, Interrupted, TimedOut
from dispatchfile.record import Record
from dispatchfile.run.backend import RunSpec
from dispatchfile.run.outcome import NOT_BEGUN, Outcome
from dispatchfile.run.progress import duration
from dispatchfile.run.signals import caught
from dispatchfile.run.standin import ensure
from dispatchfile.run.task import TaskRunner

ASK = 10.0
"""Seconds that running steps have to end by themselves before they are killed."""
GIVE_UP = 20.0
"""Seconds after which task threads that did not come home are given up."""


class Schedule(Record):
    """How to run: tasks at once, whether the first failure ends the run, the timeout of the run in seconds.

    `kept` are the outcomes of an earlier run that are not run again.
    """

    jobs: int
    fail_fast: bool = False
    timeout: float | None = 3600.0
    kept: Mapping[str, Outcome] = {}


class Ending(Record):
    """How a run ended: an outcome for every task, in plan order, and the error that ended it early, if one did."""

    outcomes: Mapping[str, Outcome]
    error: Exception | None = None

    @property
    def status(self) -> str:
        """Return succeeded, failed, stopped (by the user, the timeout) or error (environment, bug)."""
        if isinstance(self.error, Interrupted | TimedOut):
            return "stopped"
        if self.error is not None:
            return "error"
        ok = all(outcome.status in ("succeeded", "kept") for outcome in self.outcomes.values())
        return "succeeded" if ok else "failed"

    @property
    def exit_code(self) -> int:
        """Return the exit code of the process."""
        if isinstance(self.error, DispatchfileError):
            return self.error.exit_code
        return {"succeeded": 0, "failed": 1}.get(self.status, 70)


class Engine:
    """Runs the tasks of a plan once."""

    def __init__(self, tasks: TaskRunner, spec: RunSpec, schedule: Schedule) -> None:
        self._tasks, self._spec, self._schedule = tasks, spec, schedule
        self._backend, self._board, self._masker = tasks.backend, tasks.board, tasks.masker
        self._plan = tasks.resolver.plan
        self._inbox: SimpleQueue[tuple[str, str, object]] = SimpleQueue()
        self._threads: dict[str, threading.Thread] = {}
        self._outcomes: dict[str, Outcome] = dict(schedule.kept)
        self._error: Exception | None = None
        self._halted: float | None = None
        self._killed = False

    def run(self) -> Ending:
        """Run all tasks and return how that ended; every error is in the ending, none is raised."""
        began = time.monotonic()
        self._tell_start()
        with caught(lambda number: self._inbox.put(("signal", "", number))):
            deadline = None if self._schedule.timeout is None else began + self._schedule.timeout
            try:
                self._spawn("open", "", lambda: self._backend.open(self._spec))
                self._collect(deadline)
                self._ensure_images()
                self._collect(deadline)
                self._start_ready()
                self._collect(deadline)
            finally:
                self._close()
        names = [planned.name for planned in self._plan.tasks]
        for name in names:
            if name not in self._outcomes:
                self._record(Outcome(name, "skipped", NOT_BEGUN))
        ending = Ending({name: self._outcomes[name] for name in names}, self._error)
        message = self._masker.text(str(self._error)) if self._error else ""
        took = round(time.monotonic() - began, 3)
        self._board.tell(
            "run.finished", status=ending.status, exit_code=ending.exit_code, duration=took, message=message
        )
        return ending

    def _tell_start(self) -> None:
        event = self._plan.event
        self._board.tell(
            "run.started",
            run=self._spec.run_id,
            on=event.kind,
            commit=event.commit,
            tasks=[{"name": planned.name, "needs": list(planned.waits_for)} for planned in self._plan.tasks],
        )
        for outcome in self._schedule.kept.values():
            self._record(outcome)

    def _ensure_images(self) -> None:
        for ref in self._tasks.resolver.images() if self._halted is None else ():
            self._spawn("image", ref, partial(ensure, self._backend, ref, self._spec.pull))

    # The scheduling thread.

    def _collect(self, deadline: float | None) -> None:
        """Take from the inbox until no thread is out any more, or those that are have been given up."""
        while self._threads:
            now = time.monotonic()
            try:
                kind, name, news = self._inbox.get(timeout=max(0.0, self._next_alarm(deadline) - now))
            except Empty:
                if not self._ring(deadline):
                    return
                continue
            if kind == "signal":
                self._interrupt(int(str(news)))
                continue
            if kind != "problem":  # a thread that met one has yet to come home
                del self._threads[f"{kind} {name}"]
            if isinstance(news, Outcome):
                self._finish(news)
            elif isinstance(news, Exception):
                self._halt(news)

    def _next_alarm(self, deadline: float | None) -> float:
        if self._halted is None:
            return deadline if deadline is not None else time.monotonic() + 3600
        return self._halted + (GIVE_UP if self._killed else ASK)

    def _ring(self, deadline: float | None) -> bool:
        """Do what is due by now; return whether to go on waiting."""
        if self._halted is None:
            if deadline is None or time.monotonic() < deadline:
                return True
            took = duration(self._schedule.timeout or 0)
            self._halt(TimedOut(f"the run took longer than {took}", help="--timeout sets the limit of a run"))
            return True
        if self._killed:
            return time.monotonic() < self._halted + GIVE_UP
        self._kill()
        return True

    def _meet(self, problem: Exception) -> None:
        """Learn, from a task thread, of a problem that concerns the whole run."""
        self._inbox.put(("problem", "", problem))

    def _start_ready(self) -> None:
        for planned in self._plan.tasks:
            if self._halted is not None or len(self._threads) >= self._schedule.jobs:
                return
            waiting = planned.name not in self._outcomes and f"task {planned.name}" not in self._threads
            if waiting and all(self._succeeded(need) for need in planned.waits_for):
                self._board.tell("task.started", planned.name)
                self._spawn("task", planned.name, partial(self._tasks.run, planned, self._meet))

    def _succeeded(self, name: str) -> bool:
        return name in self._outcomes and self._outcomes[name].status in ("succeeded", "kept")

    def _finish(self, outcome: Outcome) -> None:
        self._record(outcome)
        if outcome.status == "failed":
            self._skip_dependents()
            if self._schedule.fail_fast:
                self._halt(None)
        self._start_ready()

    def _record(self, outcome: Outcome) -> None:
        self._outcomes[outcome.task] = outcome
        self._board.tell("task.finished", outcome.task, outcome.step, **outcome.told(self._masker.text))

    def _skip_dependents(self) -> None:
        for planned in self._plan.tasks:  # in an order in which they can run, so one pass reaches all
            if planned.name in self._outcomes or f"task {planned.name}" in self._threads:
                continue
            lost = [n for n in planned.waits_for if n in self._outcomes and not self._succeeded(n)]
            if lost:
                self._record(Outcome(planned.name, "skipped", f"needs {', '.join(lost)}"))

    def _halt(self, error: Exception | None) -> None:
        if self._error is None and error is not None:
            self._error = error
        if self._halted is None:
            self._halted = time.monotonic()
            self._tasks.over.set()
            self._stop_backend(kill=False)

    def _interrupt(self, number: int) -> None:
        if self._halted is None:
            name = signal.Signals(number).name
            self._board.tell("run.note", message="stopping what runs; once more kills it")
            self._halt(Interrupted(f"interrupted by {name}; containers were removed", signal_number=number))
        else:
            self._kill()

    def _kill(self) -> None:
        if not self._killed:
            self._killed = True
            self._halted = time.monotonic()
            self._stop_backend(kill=True)

    def _stop_backend(self, *, kill: bool) -> None:
        def stop() -> None:
            try:
                self._backend.stop(kill=kill)
            except DispatchfileError as error:
                self._board.tell("run.note", message=f"could not stop what runs: {error.message}")

        threading.Thread(target=stop, daemon=True).start()

    def _close(self) -> None:
        """Close the backend; an engine that does not answer is given up."""
        self._spawn("close", "", self._backend.close)
        deadline = time.monotonic() + GIVE_UP
        while "close " in self._threads:
            try:
                kind, name, news = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                self._board.tell(
                    "run.note",
                    message="the engine does not answer; `dispatchfile clean` removes what is left",
                )
                return
            if kind == "signal":
                self._interrupt(int(str(news)))
                continue
            self._threads.pop(f"{kind} {name}", None)
            if isinstance(news, Exception) and self._error is None:
                self._error = news

    def _spawn(self, kind: str, name: str, work: Callable[[], object]) -> None:
        """Do some work in a thread, and put what it returns or raises into the inbox."""

        def target() -> None:
            try:
                news = work()
            except Exception as error:  # noqa: BLE001 it is handed to the scheduling thread
                news = error
            self._inbox.put((kind, name, news))

        thread = threading.Thread(target=target, name=f"{kind} {name}", daemon=True)
        self._threads[f"{kind} {name}"] = thread
        thread.start()
