"""A field has a name that means nothing where it stands.

Nobody reads such a field, so whatever it was to do does not happen. Most are misspelt, or stand one level too high
or too deep: the finding says which field was probably meant, or where one of this name belongs. The fix renames it; it
is a safe one for the spellings that are understood anyway, such as `params` for `param`. Fields at the top of the file
may have any name, as helpers for the rest; only one that looks like `resource`, `task`, or `actions` is a finding.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", comand: ["go", "test", "./..."]}]
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

RULE = Rule("DF101", "unknown-field", Severity.ERROR, fix="unsafe")
