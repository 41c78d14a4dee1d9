"""A condition on the repository stands directly under `on`, not under `on.git`.

Dispatch 1.4 put `push`, `tag`, `pull_request` and `release` under `git`, beside the new `image`, and kept the older
place for compatibility. The fix moves the condition one level deeper; the action fires as before.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: push: branches: ["main"]}]
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF701", "deprecated-condition", Severity.WARNING, fix="safe")

_OLDER = ("push", "tag", "pull_request", "release")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each condition in its older place, once where actions share one."""
    seen = set()
    for action in subject.pipeline.actions if subject.pipeline else ():
        condition, on = action.on, action.value.at("on")
        if condition is None or on is None or condition.path[0] not in _OLDER:
            continue
        key = condition.value.key
        if key in seen:
            continue
        seen.add(key)
        from dispatchfile.lint.nesting import under_git

        name = condition.path[0]
        yield RULE.finding(
            f"`on.{name}` is the older place of `on.git.{name}`",
            key,
            "directly under `on`",
            help="put it into `git`, its place since Dispatch 1.4",
            path=f"actions[{action.index}].on.{name}",
            fix=under_git(subject, condition.value, on, name),
        )
