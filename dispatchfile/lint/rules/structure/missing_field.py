"""A field that is needed is not there.

A task needs `steps`, a step an `image`, a resource its `type` and the parameters of that type, an action `tasks` and
`on`, a cron condition its `schedule`. An action without `on` is only a warning, as it does no harm: nothing ever fires
it. `dispatchfile explain task` lists the fields of a task, `dispatchfile explain task.steps` those of a step.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", command: ["go", "test", "./..."]}]
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

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF102", "missing-field", Severity.ERROR)
