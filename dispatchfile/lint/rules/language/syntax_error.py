"""The text breaks the syntax of its language.

A Dispatchfile is CUE unless its first line (`#!yaml`, `#!json`) or the end of its name says otherwise. The finding
points to where reading went wrong, which is sometimes just behind the mistake: look at the end of the line before,
too. In CUE, most often a comma between two entries of a list is missing, or a comment starts with `#` instead of `//`.
What stands outside the broken part is read and checked all the same.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go" "test", "./..."]
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
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF001", "syntax-error", Severity.ERROR, always=True)
