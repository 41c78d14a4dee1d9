"""A secret stands in the file.

Whoever can read the repository, its forks, or a log of the rendered pipeline has it, and taking it out of the file does
not take it out of the history: revoke it too. Put it into a secret of the cluster and name that with `secretKeyRef`; a
local run takes it from `--secret`. Found are variables whose name says `TOKEN`, `PASSWORD`, `SECRET` and the like with
a literal value, keys of well-known shapes, and `user:password@` in URLs. Examples, paths, and variables are none.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: publish: {
  inputs: ["src"]
  steps: [{
    name: "publish", image: "alpine:3.20", command: ["./publish"]
    env: [{name: "DEPLOY_TOKEN", value: "f81c0be42d97"}]
  }]
}

actions: [{tasks: ["publish"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: publish: {
  inputs: ["src"]
  steps: [{
    name: "publish", image: "alpine:3.20", command: ["./publish"]
    env: [{name: "DEPLOY_TOKEN", valueFrom: secretKeyRef: {name: "publish", key: "token"}}]
  }]
}

actions: [{tasks: ["publish"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Severity
from dispatchfile.lint.rule import Rule
from dispatchfile.lint.secrets import holds_secret, in_urls, marks, shapes
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF603", "secret-literal", Severity.ERROR, needs=" ".join(marks()))

_ADVICE = "revoke it, and take it from a secret: valueFrom: secretKeyRef: {name: …, key: …}"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each secret, marked as such, so that no report repeats it."""
    known: list[tuple[int, int]] = []
    for start, end, message in _in_text(subject.source.text):
        from dispatchfile.lint.places import path_at

        known.append((start, end))
        span = Span(subject.source, start, end)
        path = path_at(subject.value, span)
        yield RULE.finding(message, span, "a secret", help=_ADVICE, path=path, secret=True)
    yield from _in_env(subject, known)


def _in_env(subject: Subject, known: list[tuple[int, int]]) -> Iterator[Diagnostic]:
    """Yield the variables of steps that hold a secret by their name, but for those whose value is known for one."""
    seen = set()
    for task in subject.pipeline.tasks.values() if subject.pipeline else ():
        for number, step in enumerate(task.steps):
            for index, variable in enumerate(step.env):
                if variable.value is None or not holds_secret(variable.name, variable.value):
                    continue
                value = variable.place.at("value") or variable.place
                span = value.spans[-1] if value.spans else None
                if span in seen or (span and any(span.start <= at and end <= span.end for at, end in known)):
                    continue
                seen.add(span)
                yield RULE.finding(
                    f'the value of "{variable.name}" stands in the file',
                    span,
                    "a secret, by the name of the variable",
                    help=_ADVICE,
                    path=f"task.{task.name}.steps[{number}].env[{index}].value",
                    secret=True,
                )


def _in_text(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a text holds a secret that can be told from others by itself, and the message."""
    for start, end, title in shapes(text):
        yield start, end, f"{title} stands in the file"
    for start, end in in_urls(text):
        yield start, end, "a URL holds a password"
