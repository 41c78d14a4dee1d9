"""From a value to a pipeline: builds what can be built, and says everything that is wrong with the rest.

Building never reports and never fails: what has the wrong type is read as far as it makes sense, or left out.
Reporting is left to the checks, each over the value or the half-built pipeline, so that one mistake never hides
another.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Severity, in_order
from dispatchfile.model import conditions, containers, names, references, steps, structure
from dispatchfile.model.edits import quoted, reworded
from dispatchfile.model.kubernetes import STEP
from dispatchfile.model.pipeline import Action, Pipeline, Resource, Task
from dispatchfile.model.schema import ACTION, FOREIGN_RESOURCE_TYPES, PIPELINE, RESOURCE, RESOURCE_TYPES, TASK
from dispatchfile.model.shape import ListOf, Table
from dispatchfile.spelling import nearest
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def decode(value: Value) -> tuple[Pipeline, tuple[Diagnostic, ...]]:
    """Return the pipeline that a value describes, as far as it could be built, and all that is wrong with it.

    Never raises. Two fields behave as real files need it: an action without `on` and an `on push tags` are
    warnings, and neither fires on a push.
    """
    if not isinstance(value.data, dict):
        return Pipeline({}, {}, (), value), (structure.mismatch(value, PIPELINE, ""),)
    pipeline = build(value)
    found = [
        *_check_top(value, value.data),
        *_check_resources(pipeline),
        *names.check(pipeline),
        *references.check(pipeline),
        *containers.check(pipeline),
        *conditions.check(pipeline),
        *_check_timeouts(pipeline),
    ]
    return pipeline, tuple(in_order(found))


# Building


def build(value: Value) -> Pipeline:
    """Return the pipeline in a value, without a word about what is wrong with it."""
    tops: dict[str, list[Value | None]] = {name: [value.at(name)] for name in PIPELINE.by_name}
    for label, name in _misspelt(value).items():
        tops[name].append(value.at(label))
    return Pipeline(
        {name: _resource(name, item) for top in tops["resource"] for name, item in entries(top)},
        {name: _task(name, item) for top in tops["task"] for name, item in entries(top)},
        tuple(_action(index, item) for top in tops["actions"] for index, item in enumerate(items(top))),
        value,
    )


def _misspelt(value: Value) -> dict[str, str]:
    """Return the top-level labels that are misspelt ones for sure, by what they hold; others are helpers."""
    data = value.data if isinstance(value.data, dict) else {}
    found = {}
    for label in data:
        meant = None if label in PIPELINE.by_name else nearest(label, PIPELINE.by_name)
        if meant is not None and _looks_like(data[label], meant):
            found[label] = meant
    return found


_TELLING = {"resource": ("type", "param"), "task": ("steps", "inputs", "deps"), "actions": ("tasks", "on")}


def _looks_like(value: Value, name: str) -> bool:
    inner = items(value) if name == "actions" else [item for _, item in entries(value)]
    return bool(inner) and all(
        isinstance(item.data, dict) and any(field in item.data for field in _TELLING[name]) for item in inner
    )


def as_meant(value: Value, table: Table) -> Value:
    """Return a struct with its misspelt fields under the names that were meant; what has no such name stays."""
    data = value.data
    if not isinstance(data, dict) or data.keys() <= table.by_name.keys():
        return value
    fields = dict(data)
    for label in data:
        if label not in table.by_name:
            aliased = table.by_alias.get(label)
            meant = aliased.name if aliased is not None else nearest(label, table.by_name)
            if meant is not None and meant not in data:
                fields[meant] = fields.pop(label)
    return Value(fields, value.spans, value.keys)


def entries(value: Value | None) -> list[tuple[str, Value]]:
    """Return the labels and values of a struct; none when it is no struct."""
    data = value.data if value is not None else None
    return (
        [(label, item) for label, item in data.items() if item.data is not None]
        if isinstance(data, dict)
        else []
    )


def items(value: Value | None) -> list[Value]:
    """Return the elements of a list; none when it is no list."""
    data = value.data if value is not None else None
    return data if isinstance(data, list) else []


def _resource(name: str, value: Value) -> Resource:
    value = as_meant(value, RESOURCE)
    kind = steps.text(value.at("type")) or ""
    return Resource(
        name,
        kind,
        parameters(kind, value.at("param")),
        {
            variable: secret
            for variable, item in entries(value.at("secret"))
            if (secret := steps.secret_key(item))
        },
        value,
    )


def parameters(kind: str, value: Value | None) -> Mapping[str, str]:
    """Return the parameters of a resource; Tekton does not tell `URL` from `url`."""
    known = (
        {field.name.lower(): field.name for field in RESOURCE_TYPES[kind].fields}
        if kind in RESOURCE_TYPES
        else {}
    )
    found = {}
    for label, item in entries(value):
        content = steps.text(item)
        if content is not None:
            found[known.get(label.lower(), label)] = content
    return found


def _task(name: str, value: Value) -> Task:
    value = as_meant(value, TASK)
    metadata = value.at("metadata")
    return Task(
        name,
        steps.texts(value.at("inputs")) or (),
        steps.texts(value.at("outputs")) or (),
        steps.texts(value.at("deps")) or (),
        tuple(
            steps.step(index, as_meant(item, STEP))
            for index, item in enumerate(items(value.at("steps")))
            if isinstance(item.data, dict)
        ),
        tuple(steps.volume(item) for item in items(value.at("volumes")) if isinstance(item.data, dict)),
        _timeout(value.at("timeout")),
        _labels(metadata.at("labels") if metadata else None),
        _labels(metadata.at("annotations") if metadata else None),
        value,
    )


def _timeout(value: Value | None) -> float | None:
    """Return the seconds; Tekton reads 0 as "no timeout of its own"."""
    if value is None or not isinstance(value.data, str):
        return None
    from dispatchfile.model.quantities import duration

    try:
        return max(duration(value.data), 0) or None
    except ValueError:
        return None


def _labels(value: Value | None) -> dict[str, str]:
    return {label: content for label, item in entries(value) if (content := steps.text(item)) is not None}


def _action(index: int, value: Value) -> Action:
    value = as_meant(value, ACTION)
    name = steps.text(value.at("name"))
    return Action(
        index, name, steps.texts(value.at("tasks")) or (), conditions.condition(value.at("on")), value
    )


# Checking


def _check_top(value: Value, data: dict[str, Value]) -> Iterator[Diagnostic]:
    misspelt = _misspelt(value)
    for label, item in data.items():
        field = PIPELINE.by_name.get(label)
        if field is not None:
            yield from structure.check(item, field.shape, label)
            continue
        meant = misspelt.get(label) or nearest(label, PIPELINE.by_name)
        if meant is None or isinstance(item.data, list) is not isinstance(
            PIPELINE.by_name[meant].shape, ListOf
        ):
            continue
        certain = label in misspelt
        yield Diagnostic(
            "DF101",
            Severity.ERROR if certain else Severity.WARNING,
            f'the top-level field "{label}" has no meaning; did you mean "{meant}"?',
            item.key or item.span,
            "taken for a helper and ignored",
            help=f'rename it to "{meant}"' + ("" if certain else ", or give the helper a name less like it"),
            path=label,
            fix=structure.rename(item, meant, safe=False),
        )
        if certain:
            yield from structure.check(item, PIPELINE.by_name[meant].shape, label)
    task = data.get("task")
    if (task is None or task.data is None) and "task" not in misspelt.values():
        yield structure.missing_field(value, PIPELINE.by_name["task"], PIPELINE, "")


def _check_resources(pipeline: Pipeline) -> Iterator[Diagnostic]:
    for resource in pipeline.resources.values():
        path = f"resource.{resource.name}"
        place = resource.value.at("type")
        table = RESOURCE_TYPES.get(resource.type)
        if table is None:
            if place is not None and resource.type:
                yield _unknown_type(resource, place, path)
            continue
        params = resource.value.at("param")
        for field in table.fields:
            if field.required and field.name not in resource.param and not _misplaced(resource, field.name):
                yield structure.missing_field(params or resource.value, field, table, f"{path}.param")
        for label, item in entries(params):
            if label.lower() not in {field.name.lower() for field in table.fields}:
                found = structure.unknown_field(item, label, table, f"{path}.param", beside=resource.param)
                yield Diagnostic(
                    "DF104",
                    Severity.ERROR,
                    f'{table.title} has no parameter "{label}"',
                    found.span,
                    "unknown parameter",
                    help=found.help,
                    path=found.path,
                    fix=found.fix,
                )


def _misplaced(resource: Resource, name: str) -> bool:
    """Return whether a parameter stands beside `type`, which is a finding already."""
    return name != "type" and resource.value.at(name) is not None


def _unknown_type(resource: Resource, place: Value, path: str) -> Diagnostic:
    meant = nearest(resource.type, RESOURCE_TYPES)
    edit = reworded(place.span, resource.type, meant) if meant is not None else None
    advice = f"the types are {', '.join(RESOURCE_TYPES)}"
    if resource.type in ("gcs", "s3"):
        advice = 'write type: "storage", and type: "gcs" under `param` (for S3 too)'
    elif resource.type in FOREIGN_RESOURCE_TYPES:
        advice = f"a type of Tekton that Dispatch never documented; {advice}"
    elif meant is not None:
        advice = f'did you mean "{meant}"?'
    return Diagnostic(
        "DF104",
        Severity.ERROR,
        f'resource "{resource.name}" has the unknown type "{resource.type}"',
        place.span,
        help=advice,
        path=f"{path}.type",
        fix=Fix(f'write "{meant}"', (edit,), safe=False) if edit is not None else None,
    )


def _check_timeouts(pipeline: Pipeline) -> Iterator[Diagnostic]:
    for task in pipeline.tasks.values():
        place = task.value.at("timeout")
        if place is not None and isinstance(place.data, str):
            yield from _check_timeout(task, place, place.data)


def _check_timeout(task: Task, place: Value, written: str) -> Iterator[Diagnostic]:
    from dispatchfile.model.quantities import duration, meant_duration

    try:
        problem = "it may not be negative" if duration(written) < 0 else ""
    except ValueError as error:
        problem = str(error)
    if problem:
        meant = meant_duration(written)
        text = quoted(meant) if meant is not None else ""
        yield Diagnostic(
            "DF502",
            Severity.ERROR,
            f'task "{task.name}" has the invalid timeout "{written}"',
            place.span,
            help=f"write {text}" if text else problem,
            path=f"task.{task.name}.timeout",
            fix=Fix(f"write {text}", (Edit(place.span, text),), safe=False) if text and place.span else None,
        )
