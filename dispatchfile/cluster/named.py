"""What the parts of a PipelineRun are called in the Dispatchfile it was made of."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.kube.client import Object
    from dispatchfile.model import pipeline as model
    from dispatchfile.tekton.draft import Draft


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
    planned = {draft.task_names[one.name]: one.task for one in draft.tasks}
    return {
        made["name"]: _task(draft, planned.get(made["name"]), made)
        for made in run["spec"]["pipelineSpec"]["tasks"]
    }


def _task(draft: Draft, task: model.Task | None, made: Object) -> Task:
    name = task.name if task else ""
    own = {draft.step_names[name, step.name]: step.name for step in task.steps} if task else {}
    steps = tuple(
        Step(step["name"], own.get(step["name"], ""), str(step.get("image", "")))
        for step in made["taskSpec"]["steps"]
    )
    read = {short: step for short, step in own.items() if (name, step) in draft.read}
    outputs = [output for output in task.outputs if output in draft.resource_names] if task else []
    digests = {draft.digest_result(output): output for output in outputs}
    return Task(made["name"], name, steps, read, digests)
