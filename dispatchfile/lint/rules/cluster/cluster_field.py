"""A field, a label or an annotation is dropped on a cluster.

Dispatch ran steps on an old Tekton, whose steps were whole containers of Kubernetes. Today's steps have no probes, ports,
lifecycle hooks or terminals, so `dispatchfile tekton` leaves such fields out. It also leaves out labels and annotations
called `tekton.dev/…`, which Tekton itself writes; keys, and values of labels, that Kubernetes does not take; and the
`command` of a step that has a `script`, for Tekton takes one of the two.

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
