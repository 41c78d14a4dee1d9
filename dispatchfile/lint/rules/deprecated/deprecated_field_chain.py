"""A field is named by a chain of labels without colons.

CUE once let `param url: "x"` stand for `param: {url: "x"}`. Since CUE 0.1 each label has a colon of its own,
`param: url: "x"`, and since 0.2 the old chain is an error for every other tool that reads CUE. The fix puts the
colons in; the value stays the same.

```cue bad
resource: src: {
  type: "git"
  param url: "$(context.git.url)"
}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {
  type: "git"
  param: url: "$(context.git.url)"
}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```
"""

from __future__ import annotations

from dispatchfile.diagnostics import Edit, Fix, Severity
from dispatchfile.lint.rule import Rule
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF704", "deprecated-field-chain", Severity.WARNING, fix="safe")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each chain that lacks colons."""
    if subject.tree is None:
        return
    from dispatchfile.lint.syntax import colons, survey

    for chain in survey(subject.tree).chains:
        if chain[0].colon:
            continue
        places = colons(chain)
        labels = [field.label.span for field in chain[: len(places) + 1]]
        source = labels[0].source
        edits = tuple(Edit(Span(source, at, at), ":") for at in places)
        modern = ": ".join(label.text for label in labels)
        yield RULE.finding(
            f"the chain `{' '.join(label.text for label in labels)}` lacks its colons",
            labels[0].to(labels[-1]),
            "labels without colons",
            help=f"write `{modern}:`",
            fix=Fix(f"write `{modern}:`", edits, safe=True),
        )
