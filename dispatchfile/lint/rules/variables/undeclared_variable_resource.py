"""A variable takes a parameter from a resource that the task does not list, or one that the resource does not have.

`$(inputs.resources.NAME.PARAM)` works in the tasks that have NAME in their `inputs`, `$(outputs.…)` in those that have
it in their `outputs`. That also makes the task wait until the resource is there. The fix adds the name to the list, or
writes the resource or parameter that looks like what is there. Besides its own parameters each resource has `name`,
`type`, and `path`, its directory.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app"}

task: build: {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: deploy: {
  inputs: ["build"]
  steps: [{
    name:  "deploy"
    image: "deployer:3.0"
    args: ["--image=$(inputs.resources.app.url)@$(inputs.resources.app.digest)"]
  }]
}

actions: [{tasks: ["build", "deploy"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

resource: app: {type: "image", param: url: "registry.example.com/me/app"}

task: build: {
  inputs: ["src"]
  outputs: ["app"]
  steps: [{name: "image", image: "builder:1.4", args: ["--to=/workspace/output/app"]}]
}

task: deploy: {
  inputs: ["app"]
  steps: [{
    name:  "deploy"
    image: "deployer:3.0"
    args: ["--image=$(inputs.resources.app.url)@$(inputs.resources.app.digest)"]
  }]
}

actions: [{tasks: ["build", "deploy"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF402", "undeclared-variable-resource", Severity.ERROR, fix="unsafe")
