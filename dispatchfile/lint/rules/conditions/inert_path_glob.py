"""A pattern of changed paths matches no path.

Git names a changed file from the root of the repository, without `./` or `/` in front, without `..`, and a directory
never changes by itself. A pattern that wants any of these matches nothing, so that the action does not fire where it
should. The fix removes what stands in front.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: paths: ["./src/**"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."]}]
}

actions: [{tasks: ["test"], on: git: push: paths: ["src/**"]}]
```
"""

from __future__ import annotations

import re

from dispatchfile.diagnostics import Fix, Severity
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF304", "inert-path-glob", Severity.WARNING, fix="safe", needs="paths")

_DIRECTORY = "a directory never changes by itself"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each pattern of paths that can match none."""
    for action in subject.pipeline.actions if subject.pipeline else ():
        patterns = action.on.value.at("paths") if action.on else None
        if action.on is None or patterns is None or not isinstance(patterns.data, list):
            continue
        for index, item in enumerate(patterns.data):
            if isinstance(item.data, str) and (problem := _problem(item.data)):
                from dispatchfile.lint.places import home, piece_of
                from dispatchfile.model.edits import reworded

                meant = _rooted(item.data)
                advice = f'write "{meant}"' if meant else "paths count from the root of the repository"
                if problem == _DIRECTORY:
                    advice = f'write "{item.data}**" for all that is in it'
                edit = reworded(home(item, item.data), item.data, meant) if meant else None
                yield RULE.finding(
                    f'the pattern "{item.data}" matches no path: {problem}',
                    piece_of(item, item.data),
                    "matches nothing",
                    help=advice,
                    path=f"actions[{action.index}].on.{'.'.join(action.on.path)}.paths[{index}]",
                    fix=Fix(f'write "{meant}"', (edit,), safe=True) if edit else None,
                )


def _problem(pattern: str) -> str:
    """Return why no path can match, "" when one may."""
    plain = re.split(r"[\[{\\]", pattern.removeprefix("!"), maxsplit=1)
    parts = plain[0].split("/")
    whole = parts[:-1] if len(plain) > 1 else parts
    if whole[:1] == [""] and len(parts) > 1:
        return "none starts with `/`"
    if whole[:1] == ["."]:
        return "none starts with `./`"
    if ".." in whole:
        return "none holds `..`"
    if "." in whole:
        return "none holds `/./`"
    if "" in whole[1:-1]:
        return "none holds `//`"
    return _DIRECTORY if len(whole) > 1 and whole[-1] == "" and len(plain) == 1 else ""


def _rooted(pattern: str) -> str:
    """Return the pattern without what may not stand in front; "" when more is wrong with it."""
    sign = "!" if pattern.startswith("!") else ""
    meant = re.sub(r"\A(?:\.?/)+", "", pattern.removeprefix("!"))
    if not meant or sign + meant == pattern or _problem(meant) or meant.startswith("!"):
        return ""
    return sign + meant
