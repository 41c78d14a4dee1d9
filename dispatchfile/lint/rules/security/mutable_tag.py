"""A step's image has a tag that moves.

`latest`, a branch such as `master`, and channels such as `edge` are moved to every new image: the same commit builds
today and fails tomorrow. Name a version, or best a digest.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:latest", command: ["go", "test", "./..."]}]
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

_MOVING = ("latest", "master", "main", "trunk", "head", "edge", "nightly", "canary", "develop", "dev")

# A tag stands behind its colon, or what is put together there has a string that ends in the colon.
RULE = Rule(
    "DF602",
    "mutable-tag",
    Severity.WARNING,
    needs=" ".join((*(f":{tag}" for tag in _MOVING), ':"', ":\\")),
)


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each image whose tag moves, once where steps share one."""
    from dispatchfile.lint.images import is_trusted, step_images

    seen = set()
    for image in step_images(subject):
        if image.tag not in _MOVING or image.digest or is_trusted(image, subject.settings):
            continue
        from dispatchfile.lint.places import piece_of

        place = piece_of(image.place, f":{image.tag}")
        if place in seen:
            continue
        seen.add(place)
        yield RULE.finding(
            f'the tag "{image.tag}" of the image "{image.repository}" moves: it is another image whenever it is pushed anew',
            place,
            "moves",
            help=f'name a version, such as "{image.repository}:1.2.3", or a digest',
            path=image.path,
        )
