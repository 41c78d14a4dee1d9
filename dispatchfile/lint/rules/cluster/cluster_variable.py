"""A variable stands in a field in which Tekton replaces nothing.

Tekton puts values into commands, arguments, environments, images, working directories and a few more fields; labels,
annotations, `hostPath` and `securityContext` are not among them (Tekton v1, "Variable Substitutions Supported by Tasks
and Pipelines").

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  metadata: labels: stage: "$(context.build.name)"
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["go", "test", "./..."]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  metadata: labels: stage: "test"
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

RULE = Rule("DF802", "cluster-variable", Severity.ERROR, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each variable in a field in which Tekton replaces nothing."""
    yield from findings(subject, RULE)
