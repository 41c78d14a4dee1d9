"""A variable of the event is empty for every event that can run the task.

`$(context.git.tag)` has a value when a tag or a release fired the action, `$(context.chatop.command)` and
`$(context.chatop.args)` when a comment did. Where no action that runs the task waits for such an event, they are
always empty.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: announce: {
  inputs: ["src"]
  steps: [{name: "announce", image: "alpine:3.20", command: ["echo", "released $(context.git.tag)"]}]
}

actions: [{tasks: ["announce"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: announce: {
  inputs: ["src"]
  steps: [{name: "announce", image: "alpine:3.20", command: ["echo", "released $(context.git.tag)"]}]
}

actions: [{tasks: ["announce"], on: git: tag: names: ["v*"]}]
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
    from dispatchfile.value import Value

RULE = Rule("DF404", "absent-context", Severity.WARNING, whole=True, needs="context.git.tag context.chatop.")

_TAGGED = frozenset(("tag", "release", "image", "unknown"))
_COMMENTED = frozenset(("chatop", "unknown"))
_GIVEN_BY = {
    "$(context.git.tag)": (_TAGGED, "no tag and no release runs", "tag: names:"),
    "$(context.chatop.command)": (_COMMENTED, "no comment runs", "pull_request: chatops:"),
    "$(context.chatop.args)": (_COMMENTED, "no comment runs", "pull_request: chatops:"),
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each variable that is always empty where it stands."""
    pipeline = subject.pipeline
    if pipeline is None:
        return
    from dispatchfile.lint.usage import events, users

    running = events(subject)
    for task in pipeline.tasks.values():
        yield from _in(task.value, f"task.{task.name}", running[task.name], f'task "{task.name}"')
    tasks = users(subject)
    for resource in pipeline.resources.values():
        words = frozenset[str]().union(*(running[name] for name in tasks[resource.name]))
        title = f'a task with resource "{resource.name}"'
        yield from _in(resource.value, f"resource.{resource.name}", words, title)


def _in(value: Value, path: str, words: frozenset[str], title: str) -> Iterator[Diagnostic]:
    if not words or not (words.isdisjoint(_TAGGED) or words.isdisjoint(_COMMENTED)):
        return
    from dispatchfile.lint.places import piece_of
    from dispatchfile.model.variables import strings

    for item, place in strings(value, path):
        for variable, (givers, reason, condition) in _GIVEN_BY.items():
            if variable in str(item.data) and words.isdisjoint(givers):
                yield RULE.finding(
                    f"{variable} is always empty: {reason} {title}",
                    piece_of(item, variable),
                    "always empty",
                    help=f"run it on such an event too (`{condition}`), or remove the variable",
                    path=place,
                )
