"""Whether an action fires on an event, and which condition decided (Dispatch 1.4, "Conditions")."""

from __future__ import annotations

from dispatchfile import glob
from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.errors import EvaluationError, UsageError
from dispatchfile.event.decision import Decision, Reason
from dispatchfile.spelling import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatchfile.event.event import Event
    from dispatchfile.model.pipeline import Action, Condition
    from dispatchfile.source import Span

WORDS = {
    "push": "a push to a branch",
    "tag": "a pushed tag",
    "pull_request": "a pull request",
    "release": "a release",
    "cron": "a schedule",
    "image": "a pushed image",
}


def decide_all(actions: Sequence[Action], event: Event) -> tuple[Decision, ...]:
    """Return the decision of every action, in order; raises as `decide`, and UsageError for an unknown cron action."""
    if event.kind == "cron" and event.action is not None:
        due = [action for action in actions if action.on and action.on.kind == "cron"]
        if not any(event.action in (action.name, action.on and action.on.schedule) for action in due):
            names = [action.name for action in due if action.name]
            near = nearest(event.action, names)
            known = (
                f"the cron actions are {', '.join(names)}" if names else "the file has no named cron action"
            )
            raise UsageError(
                f'--action "{event.action}" is no cron action of the file',
                help=f'did you mean "{near}"?' if near else known,
            )
    return tuple(decide(action, event) for action in actions)


def decide(action: Action, event: Event) -> Decision:
    """Return whether an action fires on an event, with the conditions in the order they were asked.

    A fact the event does not know is asked for only while every condition before it holds. Raises UsageError, which
    names the flag, for such a fact, and EvaluationError for a pattern that cannot be read.
    """
    reasons = tuple(_reasons(action, event))
    return Decision(action, all(reason.holds for reason in reasons), reasons)


def _reasons(action: Action, event: Event) -> Iterator[Reason]:
    condition = action.on
    if condition is None:
        yield _no("on", "it has no condition, so nothing fires it", span=action.value.span)
        return
    field, span = ".".join(("on", *condition.path)), condition.value.key or condition.value.span
    if condition.kind != event.kind:
        message = f"waits for {WORDS[condition.kind]}, this is {WORDS[event.kind]}"
        if condition.push_tags and event.kind == "tag":
            message += "; for pushed tags write `on: tag: names`"
        yield _no(field, message, span)
        return
    yield _yes(field, f"this is {WORDS[event.kind]}", span)
    for reason in CONDITIONS[condition.kind](action, condition, event):
        yield reason
        if not reason.holds:
            return


def _push(_action: Action, condition: Condition, event: Event) -> Iterator[Reason]:
    if condition.push_tags is not None:
        message = "a push has no such condition, so nothing fires it; for pushed tags write `on: tag: names`"
        yield _no(field_path(condition, "tags"), message, _span(condition, "tags"))
    yield from _globs(condition, "branches", condition.branches, event.branch, "branch", "--branch")
    yield from _paths(condition, event)


def _tag(_action: Action, condition: Condition, event: Event) -> Iterator[Reason]:
    yield from _globs(condition, "names", condition.names, event.tag, "tag", "--tag")


def _tags(_action: Action, condition: Condition, event: Event) -> Iterator[Reason]:
    yield from _globs(condition, "tags", condition.tags, event.tag, "tag", "--tag")


def _pull_request(_action: Action, condition: Condition, event: Event) -> Iterator[Reason]:
    yield from _chatops(condition, event)
    targets = "targets" if condition.value.at("targets") else "branches"
    yield from _globs(condition, targets, condition.targets, event.target, "target branch", "--target")
    yield from _globs(condition, "sources", condition.sources, event.source, "source branch", "--source")
    yield from _labels(condition, event)
    yield from _paths(condition, event)


def _cron(action: Action, condition: Condition, event: Event) -> Iterator[Reason]:
    field, span = field_path(condition, "schedule"), _span(condition, "schedule")
    if event.action is None:
        yield _yes(field, f'"{condition.schedule}" is due: no --action was named', span=span)
        return
    holds = event.action in (action.name, condition.schedule)
    verb = "is" if holds else "is not"
    yield Reason(field, holds, f'{action.title} ("{condition.schedule}") {verb} "{event.action}"', span)


CONDITIONS = {
    "push": _push,
    "tag": _tag,
    "pull_request": _pull_request,
    "release": _tags,
    "cron": _cron,
    "image": _tags,
}


def _globs(
    condition: Condition, name: str, patterns: tuple[str, ...] | None, value: str | None, what: str, flag: str
) -> Iterator[Reason]:
    """Yield what the patterns say of one value, or nothing when the condition has none."""
    if not patterns:
        return
    if value is None:
        raise _missing(condition, name, flag)
    verdict = _verdict(condition, name, patterns, value, "name")
    yield Reason(
        field_path(condition, name),
        verdict.holds,
        f'{what} "{value}" {_because(verdict, patterns)}',
        _span(condition, name, verdict.pattern),
    )


def _paths(condition: Condition, event: Event) -> Iterator[Reason]:
    """Yield whether at least one changed path is taken."""
    patterns = condition.paths
    if not patterns:
        return
    if event.paths is None:
        raise _missing(condition, "paths", "the changed paths with --path, or --base REV to compare with")
    for path in event.paths:
        verdict = _verdict(condition, "paths", patterns, path, "path")
        if verdict.holds:
            message = f'changed path "{path}" {_because(verdict, patterns)}'
            yield _yes(
                field_path(condition, "paths"),
                message,
                _span(condition, "paths", verdict.pattern),
            )
            return
    changed = (
        f"none of the {len(event.paths)} changed paths is" if event.paths else "no path changed, so none is"
    )
    yield _no(
        field_path(condition, "paths"),
        f"{changed} taken by {_listed(patterns)}",
        _span(condition, "paths"),
    )


def _chatops(condition: Condition, event: Event) -> Iterator[Reason]:
    """Yield whether the comment's first word is one of the commands; without chatops only pushes fire."""
    span, field = _span(condition, "chatops"), field_path(condition, "chatops")
    words = condition.chatops
    if not words:
        if event.chatop is not None:
            message = f'has no chatops, so the comment "/{" ".join(event.chatop)}" does not fire it'
            yield _no(".".join(("on", *condition.path)), message, condition.value.span)
        return
    if not event.chatop:
        wanted = " or ".join(f'"/{word.lstrip("/")}"' for word in words)
        yield _no(field, f"fires on the comment {wanted} only, not on pushes (--chatop)", span)
        return
    holds = event.chatop[0] in words
    said = f'the comment says "/{event.chatop[0]}"'
    message = said if holds else f"{said}, not one of {_listed(words)}"
    if not holds and f"/{event.chatop[0]}" in words:
        message = f"{said}; the file must name it without the slash"
    yield Reason(field, holds, message, _span(condition, "chatops", event.chatop[0] if holds else None))


def _labels(condition: Condition, event: Event) -> Iterator[Reason]:
    """Yield whether every listed label is there, and every one with a `!` is not."""
    if not condition.labels:
        return
    if event.labels is None:
        raise _missing(condition, "labels", '--label (--label "" for none)')
    field = field_path(condition, "labels")
    for label in condition.labels:
        negative, name = label.startswith("!"), label.removeprefix("!")
        if (name in event.labels) == negative:
            message = f'the label "{name}" is {"there" if negative else "missing"}'
            yield _no(field, message, _span(condition, "labels", label))
            return
    yield _yes(field, f"the labels are as {_listed(condition.labels)} asks", _span(condition, "labels"))


def unreadable(condition: Condition, name: str, patterns: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield an error for each pattern, of the field of this name, that cannot be read."""
    for pattern in patterns:
        try:
            glob.check((pattern,))
        except glob.GlobError as error:
            yield Diagnostic(
                "DF303",
                Severity.ERROR,
                f'the pattern "{pattern}" cannot be read: {error.message}',
                _span(condition, name, pattern),
                path=field_path(condition, name),
                help="a backslash takes the next character as it is",
            )


def _verdict(
    condition: Condition, name: str, patterns: Sequence[str], value: str, mode: glob.Mode
) -> glob.Verdict:
    for found in unreadable(condition, name, patterns):
        raise EvaluationError("a condition holds a pattern that cannot be read", [found])
    return glob.decide(patterns, value, mode)


def _because(verdict: glob.Verdict, patterns: Sequence[str]) -> str:
    if verdict.pattern is not None:
        return f'{"matches" if verdict.holds else "is excluded by"} "{verdict.pattern}"'
    if verdict.holds:
        return f"is not excluded by {_listed(patterns)}"
    return f"matches none of {_listed([pattern for pattern in patterns if not pattern.startswith('!')])}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _missing(condition: Condition, name: str, flag: str) -> UsageError:
    span = _span(condition, name)
    place = f" ({span})" if span else ""
    return UsageError(
        f"{field_path(condition, name)}{place} asks for a fact that is not known", help=f"give {flag}"
    )


def _yes(field: str, message: str, span: Span | None) -> Reason:
    return Reason(field, holds=True, message=message, span=span)


def _no(field: str, message: str, span: Span | None) -> Reason:
    return Reason(field, holds=False, message=message, span=span)


def field_path(condition: Condition, name: str) -> str:
    """Return the path of a field of a condition."""
    return ".".join(("on", *condition.path, name))


def _span(condition: Condition, name: str, decided: str | None = None) -> Span | None:
    """Return where the pattern that decided stands, else the field, else the condition."""
    value = condition.value.at(name)
    if value is None:
        return condition.value.span
    items = value.data if isinstance(value.data, list) else []
    found = next((item.span for item in items if decided is not None and item.data == decided), None)
    return found or value.span
