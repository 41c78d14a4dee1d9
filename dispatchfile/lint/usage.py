"""What a pipeline uses: which events can run a task, and which resources tasks take or make."""

from __future__ import annotations

from functools import lru_cache

from dispatchfile.model import references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.lint.rule import Subject
    from dispatchfile.model.pipeline import Action
    from dispatchfile.source import Span

_PATTERN = frozenset("*?[{\\")


@lru_cache(maxsize=4)
def events(subject: Subject) -> Mapping[str, frozenset[str]]:
    """Return, for each task, what can run it, directly or as something that another task needs; nothing: no action does.

    The words are the kinds of conditions; "any branch" beside "push" when its patterns leave the branch open,
    "chatop" beside "pull_request" when a comment fires it, and "unknown" for an action whose condition is not clear.
    """
    pipeline = subject.pipeline
    if pipeline is None:
        return {}
    made_by = references.makers(pipeline)
    found: dict[str, frozenset[str]] = dict.fromkeys(pipeline.tasks, frozenset())
    waiting = [(name, _words(action)) for action in pipeline.actions for name in action.tasks]
    while waiting:
        name, words = waiting.pop()
        if name not in found or words <= found[name]:
            continue
        found[name] |= words
        needed = references.needs(pipeline.tasks[name], pipeline, made_by)
        waiting.extend((other, words) for other in needed)
    return found


def _words(action: Action) -> frozenset[str]:
    condition = action.on
    if condition is None:
        return frozenset(("unknown",))
    words = {str(condition.kind)}
    if condition.kind == "push" and not _names_branches(condition.branches or ()):
        words.add("any branch")
    if condition.push_tags is not None:
        words.add("tag")
    if condition.chatops:
        words.add("chatop")
    return frozenset(words)


def _names_branches(patterns: tuple[str, ...]) -> bool:
    """Return whether patterns take nothing but branches that they name in full."""
    positive = [pattern for pattern in patterns if not pattern.startswith("!")]
    return bool(positive) and all(_PATTERN.isdisjoint(pattern) for pattern in positive)


def users(subject: Subject) -> Mapping[str, list[str]]:
    """Return, for each resource, the tasks that take or make it."""
    pipeline = subject.pipeline
    found: dict[str, list[str]] = {name: [] for name in pipeline.resources} if pipeline else {}
    for task in pipeline.tasks.values() if pipeline else ():
        for name in dict.fromkeys((*task.inputs, *task.outputs)):
            if name in found:
                found[name].append(task.name)
    return found


@lru_cache(maxsize=8)
def sharers(subject: Subject, field: str) -> Mapping[Span, list[str]]:
    """Return the tasks that have a field written at a place, for each place."""
    found: dict[Span, list[str]] = {}
    for task in subject.pipeline.tasks.values() if subject.pipeline else ():
        value = task.value.at(field)
        for span in value.spans if value is not None else ():
            found.setdefault(span, []).append(task.name)
    return found
