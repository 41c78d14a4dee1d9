"""Fields of the planned tasks that the local runner does not honour: a warning for each, with its line."""

from __future__ import annotations

from collections.abc import Iterator

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.model.schema import RESOURCE_TYPES, TASK
from dispatchfile.model.shape import Field, ListOf, MapOf, Table
from dispatchfile.plan.plan import Plan
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.model.shape import Shape

CODE = "DF601"


def unhonoured(plan: Plan) -> list[Diagnostic]:
    """Return a warning for each field of the plan's tasks and their resources that changes nothing in a local run."""
    found: list[Diagnostic] = []
    used: dict[str, None] = {}
    for planned in plan.tasks:
        found += _walk(planned.task.value, TASK, f"task.{planned.name}")
        used.update(dict.fromkeys((*planned.task.inputs, *planned.task.outputs)))
    for name in used:
        resource = plan.pipeline.resources.get(name)
        param = (resource.value.at("param") or resource.value.at("params")) if resource else None
        if resource is not None and param is not None and resource.type in RESOURCE_TYPES:
            found += _walk(param, RESOURCE_TYPES[resource.type], f"resource.{name}.param")
    return found


def _walk(value: Value, shape: Shape, path: str) -> Iterator[Diagnostic]:
    data = value.data
    if isinstance(shape, ListOf) and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _walk(item, shape.item, f"{path}[{index}]")
    elif isinstance(shape, MapOf) and isinstance(data, dict):
        for label, item in data.items():
            yield from _walk(item, shape.item, f"{path}.{label}")
    elif isinstance(shape, Table) and isinstance(data, dict):
        for label, item in data.items():
            field = shape.by_name.get(label)
            if field is not None and item.data is not None:
                yield from _field(item, field, f"{path}.{label}")


def _field(value: Value, field: Field, path: str) -> Iterator[Diagnostic]:
    if field.honoured:
        yield from _walk(value, field.shape, path)
        return
    yield Diagnostic(
        CODE,
        Severity.WARNING,
        f"a local run does not honour `{field.name}`",
        value.key or value.span,
        path=path,
    )
