"""The plan: the tasks that an event, or the user by name, asks for, in order, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dispatchfile.event.event import Event
from dispatchfile.model.pipeline import Action, Pipeline, Task
from dispatchfile.source import Span


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of an action held against the event: `field` as in the file, and whether it holds."""

    field: str
    holds: bool
    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an action fires, and the conditions that decided, in the order they were asked."""

    action: Action
    fires: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """Why a task waits for another: `kind` says by what, `via` names the resource that passes between them."""

    task: str
    kind: Literal["resource", "input", "deps"]
    via: str = ""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task of the plan, what it waits for, and whether it was asked for or only needed."""

    task: Task
    needs: tuple[Need, ...]
    asked: bool

    @property
    def name(self) -> str:
        """Return the task's name."""
        return self.task.name

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Return the names of the tasks it waits for, each once, in order."""
        return tuple(dict.fromkeys(need.task for need in self.needs))


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks in an order in which they can run (ties as in the file), and what they were planned for.

    `context` holds the `context.*` variables; resource and task variables are known only as the tasks run.
    """

    pipeline: Pipeline
    event: Event
    decisions: tuple[Decision, ...]
    tasks: tuple[PlannedTask, ...]
    context: Mapping[str, str] = field(default_factory=dict)
