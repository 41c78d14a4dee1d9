"""Two things have one name.

Steps of a task, volumes of a task, and actions of a file are told apart by their names; so are a task and a resource,
as both may stand in `inputs` (where nothing takes it as an input, that is a warning). In YAML and JSON a key that is
written twice in one struct is the same mistake: all but one of the values would be lost without a word. Rename one of
the two, or merge them.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [
    {name: "go", image: "golang:1.22", command: ["go", "vet", "./..."]},
    {name: "go", image: "golang:1.22", command: ["go", "test", "./..."]},
  ]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [
    {name: "vet", image: "golang:1.22", command: ["go", "vet", "./..."]},
    {name: "test", image: "golang:1.22", command: ["go", "test", "./..."]},
  ]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF105", "duplicate-name", Severity.ERROR)
