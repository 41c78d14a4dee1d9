"""Text that Tekton would take for a variable of its own.

`$(params.…)`, `$(tasks.…)`, `$(context.taskRun.name)` and others mean something to Tekton, and it has no way to write them
as they are. In `command`, `args` and `env` the emitted step keeps such text from Tekton; in a script, an image or a
working directory nothing can.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    script: "echo 'what $(params.greeting) means'"
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["echo", "what $(params.greeting) means"]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.cluster import findings
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF803", "cluster-text", Severity.ERROR, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each text that cannot be kept from Tekton."""
    yield from findings(subject, RULE)
