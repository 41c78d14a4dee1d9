"""A condition uses an older field: `branches` of a pull request, or `revision` of a cron condition.

A pull request has two branches, so Dispatch 1.2 renamed `branches` to `targets` and added `sources`. Since 1.4 a cron
condition names its revision under `git`. The fix writes the newer field; the action fires as before.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [
  {tasks: ["test"], on: git: pull_request: branches: ["main"]},
  {name: "nightly", tasks: ["test"], on: cron: {schedule: "0 3 * * *", revision: "main"}},
]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [
  {tasks: ["test"], on: git: pull_request: targets: ["main"]},
  {name: "nightly", tasks: ["test"], on: cron: {schedule: "0 3 * * *", git: revision: "main"}},
]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF702", "deprecated-condition-field", Severity.WARNING, fix="safe", needs="pull_request cron")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each older field of a condition, once where actions share one."""
    seen = set()
    for action in subject.pipeline.actions if subject.pipeline else ():
        condition = action.on
        if condition is None or condition.kind not in ("pull_request", "cron"):
            continue
        old = "branches" if condition.kind == "pull_request" else "revision"
        value = condition.value.at(old)
        if value is None or value.data is None or value.key in seen:
            continue
        seen.add(value.key)
        from dispatchfile.lint.nesting import renamed, under_git

        if old == "branches":
            new, advice = "targets", "write `targets`, its name since Dispatch 1.2"
            fix = renamed(subject, value, old, new) if condition.value.at(new) is None else None
        else:
            new, advice = "git.revision", "put it into `git`, its place since Dispatch 1.4"
            fix = under_git(subject, value, condition.value, old)
        place = ".".join(condition.path)
        yield RULE.finding(
            f"`{place}.{old}` is the older name of `{place}.{new}`",
            value.key,
            "older name",
            help=advice,
            path=f"actions[{action.index}].on.{place}.{old}",
            fix=fix,
        )
