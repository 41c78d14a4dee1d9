"""A chatop has a slash or several words, so no comment ever matches it.

`chatops: ["test"]` fires on the comment `/test` at a pull request. The slash is implied: written out, it would have to
stand twice in the comment. Only the first word of a comment is compared; what follows it is in
`$(context.chatop.args)`. The fix takes the slash away; that which also cuts off words is an unsafe one.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: pull_request: chatops: ["/test"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: pull_request: chatops: ["test"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF307", "slashed-chatop", Severity.WARNING, fix="safe")
