"""A name is none that a cluster accepts.

Resources, tasks, steps, volumes, and cron actions become objects of Kubernetes, and its names are labels of the DNS:
small letters, digits, and dashes between them, at most 63 characters (a step 58, a cron action 52, as more is put to
these names). The fix writes the nearest such name, and changes it everywhere it is used: in `inputs`, `outputs`,
`deps`, and `tasks`, in variables, and in paths below `/workspace`.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: Unit_Tests: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["Unit_Tests"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: "unit-tests": {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["unit-tests"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF501", "invalid-name", Severity.ERROR, fix="unsafe")
