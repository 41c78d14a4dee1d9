"""No action runs a task, neither directly nor because another task needs it.

Such a task runs only when somebody names it by hand. List it in the `tasks` of an action, or take its result in a task
that runs. A file without actions has no such findings: all its tasks are run by hand.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: vet: {
  inputs: ["src"]
  steps: [{name: "vet", image: "golang:1.22", command: ["go", "vet", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: vet: {
  inputs: ["src"]
  steps: [{name: "vet", image: "golang:1.22", command: ["go", "vet", "./..."]}]
}

actions: [{tasks: ["test", "vet"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF207", "unreachable-task", Severity.WARNING, whole=True, needs="actions")

_FEW = 20  # undefined names; with more of them nobody knows what is meant to run


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each task that no action reaches, if there are actions at all."""
    pipeline = subject.pipeline
    if pipeline is None or not any(action.tasks for action in pipeline.actions):
        return
    from dispatchfile.lint.usage import events

    idle = [name for name, words in events(subject).items() if not words]
    if not idle:
        return
    misspelt = {name for action in pipeline.actions for name in action.tasks if name not in pipeline.tasks}
    for task in pipeline.tasks.values():
        misspelt.update(name for name in (*task.inputs, *task.deps) if name not in pipeline.tasks)
    misspelt -= pipeline.resources.keys()
    if len(misspelt) > _FEW:
        return
    if misspelt:
        from dispatchfile.spelling import nearest

        meant = {nearest(name, idle) for name in misspelt}
        idle = [name for name in idle if name not in meant]
    for name in idle:
        yield RULE.finding(
            f'no action runs task "{name}", directly or through another task',
            pipeline.tasks[name].value.key or pipeline.tasks[name].value.span,
            "never runs by itself",
            help=f'list "{name}" in the `tasks` of an action',
            path=f"task.{name}",
        )
