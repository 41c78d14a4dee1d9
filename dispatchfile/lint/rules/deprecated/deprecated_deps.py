"""A task lists the tasks it runs after in `deps`.

Since Dispatch 1.1 `inputs` takes tasks as well as resources, and `deps` is deprecated. The fix renames the field, or
adds its entries to the `inputs` that are there; the tasks run in the same order.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: announce: {
  deps: ["test"]
  steps: [{name: "announce", image: "alpine:3.20", command: ["echo", "tested"]}]
}

actions: [{tasks: ["announce"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: announce: {
  inputs: ["test"]
  steps: [{name: "announce", image: "alpine:3.20", command: ["echo", "tested"]}]
}

actions: [{tasks: ["announce"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Fix, Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject
    from dispatchfile.model.pipeline import Task
    from dispatchfile.source import Span
    from dispatchfile.value import Value

RULE = Rule("DF703", "deprecated-deps", Severity.WARNING, fix="safe", needs="deps")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each `deps`, once where tasks share one."""
    sharing: dict[Span | None, list[Task]] = {}
    for task in subject.pipeline.tasks.values() if subject.pipeline else ():
        deps = task.value.at("deps")
        if deps is not None and deps.data is not None:
            sharing.setdefault(deps.key, []).append(task)
    for key, tasks in sharing.items():
        yield RULE.finding(
            "`deps` is deprecated",
            key,
            "an older list of inputs",
            help="list the tasks in `inputs`, their place since Dispatch 1.1",
            path=f"task.{tasks[0].name}.deps",
            fix=_fix(subject, tasks),
        )


def _fix(subject: Subject, tasks: list[Task]) -> Fix | None:
    from dispatchfile.lint.nesting import is_private, renamed
    from dispatchfile.lint.usage import sharers

    pipeline, deps = subject.pipeline, tasks[0].value.at("deps")
    if pipeline is None or deps is None or not is_private(subject, "deps", "inputs"):
        return None
    if any(name in pipeline.resources or name not in pipeline.tasks for task in tasks for name in task.deps):
        return None  # as an input the name would mean the resource
    inputs = tasks[0].value.at("inputs")
    if inputs is None and all(task.value.at("inputs") is None for task in tasks):
        return renamed(subject, deps, "deps", "inputs")
    if inputs is None or sharers(subject, "inputs")[inputs.spans[0]] != [task.name for task in tasks]:
        return None
    return _merged(tasks, inputs, deps)


def _merged(tasks: list[Task], inputs: Value, deps: Value) -> Fix | None:
    """Return the fix that adds the entries of `deps` to `inputs` and removes the field."""
    from dispatchfile.lint import edits
    from dispatchfile.model.edits import appended, is_block

    places, key = edits.literal_items(deps), deps.key
    if places is None or key is None or len(deps.keys) > 1:
        return None
    end = edits.end_of_field(key, deps)
    if end is None or deps.spans[0].text.startswith("&"):  # an anchor of YAML, which aliases may want
        return None
    source = key.source
    alone = edits.indentation(source, key.start) is not None
    if _holds_comment(source.text[key.start : end], places, key.start) or (is_block(deps) and not alone):
        return None
    if any(len(task.deps) != len(places) for task in tasks):
        return None
    taken = [frozenset(task.inputs) for task in tasks]
    new = dict.fromkeys(
        span.text
        for index, span in enumerate(places)
        if any(task.deps[index] not in known for task, known in zip(tasks, taken, strict=True))
    )
    added = appended(inputs, *new) if new else None
    if new and added is None:
        return None
    block = alone and is_block(tasks[0].value)
    removed = edits.without_lines(source, key.start, end) if block else edits.without(source, key.start, end)
    return Fix("list them in `inputs`", (*([added] if added else ()), removed), safe=True)


def _holds_comment(text: str, places: list[Span], start: int) -> bool:
    """Return whether there is a comment between the entries of a list."""
    at, between = 0, []
    for span in places:
        between.append(text[at : span.start - start])
        at = span.end - start
    between.append(text[at:])
    return "#" in "".join(between) or "//" in "".join(between)
