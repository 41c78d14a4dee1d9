"""A resource that no task takes or makes.

It is usually left over from a task that went, or a task forgot to list it. Nothing is cloned or pushed for it. Unless
an expression of the file refers to the resource, the fix removes it.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}
resource: docs: {type: "git", param: {url: "https://git.example.com/team/docs", revision: "main"}}

task: test: {
  inputs: ["src"]
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

import re

from dispatchfile.diagnostics import Fix, Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.cue import tree
    from dispatchfile.diagnostics import Diagnostic, Edit
    from dispatchfile.lint.rule import Subject
    from dispatchfile.model.pipeline import Resource
    from dispatchfile.source import Span

RULE = Rule("DF206", "unused-resource", Severity.WARNING, fix="unsafe", whole=True, needs="resource")

_MENTION = r"(?:(?:resources|inputs|outputs)\.)+([\w-]+)|(?:/workspace/(?:output/)?|/image-outputs/)([\w-]+)"
_FEW = 20  # undefined names; with more of them nobody knows what is unused


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each place that makes resources, none of which is used."""
    pipeline = subject.pipeline
    if pipeline is None or not pipeline.tasks:
        return
    from dispatchfile.lint.usage import users

    idle = {name for name, tasks in users(subject).items() if not tasks}
    if not idle or not (idle := idle - _meant(subject, idle)):
        return
    busy = {resource.value.key for name, resource in pipeline.resources.items() if name not in idle}
    told: set[Span | None] = set(busy)
    for name, resource in pipeline.resources.items():
        if name in idle and resource.value.key not in told:
            told.add(resource.value.key)
            edit = _removal(subject, resource)
            yield RULE.finding(
                f'no task takes or makes resource "{name}"',
                resource.value.key or resource.value.span,
                "never used",
                help="list it in the `inputs` or `outputs` of a task, or remove it",
                path=f"resource.{name}",
                fix=Fix(f'remove resource "{name}"', (edit,), safe=False) if edit is not None else None,
            )


def _meant(subject: Subject, idle: set[str]) -> set[str]:
    """Return those of the names that something in the file means, though no list of a task has them."""
    from dispatchfile.spelling import nearest

    pipeline = subject.pipeline
    if pipeline is None:
        return set()
    meant: set[str | None] = set()
    known = pipeline.resources.keys() | pipeline.tasks.keys()
    unknown = {
        name
        for task in pipeline.tasks.values()
        for name in (*task.inputs, *task.outputs)
        if name not in known
    }
    if len(unknown) > _FEW:
        return idle
    meant.update(nearest(name, idle) for name in unknown)
    if subject.tree is not None:
        meant |= _referred(subject.tree, idle)
    for name, times in _mentions(subject.source.text).items():
        resource = pipeline.resources.get(name)
        own = f"$(inputs.resources.{name}.digest)"
        if resource is not None and times > (resource.param.get("digest") == own):
            meant.add(name)
    return {name for name in meant if name is not None}


def _mentions(text: str) -> dict[str, int]:
    """Return the names in variables and in paths below /workspace, and how often a text has each."""
    found: dict[str, int] = {}
    for one in re.finditer(_MENTION, text):
        name = one[1] or one[2]
        found[name] = found.get(name, 0) + 1
    return found


def _referred(file: tree.File, idle: set[str]) -> set[str]:
    """Return the names that an expression refers to; all of them when one may refer to any."""
    from dispatchfile.lint.syntax import survey

    names = survey(file).mentioned
    return idle if "resource" in names and names.isdisjoint(idle) else idle & names


def _removal(subject: Subject, resource: Resource) -> Edit | None:
    from dispatchfile.lint import edits

    value, key = resource.value, resource.value.key
    if key is None or len(value.keys) > 1 or key.text.strip("\"'") != resource.name:
        return None
    if subject.tree is None:
        end = edits.end_of_field(key, value)
        if end is None:
            return None
        block = edits.indentation(key.source, key.start) is not None and subject.source.text[end - 1] != "}"
        return (
            edits.without_lines(key.source, key.start, end)
            if block
            else edits.without(key.source, key.start, end)
        )
    from dispatchfile.lint.syntax import chains_by_label

    chain = chains_by_label(subject.tree).get(key.start)
    if chain is None:
        return None
    return edits.without(key.source, chain[0].span.start, chain[0].span.end)
