"""A timeout is no duration.

Durations are numbers with units: `h`, `m`, `s`, or `ms`, and several of them in one go, as in `1h30m`. There are no
spaces, no longer words for the units, and no days. The fix writes `10 min` as `10m` and `1 day` as `24h`.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  timeout: "10 min"
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  timeout: "10m"
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF502", "invalid-duration", Severity.ERROR, fix="unsafe")
