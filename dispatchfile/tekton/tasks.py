"""Tasks of a Pipeline, each with its spec in it: the steps of the user between those of the resources."""

from __future__ import annotations

import re

from dispatchfile.tekton import metadata, resources, steps, volumes
from dispatchfile.tekton import results as outputs
from dispatchfile.tekton.draft import CONTEXT_PARAMS
from dispatchfile.tekton.parts import DEFAULT_TIMEOUT_S, WORKSPACE, duration, step_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from dispatchfile.model.pipeline import Task
    from dispatchfile.plan.plan import PlannedTask
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.tekton.parts import Object, Parts

_PARAM = re.compile(r"\$\(params\.([\w-]+)\)", re.ASCII)


def tasks(draft: Draft) -> list[Object]:
    """Return the tasks of a Pipeline in the order of the plan; what is wrong is in `draft.found` afterwards."""
    values = _values(draft)
    return [*resources.extra_tasks(draft), *(_task(draft, planned, values) for planned in draft.tasks)]


def results(draft: Draft, made: Iterable[Object]) -> list[Object]:
    """Return the results of a Pipeline of written tasks: url and digest of each image."""
    made_here = [name for name in draft.makers if name in draft.resource_names]
    images = {called(name) for name in made_here for called in (draft.url_result, draft.digest_result)}
    return [
        {
            "name": result["name"],
            "description": result["description"],
            "value": f"$(tasks.{task['name']}.results.{result['name']})",
        }
        for task in made
        for result in task["taskSpec"].get("results", ())
        if result["name"] in images
    ]


def _task(draft: Draft, planned: PlannedTask, values: Mapping[str, str]) -> Object:
    task = planned.task
    parts = resources.parts(draft, task)
    spec = _spec(draft, task, parts)
    params = _params_in(spec, values)
    if params:
        spec = {"params": [{"name": name, "type": "string"} for name in params], **spec}
    if given := metadata.metadata(draft, task):
        spec = {"metadata": given, **spec}
    made: Object = {"name": draft.task_names[task.name]}
    waits = {*(draft.task_names[name] for name in planned.waits_for), *resources.waits(draft, task)}
    if waits:
        made["runAfter"] = sorted(waits)
    seconds = _timeout(draft, task)
    if seconds is not None:
        made["timeout"] = duration(seconds)
    if params:
        made["params"] = [{"name": name, "value": values[name]} for name in params]
    if parts.workspaces:
        made["workspaces"] = [
            {"name": one.name, "workspace": WORKSPACE, "subPath": one.sub_path} for one in parts.workspaces
        ]
    made["taskSpec"] = spec
    return made


def _timeout(draft: Draft, task: Task) -> float | None:
    """Return the seconds that a task may take: its own, else those of the run where it was given more than an hour.

    An hour is what Tekton gives a task of which nothing is said, also in a run that may take longer; 0 is no limit.
    """
    given = draft.options.timeout
    if task.timeout is None and given is not None and (given == 0 or given > DEFAULT_TIMEOUT_S):
        return given
    return task.timeout


def _spec(draft: Draft, task: Task, parts: Parts) -> Object:
    """Return the spec of a task but for its params and metadata."""
    called = volumes.volume_names(task, (volume["name"] for volume in parts.volumes))
    volumes.over_workspaces(draft, task, [one.mount_path for one in parts.workspaces])
    spec: Object = {}
    declared = [{"name": one.name, "type": "string", "description": one.description} for one in parts.results]
    if declared := [*declared, *outputs.declared(draft, task)]:
        spec["results"] = declared
    if parts.workspaces:
        spec["workspaces"] = [
            {"name": one.name, "mountPath": one.mount_path, **({"readOnly": True} if one.read_only else {})}
            for one in parts.workspaces
        ]
    spec["stepTemplate"] = step_template(parts.mounts)
    own = [*parts.before, *steps.steps(draft, task, called)]
    collector = outputs.collector(draft, task, [*own, *parts.after], parts.results)
    spec["steps"] = [*own, *collector, *parts.after]
    if made := [*parts.volumes, *volumes.volumes(draft, task, called)]:
        spec["volumes"] = made
    return spec


def _values(draft: Draft) -> dict[str, str]:
    """Return all parameters that a task may have, with what the Pipeline gives them."""
    values = {name: f"$(params.{name})" for name in CONTEXT_PARAMS.values()}
    for resource, maker in draft.makers.items():
        if resource in draft.resource_names:
            told = f"$(tasks.{draft.task_names[maker]}.results.{draft.digest_result(resource)})"
            values[draft.digest_param(resource)] = told
    for planned in draft.tasks:
        for step in outputs.read(draft, planned.task):
            result = f"results.{draft.step_names[planned.name, step.name]}"
            param = draft.result_param(planned.name, step.name)
            values[param] = f"$(tasks.{draft.task_names[planned.name]}.{result})"
    return values


def _params_in(spec: Object, values: Mapping[str, str]) -> list[str]:
    """Return the parameters that the texts of a spec refer to: those of the context in order, then the others."""
    used = dict.fromkeys(name for text in _texts(spec) for name in _PARAM.findall(text) if name in values)
    context = [name for name in CONTEXT_PARAMS.values() if name in used]
    return [*context, *(name for name in used if name not in context)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
