"""A value is of another type than its field wants.

Often a list of one entry lacks its brackets, or a text that looks like a number lacks its quotes; in YAML `yes`,
`012`, and `1e3` are no texts either. `command` and `args` are lists because no shell takes them apart: each entry is
one argument. The fix puts the brackets or quotes in; a command that needs a shell gets `sh -c` in front.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: "go test ./..."}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF103", "mismatched-type", Severity.ERROR, fix="unsafe")
