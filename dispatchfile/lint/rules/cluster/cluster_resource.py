"""A resource cannot be carried to a cluster.

An error: a digest that no task makes and no resource gives, types other than git, image and storage, and parameters that
git or `gsutil` cannot fetch by. A warning: a git URL that is a path of this machine, and storage without a `location` that
no later task or run would see.

```cue bad
resource: app: {type: "image", param: url: "example/app:1.2"}

task: test: {
  inputs: ["app"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["echo", "$(inputs.resources.app.digest)"]
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: app: {type: "image", param: url: "example/app:1.2"}

task: test: {
  inputs: ["app"]
  steps: [{
    name:    "test"
    image:   "golang:1.22"
    command: ["echo", "$(inputs.resources.app.url)"]
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

RULE = Rule("DF805", "cluster-resource", Severity.ERROR, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each resource that a cluster cannot carry."""
    yield from findings(subject, RULE)
