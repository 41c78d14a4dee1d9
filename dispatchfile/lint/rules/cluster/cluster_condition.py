"""A condition that Tekton Triggers or Pipelines-as-Code cannot express.

Stock Triggers know neither branches nor paths of a pull request when a comment is what happened; Pipelines-as-Code knows
no releases, schedules or pushed images. The message says which of the two can.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
  }]
}

actions: [{tasks: ["test"], on: git: pull_request: {chatops: ["try"], targets: ["main"]}}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
  }]
}

actions: [{tasks: ["test"], on: git: pull_request: targets: ["main"]}]
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

RULE = Rule("DF806", "cluster-condition", Severity.ERROR, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each condition that one of the targets cannot express."""
    yield from findings(subject, RULE)
