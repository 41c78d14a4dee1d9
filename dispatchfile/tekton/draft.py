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


OWN = "dispatch-"
"""How the names of the emitter's own steps begin."""


class Draft(Record, eq=False):
    """One Pipeline to be written.

    `name` is that of the object. `task_names`, `step_names` (by task and step) and `resource_names` map the names of
    the Dispatchfile to those on the cluster, `clone_names` each resource to what a task that clones it is called there;
    `makers` maps each resource that a task here puts out to that task, `takers` each to the tasks here that take it in.
    `read` are the steps, as (task, step), whose output another task here takes, `digests_read` the images whose digest
    one takes. `found` gathers what is wrong.
    """

    name: str
    pipeline: Pipeline
    tasks: tuple[PlannedTask, ...]
    options: Options
    task_names: Mapping[str, str]
    step_names: Mapping[tuple[str, str], str]
    resource_names: Mapping[str, str]
    clone_names: Mapping[str, str]
    makers: Mapping[str, str]
    takers: Mapping[str, Sequence[str]]
    read: frozenset[tuple[str, str]]
    digests_read: frozenset[str]
    found: list[Diagnostic]

    def digest_param(self, resource: str) -> str:
        """Return the parameter in which a task is told the digest of an image that another task makes."""
        return f"image-{self.resource_names[resource]}-digest"

    def url_result(self, resource: str) -> str:
        """Return the result in which the task that makes an image tells its URL; by this suffix Tekton Chains knows it."""
        return f"{self.resource_names[resource]}_IMAGE_URL"

    def digest_result(self, resource: str) -> str:
        """Return the result in which that task tells the digest; as `url_result`."""
        return f"{self.resource_names[resource]}_IMAGE_DIGEST"

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
    takers: dict[str, list[str]] = {resource: [] for resource in used}
    for planned in tasks:
        for resource in used.keys() & planned.task.inputs:
            takers[resource].append(planned.name)
    read = [parts for planned in tasks for parts in _read(planned.task)]
    task_names = names.labels(planned.name for planned in tasks)
    resource_names = names.labels(used, 40)
    clones = {resource: f"{OWN}clone-{made}" for resource, made in resource_names.items()}
    clone_names = names.labels(clones.values(), taken=task_names.values())
    return Draft(
        name,
        pipeline,
        tuple(tasks),
        options,
        task_names,
        {(planned.name, step): made for planned in tasks for step, made in _step_names(planned.task).items()},
        resource_names,
        {resource: clone_names[wanted] for resource, wanted in clones.items()},
        {output: planned.name for planned in tasks for output in planned.task.outputs},
        takers,
        frozenset((task, step) for kind, task, step in read if kind == "tasks" and "." not in task),
        frozenset(name for kind, name, field in read if kind == "resources" and field == "digest"),
        found,
    )


def _step_names(task: Task) -> dict[str, str]:
    """Return what the steps of a task are called on the cluster; no name begins as those of the emitter's own do."""
    called = [step.name for step in task.steps]
    ours = {name: f"step {name}" for name in called if names.plain(name).startswith(OWN)}
    renamed = {name: names.hashed(text, names.STEP) for name, text in ours.items()}
    kept = (name for name in called if name not in ours)
    return {**names.labels(kept, names.STEP, taken=renamed.values()), **renamed}


def _read(task: Task) -> Iterable[tuple[str, str, str]]:
    """Yield what a task takes from its inputs: ("tasks", task, step) and ("resources", resource, parameter)."""
    for value, _path in strings(task.value, ""):
        for variable in find(str(value.data)):
            first, kind, *rest = variable.parts
            if first == "inputs" and kind in ("tasks", "resources") and len(rest) > 1:
                yield kind, ".".join(rest[:-1]), rest[-1]
