"""Two tasks put out the same resource.

Whoever takes the resource as an input could not tell whose it gets. Give each task a resource of its own; two image
resources may well have the same `url`, with tags that differ.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app"}

task: build: {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: "build-debug": {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--debug", "--to=/workspace/output/app"]}]
}

actions: [{tasks: ["build", "build-debug"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app:plain"}

resource: "app-debug": {type: "image", param: url: "registry.example.com/me/app:debug"}

task: build: {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: "build-debug": {
  inputs: ["src"]
  outputs: ["app-debug"]
  steps: [{name: "image", image: "builder:1.4", args: ["--debug", "--to=/workspace/output/app-debug"]}]
}

actions: [{tasks: ["build", "build-debug"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF205", "contested-output", Severity.ERROR)
