"""`gitops agent`: a worker for each application, a door for webhooks, and an end on a signal."""

from __future__ import annotations

import errno
import threading
import time
from typing import TYPE_CHECKING, Any

from dispatchfile.apps import store
from dispatchfile.apps.agent.server import Server
from dispatchfile.apps.agent.worker import INTERVAL, Tended, Worker
from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dispatchfile.apps.agent.webhooks import Push
    from dispatchfile.apps.app import App

    Log = Callable[[str, str], None]

SCAN = 2.0
"""Seconds between two looks for applications that came or went."""
AT_ONCE = 8
"""Applications that are refreshed or synced at the same time."""
FAREWELL = 20.0
"""Seconds for workers to leave what they do; a second signal ends it at once."""


class Plan(Record):
    """What an agent is to do. `names` are the applications, all when empty; no `listen`, no webhooks."""

    names: tuple[str, ...] = ()
    interval: float = INTERVAL
    listen: tuple[str, int] | None = None
    secrets: tuple[str, ...] = ()
    home: Path | None = None


class Agent:
    """Keeps applications until `stop` is set; `log` gets an application's name, or "", and a line about it."""

    def __init__(self, plan: Plan, keeper_of: Callable[[App], Tended], log: Log) -> None:
        self.stop = threading.Event()
        self._plan = plan
        self._keeper_of = keeper_of
        self._log = log
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._workers: dict[str, tuple[Worker, threading.Thread]] = {}
        self._left = set[str]()
        self._server: Server | None = None
        self._deaf = ""

    def once(self) -> bool:
        """Look at every application once; return whether all is well."""
        well = [self._guarded(worker) for worker in map(self._worker, self._names())]
        return all(well)

    def run(self) -> None:
        """Keep them until the end. Raises EnvironmentProblem when it is to listen where it cannot."""
        try:
            while not self.stop.is_set():
                self._listen()
                self._look_for_applications()
                self.stop.wait(SCAN)
        finally:
            self._end()

    def pushed(self, push: Push) -> int:
        """Have the applications of a repository looked at; return how many there are."""
        count = 0
        for worker, _ in list(self._workers.values()):
            try:
                app = worker.store.app()
            except DispatchfileError:
                continue  # it is being deleted
            if push.concerns(app.repository) and push.moves(app.revision):
                worker.ask(f"{push.forge} tells of a push")
                count += 1
        return count

    def health(self) -> dict[str, Any]:
        """Return what `/healthz` tells; names of applications are nobody's business there."""
        alive = sum(thread.is_alive() for _, thread in self._workers.values())
        return {"status": "ok", "applications": alive}

    @property
    def port(self) -> int:
        """Return the port that it listens on, 0 when it does not."""
        return int(self._server.server_address[1]) if self._server else 0

    def _names(self) -> list[str]:
        """Return the applications that this program itself brings about; Argo CD looks after its own."""
        names = []
        for name in self._plan.names or store.names(self._plan.home):
            try:
                argocd = store.find(name, self._plan.home).app().engine == "argocd"
            except DispatchfileError as problem:
                if name not in self._left:
                    self._log(name, problem.message)
                self._left.add(name)
                continue
            if argocd and name not in self._left:
                self._log(name, "left to Argo CD")
            (self._left.add if argocd else self._left.discard)(name)
            if not argocd:
                names.append(name)
        return names

    def _look_for_applications(self) -> None:
        for name in self._names():
            if name not in self._workers or not self._workers[name][1].is_alive():
                worker = self._worker(name)
                thread = threading.Thread(target=self._guarded_run, args=(worker,), name=name, daemon=True)
                self._workers[name] = (worker, thread)
                thread.start()

    def _worker(self, name: str) -> Worker:
        def say(text: str) -> None:
            self._log(name, text)

        plan = self._plan
        return Worker(
            name, self._keeper_of, say, self.stop, self._turns, interval=plan.interval, home=plan.home
        )

    def _guarded(self, worker: Worker) -> bool:
        try:
            return worker.once()
        except (DispatchfileError, OSError) as problem:
            self._log(worker.name, _words(problem))
            return False

    def _guarded_run(self, worker: Worker) -> None:
        """Run a worker; one that cannot go on is begun anew, and takes no other with it."""
        try:
            worker.run()
        except (DispatchfileError, OSError) as problem:
            self._log(worker.name, _words(problem))
            self.stop.wait(SCAN * 5)
        except Exception as error:  # noqa: BLE001 a mistake of ours in one application must not end the others
            self._log(worker.name, f"a bug in dispatchfile: {type(error).__name__}: {error}")
            self.stop.wait(SCAN * 30)

    def _listen(self) -> None:
        """Open the door, or try again: a second agent waits for the first one's."""
        if self._plan.listen is None or self._server is not None:
            return
        host, port = self._plan.listen
        try:
            self._server = Server(
                (host, port), self._plan.secrets, self.pushed, self.health, lambda text: self._log("", text)
            )
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno != errno.EADDRINUSE:
                raise EnvironmentProblem(f"cannot listen on {host}:{port}: {reason}") from error
            if reason != self._deaf:
                self._log("", f"no webhooks are heard for now: {host}:{port}: {reason}")
            self._deaf = reason
            return
        self._log("", f"listening for webhooks on http://{host}:{self.port}/api/webhook")
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        thread.start()

    def _end(self) -> None:
        """Close the door, and give the workers a moment to leave what they do."""
        self.stop.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        until = time.monotonic() + FAREWELL
        for worker, _ in self._workers.values():
            worker.wake()
        for name, (_, thread) in self._workers.items():
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                self._log(name, "left in the middle; whoever keeps it next goes on")


def _words(problem: DispatchfileError | OSError) -> str:
    """Return what is wrong; an OSError is the disk's, such as one that is full."""
    if isinstance(problem, DispatchfileError):
        return problem.message
    return f"{problem.filename or 'the disk'}: {problem.strerror or problem}"
