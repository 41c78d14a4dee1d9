"""From fired actions, or names, to a plan: which tasks, which waits for which and why, in which order."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from dispatchfile.diagnostics import errors
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event.event import context
from dispatchfile.event.match import decide_all
from dispatchfile.model import references
from dispatchfile.plan.plan import Need, Plan, PlannedTask
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dispatchfile.event.event import Event
    from dispatchfile.model.pipeline import Pipeline, Task


def make(pipeline: Pipeline, event: Event, tasks: Sequence[str] = ()) -> Plan:
    """Return the plan for an event: the tasks of the actions that fire, or those named, and all they need.

    Named tasks run whatever the actions say. Where nothing fires the plan has no tasks. Raises EvaluationError with
    its diagnostics when names are undefined or tasks wait for each other, UsageError for an unknown task name or a
    fact that the event lacks.
    """
    check(pipeline)
    asked = named(pipeline, tasks)
    decisions = () if asked else decide_all(pipeline.actions, event)
    fired = (name for decision in decisions if decision.fires for name in decision.action.tasks)
    return Plan(pipeline, event, decisions, arrange(pipeline, asked or tuple(fired)), context(event))


def arrange(pipeline: Pipeline, asked: Iterable[str]) -> tuple[PlannedTask, ...]:
    """Return the tasks asked for and all they need, in an order in which they can run; ties as in the file."""
    asked = frozenset(asked)
    made_by = references.makers(pipeline)
    needs: dict[str, tuple[Need, ...]] = {}
    pending = list(asked)
    while pending:
        name = pending.pop()
        if name not in needs:
            needs[name] = needs_of(pipeline, pipeline.tasks[name], made_by)
            pending += (need.task for need in needs[name])
    return tuple(
        PlannedTask(pipeline.tasks[name], needs[name], name in asked) for name in _order(pipeline, needs)
    )


def needs_of(pipeline: Pipeline, task: Task, made_by: Mapping[str, str]) -> tuple[Need, ...]:
    """Return what a task waits for: the makers of its inputs, the tasks in its inputs, and its deps.

    A storage resource that the task both takes and makes is a cache, not a wait for itself.
    """
    found: list[Need] = []
    for name in task.inputs:
        if name in pipeline.resources:
            if name in made_by and made_by[name] != task.name:
                found.append(Need(made_by[name], "resource", name))
        else:
            found.append(Need(name, "input", name))
    found += (Need(name, "deps") for name in task.deps)
    return tuple(dict.fromkeys(found))


def _order(pipeline: Pipeline, needs: Mapping[str, Sequence[Need]]) -> list[str]:
    """Return the names so that each stands behind what it needs; of those that could be next the first in the file."""
    names = [name for name in pipeline.tasks if name in needs]
    waits = {name: {need.task for need in needs[name]} for name in names}
    waiters: dict[str, list[int]] = {name: [] for name in names}
    left = [len(waits[name]) for name in names]
    for index, name in enumerate(names):
        for other in waits[name]:
            waiters[other].append(index)
    ready = [index for index, count in enumerate(left) if not count]
    heapify(ready)
    ordered = []
    while ready:
        name = names[heappop(ready)]
        ordered.append(name)
        for index in waiters[name]:
            left[index] -= 1
            if not left[index]:
                heappush(ready, index)
    return ordered


def named(pipeline: Pipeline, names: Sequence[str]) -> Sequence[str]:
    """Return the names when all are tasks; raises UsageError."""
    for name in names:
        if name not in pipeline.tasks:
            near = nearest(name, pipeline.tasks)
            known = ", ".join(pipeline.tasks) or "none"
            hint = f'did you mean "{near}"?' if near else f"the tasks are {known}"
            raise UsageError(f'there is no task "{name}" in the Dispatchfile', help=hint)
    return names


def check(pipeline: Pipeline) -> None:
    """Raise EvaluationError with its diagnostics when names are undefined or tasks wait for each other."""
    found = errors(references.check(pipeline))
    if found:
        raise EvaluationError("the tasks cannot be put in order", found)
