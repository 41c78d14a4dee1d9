"""An identifier refers to a field that is nowhere in sight.

A name without quotes is a reference: CUE looks for a field of that name around it, from the inside out, and only
unquoted labels count (`"my-image": …` is out of reach of any plain name). Perhaps the name is misspelt, then the fix
writes the one that looks like it; perhaps it was meant as a text and lacks its quotes.

```cue bad
go_image: "golang:1.22"

resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: go_imgae, command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
go_image: "golang:1.22"

resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: go_image, command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF004", "undefined-reference", Severity.ERROR, fix="unsafe", always=True)
