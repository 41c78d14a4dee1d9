"""Fields of the planned tasks that the local runner does not honour: a warning for each, with its line."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic
from dispatchfile.model import structure
from dispatchfile.model.schema import RESOURCE_TYPES, TASK
from dispatchfile.plan.plan import Plan


def unhonoured(plan: Plan) -> list[Diagnostic]:
    """Return a warning for each field of the plan's tasks and their resources that changes nothing in a local run."""
    found: list[Diagnostic] = []
    used: dict[str, None] = {}
    for planned in plan.tasks:
        found += structure.unhonoured(planned.task.value, TASK, f"task.{planned.name}")
        used.update(dict.fromkeys((*planned.task.inputs, *planned.task.outputs)))
    for name in used:
        resource = plan.pipeline.resources.get(name)
        param = (resource.value.at("param") or resource.value.at("params")) if resource else None
        if resource is not None and param is not None and resource.type in RESOURCE_TYPES:
            found += structure.unhonoured(param, RESOURCE_TYPES[resource.type], f"resource.{name}.param")
    return found
