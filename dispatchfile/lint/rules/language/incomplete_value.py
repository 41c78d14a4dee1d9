"""A field that is needed has a type or a choice, but no value.

CUE can say what a value may be (`string`, `"fast" | "slow"`, `>0`) before it says what it is. Whoever runs the
pipeline needs the value itself: write it, or mark one of the choices as the default with `*`.

```cue bad
stage: "golang:1.21" | "golang:1.22"

resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: stage, command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
stage: "golang:1.21" | *"golang:1.22"

resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: stage, command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF003", "incomplete-value", Severity.ERROR, always=True)
