"""An agent over engines in memory or in a file, and repositories on this machine."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dispatchfile.apps.agent import loop, worker
from dispatchfile.apps.agent.loop import Agent, Plan
from dispatchfile.apps.app import App
from dispatchfile.apps.engines import Settings
from dispatchfile.apps.manifest import Key, Manifest
from dispatchfile.apps.own import OwnKeeper
from dispatchfile.apps.status import Resource, Result
from dispatchfile.notify import Occasion
from tests.apps.dummy_engine import DummyEngine, Say


def quick() -> None:
    """Make the agent's pauses those of a test."""
    loop.SCAN = worker.LOOK = worker.BUSY = worker.TEND_AGAIN = 0.05
    worker.HEAL_LOOK = 0.1
    loop.FAREWELL = 5.0


class FileEngine(DummyEngine):
    """Keeps its objects in a file, for one process after the other; waits `lag` seconds after each that it applies."""

    def __init__(self, path: Path, lag: float) -> None:
        super().__init__()
        self.path = path
        self.lag = lag
        self._load()

    def observe(self, app: App, wanted: Sequence[Manifest]) -> list[Resource]:
        self._load()
        return super().observe(app, wanted)

    def apply(
        self,
        app: App,
        wanted: Sequence[Manifest],
        chosen: Sequence[Manifest],
        say: Say,
        until: float = math.inf,
    ) -> list[Result]:
        self.during = lambda _manifest: self._save()
        return super().apply(app, wanted, chosen, say, until)

    def _load(self) -> None:
        if self.path.exists():
            self.live = {Key(*key): live for key, live in json.loads(self.path.read_text())}

    def _save(self) -> None:
        rows = [[[key.group, key.kind, key.namespace, key.name], live] for key, live in self.live.items()]
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(rows))
        new.replace(self.path)
        time.sleep(self.lag)


class House:
    """Applications, their engine, and an agent in a thread."""

    def __init__(self) -> None:
        self.engine = DummyEngine()  # of the application "web"
        self._engines: dict[str, DummyEngine] = {}
        self.told: list[Occasion] = []
        self.lines: list[str] = []
        self.agent: Agent | None = None
        self._thread: threading.Thread | None = None

    def keeper(self) -> OwnKeeper:
        return OwnKeeper(Settings(), engine=self._engine_of, tell=self.told.append)

    def _engine_of(self, app: App, _settings: Settings) -> DummyEngine:
        return self.engine if app.name == "web" else self._engines.setdefault(app.name, DummyEngine())

    def create(self, name: str, url: str, **fields: object) -> None:
        self.keeper().create(App(name, url, **fields), upsert=False)  # type: ignore[arg-type] # any field

    def make(self, *names: str, interval: float = 3600.0, **plan: object) -> Agent:
        def log(name: str, text: str) -> None:
            self.lines.append(f"{name or 'agent'}: {text}")

        made = Plan(names, interval, **plan)  # type: ignore[arg-type] # any field
        return Agent(made, lambda _app: self.keeper(), log)

    def start(self, *names: str, interval: float = 3600.0, **plan: object) -> Agent:
        self.agent = self.make(*names, interval=interval, **plan)
        self._thread = threading.Thread(target=self.agent.run)
        self._thread.start()
        return self.agent

    def end(self) -> None:
        if self.agent and self._thread:
            self.agent.stop.set()
            self._thread.join(10)
            assert not self._thread.is_alive()

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def occasions(self) -> list[str]:
        return [occasion.what for occasion in self.told]

    def until(self, true: Callable[[], object], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.lines
            time.sleep(0.02)
