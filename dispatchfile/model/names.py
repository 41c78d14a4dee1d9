"""Names: what they may look like, which must differ, and what changes where one is changed."""

from __future__ import annotations

import re
from collections import Counter

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.model.edits import narrowed, relabelled
from dispatchfile.model.pipeline import Pipeline, Task
from dispatchfile.record import Record, replace
from dispatchfile.source import Span
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    # What is named, and where: ("resource", "", "src"), ("step", "build", "compile").
    Named = tuple[str, str, str]

# A label of DNS has 63 characters at most (RFC 1123). The container of a step is called step-NAME (Tekton), and the
# name of a CronJob leaves eleven characters for those of its jobs.
LONGEST = {"resource": 63, "task": 63, "volume": 63, "step": 58, "cron action": 52}


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield names that a cluster would refuse, and names given twice."""
    bad = [one for one in every_name(pipeline) if not is_label(one.name, LONGEST[one.kind])]
    if bad:
        places, referenced = uses(pipeline), _referenced(pipeline)
        meant = [(one.kind, one.home, proper(one.name, LONGEST[one.kind])) for one in bad]
        taken = {named for named, times in Counter(meant).items() if times > 1 or named in places}
        for one, named in zip(bad, meant, strict=True):
            yield _bad_name(one, named[2], places, referenced, taken=named in taken)
    for task in pipeline.tasks.values():
        yield from _repeated_steps(task)
    yield from _shared_names(pipeline)


def is_label(name: str, longest: int) -> bool:
    """Return whether a name is a label as DNS has them: small letters, digits, and dashes between them."""
    return (
        0 < len(name) <= longest
        and name.isascii()
        and name == name.lower()
        and name.replace("-", "").isalnum()
        and name[0] != "-" != name[-1]
    )


class Name(Record):
    """A name, the value that holds it, and the places where it is defined."""

    kind: str
    home: str
    name: str
    path: str
    span: Span | None
    defined: tuple[Span, ...]


def every_name(pipeline: Pipeline) -> Iterator[Name]:
    """Yield all names of resources, tasks, steps, volumes, and cron actions."""
    for kind in ("resource", "task"):
        values = pipeline.value.at(kind)
        for name, item in values.data.items() if values is not None and isinstance(values.data, dict) else ():
            yield Name(kind, "", name, f"{kind}.{name}", item.key or item.span, item.keys)
    for task in pipeline.tasks.values():
        steps = [step.value for step in task.steps]
        volumes = [volume.value for volume in task.volumes]
        for kind, field, parts in (("step", "steps", steps), ("volume", "volumes", volumes)):
            for index, part in enumerate(parts):
                place = part.at("name")
                if place is not None and isinstance(place.data, str):
                    path = f"task.{task.name}.{field}[{index}].name"
                    yield Name(kind, task.name, place.data, path, place.span, place.spans)
    for action in pipeline.actions:
        place = action.value.at("name")
        cron = action.on is not None and action.on.kind == "cron"
        if cron and place is not None and isinstance(place.data, str) and place.data:
            path = f"actions[{action.index}].name"
            yield Name("cron action", "", place.data, path, place.span, place.spans)


def _bad_name(
    one: Name,
    meant: str,
    places: Mapping[Named, list[Span | None]],
    referenced: frozenset[str],
    *,
    taken: bool,
) -> Diagnostic:
    """Return the finding of a name, with the one that is `meant`, which others may have or be meant to have, too."""
    too_long = is_label(one.name, len(one.name))
    problem = (
        f"at most {LONGEST[one.kind]} characters"
        if too_long
        else "small letters, digits, and dashes between them"
    )
    fix = None if taken or one.name in referenced else _rename(one, meant, places)
    advice = f'write "{meant}"; ' if meant and not taken else ""
    trouble = f', and "{meant}" would be another {one.kind}\'s too' if taken and meant else ""
    return Diagnostic(
        "DF501",
        Severity.ERROR,
        f'"{one.name}" is no name for a {one.kind}',
        one.span,
        problem,
        help=f"{advice}names are {problem}{trouble}",
        path=one.path,
        fix=fix,
    )


def proper(name: str, longest: int) -> str:
    """Return the nearest name that is allowed; empty when nothing is left of it."""
    kept = "".join(char if char.isascii() and char.isalnum() else " " for char in name.lower())
    return "-".join(kept.split())[:longest].strip("-")


def _rename(one: Name, meant: str, places: Mapping[Named, list[Span | None]]) -> Fix | None:
    """Return the fix that writes another name wherever this one stands; None unless all places are plain."""
    if not meant or (one.kind, one.home, meant) in places:
        return None
    edits = [
        Edit(span, relabelled(span, meant)) for span in one.defined if span.text.strip("\"'") == one.name
    ]
    used = places.get((one.kind, one.home, one.name), [])
    edits += [Edit(span, meant) for span in dict.fromkeys(used) if span is not None and span.text == one.name]
    if len(edits) < len(one.defined) + len(dict.fromkeys(used)):
        return None
    return Fix(f'rename it to "{meant}" everywhere', tuple(edits), safe=False)


def renaming(pipeline: Pipeline, named: Named, meant: str) -> Fix | None:
    """Return the fix that gives what has a name another one everywhere; None when some place does not allow it.

    That is when the new name is taken or no name for it, or an expression makes the old one or takes something by it.
    """
    kind, _, name = named
    every = [one for one in every_name(pipeline) if (one.kind, one.home, one.name) == named]
    if not every or name in _referenced(pipeline) or not is_label(meant, LONGEST[kind]):
        return None
    defined = tuple(span for one in every for span in one.defined)
    return _rename(replace(every[0], defined=defined), meant, uses(pipeline))


def uses(pipeline: Pipeline) -> dict[Named, list[Span | None]]:
    """Return where each name is used, or None for a use whose place is not plain; names without use are there too."""
    found: dict[Named, list[Span | None]] = {
        (one.kind, one.home, one.name): [] for one in every_name(pipeline)
    }

    def listed(kind: str, home: str, values: Value | None) -> None:
        for item in values.data if values is not None and isinstance(values.data, list) else [values]:
            if item is not None and isinstance(item.data, str):
                known = "resource" if kind == "input" and item.data in pipeline.resources else kind
                known = "task" if known == "input" else known
                found.setdefault((known, home, item.data), []).append(narrowed(item.span, item.data))

    for task in pipeline.tasks.values():
        listed("input", "", task.value.at("inputs"))
        listed("resource", "", task.value.at("outputs"))
        listed("task", "", task.value.at("deps"))
        for step in task.steps:
            for mount in step.volume_mounts:
                listed("volume", task.name, mount.value.at("name"))
    for action in pipeline.actions:
        listed("task", "", action.value.at("tasks"))
    for named, span in _uses_in_texts(pipeline):
        found.setdefault(named, []).append(span)
    return found


_IN_TEXTS = (
    r"(?:(?:inputs|outputs)\.resources\.|resources\.(?:inputs|outputs)\.|/workspace/(?:output/)?)"
    r"(?P<resource>[\w-]+)|inputs\.tasks\.(?P<task>[\w-]+)\.(?P<step>[\w-]+)"
)


def _uses_in_texts(pipeline: Pipeline) -> Iterator[tuple[Named, Span | None]]:
    """Yield the names in the variables and paths of all texts."""
    pattern = re.compile(_IN_TEXTS)
    for value in pipeline.value.texts():
        if "/workspace/" not in str(value.data) and "$(" not in str(value.data):
            continue
        span = value.span
        written = list(pattern.finditer(span.text)) if span is not None else []
        meant = list(pattern.finditer(str(value.data)))
        plain = span is not None and [one[0] for one in written] == [one[0] for one in meant]
        for found in written if plain else meant:
            for kind in ("resource", "task", "step"):
                if found[kind] is not None:
                    home = found["task"] if kind == "step" else ""
                    start, end = found.span(kind)
                    place = (
                        Span(span.source, span.start + start, span.start + end) if plain and span else None
                    )
                    yield (kind, home, found[kind]), place


def _referenced(pipeline: Pipeline) -> frozenset[str]:
    """Return the names that the text takes from a resource or task as CUE does: `resource["app"].param.url`."""
    text = pipeline.value.span.source.text if pipeline.value.span is not None else ""
    found = re.finditer(r'\b(?:resource|task)(?:\.(\w+)|\[\s*"([^"\n]*)"\s*\])', text)
    return frozenset(one[1] or one[2] for one in found)


# Names given twice


def _repeated_steps(task: Task) -> Iterator[Diagnostic]:
    seen: dict[str, Value] = {}
    for index, step in enumerate(task.steps):
        place = step.value.at("name")
        if place is None or not isinstance(place.data, str):
            continue
        first = seen.setdefault(step.name, place)
        if first is not place:
            yield Diagnostic(
                "DF105", Severity.ERROR, f'task "{task.name}" has two steps named "{step.name}"', place.span,
                "the second one", _related(first.span, "first used here"), "names of steps are unique in a task",
                f"task.{task.name}.steps[{index}].name",
            )  # fmt: skip


def _shared_names(pipeline: Pipeline) -> Iterator[Diagnostic]:
    shared = [name for name in pipeline.tasks if name in pipeline.resources]
    inputs = {name for task in pipeline.tasks.values() for name in task.inputs} if shared else set()
    for name in shared:
        resource, task = pipeline.resources[name].value, pipeline.tasks[name].value
        meaning = "; as an input it means the resource" if name in inputs else ""
        yield Diagnostic(
            "DF105",
            Severity.ERROR if name in inputs else Severity.WARNING,
            f'"{name}" is a resource and a task{meaning}',
            task.key or task.span,
            "the task",
            _related(resource.key, "the resource"),
            "rename one of them",
            f"task.{name}",
        )


def _related(span: Span | None, message: str) -> tuple[Related, ...]:
    return (Related(span, message),) if span is not None else ()
