"""A step whose output another task reads has no command.

On a cluster the output of such a step becomes a result because its command or script is wrapped. The entrypoint of an
image is not known here, so there is nothing to wrap. `--results alpha` needs no wrapping, where the cluster has Tekton's
alpha features switched on.

```cue bad
task: version: steps: [{
  name:  "print"
  image: "example/version:1.2"
}]

task: test: {
  inputs: ["version"]
  steps: [{name: "show", image: "busybox:1.36", command: ["echo", "$(inputs.tasks.version.print)"]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
task: version: steps: [{
  name:  "print"
  image: "example/version:1.2"
  command: ["/version"]
}]

task: test: {
  inputs: ["version"]
  steps: [{name: "show", image: "busybox:1.36", command: ["echo", "$(inputs.tasks.version.print)"]}]
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

RULE = Rule("DF804", "cluster-result", Severity.ERROR, optional=True)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each step whose output cannot become a result."""
    yield from findings(subject, RULE)
