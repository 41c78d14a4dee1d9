"""A resource has a type that does not exist, or a parameter that its type does not know.

The types are `git` (a repository: `url`, `revision`, `depth`, …), `image` (a container image: `url`, `digest`), and
`storage` (a bucket: `type`, `location`, `dir`; its `type` is "gcs" for S3 too). Nobody reads a parameter that the type
does not know. The fix writes the type or the parameter that looks like what is there.

```cue bad
resource: src: {type: "gti", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
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

RULE = Rule("DF104", "unknown-resource-type", Severity.ERROR, fix="unsafe")
