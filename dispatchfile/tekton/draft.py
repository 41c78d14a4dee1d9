"""A Pipeline that is to be written: its tasks, and all names settled before the first object is."""

from __future__ import annotations

from dispatchfile.model.variables import find, strings
from dispatchfile.record import Record
from dispatchfile.tekton import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dispatchfile.diagnostics import Diagnostic
    from dispatchfile.model.pipeline import Pipeline, Resource, Task
    from dispatchfile.plan.plan import PlannedTask
    from dispatchfile.tekton.options import Options

CONTEXT_PARAMS = {
    "context.git.url": "git-url",
    "context.git.commit": "git-commit",
    "context.git.branch": "git-branch",
    "context.git.tag": "git-tag",
    "context.build.name": "build-name",
    "context.chatop.command": "chatop-command",
    "context.chatop.args": "chatop-args",
}
"""Variables of Dispatch and the parameters of Pipelines and tasks that carry them."""


class Draft(Record, eq=False):
    """One Pipeline to be written.

    `name` is that of the object. `task_names`, `step_names` (by task and step) and `resource_names` map the names of
    the Dispatchfile to those on the cluster; `makers` maps each resource that a task here puts out to that task;
    `read` are the steps, as (task, step), whose output another task here takes. `found` gathers what is wrong.
    """

    name: str
    pipeline: Pipeline
    tasks: tuple[PlannedTask, ...]
    options: Options
    task_names: Mapping[str, str]
    step_names: Mapping[tuple[str, str], str]
    resource_names: Mapping[str, str]
    makers: Mapping[str, str]
    read: frozenset[tuple[str, str]]
    found: list[Diagnostic]

    def digest_param(self, resource: str) -> str:
        """Return the parameter in which a task is told the digest of an image that another task makes."""
        return f"image-{self.resource_names[resource]}-digest"

    def result_param(self, task: str, step: str) -> str:
        """Return the parameter in which a task is told the output of a step; `_` is in no name of a task or step."""
        return f"result-{self.task_names[task]}_{self.step_names[task, step]}"

    def resources(self, names: Iterable[str]) -> list[Resource]:
        """Return those of the names that are resources, not tasks."""
        return [self.pipeline.resources[name] for name in names if name in self.pipeline.resources]


def draft(
    name: str, pipeline: Pipeline, tasks: Sequence[PlannedTask], options: Options, found: list[Diagnostic]
) -> Draft:
    """Return the draft of a Pipeline of these tasks, which stand in an order in which they can run."""
    used = dict.fromkeys(
        name
        for planned in tasks
        for name in (*planned.task.inputs, *planned.task.outputs)
        if name in pipeline.resources
    )
    return Draft(
        name,
        pipeline,
        tuple(tasks),
        options,
        names.labels(planned.name for planned in tasks),
        {
            (planned.name, step): made
            for planned in tasks
            for step, made in names.labels((step.name for step in planned.task.steps), names.STEP).items()
        },
        names.labels(used, 40),
        {output: planned.name for planned in tasks for output in planned.task.outputs},
        frozenset(result for planned in tasks for result in _results_read(planned.task)),
        found,
    )


def _results_read(task: Task) -> Iterable[tuple[str, str]]:
    """Yield the steps, as (task, step), whose output a task takes."""
    for value, _path in strings(task.value, ""):
        for variable in find(str(value.data)):
            parts = variable.parts
            if parts[:2] == ("inputs", "tasks") and len(parts) == 4:
                yield parts[2], parts[3]
