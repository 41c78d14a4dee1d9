"""Pipelines and plans made by hand, for the tests of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dispatchfile.event.event import Event, context
from dispatchfile.mask import Masker
from dispatchfile.model.decode import build
from dispatchfile.plan.plan import Need, Plan, PlannedTask
from dispatchfile.run.backend import RunSpec, StepHandle
from dispatchfile.run.dummy import DummyBackend
from dispatchfile.run.engine import Ending, Engine, Schedule
from dispatchfile.run.places import Ground, Known, Places
from dispatchfile.run.progress import Board, Happening
from dispatchfile.run.resolve import Resolver, Supplies
from dispatchfile.run.task import TaskRunner
from dispatchfile.value import Value

COMMIT = "0123456789abcdef0123456789abcdef01234567"
EVENT = Event("push", url="https://git.test/me/app", commit=COMMIT, branch="main", user="me")


def value(data: Any) -> Value:
    if isinstance(data, dict):
        return Value({key: value(item) for key, item in data.items()})
    if isinstance(data, list):
        return Value([value(item) for item in data])
    return Value(data)


def task(*steps: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A task whose steps are given by name or as they stand in a file."""
    made = [
        {"name": s, "image": "busybox", "command": ["true"]} if isinstance(s, str) else s
        for s in steps or ("run",)
    ]
    return {**fields, "steps": [{"image": "busybox", **step} for step in made]}


def plan(tasks: Mapping[str, Any], resources: Mapping[str, Any] | None = None, event: Event = EVENT) -> Plan:
    """All tasks, in the order given, with the waits that inputs, outputs and deps make."""
    pipeline = build(value({"resource": dict(resources or {}), "task": dict(tasks)}))
    makers = {name: t.name for t in pipeline.tasks.values() for name in t.outputs}
    planned = []
    for one in pipeline.tasks.values():
        needs = [Need(name, "deps") for name in one.deps]
        needs += [Need(name, "input") for name in one.inputs if name in pipeline.tasks]
        needs += [Need(makers[name], "resource", name) for name in one.inputs if name in makers]
        planned.append(PlannedTask(one, tuple(needs), asked=True))
    return Plan(pipeline, event, (), tuple(planned), context(event))


class Run:
    """A run on the dummy backend: what it was told, how it ended, what the backend was asked."""

    def __init__(
        self, tmp_path: Path, made: Plan, backend: DummyBackend | None = None, *, secrets: tuple[str, ...] = (),
        ground: Mapping[str, Any] | None = None, supplies: Mapping[str, Any] | None = None,
        on_failure: Callable[[StepHandle], None] | None = None, **schedule: Any,
    ) -> None:  # fmt: skip
        self.backend = backend or DummyBackend()
        self.events: list[Happening] = []
        self.logs = tmp_path / "logs"
        repository = tmp_path / "repository"
        repository.mkdir(exist_ok=True)
        kept = schedule.get("kept", {})
        ground = Ground(repository, COMMIT, tmp_path / "run", tmp_path / "storage", str, **(ground or {}))
        self.resolver = Resolver(made, Places(made, ground), Supplies(**(supplies or {})), kept)
        masker, board = Masker(secrets), Board([self.events.append])
        tasks = TaskRunner(
            self.backend,
            self.resolver,
            board,
            masker,
            self.logs,
            known=Known.of(kept.values()),
            on_failure=on_failure,
        )
        spec = RunSpec("run-1", tmp_path / "run", repository, "app")
        self.engine = Engine(tasks, spec, Schedule(**{"jobs": 4, **schedule}))

    def go(self) -> Ending:
        self.ending = self.engine.run()
        return self.ending

    def statuses(self) -> dict[str, str]:
        return {name: outcome.status for name, outcome in self.ending.outcomes.items()}

    def told(self, kind: str) -> list[Happening]:
        return [event for event in self.events if event.kind == kind]

    def ran(self) -> list[str]:
        return [call[1] for call in self.backend.calls if call[0] == "run_step"]


def run(tmp_path: Path, made: Plan, backend: DummyBackend | None = None, **options: Any) -> Run:
    done = Run(tmp_path, made, backend, **options)
    done.go()
    return done
