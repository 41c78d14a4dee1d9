"""The Pipeline of a draft: its parameters, its tasks with their specs in them, and what it tells of its images."""

from __future__ import annotations

from dispatchfile.model.variables import CONTEXT
from dispatchfile.tekton import tasks
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.parts import WORKSPACE, metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object

ALWAYS_KNOWN = ("git-url", "git-commit", "build-name")
"""Parameters that every event has; the others are empty where it has none."""


def pipeline(draft: Draft) -> Object:
    """Return the Pipeline object of a draft; what is wrong with it is in `draft.found` afterwards."""
    head = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": metadata(draft.name, draft.options),
    }
    return {**head, "spec": spec(draft)}


def spec(draft: Draft) -> Object:
    """Return the spec of a draft's Pipeline; what is wrong with it is in `draft.found` afterwards."""
    made = tasks.tasks(draft)
    written: Object = {}
    if params := _params_used(made):
        written["params"] = [_declared(name, variable) for name, variable in params.items()]
    if any("workspaces" in task for task in made):
        written["workspaces"] = [{"name": WORKSPACE, "description": "volume that the tasks share"}]
    written["tasks"] = made
    if results := tasks.results(draft, made):
        written["results"] = results
    return written


def params_used(draft: Draft) -> tuple[str, ...]:
    """Return the parameters of the context that a draft's Pipeline takes, in the order of CONTEXT_PARAMS."""
    found = len(draft.found)
    made = tasks.tasks(draft)
    del draft.found[found:]  # told when the Pipeline is written
    return tuple(_params_used(made))


def _params_used(made: list[Object]) -> dict[str, str]:
    """Return the parameters that tasks are given from those of the Pipeline, with the variables they carry."""
    used = {param["value"] for task in made for param in task.get("params", ())}
    return {name: variable for variable, name in CONTEXT_PARAMS.items() if f"$(params.{name})" in used}


def _declared(name: str, variable: str) -> Object:
    declared = {"name": name, "type": "string", "description": CONTEXT[variable]}
    return declared if name in ALWAYS_KNOWN else {**declared, "default": ""}
