"""A field has no counterpart on a cluster.

Dispatch ran steps on an old Tekton, whose steps were whole containers of Kubernetes. Today's steps have no probes, ports,
lifecycle hooks or terminals: `dispatchfile tekton` leaves such fields out, and labels that only Tekton itself may write.
Lint looks for them only when the rule is selected.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
    livenessProbe: exec: command: ["true"]
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
    command: ["go", "test", "./..."]
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

RULE = Rule("DF801", "cluster-field", Severity.WARNING, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each field that a cluster does not have."""
    yield from findings(subject, RULE)
