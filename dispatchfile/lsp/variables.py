"""Which variables mean something at a place."""

from __future__ import annotations

from dispatchfile.model import schema
from dispatchfile.model.variables import CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.lsp.spot import Path
    from dispatchfile.value import Value


def known_at(path: Path, value: Value | None) -> Iterator[tuple[str, str]]:
    """Yield name and meaning of each variable that may stand at a path of the value."""
    yield from CONTEXT.items()
    if len(path) < 2:
        return
    kind, name = path[0], path[1]
    if kind == "resource" and path[2:] == ("param", "digest"):
        yield f"inputs.resources.{name}.digest", "digest of the image that a task makes"
    if kind != "task" or value is None:
        return
    for direction in ("inputs", "outputs"):
        for listed in _texts(value.at("task", name, direction)):
            resource = value.at("resource", listed, "type")
            if resource is not None:
                yield from _parameters(direction, listed, str(resource.data))
            elif direction == "inputs":
                yield from _results(listed, value.at("task", listed, "steps"))


def _parameters(direction: str, name: str, kind: str) -> Iterator[tuple[str, str]]:
    table = schema.RESOURCE_TYPES.get(kind)
    for field in table.fields if table is not None else ():
        yield f"{direction}.resources.{name}.{field.name}", field.doc
    yield f"{direction}.resources.{name}.path", "directory of the resource"


def _results(task: str, steps: Value | None) -> Iterator[tuple[str, str]]:
    for index in range(len(steps.data) if steps is not None and isinstance(steps.data, list) else 0):
        step = steps.at(index, "name") if steps is not None else None
        if step is not None and isinstance(step.data, str):
            yield (
                f"inputs.tasks.{task}.{step.data}",
                f"what step {step.data} of task {task} wrote to standard output",
            )


def _texts(value: Value | None) -> list[str]:
    items = value.data if value is not None and isinstance(value.data, list) else []
    return [item.data for item in items if isinstance(item.data, str)]
