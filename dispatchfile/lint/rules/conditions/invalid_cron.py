"""A schedule cannot be read, never fires, or (a warning) fires more often than every five minutes.

A schedule has five fields: minute, hour, day of the month, month, day of the week; or it is one of `@hourly`,
`@daily`, `@weekly`, `@monthly`, `@yearly`, or `@every 2h`. A wrong one is found nowhere else: a cluster takes the
pipeline and never runs it. The thirtieth of February can be read, and never comes.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{name: "nightly", tasks: ["test"], on: cron: schedule: "0 25 * * *"}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{name: "nightly", tasks: ["test"], on: cron: schedule: "0 3 * * *"}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF305", "invalid-cron", Severity.ERROR)
