"""The plan: the tasks that an event, or the user by name, asks for, in order, with the reasons."""

from __future__ import annotations

from dispatchfile.event.decision import Decision, Reason
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from dispatchfile.event.event import Event
    from dispatchfile.model.pipeline import Pipeline, Task

__all__ = ["Decision", "Need", "Plan", "PlannedTask", "Reason"]


class Need(Record):
    """Why a task waits for another: `kind` says by what, `via` names the resource that passes between them."""

    task: str
    kind: Literal["resource", "input", "deps"]
    via: str = ""


class PlannedTask(Record):
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


class Plan(Record):
    """Tasks in an order in which they can run (ties as in the file), and what they were planned for.

    `context` holds the `context.*` variables; resource and task variables are known only as the tasks run.
    """

    pipeline: Pipeline
    event: Event
    decisions: tuple[Decision, ...]
    tasks: tuple[PlannedTask, ...]
    context: Mapping[str, str]
