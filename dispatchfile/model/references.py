"""Names: what they may look like, and whether what they refer to exists. Also who waits for whom, and cycles."""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.model.pipeline import Pipeline, Resource, Task
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield bad, repeated, and undefined names, resources made by two tasks, and cycles."""
    yield from _check_names(pipeline)
    homes = {name: task.value for name, task in pipeline.tasks.items()}
    homes |= {name: resource.value for name, resource in pipeline.resources.items()}
    for task in pipeline.tasks.values():
        yield from _check_task(task, pipeline, homes)
    for action in pipeline.actions:
        for item, name, path in _names(action.value.at("tasks"), f"actions[{action.index}].tasks"):
            if name not in pipeline.tasks:
                hint = "a resource; actions list tasks" if name in pipeline.resources else ""
                yield _undefined(
                    "DF203",
                    f'{action.title} runs "{name}", which is no task',
                    item,
                    path,
                    name,
                    pipeline.tasks,
                    hint,
                )
        if not action.tasks and isinstance(action.value.data, dict) and action.value.at("tasks", 0) is None:
            place = action.value.at("tasks")
            if place is not None and isinstance(place.data, list):
                yield Diagnostic(
                    "DF302", Severity.WARNING, f"{action.title} runs no task", place.span,
                    path=f"actions[{action.index}].tasks",
                )  # fmt: skip
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
    """Return the cycles that keep tasks from ever starting, each from its first task in the file, without the return."""
    made_by = makers(pipeline)
    edges = {task.name: needs(task, pipeline, made_by) for task in pipeline.tasks.values()}
    order = {name: index for index, name in enumerate(edges)}
    found: dict[tuple[str, ...], None] = {}
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        trail: dict[str, Iterator[str]] = {start: iter(edges[start])}
        while trail:
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


def _check_task(task: Task, pipeline: Pipeline, homes: Mapping[str, Value]) -> Iterator[Diagnostic]:
    path = f"task.{task.name}"
    for item, name, here in _names(task.value.at("inputs"), f"{path}.inputs"):
        if name not in homes:
            message = f'task "{task.name}" takes "{name}", which is neither a resource nor a task'
            yield _undefined("DF201", message, item, here, name, homes, "")
    for item, name, here in _names(task.value.at("outputs"), f"{path}.outputs"):
        if name not in pipeline.resources:
            hint = "a task; outputs are resources" if name in pipeline.tasks else ""
            message = f'task "{task.name}" makes "{name}", which is no resource'
            yield _undefined("DF202", message, item, here, name, pipeline.resources, hint)
    for item, name, here in _names(task.value.at("deps"), f"{path}.deps"):
        if name not in pipeline.tasks:
            hint = "a resource; list it in `inputs`" if name in pipeline.resources else ""
            message = f'task "{task.name}" depends on "{name}", which is no task'
            yield _undefined("DF201", message, item, here, name, pipeline.tasks, hint)
    place = task.value.at("steps")
    if place is not None and place.data == []:
        yield Diagnostic(
            "DF102", Severity.ERROR, f'task "{task.name}" has no steps', place.span, path=f"{path}.steps"
        )


def _undefined(
    code: str,
    message: str,
    item: Value,
    path: str,
    name: str,
    known: Mapping[str, Resource | Task | Value],
    hint: str,
) -> Diagnostic:
    meant = None if hint else nearest(name, known)
    related: tuple[Related, ...] = ()
    fix = None
    if meant is not None:
        home = known[meant]
        key = home.key if isinstance(home, Value) else home.value.key
        related = (Related(key, "a similar name"),) if key is not None else ()
        if item.span is not None and item.span.text.count(name) == 1:
            fix = Fix(f'write "{meant}"', (Edit(item.span, item.span.text.replace(name, meant)),), safe=False)
    advice = f'"{name}" is {hint}' if hint else f'did you mean "{meant}"?' if meant else ""
    return Diagnostic(code, Severity.ERROR, message, item.span, "undefined", related, advice, path, fix)


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


# How names look


def _check_names(pipeline: Pipeline) -> Iterator[Diagnostic]:
    for kind, values in (("resource", pipeline.value.at("resource")), ("task", pipeline.value.at("task"))):
        for name, item in values.data.items() if values is not None and isinstance(values.data, dict) else ():
            yield from _check_name(kind, name, item, item, f"{kind}.{name}", 63)
    for name, task in pipeline.tasks.items():
        yield from _check_step_names(task)
        resource = pipeline.resources.get(name)
        if resource is not None and any(name in other.inputs for other in pipeline.tasks.values()):
            also = (Related(resource.value.key, "the resource"),) if resource.value.key else ()
            yield Diagnostic(
                "DF105", Severity.WARNING, f'"{name}" is a resource and a task; as an input it means the resource',
                task.value.key or task.value.span, related=also, help="rename one of them", path=f"task.{name}",
            )  # fmt: skip


def _check_step_names(task: Task) -> Iterator[Diagnostic]:
    seen: dict[str, Value] = {}
    for index, step in enumerate(task.steps):
        place = step.value.at("name")
        path = f"task.{task.name}.steps[{index}].name"
        if place is None or not isinstance(place.data, str):
            continue
        # The container of a step is called step-NAME (Tekton), and a container's name has 63 characters at most.
        yield from _check_name("step", step.name, place, None, path, 58)
        first = seen.setdefault(step.name, place)
        if first is not place:
            also = (Related(first.span, "first used here"),) if first.span else ()
            yield Diagnostic(
                "DF105", Severity.ERROR, f'task "{task.name}" has two steps named "{step.name}"', place.span,
                related=also, help="names of steps are unique in a task", path=path,
            )  # fmt: skip


def _check_name(
    kind: str, name: str, place: Value, named: Value | None, path: str, longest: int
) -> Iterator[Diagnostic]:
    if _LABEL.fullmatch(name) and len(name) <= longest:
        return
    span = named.key if named is not None and named.key is not None else place.span
    problem = (
        f"at most {longest} characters"
        if _LABEL.fullmatch(name)
        else "small letters, digits, and dashes between them"
    )
    meant = re.sub(r"[^a-z0-9]+", "-", name.lower())[:longest].strip("-")
    advice = f'{problem}; such as "{meant}"' if meant else problem
    yield Diagnostic("DF501", Severity.ERROR, f'"{name}" is no name for a {kind}', span, "", (), advice, path)
