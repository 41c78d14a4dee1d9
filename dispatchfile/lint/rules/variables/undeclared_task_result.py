"""A variable asks for the output of a step that does not exist, or of a task that is no input.

`$(inputs.tasks.TASK.STEP)` is what a step of another task printed on its standard output. The other task must be in
the `inputs` of the one that asks, so that it runs first, and must have a step of that name. The fix adds the task to
the inputs, or writes the task or step that looks like what is there.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: notify: {
  inputs: ["test"]
  steps: [{name: "send", image: "mailer:1.0", args: ["--text=$(inputs.tasks.test.tests)"]}]
}

actions: [{tasks: ["notify"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: notify: {
  inputs: ["test"]
  steps: [{name: "send", image: "mailer:1.0", args: ["--text=$(inputs.tasks.test.test)"]}]
}

actions: [{tasks: ["notify"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF403", "undeclared-task-result", Severity.ERROR, fix="unsafe")
