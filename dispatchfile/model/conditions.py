"""The `on` of an action: one condition, written as Dispatch 1.4 has it (`git: push:`) or in the older direct form.

`on push tags` stands in many real files and in no reference: Go's JSON decoding dropped the field, so that the
action fired on every push. Nobody meant that. Here such an action is a warning and fires on no push;
`Condition.push_tags` lets a caller treat it as a tag condition where the user asks for that.
"""

from __future__ import annotations

from dispatchfile import glob
from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.model import quantities
from dispatchfile.model.pipeline import Action, Condition, Pipeline
from dispatchfile.model.schema import ON, ON_GIT
from dispatchfile.model.shape import ListOf, Table, Text
from dispatchfile.model.steps import text, texts
from dispatchfile.model.structure import relabelled
from dispatchfile.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatchfile.model.pipeline import ConditionKind

_PLACES: tuple[tuple[tuple[str, ...], ConditionKind], ...] = (
    (("git", "push"), "push"),
    (("git", "tag"), "tag"),
    (("git", "pull_request"), "pull_request"),
    (("git", "release"), "release"),
    (("push",), "push"),
    (("tag",), "tag"),
    (("pull_request",), "pull_request"),
    (("release",), "release"),
    (("cron",), "cron"),
    (("image", "push"), "image"),
)

# What git refuses in the name of a branch or tag (git-check-ref-format), other than what patterns use themselves.
_NEVER_IN_REFS = " ~^:"


def condition(on: Value | None) -> Condition | None:
    """Return the condition in an `on`; None unless there is exactly one."""
    found = given(on)
    if on is None or len(found) != 1:
        return None
    path, kind = found[0]
    value = on.at(*path) or Value(None)
    old = texts(value.at("branches")) if kind == "pull_request" else None
    targets = texts(value.at("targets"))
    return Condition(
        kind,
        path,
        branches=texts(value.at("branches")) if kind == "push" else None,
        paths=texts(value.at("paths")),
        names=texts(value.at("names")),
        sources=texts(value.at("sources")),
        targets=targets if old is None else (*old, *(targets or ())),
        chatops=texts(value.at("chatops")),
        labels=texts(value.at("labels")),
        tags=texts(value.at("tags")) if kind in ("release", "image") else None,
        push_tags=texts(value.at("tags")) if kind == "push" else None,
        schedule=text(value.at("schedule")),
        revision=text(value.at("git", "revision")) or text(value.at("revision")),
        value=value,
    )


def given(on: Value | None) -> list[tuple[tuple[str, ...], ConditionKind]]:
    """Return the places below an `on` that hold a condition, with the kinds of the conditions."""
    found = []
    for path, kind in _PLACES:
        value = on.at(*path) if on is not None else None
        if value is not None and isinstance(value.data, dict):
            found.append((path, kind))
    return found


def check(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Yield what is wrong with the conditions of all actions, and with the names of actions."""
    named: dict[str, Action] = {}
    for action in pipeline.actions:
        if isinstance(action.value.data, dict):
            yield from _check_on(action)
            yield from _check_name(action, named)


def _finding(
    code: str, severity: Severity, message: str, place: Value | None, path: str, advice: str = "",
    *, fix: Fix | None = None, related: tuple[Related, ...] = (),
) -> Diagnostic:  # fmt: skip
    span = (place.span or place.key) if place is not None else None
    return Diagnostic(code, severity, message, span, related=related, help=advice, path=path, fix=fix)


def _check_on(action: Action) -> Iterator[Diagnostic]:
    path = f"actions[{action.index}].on"
    on = action.value.at("on")
    if on is None or on.data is None:
        yield _finding(
            "DF102", Severity.WARNING, f"{action.title} has no `on`; it never fires", action.value, path,
            "such as on: push: branches: [\"master\"]",
        )  # fmt: skip
        return
    if not isinstance(on.data, dict):
        return
    found = given(on)
    if action.on is not None:
        yield from _check_condition(action.on, action, path)
    elif found:
        found.sort(key=lambda place: _offset(on.at(*place[0])))
        first, second = (on.at(*place) for place, _ in found[:2])
        also = (Related(first.key, "the first condition"),) if first is not None and first.key else ()
        yield Diagnostic(
            "DF301", Severity.ERROR, f"{action.title} has {len(found)} conditions: {', '.join('.'.join(p) for p, _ in found)}",
            second.key or second.span if second is not None else on.span, related=also,
            help="write an action for each; an action fires on one condition", path=path,
        )  # fmt: skip
    else:
        yield from _check_empty(action, on, path)


def _offset(value: Value | None) -> int:
    return value.key.start if value is not None and value.key is not None else 0


def _check_empty(action: Action, on: Value, path: str) -> Iterator[Diagnostic]:
    """Yield why an `on` without a condition has none; what its fields are not is found elsewhere."""
    data = on.data if isinstance(on.data, dict) else {}
    null = [label for label, item in data.items() if item.data is None and label in ON.by_name]
    git = on.at("git")
    if git is not None and isinstance(git.data, dict):
        null += [
            f"git.{label}"
            for label, item in git.data.items()
            if item.data is None and label in ON_GIT.by_name
        ]
    if null:
        yield _finding(
            "DF301", Severity.ERROR, f"{action.title} has an empty condition `{null[0]}`", on.at(*null[0].split(".")),
            f"{path}.{null[0]}", f"for every {null[0]} event write {null[0].split('.')[-1]}: {{}}",
        )  # fmt: skip
    elif not data or (git is not None and git.data == {}):
        yield _finding(
            "DF301", Severity.ERROR, f"{action.title} has no condition in its `on`", on, path,
            f"one of {', '.join(ON.by_name)}",
        )  # fmt: skip


def _check_condition(found: Condition, action: Action, path: str) -> Iterator[Diagnostic]:
    path = f"{path}.{'.'.join(found.path)}"
    yield from _check_patterns(found, path)
    if found.push_tags is not None:
        yield _push_tags(found, action, path)
    if found.kind == "pull_request":
        yield from _check_words(found, path)
        if found.value.at("branches") and found.value.at("targets"):
            yield _finding(
                "DF301", Severity.WARNING, f"{action.title} has both `branches` and `targets`; they are taken together",
                found.value.at("branches"), f"{path}.branches", "`branches` is the older name; keep `targets`",
            )  # fmt: skip
    if found.kind == "cron":
        yield from _check_cron(found, action, path)


def _check_patterns(found: Condition, path: str) -> Iterator[Diagnostic]:
    table: Table = ON
    for part in found.path:
        shape = table.by_name[part].shape
        table = shape if isinstance(shape, Table) else table
    for field in table.fields:
        shape = field.shape
        if not (
            isinstance(shape, ListOf)
            and isinstance(shape.item, Text)
            and shape.item.kind in ("glob", "path-glob")
        ):
            continue
        values = found.value.at(field.name)
        for index, item in enumerate(
            values.data if values is not None and isinstance(values.data, list) else ()
        ):
            if isinstance(item.data, str):
                yield from _check_pattern(
                    item, item.data, f"{path}.{field.name}[{index}]", paths=shape.item.kind == "path-glob"
                )


def _check_pattern(item: Value, pattern: str, path: str, *, paths: bool) -> Iterator[Diagnostic]:
    try:
        glob.check((pattern,))
    except glob.GlobError as error:
        yield _finding("DF303", Severity.ERROR, f'"{pattern}" is no pattern: {error}', item, path)
        return
    never = [char for char in _NEVER_IN_REFS if char in pattern]
    if never and not paths:
        yield _finding(
            "DF303", Severity.WARNING, f'the pattern "{pattern}" never matches: no branch or tag holds "{never[0]}"', item,
            path, "write one pattern an entry" if never[0] == " " else "",
        )  # fmt: skip


def _push_tags(found: Condition, action: Action, path: str) -> Diagnostic:
    tags = found.value.at("tags")
    keys = found.value.keys
    fix = None
    if tags is not None and found.value.data == {"tags": tags} and keys and tags.keys:
        edits = [Edit(key, relabelled(key, "tag")) for key in keys]
        edits += [Edit(key, relabelled(key, "names")) for key in tags.keys]
        fix = Fix("write it as a tag condition", tuple(edits), safe=False)
    return Diagnostic(
        "DF101",
        Severity.WARNING,
        f"a push has no tags; {action.title} never fires",
        (tags.key or tags.span) if tags is not None else None,
        help='pushed tags are a condition of their own: `tag: names: ["v*"]`',
        path=f"{path}.tags",
        fix=fix,
    )


def _check_words(found: Condition, path: str) -> Iterator[Diagnostic]:
    words = found.value.at("chatops")
    for index, item in enumerate(words.data if words is not None and isinstance(words.data, list) else ()):
        word, here = item.data, f"{path}.chatops[{index}]"
        if not isinstance(word, str):
            continue
        fix = None
        if word.startswith("/") and item.span is not None and item.span.text.count("/") == 1:
            fix = Fix("remove the slash", (Edit(item.span, item.span.text.replace("/", "")),), safe=True)
        if word.startswith("/"):
            yield _finding(
                "DF307", Severity.WARNING, f'the chatop "{word}" never matches: its slash is implied', item, here,
                f'write "{word.lstrip("/")}" for comments that start with {word}', fix=fix,
            )  # fmt: skip
        elif not word or word.split() != [word]:
            yield _finding(
                "DF307", Severity.WARNING, f'the chatop "{word}" never matches: only the first word of a comment is compared',
                item, here, "write one word; the words after it are $(context.chatop.args)",
            )  # fmt: skip


def _check_cron(found: Condition, action: Action, path: str) -> Iterator[Diagnostic]:
    if found.schedule is not None:
        try:
            quantities.schedule(found.schedule)
        except ValueError as error:
            place = found.value.at("schedule")
            yield _finding(
                "DF305", Severity.ERROR, f'the schedule "{found.schedule}" is not valid', place, f"{path}.schedule", str(error)
            )  # fmt: skip
    if not action.name:
        yield _finding(
            "DF306", Severity.ERROR, f"{action.title} has a cron condition and needs a name", action.value,
            f"actions[{action.index}].name", 'such as name: "nightly"',
        )  # fmt: skip
    elif len(action.name) > 52:
        yield _finding(
            "DF501", Severity.ERROR, f"the name of a cron action has at most 52 characters, not {len(action.name)}",
            action.value.at("name"), f"actions[{action.index}].name",
        )  # fmt: skip


def _check_name(action: Action, named: dict[str, Action]) -> Iterator[Diagnostic]:
    if action.name is None:
        return
    first = named.setdefault(action.name, action)
    place = first.value.at("name")
    if first is not action:
        also = (Related(place.span, "first used here"),) if place is not None and place.span else ()
        yield _finding(
            "DF105", Severity.ERROR, f'two actions are named "{action.name}"', action.value.at("name"),
            f"actions[{action.index}].name", "names of actions are unique in a file", related=also,
        )  # fmt: skip
