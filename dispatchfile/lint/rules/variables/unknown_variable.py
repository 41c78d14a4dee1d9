"""A variable does not exist, or is not written as variables are.

Variables are `$(context.…)` for facts of the event (`git.url`, `git.commit`, `git.branch`, `git.tag`, `build.name`,
`chatop.command`, `chatop.args`), `$(inputs.resources.NAME.PARAM)` and `$(outputs.resources.NAME.PARAM)` for the
resources of a task, and `$(inputs.tasks.TASK.STEP)` for what a step printed. Everything else in `$( )` is left to the
shell, so a misspelt variable would run as a command. The finding also comes for one that is never closed and for one in
the curly brackets of a shell variable. The fix writes the variable that was meant.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.comit)"}}

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

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF401", "unknown-variable", Severity.ERROR, fix="unsafe")
