"""An action can never do anything: it lists no task, or its patterns leave nothing to match.

A name matches a list of patterns when one of them matches and none of those with a `!` in front does; the order does
not matter, and a `!` always wins. So `["main", "!main"]` matches nothing, nor does `["*", "!*"]`. Of the `labels` of a
pull request each one is asked for, so one label with and without `!` is enough. Drop one of the patterns, or the
action.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["release-1", "!release-*"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["release-*", "!release-1"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF302", "unreachable-action", Severity.WARNING)
