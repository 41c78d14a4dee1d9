"""Tasks of a Pipeline, each with its spec in it: the steps of the user between those of the resources."""

from __future__ import annotations

from dispatchfile.tekton import steps
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.parts import Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from dispatchfile.plan.plan import PlannedTask
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

STEP_TEMPLATE: Object = {"workingDir": "/workspace", "env": [{"name": "HOME", "value": "/tekton/home"}]}
"""What Tekton gave every step when Dispatch ran on it (up to v0.32)."""


def tasks(draft: Draft) -> list[Object]:
    """Return the tasks of a Pipeline in the order of the plan; what is wrong is in `draft.found` afterwards."""
    values = _values(draft)
    return [_task(draft, planned, values) for planned in draft.tasks]


def results(draft: Draft) -> list[Object]:
    """Return the results of a Pipeline: url and digest of each image."""
    return []


def _task(draft: Draft, planned: PlannedTask, values: Mapping[str, str]) -> Object:
    spec: Object = {"stepTemplate": STEP_TEMPLATE, "steps": steps.steps(draft, planned.task)}
    params = [Param(name, values[name]) for name in _params_in(spec, values)]
    if params:
        spec = {"params": [{"name": param.name, "type": "string"} for param in params], **spec}
    made: Object = {"name": draft.task_names[planned.name]}
    if waits := sorted({draft.task_names[name] for name in planned.waits_for}):
        made["runAfter"] = waits
    if params:
        made["params"] = [{"name": param.name, "value": param.value} for param in params]
    made["taskSpec"] = spec
    return made


def _values(draft: Draft) -> dict[str, str]:
    """Return all parameters that a task may have, with what the Pipeline gives them."""
    values = {name: f"$(params.{name})" for name in CONTEXT_PARAMS.values()}
    for resource, maker in draft.makers.items():
        if resource in draft.resource_names:
            result = f"{draft.resource_names[resource]}_IMAGE_DIGEST"
            values[draft.digest_param(resource)] = f"$(tasks.{draft.task_names[maker]}.results.{result})"
    for task, step in sorted(draft.read & draft.step_names.keys()):
        result = draft.step_names[task, step]
        values[draft.result_param(task, step)] = f"$(tasks.{draft.task_names[task]}.results.{result})"
    return values


def _params_in(spec: Object, values: Mapping[str, str]) -> list[str]:
    """Return those of the parameters that the texts of a spec refer to."""
    text = "\0".join(_texts(spec))
    return [name for name in values if f"$(params.{name})" in text]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
