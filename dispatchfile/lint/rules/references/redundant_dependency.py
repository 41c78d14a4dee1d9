"""A list names something twice, or `deps` names a task that makes an input.

This holds for the lists of a task, and for the `tasks` of an action. A task that takes a resource waits for the task
that makes it anyway, and a task listed in `inputs` need not stand in `deps` too. The fix removes the entry; the tasks
run in the same order.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src", "src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from collections import Counter

from dispatchfile.diagnostics import Fix, Related, Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject
    from dispatchfile.model.pipeline import Pipeline, Task
    from dispatchfile.source import Span
    from dispatchfile.value import Value

RULE = Rule("DF208", "redundant-dependency", Severity.INFO, fix="safe")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each entry that says nothing new."""
    pipeline = subject.pipeline
    if pipeline is None:
        return
    from dispatchfile.model.references import makers

    made_by = makers(pipeline)
    for task in pipeline.tasks.values():
        for field in ("inputs", "outputs", "deps"):
            items = task.value.at(field)
            if items is not None and isinstance(items.data, list) and items.data:
                implied = _implied(task, pipeline, made_by) if field == "deps" else {}
                yield from _entries(subject, task, field, items, implied)
    yield from _repeated_tasks(subject, pipeline)


def _repeated_tasks(subject: Subject, pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield a finding for each task that an action lists again."""
    lists = [_list(action.value.at("tasks")) for action in pipeline.actions]
    uses = Counter(item.span for items in lists for item in items)
    for action, items in zip(pipeline.actions, lists, strict=True):
        first: dict[object, Value] = {}
        listed = action.value.at("tasks")
        for index, item in enumerate(items):
            if not isinstance(item.data, str) or first.setdefault(item.data, item) is item:
                continue
            place = first[item.data].span
            yield RULE.finding(
                f'{action.title} lists "{item.data}" twice',
                item.span,
                "says nothing new",
                (Related(place, "listed here already"),) if place is not None else (),
                help=f'remove "{item.data}" here',
                path=f"actions[{action.index}].tasks[{index}]",
                fix=_fix(listed, item)
                if listed and uses[item.span] == 1 and _own(subject, listed, item)
                else None,
            )


def _own(subject: Subject, listed: Value, item: Value) -> bool:
    """Return whether an entry of the `tasks` of an action may be taken out without a change for anything else."""
    from dispatchfile.lint import edits, nesting

    return nesting.is_private(subject, "tasks") and item.span in (edits.literal_items(listed) or ())


def _implied(task: Task, pipeline: Pipeline, made_by: Mapping[str, str]) -> dict[str, str]:
    """Return the tasks that the inputs of a task make it wait for, each with the input that does."""
    found: dict[str, str] = {}
    for name in task.inputs:
        maker = made_by.get(name) if name in pipeline.resources else name
        if maker is not None and maker != task.name:
            found.setdefault(maker, name)
    return found


def _entries(
    subject: Subject, task: Task, field: str, items: Value, implied: Mapping[str, str]
) -> Iterator[Diagnostic]:
    first: dict[str, Value] = {}
    removable: frozenset[Span] | None = None
    for index, item in enumerate(items.data if isinstance(items.data, list) else ()):
        name = item.data
        if not isinstance(name, str):
            continue
        if name in first:
            place = first[name].span
            message = f'`{field}` of task "{task.name}" lists "{name}" twice'
            related = (Related(place, "listed here already"),) if place is not None else ()
        elif name in implied:
            cause = implied[name]
            message = f'task "{task.name}" waits for "{name}" anyway, for its input "{cause}"'
            if cause == name:
                message = f'task "{task.name}" waits for "{name}" anyway, which is one of its `inputs`'
            place = next((one.span for one in _list(task.value.at("inputs")) if one.data == cause), None)
            related = (Related(place, "waits for it too"),) if place is not None else ()
        else:
            first[name] = item
            continue
        removable = _removable(subject, field, items) if removable is None else removable
        yield RULE.finding(
            message,
            item.span,
            "says nothing new",
            related,
            help=f'remove "{name}" here',
            path=f"task.{task.name}.{field}[{index}]",
            fix=_fix(items, item) if item.span in removable else None,
        )


def _list(value: Value | None) -> list[Value]:
    return value.data if value is not None and isinstance(value.data, list) else []


def _removable(subject: Subject, field: str, items: Value) -> frozenset[Span]:
    """Return the places of those items that may be taken out without a change for another task."""
    from dispatchfile.lint import edits, nesting, usage

    sharers = usage.sharers(subject, field)
    if any(len(sharers[span]) > 1 for span in items.spans) or not nesting.is_private(subject, field):
        return frozenset()
    return frozenset(edits.literal_items(items) or ())


def _fix(items: Value, item: Value) -> Fix | None:
    from dispatchfile.lint.edits import without_item

    edit = without_item(items, item.spans[0])
    return Fix(f'remove "{item.data}"', (edit,), safe=True) if edit is not None else None
