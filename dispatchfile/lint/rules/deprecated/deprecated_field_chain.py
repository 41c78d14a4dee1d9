"""A field is named by a chain of labels without colons.

CUE once let `param url: "x"` stand for `param: {url: "x"}`. Since CUE 0.1 each label has a colon of its own,
`param: url: "x"`, and since 0.2 the old chain is an error for every other tool that reads CUE. The fix puts the
colons in; the value stays the same. A file has one finding, at the first of its chains, which mends all of them.

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
from dispatchfile.record import replace
from dispatchfile.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF704", "deprecated-field-chain", Severity.WARNING, fix="safe")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each chain that lacks colons."""
    if subject.tree is None or not subject.tree.chained:
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


def gathered(subject: Subject, found: Sequence[Diagnostic]) -> Diagnostic:
    """Return the first of the findings, which tells of all, and mends all of them."""
    first = replace(found[0], path=_path(subject, found[0].span))
    if len(found) == 1:
        return first
    edits = tuple(edit for one in found if one.fix is not None for edit in one.fix.edits)
    return replace(
        first,
        message=f"{len(found)} field chains lack their colons; this is the first",
        help=f"{first.help}; `dispatchfile lint --fix` mends all of them",
        fix=Fix("write the colons of all field chains", edits, safe=True),
    )


def _path(subject: Subject, labels: Span | None) -> str:
    """Return the path of the field that a chain names; "" where the value has none, as in a template."""
    from dispatchfile.lint.places import path_at
    from dispatchfile.lint.syntax import chains_by_label

    if labels is None or subject.tree is None:
        return ""
    return path_at(subject.value, chains_by_label(subject.tree)[labels.start][-1].value.span)
