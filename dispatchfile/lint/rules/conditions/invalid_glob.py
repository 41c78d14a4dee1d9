"""A pattern cannot be read, or holds a character that no branch or tag can have.

In patterns `*` stands for any characters, `?` for one, `[a-z]` for one of a range, `{a,b}` for a choice; a `!` in front
excludes what the rest matches, and a backslash takes the next character as it is. A bracket that is never closed, a
range that runs backwards, and a bare `!` say nothing. Git allows no space, `~`, `^`, `:`, or backslash in the name of a
branch or tag, so a pattern with one never matches; two patterns are two entries of the list.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: tag: names: ["v[0-9.*"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: tag: names: ["v[0-9].*"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

RULE = Rule("DF303", "invalid-glob", Severity.ERROR)
