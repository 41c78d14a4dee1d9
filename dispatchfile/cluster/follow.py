"""Follows a PipelineRun on a cluster until it ends, and tells what happens as a run on this machine does.

Everything is decided in the thread that calls `follow`. It waits at one inbox, where the watching threads put what
changed, the threads of tasks their outcome, and the signal handler the signal (see `run/engine.py`, which works the
same way). What happens to the run is the cluster's to decide: it ends there, also when nobody follows any more.

Ctrl-C is a question: on a terminal the user is asked whether to cancel the run, to leave it, or to go on following;
elsewhere it cancels, as SIGTERM does anywhere. Cancelling sets `spec.status` to Cancelled: the tasks are ended at once.
There is nothing that CancelledRunFinally would still run, for a Dispatchfile has no `finally`.
"""

from __future__ import annotations

import signal
import threading
import time
from queue import Empty, SimpleQueue

from dispatchfile.cluster import status
from dispatchfile.cluster.delays import Delays
from dispatchfile.cluster.ending import Leaving, error_of, how_to_go_on
from dispatchfile.cluster.kinds import PIPELINE_RUNS, RUN_LABEL, TASK_LABEL, TASK_RUNS
from dispatchfile.cluster.task import TaskFollower
from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.kube.changes import changes
from dispatchfile.kube.client import PODS
from dispatchfile.kube.problems import Refused, Unreachable
from dispatchfile.run.engine import Ending
from dispatchfile.run.outcome import NOT_BEGUN, Outcome
from dispatchfile.run.signals import caught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from dispatchfile.cluster.named import Task
    from dispatchfile.kube.client import Cluster, Kind, Object
    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.progress import Board

TICK_S = 0.5
GRACE_S = 10.0
"""Seconds in which the tasks come to an end when the run has; logs are read to theirs."""


class Follower:
    """Follows one run. `ask` puts the question to the user and returns cancel, leave or "" (go on); None: cancel."""

    def __init__(
        self, cluster: Cluster, run: Object, plan: Plan, tasks: Mapping[str, Task], board: Board, logs: Path, *,
        verbose: bool = False, ask: Callable[[], str] | None = None,
    ) -> None:  # fmt: skip
        self._cluster, self._run, self._plan, self._tasks = cluster, run, plan, tasks
        self._board, self._logs, self._verbose, self._ask = board, logs, verbose, ask
        self._name: str = run["metadata"]["name"]
        self._inbox: SimpleQueue[tuple[str, object]] = SimpleQueue()
        self._stop = threading.Event()
        self._followers: dict[str, TaskFollower] = {}
        self._begun: set[str] = set()
        self._out: set[str] = set()
        self._limits = {planned.name: planned.task.timeout for planned in plan.tasks}
        self._needs = {planned.name: planned.waits_for for planned in plan.tasks}
        self._outcomes: dict[str, Outcome] = {}
        self._delays = Delays({name: task.name or name for name, task in tasks.items()}, self._note)
        self._next_look = 0.0
        self._impatient = False
        self._error: Exception | None = None
        self._cancelled_by = 0
        self._late_since = 0.0
        self._over_since: float | None = None

    def follow(self) -> Ending:
        """Follow the run and return how it ended; every error is in the ending, none is raised."""
        began = time.monotonic()
        with caught(lambda number: self._inbox.put(("signal", number))):
            selector = f"{RUN_LABEL}={self._name}"
            self._watch("run", PIPELINE_RUNS, (self._run,), fieldSelector=f"metadata.name={self._name}")
            self._watch("task", TASK_RUNS, labelSelector=selector)
            self._watch("pod", PODS, labelSelector=selector)
            while not self._is_done():
                try:
                    kind, news = self._inbox.get(timeout=TICK_S)
                except Empty:
                    kind, news = "", None
                self._take(kind, news)
                self._look()
        self._stop.set()
        self._close_outcomes()
        ending = self._ending()
        seconds = status.took(self._run) or time.monotonic() - began
        message = str(ending.error) if ending.error else ""
        self._board.tell(
            "run.finished",
            status=ending.status,
            exit_code=ending.exit_code,
            duration=round(seconds, 3),
            message=message,
        )
        self._board.close()
        return ending

    # Threads.

    def _watch(self, what: str, kind: Kind, seen: Iterable[Object] = (), **selectors: str) -> None:
        def work() -> None:
            try:
                for how, found in changes(self._cluster, kind, self._stop, tell, seen, **selectors):
                    self._inbox.put((f"{what} {how}", found))
            except Exception as error:  # noqa: BLE001 it is handed to the thread that decides
                self._inbox.put((f"{what} problem", error))

        def tell(text: str) -> None:
            if what == "run" and not self._stop.is_set():
                self._note(text)

        threading.Thread(target=work, name=f"watch {kind.plural}", daemon=True).start()

    def _start(self, follower: TaskFollower) -> None:
        def work() -> None:
            try:
                self._inbox.put(("outcome", (follower.task.on_cluster, follower.run())))
            except Exception as error:  # noqa: BLE001 as above
                self._inbox.put(("outcome", (follower.task.on_cluster, error)))

        follower.heard = time.monotonic()
        self._out.add(follower.task.on_cluster)
        self._begun.add(follower.task.on_cluster)
        threading.Thread(target=work, name=f"task {follower.name}", daemon=True).start()

    # The deciding thread.

    def _is_done(self) -> bool:
        if isinstance(self._error, Leaving) or self._impatient:
            return True
        if self._over_since is None:
            return self._error is not None
        now = time.monotonic()
        if now - self._over_since > GRACE_S:
            for name in self._out:  # their TaskRuns should be over, and are not told to be
                self._followers[name].give_up()
        # A log that still comes is read to its end; one that is silent has none.
        return all(
            now - max(self._over_since, self._followers[name].heard) > GRACE_S + TICK_S for name in self._out
        )

    def _take(self, kind: str, news: object) -> None:
        match kind, news:
            case "run is", dict():
                self._see_run(news)
            case "run gone", _:
                self._error = EnvironmentProblem("the PipelineRun was deleted while it ran")
            case "task is", dict():
                self._see_task(news)
            case "pod is", dict():
                self._delays.see(_task_of(news), news)
            case "pod gone", dict():
                self._delays.forget(_task_of(news))
            case "tasks", list():
                self._over_since = time.monotonic()
                for task_run in news:
                    self._see_task(task_run)
            case "outcome", (str() as name, outcome):
                self._come_home(name, outcome)
            case "signal", int():
                self._interrupt(news)
            case "pod problem", Refused() if self._over_since is None:
                self._note(f"{news.message}: why a task does not start is not told")
            case "run problem" | "task problem" | "pod problem", Exception() if self._over_since is not None:
                pass  # all that was watched is over
            case _, Exception():
                self._meet(news)

    def _meet(self, problem: Exception) -> None:
        if self._error is None:
            self._error = problem
            if isinstance(problem, DispatchfileError) and self._over_since is None:
                goes_on = f"the run goes on; {how_to_go_on(self._cluster.target, self._name)}"
                problem.help = f"{problem.help}; {goes_on}" if problem.help else goes_on

    def _see_run(self, run: Object) -> None:
        self._run = run
        self._catch_up()

    def _catch_up(self) -> None:
        """Once the run is over, learn what became of its tasks: the watch of them may be behind."""
        if self._late_since or not status.succeeded(self._run).is_over:
            return
        self._late_since = time.monotonic()
        threading.Thread(target=self._list_tasks, name="list tasks", daemon=True).start()

    def _list_tasks(self) -> None:
        found: Object = {}
        while not self._stop.is_set() and time.monotonic() - self._late_since < GRACE_S:
            try:
                found = self._cluster.list(TASK_RUNS, labelSelector=f"{RUN_LABEL}={self._name}")
                break
            except (Refused, Unreachable):
                self._stop.wait(TICK_S)
            except Exception as error:  # noqa: BLE001 it is handed to the thread that decides
                self._inbox.put(("meet", error))
                break
        self._inbox.put(("tasks", list(found.get("items") or ())))

    def _see_task(self, task_run: Object) -> None:
        name = _task_of(task_run)
        task = self._tasks.get(name)
        if task is None:
            return
        known = self._followers.get(name)
        if known is not None:
            known.see(task_run)
            return
        follower = self._followers[name] = TaskFollower(
                self._cluster, task, self._limits.get(task.name), self._board, self._logs, verbose=self._verbose,
                meet=lambda problem: self._inbox.put(("meet", problem)),
            )  # fmt: skip
        follower.see(task_run)
        self._start_ready()

    def _start_ready(self) -> None:
        """Follow the tasks that have begun, each behind those it waits for: their last words may still be on the way."""
        for name, follower in self._followers.items():
            task = follower.task
            if name in self._begun or not all(
                need in self._outcomes for need in self._needs.get(task.name, ())
            ):
                continue
            if task.name:
                self._board.tell("task.started", task.name)
            self._start(follower)

    def _look(self) -> None:
        """Look at what nobody tells: the tasks of a run that is over, and what does not start."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + TICK_S
        if not self._followers and self._over_since is None:
            self._delays.tell_of_run(self._run)
        self._delays.tell_of_pods()

    def _note(self, text: str) -> None:
        self._board.tell("run.note", message=text)

    def _come_home(self, name: str, outcome: object) -> None:
        self._out.discard(name)
        self._delays.forget(name)
        if isinstance(outcome, Exception):
            self._meet(outcome)
        elif isinstance(outcome, Outcome) and (self._tasks[name].name or outcome.status == "failed"):
            self._record(outcome)
        self._start_ready()

    def _record(self, outcome: Outcome) -> None:
        self._outcomes[outcome.task] = outcome
        self._board.tell("task.finished", outcome.task, outcome.step, **outcome.told())

    # The end.

    def _interrupt(self, number: int) -> None:
        if status.succeeded(self._run).is_over:
            self._impatient = True  # only its last words are missing
            return
        if self._cancelled_by or number == signal.SIGHUP:  # nobody is there to be asked
            answer = "leave"
        elif self._ask and number == signal.SIGINT:
            with self._board.held():
                answer = self._ask()
        else:
            answer = "cancel"
        if answer == "leave":
            cancelling = bool(self._cancelled_by)
            self._error = Leaving(self._cluster.target, self._name, number, cancelling=cancelling)
        elif answer == "cancel":
            self._cancelled_by = number
            self._note("cancelling the run; once more leaves it")
            threading.Thread(target=self._cancel, daemon=True).start()

    def _cancel(self) -> None:
        try:
            self._cluster.patch(PIPELINE_RUNS, self._name, {"spec": {"status": "Cancelled"}})
        except (Refused, Unreachable) as problem:
            try:
                run = self._cluster.get(PIPELINE_RUNS, self._name)
            except (Refused, Unreachable):
                run = {}
            if status.succeeded(run).is_over:  # the one was as quick as the other
                self._inbox.put(("run is", run))
                return
            problem.message = f"the run could not be cancelled: {problem.message}"
            self._inbox.put(("meet", problem))

    def _close_outcomes(self) -> None:
        """Give every task of the plan an outcome: what did not run was skipped."""
        failed = any(outcome.status == "failed" for outcome in self._outcomes.values())
        followers = {follower.name: follower for follower in self._followers.values()}
        for planned in self._plan.tasks:
            if planned.name in self._outcomes:
                continue
            lost = [need for need in planned.waits_for if self._outcomes[need].status != "succeeded"]
            follower = followers.get(planned.name)
            if follower and status.succeeded(follower.task_run).is_over:
                self._record(follower.known())
            elif follower:
                left = isinstance(self._error, Leaving)
                why = "it was left running on the cluster" if left else "nothing more was heard of it"
                self._record(Outcome(planned.name, "stopped", why))
            else:
                why = f"needs {', '.join(lost)}" if lost and failed else NOT_BEGUN
                self._record(Outcome(planned.name, "skipped", why))

    def _ending(self) -> Ending:
        outcomes = {planned.name: self._outcomes[planned.name] for planned in self._plan.tasks}
        outcomes |= self._outcomes  # with tasks of the emitter's own that failed
        error = self._error
        if error is None:
            reasons = {
                follower.name: status.succeeded(follower.task_run) for follower in self._followers.values()
            }
            error = error_of(self._run, outcomes, reasons, self._cancelled_by)
        return Ending(outcomes, error)


def _task_of(found: Object) -> str:
    return str((found["metadata"].get("labels") or {}).get(TASK_LABEL, ""))
