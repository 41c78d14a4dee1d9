"""An environment variable has a bad name, is set twice, or does not say where its value comes from.

Names consist of letters, digits, `_`, `-`, and `.`, and do not start with a digit. Each entry has either a `value` or
a `valueFrom` with one source, such as a key of a secret; an empty value is written `value: ""`. Two things are warnings,
since Kubernetes takes them: an entry with neither, which is empty, and a second one with the same name, which wins.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
    env: [{name: "2ND_TRY", value: "0"}]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
    env: [{name: "SECOND_TRY", value: "0"}]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF503", "invalid-env", Severity.ERROR)
