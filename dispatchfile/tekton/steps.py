"""Steps of a task, field by field, as Tekton v1 takes them."""

from __future__ import annotations

from dispatchfile.model.variables import substitute
from dispatchfile.tekton.draft import CONTEXT_PARAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.pipeline import Step, Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object


def steps(draft: Draft, task: Task) -> list[Object]:
    """Return the steps of a task; what is wrong with them is in `draft.found` afterwards."""
    return [_step(draft, task, step) for step in task.steps]


def _step(draft: Draft, task: Task, step: Step) -> Object:
    def fill(text: str) -> str:
        return substitute(
            text, lambda name: f"$(params.{CONTEXT_PARAMS[name]})" if name in CONTEXT_PARAMS else None
        )

    made: Object = {"name": draft.step_names[task.name, step.name], "image": fill(step.image)}
    if step.command:
        made["command"] = [fill(word) for word in step.command]
    if step.args:
        made["args"] = [fill(word) for word in step.args]
    if step.script is not None:
        made["script"] = fill(step.script)
    if step.working_dir:
        made["workingDir"] = fill(step.working_dir)
    if step.env:
        made["env"] = [{"name": variable.name, "value": fill(variable.value or "")} for variable in step.env]
    return made
