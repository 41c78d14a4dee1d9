"""The `on` of an action: one condition, written as Dispatch 1.4 has it (`git: push:`) or in the older direct form.

`on push tags` stands in many real files and in no reference: Go's JSON decoding dropped the field, so that the
action fired on every push. Nobody meant that. Here such an action is a warning and fires on no push;
`Condition.push_tags` lets a caller treat it as a tag condition where the user asks for that.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.model import patterns
from dispatchfile.model.edits import relabelled, reworded
from dispatchfile.model.pipeline import Action, Condition, Pipeline
from dispatchfile.model.schema import ON, ON_GIT
from dispatchfile.model.steps import text, texts
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
    for action in pipeline.actions:
        if isinstance(action.value.data, dict):
            yield from _check_on(action)
    names = [action.name for action in pipeline.actions if action.name]
    if len(set(names)) < len(names) or any(one.on and one.on.kind == "cron" for one in pipeline.actions):
        from dispatchfile.model import action_names

        yield from action_names.check(pipeline)


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
            "such as on: git: push: branches: [\"main\"]",
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
    yield from patterns.check(found, action, path)
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
        from dispatchfile.model import schedules

        yield from schedules.check(found, action, path)


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
        if not isinstance(word, str) or (word.split() == [word] and not word.startswith("/")):
            continue
        meant = next(iter(word.strip().lstrip("/").split()), "")
        problem = (
            "its slash is implied" if word.startswith("/") else "only the first word of a comment is compared"
        )
        advice = f'write "{meant}" for comments that start with /{meant}' if meant else "write a word"
        if " " in word.strip():
            advice += "; the words after it are $(context.chatop.args)"
        edit = reworded(item.span, word, meant) if meant else None
        yield _finding(
            "DF307", Severity.WARNING, f'the chatop "{word}" never matches: {problem}', item, here, advice,
            fix=Fix(f'write "{meant}"', (edit,), safe=len(word.split()) == 1) if edit is not None else None,
        )  # fmt: skip
