"""Whether what names refer to exists, who makes what, who waits for whom, and cycles."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Fix, Related, Severity
from dispatchfile.model.edits import reworded
from dispatchfile.model.pipeline import Action, Pipeline, Resource, Task
from dispatchfile.record import Record
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_FEW = 8  # names that a message lists
_MOST_CYCLES = 20  # that are told; tasks that all wait for each other have more than anybody reads


_MOST_GUESSES = (
    100  # undefined names for which a similar one is looked for: each is held against all there are
)


class _Undefined(Record):
    """A name that refers to nothing, where it stands, and what it may be; `hint` says what it is instead."""

    code: str
    message: str
    name: str
    item: Value
    path: str
    known: Mapping[str, Resource | Task | Value]
    hint: str = ""


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield undefined names, tasks and actions with nothing to do, resources made by two tasks, and cycles."""
    homes = {name: task.value for name, task in pipeline.tasks.items()}
    homes |= {name: resource.value for name, resource in pipeline.resources.items()}
    undefined = [one for task in pipeline.tasks.values() for one in _in_task(task, pipeline, homes)]
    undefined += (one for action in pipeline.actions for one in _in_action(action, pipeline))
    for number, one in enumerate(undefined):
        yield _finding(one, guess=number < _MOST_GUESSES)
    yield from _check_empty(pipeline)
    yield from _check_makers(pipeline)
    yield from _check_cycles(pipeline)


def makers(pipeline: Pipeline) -> dict[str, str]:
    """Return, for each resource that is an output, the name of the first task that makes it."""
    found: dict[str, str] = {}
    for task in pipeline.tasks.values():
        for name in task.outputs:
            found.setdefault(name, task.name)
    return found


def needs(task: Task, pipeline: Pipeline, made_by: Mapping[str, str]) -> list[str]:
    """Return the tasks that a task waits for, each once, in order; a storage resource it makes itself is no wait."""
    found: list[str] = []
    for name in task.inputs:
        if name in pipeline.resources:
            maker = made_by.get(name)
            if maker is not None and not (maker == task.name and pipeline.resources[name].type == "storage"):
                found.append(maker)
        elif name in pipeline.tasks:
            found.append(name)
    found += (name for name in task.deps if name in pipeline.tasks)
    return list(dict.fromkeys(found))


def cycles(pipeline: Pipeline) -> list[tuple[str, ...]]:
    """Return the cycles that keep tasks from ever starting, each from its first task in the file, without the return.

    At most `_MOST_CYCLES`.
    """
    made_by = makers(pipeline)
    edges = {task.name: needs(task, pipeline, made_by) for task in pipeline.tasks.values()}
    order = {name: index for index, name in enumerate(edges)}
    found: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        trail: dict[str, Iterator[str]] = {start: iter(edges[start])}
        while trail and len(found) < _MOST_CYCLES:
            current = next(reversed(trail))
            follower = next(trail[current], None)
            if follower is None:
                del trail[current]
                done.add(current)
            elif follower in trail:
                ring = list(trail)[list(trail).index(follower) :]
                first = ring.index(min(ring, key=order.__getitem__))
                found[(*ring[first:], *ring[:first])] = None
            elif follower not in done:
                trail[follower] = iter(edges[follower])
    return list(found)


def _names(value: Value | None, path: str) -> list[tuple[Value, str, str]]:
    """Return the strings of a list with their places and paths."""
    if value is None:
        return []
    if isinstance(value.data, str):
        return [(value, value.data, path)]
    listed = enumerate(value.data) if isinstance(value.data, list) else ()
    return [(item, item.data, f"{path}[{index}]") for index, item in listed if isinstance(item.data, str)]


def _in_task(task: Task, pipeline: Pipeline, homes: Mapping[str, Value]) -> Iterator[_Undefined]:
    path = f"task.{task.name}"
    for item, name, here in _names(task.value.at("inputs"), f"{path}.inputs"):
        if name not in homes:
            message = f'task "{task.name}" takes "{name}", which is neither a resource nor a task'
            yield _Undefined("DF201", message, name, item, here, homes)
    for item, name, here in _names(task.value.at("outputs"), f"{path}.outputs"):
        if name not in pipeline.resources:
            hint = "a task; outputs are resources" if name in pipeline.tasks else ""
            message = f'task "{task.name}" makes "{name}", which is no resource'
            yield _Undefined("DF202", message, name, item, here, pipeline.resources, hint)
    for item, name, here in _names(task.value.at("deps"), f"{path}.deps"):
        if name not in pipeline.tasks:
            hint = "a resource; list it in `inputs`" if name in pipeline.resources else ""
            message = f'task "{task.name}" depends on "{name}", which is no task'
            yield _Undefined("DF201", message, name, item, here, pipeline.tasks, hint)


def _in_action(action: Action, pipeline: Pipeline) -> Iterator[_Undefined]:
    for item, name, path in _names(action.value.at("tasks"), f"actions[{action.index}].tasks"):
        if name not in pipeline.tasks:
            hint = "a resource; actions list tasks" if name in pipeline.resources else ""
            message = f'{action.title} runs "{name}", which is no task'
            yield _Undefined("DF203", message, name, item, path, pipeline.tasks, hint)


def _finding(one: _Undefined, *, guess: bool) -> Diagnostic:
    meant = nearest(one.name, one.known) if guess and not one.hint else None
    related: tuple[Related, ...] = ()
    fix = None
    if meant is not None:
        home = one.known[meant]
        key = home.key if isinstance(home, Value) else home.value.key
        related = (Related(key, "a similar name"),) if key is not None else ()
        edit = reworded(one.item.span, one.name, meant)
        fix = Fix(f'write "{meant}"', (edit,), safe=False) if edit is not None else None
    advice = (
        f'"{one.name}" is {one.hint}'
        if one.hint
        else f'did you mean "{meant}"?'
        if meant
        else _listing(one.known)
    )
    span = one.item.span
    return Diagnostic(
        one.code, Severity.ERROR, one.message, span, "undefined", related, advice, one.path, fix
    )


def _check_empty(pipeline: Pipeline) -> Iterator[Diagnostic]:
    for task in pipeline.tasks.values():
        place = task.value.at("steps")
        if place is not None and place.data == []:
            yield Diagnostic(
                "DF102", Severity.ERROR, f'task "{task.name}" has no steps', place.span, "empty",
                help='such as steps: [{name: "test", image: "golang:1.22"}]', path=f"task.{task.name}.steps",
            )  # fmt: skip
    for action in pipeline.actions:
        place = action.value.at("tasks")
        if place is not None and place.data == []:
            yield Diagnostic(
                "DF302", Severity.WARNING, f"{action.title} runs no task", place.span, "empty",
                help="list the tasks to run, or remove the action", path=f"actions[{action.index}].tasks",
            )  # fmt: skip


def _listing(known: Mapping[str, object]) -> str:
    if not known:
        return "the file has none"
    return f"known are {', '.join(known)}" if len(known) <= _FEW else ""


def _check_makers(pipeline: Pipeline) -> Iterator[Diagnostic]:
    first: dict[str, tuple[Task, Value]] = {}
    for task in pipeline.tasks.values():
        for item, name, path in _names(task.value.at("outputs"), f"task.{task.name}.outputs"):
            if name not in pipeline.resources:
                continue
            maker, place = first.setdefault(name, (task, item))
            if maker is not task:
                also = (Related(place.span, f'task "{maker.name}" makes it'),) if place.span else ()
                yield Diagnostic(
                    "DF205", Severity.ERROR, f'resource "{name}" is made by the tasks "{maker.name}" and "{task.name}"',
                    item.span, f'task "{task.name}" makes it too', also,
                    "give each task a resource of its own", path,
                )  # fmt: skip


def _check_cycles(pipeline: Pipeline) -> Iterator[Diagnostic]:
    for ring in cycles(pipeline):
        task = pipeline.tasks[ring[0]]
        related = tuple(
            Related(key, "waits too")
            for name in ring[1:]
            if (key := pipeline.tasks[name].value.key) is not None
        )
        if len(ring) == 1:
            message = f'task "{ring[0]}" waits for itself: {ring[0]} -> {ring[0]}'
        else:
            message = f"tasks wait for each other: {' -> '.join((*ring, ring[0]))}"
        yield Diagnostic(
            "DF204", Severity.ERROR, message, task.value.key or task.value.span, "never starts", related,
            "a task waits for the tasks in its `inputs` and `deps`, and for those that make its inputs",
            f"task.{ring[0]}",
        )  # fmt: skip
