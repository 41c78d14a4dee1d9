"""A step uses `/workspace/NAME`, and NAME is neither an input nor an output of its task.

Each input of a task is put into `/workspace/NAME`; nothing else is there unless a step makes it. Reported are names of
resources that the task forgot to list, names that look like one of its inputs, and the directory of a task's first
step, which nothing can have filled. The fix lists the resource, or writes the name that was probably meant.

```cue bad
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."], workingDir: "/workspace/scr"}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
```

```cue good
resource: src: {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}

task: test: {
  inputs: ["src"]
  steps: [{name: "test", image: "golang:1.22", command: ["go", "test", "./..."], workingDir: "/workspace/src"}]
}

actions: [{tasks: ["test"], on: git: push: branches: ["main"]}]
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
    from dispatchfile.model.pipeline import Pipeline, Step, Task
    from dispatchfile.value import Value

RULE = Rule("DF505", "undeclared-workspace", Severity.WARNING, fix="unsafe", whole=True, needs="/workspace/")

_MOST_NAMES = 200  # that are looked at in one task

# Words of a step that may make a directory or file, and beginnings of an argument that names one to be written.
_MAKES = frozenset(("mkdir", "clone", "init", "worktree", "checkout", "mv", "ln", "tar", "unzip", "rsync", "curl", "wget", "tee"))  # fmt: skip
_WRITES = r"(?:out|dest|target|to|report|cover|cache|te?mp|save|write|dir)[\w-]*[= ]?\Z"

# Programs that want a project to be there already.
_READS = frozenset(("go", "make", "mvn", "npm", "npx", "yarn", "gradle", "cargo", "pytest", "tox", "bundle", "golangci-lint"))  # fmt: skip


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a finding for each name under /workspace that a task uses and nothing puts there, at its first use."""
    pipeline = subject.pipeline
    for task in pipeline.tasks.values() if pipeline else ():
        # A task with an undefined name has that finding first: this may be the name that was meant.
        if pipeline and all(name in pipeline.resources or name in pipeline.tasks for name in _listed(task)):
            yield from _in_task(pipeline, task)


def _listed(task: Task) -> tuple[str, ...]:
    return *task.inputs, *task.outputs


def _in_task(pipeline: Pipeline, task: Task) -> Iterator[Diagnostic]:
    known = {"output", *_listed(task)}
    mounts = [mount.mount_path for step in task.steps for mount in step.volume_mounts]
    known.update(path.split("/")[2] for path in mounts if path.startswith("/workspace/"))
    made: dict[bool, set[str]] = {}
    left = _MOST_NAMES
    for index, step in enumerate(task.steps):
        for value, path in _texts(step, f"task.{task.name}.steps[{index}]"):
            for name, before in _names(str(value.data)):
                if name in known or not left:
                    continue
                foreign = name not in pipeline.resources
                if foreign not in made:
                    made[foreign] = _made(task, cp=foreign)
                if name.split(".")[0] in made[foreign]:
                    continue
                left -= 1
                told = _finding(pipeline, task, index, value, path, name, before)
                if told is not None:
                    known.add(name)
                    yield told


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Yield each NAME of a `/workspace/NAME` in a text, and the end of what stands before it."""
    pieces = text.split("/workspace/")
    for index, behind in enumerate(pieces[1:]):
        before = pieces[index]
        name = behind[: next((at for at, char in enumerate(behind) if not _names_one(char)), len(behind))]
        if name[:1] not in ("", ".", "-") and not _names_one(before[-1:]):
            yield name.rstrip("."), before[-40:]


def _names_one(char: str) -> bool:
    return char.isalnum() or char in ("_", ".", "-")


def _texts(step: Step, path: str) -> Iterator[tuple[Value, str]]:
    """Yield the strings of a step that may name a place, with their paths."""
    for field in ("workingDir", "script", "command", "args"):
        value = step.value.at(field)
        listed = value.data if value is not None and isinstance(value.data, list) else [value]
        for index, item in enumerate(listed):
            if item is not None and isinstance(item.data, str) and "/workspace/" in item.data:
                yield item, f"{path}.{field}" + (f"[{index}]" if item is not value else "")


def _finding(
    pipeline: Pipeline, task: Task, index: int, value: Value, path: str, name: str, before: str
) -> Diagnostic | None:
    from dispatchfile.lint.places import home, piece_of
    from dispatchfile.model.edits import reworded
    from dispatchfile.spelling import nearest

    place = f"/workspace/{name}"
    listed = [one for one in _listed(task) if one in pipeline.resources]
    meant = nearest(name, listed) if not re.search(_WRITES, before) else None
    fix = None
    if name in pipeline.resources:
        advice = f'add "{name}" to the `inputs` of the task'
        fix = _listing(task, name)
    elif meant is not None:
        advice = f'did you mean "/workspace/{meant}"?'
        edit = reworded(home(value, place), place, f"/workspace/{meant}")
        fix = Fix(f'write "/workspace/{meant}"', (edit,), safe=False) if edit is not None else None
    elif index == 0 and _reads(task.steps[0], path, before):
        advice = f"its inputs are {', '.join(listed)}" if listed else "list the resource in its `inputs`"
    else:
        return None
    return RULE.finding(
        f'{place} does not exist: "{name}" is no input or output of task "{task.name}"',
        piece_of(value, place),
        "nothing puts it there",
        help=advice,
        path=path,
        fix=fix,
    )


def _made(task: Task, *, cp: bool) -> set[str]:
    """Return the words of those steps that may make files and directories."""
    made: set[str] = set()
    for step in task.steps:
        said = " ".join((*(step.command or ()), *(step.args or ()), step.script or ""))
        words = set(re.findall(r"[\w-]+", said))
        if ">" in said or not words.isdisjoint(_MAKES) or (cp and "cp" in words):
            made |= words
    return made


def _reads(step: Step, path: str, before: str) -> bool:
    """Return whether a task's first step surely wants something to be there already."""
    if re.search(r"--?(?:context|dockerfile)=(?:dir:/)?\Z", before):
        return True
    command = step.command or ()
    return (
        path.endswith(".workingDir")
        and bool(command)
        and (command[0] in _READS or command[0].startswith("./"))
    )


def _listing(task: Task, name: str) -> Fix | None:
    """Return the fix that lists a resource in a task's inputs."""
    from dispatchfile.model.edits import listed, quoted

    edits = listed(task.value, "inputs", quoted(name))
    return Fix(f'add "{name}" to `inputs`', edits, safe=False) if edits else None
