"""An amount of processors or memory cannot be read, or more is requested than the limit allows.

Memory is a number of bytes with a unit: `Ki`, `Mi`, `Gi` count by 1024, `k`, `M`, `G` by 1000. Processors are counted
whole, in fractions, or in thousandths: `2`, `0.5`, and `500m`. A cluster reserves what is in `requests` and stops a
step at its `limits`, so a request above the limit can never be met.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:      "test"
    image:     "golang:1.22"
    command:   ["go", "test", "./..."]
    resources: limits: memory: "512 MB"
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:      "test"
    image:     "golang:1.22"
    command:   ["go", "test", "./..."]
    resources: limits: memory: "512M"
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF506", "invalid-quantity", Severity.ERROR)
