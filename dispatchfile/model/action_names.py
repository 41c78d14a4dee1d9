"""Names of actions: a cron action needs one, and no two actions share one."""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Fix, Related, Severity
from dispatchfile.model.edits import quoted, reworded, with_field
from dispatchfile.model.names import proper
from dispatchfile.model.pipeline import Action, Pipeline
from dispatchfile.model.schedules import MACROS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.value import Value


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield cron actions without a name, and actions that share theirs; for a cron action both are DF306."""
    named: dict[str, Action] = {}
    for action in pipeline.actions:
        if not isinstance(action.value.data, dict):
            continue
        place = action.value.at("name")
        if not action.name:
            # A name of another type is a finding already.
            if _is_cron(action) and (place is None or place.data in (None, "")):
                yield _unnamed(action, pipeline)
            continue
        first = named.setdefault(action.name, action)
        if first is not action and place is not None and isinstance(place.data, str):
            yield _repeated(action, first, place, pipeline)


def _is_cron(action: Action) -> bool:
    return action.on is not None and action.on.kind == "cron"


def _unnamed(action: Action, pipeline: Pipeline) -> Diagnostic:
    schedule = action.on.schedule if action.on is not None else None
    macro = schedule[1:] if schedule in MACROS else "scheduled"
    name = _free(proper(f"{macro}-{action.tasks[0]}" if action.tasks else macro, 52), pipeline)
    place = action.value.at("name")
    edits = with_field(action.value, "name", quoted(name)) if place is None else ()
    if place is not None and place.span is not None and place.data == "":
        edit = reworded(place.span, place.span.text, quoted(name))
        edits = (edit,) if edit is not None else ()
    cron = action.on.value.key if action.on is not None else None
    return Diagnostic(
        "DF306",
        Severity.ERROR,
        f"{action.title} has a cron condition and needs a name",
        (place.span if place is not None else None) or cron or action.value.span,
        "of an action without a name",
        help=f'such as name: "{name}"; the cluster calls its CronJob by it',
        path=f"actions[{action.index}].name",
        fix=Fix(f'name it "{name}"', edits, safe=False) if edits else None,
    )


def _repeated(action: Action, first: Action, place: Value, pipeline: Pipeline) -> Diagnostic:
    cron = _is_cron(action) or _is_cron(first)
    sooner = first.value.at("name")
    name = _free(str(action.name), pipeline)
    edit = reworded(place.span, str(action.name), name) if cron else None
    return Diagnostic(
        "DF306" if cron else "DF105",
        Severity.ERROR,
        f'two actions are named "{action.name}"',
        place.span or place.key,
        "the second one",
        (Related(sooner.span, "first used here"),) if sooner is not None and sooner.span is not None else (),
        "names of actions are unique in a file",
        f"actions[{action.index}].name",
        Fix(f'name it "{name}"', (edit,), safe=False) if edit is not None else None,
    )


def _free(name: str, pipeline: Pipeline) -> str:
    """Return the name, with a number behind it when an action has it already."""
    taken = {action.name for action in pipeline.actions}
    number = 2
    free = name
    while free in taken:
        free, number = f"{name[:48]}-{number}", number + 1
    return free
