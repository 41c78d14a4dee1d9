"""An action with a cron condition has no name, or shares it with another action.

A cluster makes a CronJob for such an action and calls it by the action's name, which therefore must be there and
differ from those of all other actions. It also is what `dispatchfile run --action NAME` knows it by. The fix puts a
name in, made of the schedule and the first task.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: cron: schedule: "@daily"}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{name: "nightly", tasks: ["test"], on: cron: schedule: "@daily"}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF306", "unnamed-cron", Severity.ERROR, fix="unsafe")
