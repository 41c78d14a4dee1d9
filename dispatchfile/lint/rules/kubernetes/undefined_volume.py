"""A step mounts a volume that its task does not have, or (a warning) no step mounts a volume.

`volumeMounts` of a step refer by name to the `volumes` of its task, a list of names with a source each: `emptyDir` for
a directory that lives as long as the task, `secret`, or `hostPath`. The fix writes the name that looks like what is
there, or adds an empty directory of that name. Where a volume is mounted must be an absolute path, and no other
volume's; a volume that no step mounts does nothing, and often is misspelt.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  volumes: [{name: "cache", emptyDir: {}}]
  steps: [{
    name:         "test"
    image:        "golang:1.22"
    command:      ["go", "test", "./..."]
    volumeMounts: [{name: "cahce", mountPath: "/root/.cache"}]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  volumes: [{name: "cache", emptyDir: {}}]
  steps: [{
    name:         "test"
    image:        "golang:1.22"
    command:      ["go", "test", "./..."]
    volumeMounts: [{name: "cache", mountPath: "/root/.cache"}]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF504", "undefined-volume", Severity.ERROR, fix="unsafe")
