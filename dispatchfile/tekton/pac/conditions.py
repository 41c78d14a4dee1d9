"""Conditions of actions as what Pipelines-as-Code (PaC) asks of an event: annotations, CEL, or (`comments.py`) words.

Plain annotations where they say the same as the condition, for every version of PaC knows them: whole names and `*` for
branches and tags, whole names and `**` for paths. PaC reads them with gobwas/glob without separators, splits a list at
its commas, and takes a list of paths for "one of these changed". Classes, alternatives, negatives, sources, labels, and
a single `*` in paths are asked for in CEL. PaC is told of pushes of branches and tags, of pull requests and of comments
on them; of no releases, schedules or registries.

What a version of PaC must have, by the pull requests that brought it: branches compared as a whole, not by their last
part, #1366 (2023-08); `body` in CEL and in placeholders, #1466 (2023-10); `files` there, #1524 (2023-12); `on-comment`
and `on-path-change`, OpenShift Pipelines 1.15 (2024-06); `git_tag`, #2041 (2025-04); `cel:`, #2363 (2026-01).

PaC takes /test, /retest, /ok-to-test and /cancel for its own. It starts runs on two more occasions than Dispatch did:
where plain annotations match, when a draft becomes ready for review; and on GitHub, when the comment is on a pushed
commit. And it may take a branch that is called `refs/heads/x` for one that is called `x`.
"""

from __future__ import annotations

import re

from dispatchfile.tekton import cel
from dispatchfile.tekton.pac import clauses, comments
from dispatchfile.tekton.pac.match import Inexpressible, Match, Never

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.model.pipeline import Condition


def matches(condition: Condition, used: Sequence[str]) -> tuple[Match, ...]:
    """Return what starts the runs of a condition: several where a parameter, of those used, depends on the word.

    Raises Inexpressible for what PaC cannot be asked for. All patterns of the condition can be read.
    """
    if condition.kind == "push":
        return (_push(condition),)
    if condition.kind == "tag":
        return (_tag(condition),)
    if condition.kind == "pull_request":
        return comments.matches(condition, used) if condition.chatops else (_pull_request(condition, used),)
    raise Inexpressible(*_ELSEWHERE[condition.kind])


_ELSEWHERE = {
    "release": (
        "tags",
        "Pipelines-as-Code is told of no releases",
        "Tekton Triggers are: dispatchfile tekton --target triggers",
    ),
    "cron": (
        "schedule",
        "Pipelines-as-Code has no schedules",
        "dispatchfile tekton --target triggers emits a CronJob; here it takes one that calls an incoming webhook",
    ),
    "image": (
        "tags",
        "Pipelines-as-Code is told of no pushes to registries",
        "Tekton Triggers are: dispatchfile tekton --target triggers",
    ),
}


def _push(condition: Condition) -> Match:
    if condition.push_tags is not None:
        message = "a push has no such condition: nothing fires the action"
        raise Never("tags", message, "for pushed tags write `on: tag: names`")
    branches, paths = condition.branches or (), condition.paths or ()
    if _plain_names(branches) and _plain_paths(paths):
        return Match(_annotations("push", [f"refs/heads/{name}" for name in branches or ("*",)], paths))
    # PaC cuts `refs/heads/` off where the expression does not name it, and nothing off a tag.
    branches, paths = _without_heads(branches), _without_heads(paths)
    a_branch = "!target_branch.startsWith('refs/tags/')"
    return _asked("event == 'push'", a_branch, *cel.takes(branches, "target_branch"), *clauses.files(paths))


def _without_heads(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return patterns that match the same, and whose expression does not name `refs/heads/`."""
    return tuple(pattern.replace("refs/heads/", "refs/[h]eads/") for pattern in patterns)


def _tag(condition: Condition) -> Match:
    names = condition.names or ()
    if _plain_names(names):
        return Match(_annotations("push", [f"refs/tags/{name}" for name in names or ("*",)], ()))
    return _asked("event == 'push'", *clauses.of_tag(names))


def _pull_request(condition: Condition, used: Sequence[str]) -> Match:
    targets, paths, with_branch = condition.targets or (), condition.paths or (), "git-branch" in used
    asks_more = condition.sources or condition.labels or with_branch
    if not asks_more and _plain_names(targets) and _plain_paths(paths):
        return Match(_annotations("pull_request", targets or ("*",), paths))
    return _asked(
        "event == 'pull_request'",
        clauses.NEW_COMMITS,
        clauses.NO_GITLAB_LABELS,
        *cel.takes(targets, "target_branch"),
        *cel.takes(condition.sources or (), "source_branch"),
        *clauses.of_labels(condition.labels or ()),
        *clauses.files(paths),
        *((clauses.SAFE_SOURCE,) if with_branch else ()),
    )


# Annotations


def _plain_names(patterns: Iterable[str]) -> bool:
    """Return whether PaC reads all these patterns of branches or tags as they are meant."""
    return all(_listable(pattern) and not pattern.startswith("refs/") for pattern in patterns)


def _plain_paths(patterns: Iterable[str]) -> bool:
    """Return whether PaC, whose `*` crosses `/`, reads all these patterns of paths as they are meant."""
    return all(
        _listable(pattern)
        and re.fullmatch(r"(?:[^*]|\*{2,})*", pattern) is not None
        and not re.match(r"\*{2,}/|refs/", pattern)
        for pattern in patterns
    )


def _listable(pattern: str) -> bool:
    """Return whether a pattern may stand in a list: positive, without classes, alternatives, and commas."""
    return (
        not pattern.startswith("!")
        and not set(pattern) & set("?[]{}\\,")
        and "&#44;" not in pattern
        and pattern.isprintable()
        and pattern == pattern.strip()
    )


def _annotations(event: str, branches: Sequence[str], paths: Sequence[str]) -> dict[str, str]:
    made = {"on-event": f"[{event}]", "on-target-branch": f"[{', '.join(branches)}]"}
    return {**made, "on-path-change": f"[{', '.join(paths)}]"} if paths else made


def _asked(*every: str) -> Match:
    return Match({"on-cel-expression": "\n&& ".join(every)})
