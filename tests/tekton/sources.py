"""The Dispatchfiles that emitters are tried on: all examples, and the valid samples where they are."""

from __future__ import annotations

import functools
from pathlib import Path

from dispatchfile import front
from dispatchfile.diagnostics import errors
from dispatchfile.errors import DispatchfileError
from dispatchfile.model.pipeline import Pipeline
from dispatchfile.plan.graph import check
from dispatchfile.source import Source

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples" / "dispatchfiles"
EXAMPLES = tuple(sorted((ROOT / "examples").glob("*/Dispatchfile*")))


@functools.cache
def load(path: Path) -> Pipeline:
    """Return the pipeline of a file, its source named by the last part of its path, so that places are short."""
    pipeline, _found = front.load(path)
    return pipeline


def pipeline_of(text: str) -> Pipeline:
    """Return the pipeline of a text without errors."""
    pipeline, found = front.interpret(front.read(Source("Dispatchfile", text)))
    assert pipeline is not None
    assert not errors(found), found
    return pipeline


@functools.cache
def samples() -> tuple[Path, ...]:
    """Return the samples that can be planned."""
    found = []
    for path in sorted(SAMPLES.glob("*.cue")) + sorted(SAMPLES.glob("*.yaml")):
        try:
            check(load(path))
        except DispatchfileError:
            continue
        found.append(path)
    return tuple(found)


def every() -> tuple[Path, ...]:
    """Return all examples and samples."""
    return (*EXAMPLES, *samples())


def name(path: Path) -> str:
    """Return what a test calls a file."""
    return path.parent.name if path.parent.parent.name == "examples" else path.stem


def large(tasks: int) -> str:
    """Return a Dispatchfile of so many tasks, in chains of ten, each with a clone, an image and an output that is read."""
    lines = [
        'resource: "src": {type: "git", param: {url: "$(context.git.url)", revision: "$(context.git.commit)"}}'
    ]
    for number in range(tasks):
        follows = number % 10
        inputs = f'"src", "task-{number - 1}"' if follows else '"src"'
        reads = f', args: ["$(inputs.tasks.task-{number - 1}.run)"]' if follows else ""
        step = f'{{name: "run", image: "toolbox:1", command: ["make", "-C", "part-{number}"]{reads}}}'
        lines.append(f'task: "task-{number}": {{inputs: [{inputs}], steps: [{step}]}}')
    listed = ", ".join(f'"task-{number}"' for number in range(tasks))
    return "\n".join([*lines, f"actions: [{{tasks: [{listed}], on: push: {{}}}}]"])
