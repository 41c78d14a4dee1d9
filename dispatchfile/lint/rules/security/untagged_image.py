"""A step's image has neither a tag nor a digest.

Such an image is whatever the registry calls `latest` on the day the step runs: the same commit builds today and fails
tomorrow. Name a version, or best a digest. Registries whose images you trust to stand still go into
`trusted-registries` of the `[lint]` table in `.dispatchfile.toml`, as patterns such as `registry.example.com/*`.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang", command: ["go", "test", "./..."]}]
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
from dispatchfile.lint.images import is_trusted, step_images
from dispatchfile.lint.rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.lint.rule import Subject

RULE = Rule("DF601", "untagged-image", Severity.WARNING, needs="image")


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each image that is named without tag and digest, once where steps share one."""
    seen = set()
    for image in step_images(subject):
        if not image.tag and not image.digest and not is_trusted(image, subject.settings):
            from dispatchfile.lint.places import home

            place = home(image.place, image.repository)
            if place in seen:
                continue
            seen.add(place)
            yield RULE.finding(
                f'the image "{image.repository}" has no tag: it is another one whenever its registry says so',
                place,
                "no tag, no digest",
                help=f'name a version, such as "{image.repository}:1.2.3", or a digest',
                path=image.path,
            )
