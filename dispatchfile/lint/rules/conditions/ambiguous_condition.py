"""An action has several conditions, or none where one belongs.

The `on` of an action holds exactly one of `git`, `cron`, and `image`, and its `git` exactly one of `push`, `tag`,
`pull_request`, and `release`. For the same tasks on two kinds of events, write two actions. A condition without
settings of its own is written with an empty struct, `push: {}`: every push.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: {push: branches: ["main"], pull_request: {}}}]
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

RULE = Rule("DF301", "ambiguous-condition", Severity.ERROR)
