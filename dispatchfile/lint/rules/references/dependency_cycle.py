"""Tasks wait for each other, so none of them ever starts.

A task waits for the tasks in its `inputs`, and for the tasks that put out the resources in its `inputs`. When that
leads back to where it began, nothing in the circle can start. The finding names the circle from its first task in the
file on. Take one of the inputs away, or split a task in two.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src", "lint"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: lint: {
  inputs: ["src", "test"]
  steps: [{name: "vet", image: "golang:1.22", command: ["go", "vet", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src", "lint"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: lint: {
  inputs: ["src"]
  steps: [{name: "vet", image: "golang:1.22", command: ["go", "vet", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF204", "dependency-cycle", Severity.ERROR)
