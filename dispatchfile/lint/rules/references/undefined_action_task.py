"""An action runs a task that does not exist.

The names in an action's `tasks` are those of tasks; a resource cannot be run. The tasks that a listed one needs run
without being listed. When the name looks like that of a task, the fix writes it.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [
  {tasks: ["test"], on: git: push: branches: ["main"]},
  {tasks: ["tset"], on: git: pull_request: {}},
]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [
  {tasks: ["test"], on: git: push: branches: ["main"]},
  {tasks: ["test"], on: git: pull_request: {}},
]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF203", "undefined-action-task", Severity.ERROR, fix="unsafe")
