"""An ignore comment silences nothing.

`// dispatchfile: ignore[DF601] reason` keeps a finding out of the report on purpose. Once the finding is gone, the
comment only hides the next one, so it goes too. The same finding tells of a comment that cannot work: one that names
no rule, or an unknown one. The fix removes the comment, or just the codes that silence nothing.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}] // dispatchfile: ignore[DF601]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang", command: ["go", "test", "./..."]}] // dispatchfile: ignore[DF601] newest wanted
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF005", "unused-suppression", Severity.WARNING, fix="safe")
