"""Two places give one field values that exclude each other.

In CUE a field may be written several times, and all that is written must hold at once: structs are merged, and two
different texts or numbers, or lists that differ, are a conflict. No place wins over another. The finding shows every
place that took part. Keep one of the values, or make the general one a default: `timeout: *"10m" | string`.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  timeout: "10m"
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

task: test: timeout: "20m"

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  timeout: "20m"
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF002", "conflicting-values", Severity.ERROR, always=True)
