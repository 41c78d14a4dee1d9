"""What the parts of a PipelineRun are called in the Dispatchfile it was made of."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.kube.client import Object
    from dispatchfile.tekton.draft import Draft

OWN = "dispatch-"
"""How the names of the emitter's own steps begin."""
DIGEST = "_IMAGE_DIGEST"
"""How the names of results that hold the digest of an image end."""


class Step(Record):
    """A step on the cluster; `name` is the Dispatchfile's, or "" where it is the emitter's own."""

    on_cluster: str
    name: str
    image: str


class Task(Record):
    """A task on the cluster; `name` is the Dispatchfile's, or "" where it is the emitter's own.

    `results` and `digests` tell by the name of a result the step or resource it is of.
    """

    on_cluster: str
    name: str
    steps: tuple[Step, ...]
    results: Mapping[str, str] = {}
    digests: Mapping[str, str] = {}


def tasks(draft: Draft, run: Object) -> dict[str, Task]:
    """Return the tasks of a PipelineRun that carries its Pipeline, by their names on the cluster."""
    original = {made: name for name, made in draft.task_names.items()}
    return {
        made["name"]: _task(draft, original.get(made["name"], ""), made)
        for made in run["spec"]["pipelineSpec"]["tasks"]
    }


def _task(draft: Draft, name: str, made: Object) -> Task:
    own = {step: text for (task, text), step in draft.step_names.items() if task == name}
    steps = tuple(
        Step(step["name"], own.get(step["name"], ""), str(step.get("image", "")))
        for step in made["taskSpec"]["steps"]
    )
    read = {draft.step_names[task, step]: step for task, step in draft.read if task == name}
    digests = {f"{short}{DIGEST}": resource for resource, short in draft.resource_names.items()}
    return Task(made["name"], name, steps, read, digests)
