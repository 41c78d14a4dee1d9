"""What the agent does for one application: refresh it, sync it when that is due, tend it, and wait for the next reason.

Everything that is wrong with the application is told once, when it begins and when it ends, and tried again.
"""

from __future__ import annotations

import math
import random
import threading
import time
from typing import TYPE_CHECKING, Protocol

from dispatchfile.apps.agent.hold import Hold
from dispatchfile.apps.auto import due
from dispatchfile.apps.compare import FAILED
from dispatchfile.apps.keeper import Keeper, SyncRequest
from dispatchfile.apps.store import Store
from dispatchfile.errors import DispatchfileError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dispatchfile.apps.app import App

    Say = Callable[[str], None]

INTERVAL = 180.0
"""Seconds between two looks at a repository, as Argo CD (3.6) does: 120 and up to 60 more."""
HEAL_LOOK = 15.0
"""Seconds between two looks at what runs where self-heal is on; the repository is not asked for that."""
BUSY = 1.0
TEND_AGAIN = 10.0
LOOK = 2.0
"""Seconds after which a waiting worker looks whether another process deployed something, or let go of the application."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 180.0
MOST_HEALS = 10
QUIET = 600.0
"""Seconds without a correction after which corrections are counted anew."""


class Tended(Keeper, Protocol):
    """A keeper whose applications have to be tended."""

    def tend(self, name: str, say: Say) -> float:
        """See `own.OwnKeeper`."""


class Stopping(BaseException):
    """The agent ends; what it does for an application is left where it is, and gone on with by the next one."""


def longer(count: int) -> float:
    """Return the seconds to wait after so many failures in a row; they may go on for days."""
    return min(FIRST_PAUSE * 2.0 ** min(count - 1, 30), LONGEST_PAUSE)


class Attempts:
    """Counts syncs of one commit: those that correct what was changed by hand, and those after an error.

    Somebody else who changes it back each time, or an engine that is away, must not keep the machine busy.
    """

    def __init__(self) -> None:
        self._revision = ""
        self._count = 0
        self._last = 0.0

    def pause(self, now: float) -> float:
        """Return the seconds until the next one may be."""
        if not self._count:
            return 0.0
        return max(0.0, self._last + longer(self._count) - now)

    def given_up(self) -> bool:
        """Return whether there were too many."""
        return self._count >= MOST_HEALS

    def add(self, revision: str, now: float) -> None:
        """Count one."""
        if revision != self._revision or now - self._last > QUIET:
            self._revision, self._count = revision, 0
        self._count, self._last = self._count + 1, now

    def see(self, revision: str) -> None:
        """Forget what was counted of another commit."""
        if revision != self._revision:
            self._revision, self._count = revision, 0


class Worker:
    """Keeps one application until `stop` is set; `turns` limits how many sync at once."""

    def __init__(
        self,
        name: str,
        keeper_of: Callable[[App], Tended],
        say: Say,
        stop: threading.Event,
        turns: threading.Semaphore,
        *,
        interval: float = INTERVAL,
        home: Path | None = None,
    ) -> None:
        self.name = name
        self.store = Store(name, home)
        self._keeper_of = keeper_of
        self._tell = say
        self._stop = stop
        self._turns = turns
        self._interval = interval
        self._hold = Hold(self.store.folder)
        self._changed = threading.Condition()
        self._asked = ""
        self._attempts = Attempts()
        self._failures = 0
        self._trouble: dict[str, str] = {}

    def ask(self, why: str) -> None:
        """Have the repository looked at now."""
        with self._changed:
            self._asked = why
            self._changed.notify_all()

    def wake(self) -> None:
        """Have it see that `stop` is set."""
        with self._changed:
            self._changed.notify_all()

    def run(self) -> None:
        """Keep the application until the end, or until it is deleted."""
        try:
            if self._wait_for_hold():
                self._keep()
        except Stopping:
            self._tell("left in the middle; whoever keeps it next goes on")
        finally:
            self._hold.release()

    def once(self) -> bool:
        """Refresh, sync when due, and tend; return whether all is well. What another agent keeps is left to it."""
        if not self._hold.take():
            self._tell(f"kept by the agent with process {self._hold.holder()}")
            return True
        try:
            self._reconcile()
            self._tend()
        finally:
            self._hold.release()
        return not self._trouble

    def _wait_for_hold(self) -> bool:
        """Return whether the application is ours; False at the end."""
        told = False
        while not self._ended():
            if self._hold.take():
                if told:
                    self._tell("taken over: the other agent is gone")
                return True
            if not told:
                self._tell(
                    f"kept by the agent with process {self._hold.holder()}; waiting until that is gone"
                )
                told = True
            self._pause(LOOK)
        return False

    def _keep(self) -> None:
        self._tell(f"following {self.store.app().repository}")
        refresh, look, tend, deployed = 0.0, 0.0, 0.0, -1
        while not self._ended():
            now = time.monotonic()
            why = self._taken()
            if why:
                self._tell(why)
            if why or now >= refresh:
                refresh = time.monotonic() + self._reconcile()
                look = time.monotonic() + HEAL_LOOK
            elif now >= look:
                look = time.monotonic() + HEAL_LOOK
                if self._drifted():
                    refresh = 0.0
            seen = self._deployed()
            if now >= tend or seen != deployed:
                deployed = seen
                tend = time.monotonic() + self._tend()
            self._pause(min(refresh, tend, look) - time.monotonic())

    def _reconcile(self) -> float:
        """Look at the repository, and sync when that is due; return the seconds until the next look."""
        later = self._interval * random.uniform(1.0, 1.1)  # noqa: S311 no secret
        with self._turns:
            if self._stop.is_set():
                return later
            try:
                pause = self._look()
            except TimedOut as late:
                if self.store.busy():
                    return BUSY
                self._trouble_with("sync", late.message)
            except DispatchfileError as problem:
                self._trouble_with("sync", problem.message)
            else:
                self._failures = 0
                return min(later, pause)
        self._failures += 1
        return min(later, longer(self._failures))

    def _look(self) -> float:
        """Refresh, and sync when due; return the seconds after which to look again, at the latest."""
        keeper = self._keeper()
        view = keeper.refresh(self.name)
        wrong = [
            f"{one.type}: {one.message}" for one in view.conditions if one.type in (FAILED, "EngineError")
        ]
        self._trouble_with("repository", "; ".join(wrong))
        operation = view.operation
        if operation is None or operation.phase == "Succeeded":
            self._trouble_with("sync", "")
        self._attempts.see(view.revision)
        why = due(view)
        if not why:
            return math.inf
        if operation is not None and operation.revision == view.revision:
            if operation.phase == "Succeeded" and self._attempts.given_up():
                self._trouble_with(
                    "drift", f"changed by others {MOST_HEALS} times: not corrected until the next commit"
                )
                return math.inf
            if pause := self._attempts.pause(time.monotonic()):
                return pause
            self._attempts.add(view.revision, time.monotonic())
        self._say(why)
        done = keeper.sync(self.name, SyncRequest(by="agent"), self._say)
        self._trouble_with("sync", "")
        self._trouble_with("drift", "")
        self._say(f"{done.sync}, {done.health} at {done.synced[:10]}")
        return math.inf

    def _drifted(self) -> bool:
        """Return whether what runs was changed and is to be corrected; the repository is not asked."""
        app = self.store.app()
        waits = "drift" in self._trouble or self._attempts.pause(time.monotonic()) > 0
        if waits or not (app.auto_sync and app.self_heal):
            return False
        try:
            return bool(due(self._keeper().view(self.name)))
        except DispatchfileError:
            return True  # the look that follows says what is wrong

    def _tend(self) -> float:
        """Do what is to be done between syncs; return the seconds until it is to be done again."""
        try:
            pause = self._keeper().tend(self.name, self._say)
        except TimedOut:
            return BUSY
        except DispatchfileError as problem:
            self._trouble_with("tend", problem.message)
            return TEND_AGAIN
        self._trouble_with("tend", "")
        return pause

    def _keeper(self) -> Tended:
        """Return the keeper of the application as it is now; it may have been changed meanwhile."""
        return self._keeper_of(self.store.app())

    def _trouble_with(self, what: str, message: str) -> None:
        """Tell of trouble when it begins, changes and ends."""
        before = self._trouble.pop(what, "")
        if message:
            self._trouble[what] = message
            if message != before:
                self._tell(message)
        elif before:
            self._tell(f"no more: {before}")

    def _deployed(self) -> int:
        """Return what tells one deployment from the next, whichever process made it."""
        try:
            return (self.store.folder / "deployed.json").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _taken(self) -> str:
        with self._changed:
            why, self._asked = self._asked, ""
        return why

    def _ended(self) -> bool:
        return self._stop.is_set() or not self.store.exists()

    def _pause(self, seconds: float) -> None:
        """Wait, but not for longer than until something else is to be looked at."""
        with self._changed:
            if not self._asked and not self._stop.is_set() and seconds > 0:
                self._changed.wait(min(seconds, LOOK))

    def _say(self, text: str) -> None:
        """Pass on what is said of a sync; the place where one can be left, for it is called from within."""
        if self._stop.is_set():
            raise Stopping
        self._tell(text)
