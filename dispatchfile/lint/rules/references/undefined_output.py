"""A task puts out something that is no resource.

The names in `outputs` are those of resources: what the task leaves in `/workspace/output/NAME` becomes the resource,
for the tasks that take it as an input. A task cannot be an output. When the name looks like that of a resource, the fix
writes it.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app"}

task: build: {
  inputs: ["src"]
  outputs: ["ap"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: scan: {
  inputs: ["app"]
  steps: [{name: "scan", image: "scanner:2.1", args: ["$(inputs.resources.app.url)"]}]
}

actions: [{tasks: ["build", "scan"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app"}

task: build: {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: scan: {
  inputs: ["app"]
  steps: [{name: "scan", image: "scanner:2.1", args: ["$(inputs.resources.app.url)"]}]
}

actions: [{tasks: ["build", "scan"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF202", "undefined-output", Severity.ERROR, fix="unsafe")
