"""A field has no effect in a run on this machine.

Steps and volumes may hold all that Kubernetes knows about containers: probes, lifecycle hooks, volumes of the
cluster. A run in local containers leaves these out and says so with this finding. For a file that is meant for a
cluster they are no mistake, so lint looks for them only when the rule is selected.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{
    name:            "test"
    image:           "golang:1.22"
    command:         ["go", "test", "./..."]
    imagePullPolicy: "Always"
  }]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule
from dispatchfile.model.schema import PIPELINE
from dispatchfile.model.structure import unhonoured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF106", "unhonoured-field", Severity.WARNING, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each field that a local run leaves out."""
    if subject.value is not None:
        yield from unhonoured(subject.value, PIPELINE)
