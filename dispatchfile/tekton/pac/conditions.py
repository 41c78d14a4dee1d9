"""Conditions of actions as what Pipelines-as-Code (PaC) asks of an event: annotations, CEL, or a comment's words.

Plain annotations where they say the same as the condition, for every version of PaC knows them: whole names and `*` for
branches and tags, whole names and `**` for paths. PaC reads them with gobwas/glob without separators, splits a list at
its commas, and takes a list of paths for "one of these changed". Classes, alternatives, negatives, sources, labels, and
a single `*` in paths are asked for in CEL. PaC is told of pushes of branches and tags, of pull requests and of comments
on them; of no releases, schedules or registries.

What a version of PaC must have, by the pull requests that brought it: branches compared as a whole, not by their last
part, #1366 (2023-08); `body` in CEL and in placeholders, #1466 (2023-10); `files` there, #1524 (2023-12); `on-comment`
and `on-path-change`, OpenShift Pipelines 1.15 (2024-06); `git_tag`, #2041 (2025-04); `cel:`, #2363 (2026-01).

A comment is matched by its text alone: with `on-comment` PaC looks at no other annotation. The rest of such a condition
is asked by the run itself: each task has it as `when`, and is skipped where it does not hold, so that the run ends well
and did nothing. Names of branches are compared by Tekton; patterns of branches need `cel:`, labels `body`, and paths
`files`. A version that lacks them leaves the placeholder as it is, and nothing runs.

PaC takes /test, /retest, /ok-to-test and /cancel for its own. It starts runs on two more occasions than Dispatch did:
where plain annotations match, when a draft becomes ready for review; and on GitHub, when the comment is on a pushed
commit. And it does not tell a branch that is called `refs/heads/x` from one that is called `x`.
"""

from __future__ import annotations

import re

from dispatchfile import glob
from dispatchfile.record import Record
from dispatchfile.tekton import cel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dispatchfile.model.pipeline import Condition

OWN_WORDS = {
    "test": "the runs of the pull request again too, and with a word behind it only the run of that name",
    "retest": "the runs that failed again too, and with a word behind it only the run of that name",
    "ok-to-test": "the runs that wait for an approval too",
}
"""Words of comments that PaC takes for its own before it looks for ours, and what they start."""
CANCEL = "cancel"
"""The word after which PaC looks for nothing."""

NO_LABELS = "!(has(body.action) && body.action in ['labeled', 'unlabeled', 'label_updated', 'label_cleared'])"
"""The clause that the event is no change of labels, on which PaC asks CEL, and only CEL (GitHub, Forgejo)."""
NO_GITLAB_LABELS = (
    "!(has(body.object_attributes) && body.object_attributes.action == 'update' && "
    "(!has(body.object_attributes.oldrev) || body.object_attributes.oldrev == ''))"
)
SAFE_SOURCE = "!source_branch.matches('[{][{]|[$][(]')"
"""The clause that neither PaC nor Tekton nor the kubelet finds anything to fill in inside a branch's name."""

# What a comment may hold whose words become a value: no `{{` and no `$(`, and nothing that ends a line of YAML but the
# line ends that PaC itself takes out.
_ODD = r"\x00-\x08\x0a-\x1f\x7f-\x9f\x{2028}\x{2029}\x{feff}\x{fffe}\x{ffff}"
_CHAR = rf"[^{{${_ODD}]|\r?\n"
SAFE_COMMENT = rf"(?:{_CHAR}|\$*\{{(?:{_CHAR})|\$+(?:[^{{$({_ODD}]|\r?\n))*\$*\{{?"


class Inexpressible(Exception):
    """What PaC cannot be asked for; its arguments are the field of the condition, what is wrong, and what to do."""

    def __init__(self, field: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.mend = mend


class Guard(Record):
    """What each task of a run asks besides: the value that PaC fills in is among `values`, or none of them."""

    param: str
    placeholder: str
    operator: str
    values: tuple[str, ...]


class Match(Record):
    """What starts a run: annotations, without the group they belong to, and guards. `word` is the comment's first."""

    annotations: Mapping[str, str]
    guards: tuple[Guard, ...] = ()
    word: str = ""


def matches(condition: Condition, used: Sequence[str]) -> tuple[Match, ...]:
    """Return what starts the runs of a condition: several where a parameter, of those used, depends on the word.

    Raises Inexpressible for what PaC cannot be asked for, and GlobError for a pattern that cannot be read.
    """
    for patterns in (
        condition.branches,
        condition.names,
        condition.targets,
        condition.sources,
        condition.paths,
    ):
        glob.check(patterns or ())
    if condition.kind == "push":
        return (_push(condition),)
    if condition.kind == "tag":
        return (_tag(condition),)
    if condition.kind == "pull_request":
        return _comments(condition, used) if condition.chatops else (_pull_request(condition, used),)
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
        raise Inexpressible("tags", message, "for pushed tags write `on: tag: names`")
    branches, paths = condition.branches or (), condition.paths or ()
    if _plain_names(branches) and _plain_paths(paths):
        return Match(_annotations("push", [f"refs/heads/{name}" for name in branches or ("*",)], paths))
    # PaC cuts `refs/heads/` off where no expression names it, and nothing off a tag.
    a_branch = "!target_branch.startsWith('refs/tags/')"
    return _asked("event == 'push'", a_branch, *cel.takes(branches, "target_branch"), *_files(paths))


def _tag(condition: Condition) -> Match:
    names = condition.names or ()
    if _plain_names(names):
        return Match(_annotations("push", [f"refs/tags/{name}" for name in names or ("*",)], ()))
    return _asked("event == 'push'", *_of_tag(names))


def _pull_request(condition: Condition, used: Sequence[str]) -> Match:
    targets, paths, with_branch = condition.targets or (), condition.paths or (), "git-branch" in used
    asks_more = condition.sources or condition.labels or with_branch
    if not asks_more and _plain_names(targets) and _plain_paths(paths):
        return Match(_annotations("pull_request", targets or ("*",), paths))
    return _asked(
        "event == 'pull_request'",
        NO_LABELS,
        NO_GITLAB_LABELS,
        *cel.takes(targets, "target_branch"),
        *cel.takes(condition.sources or (), "source_branch"),
        *_labels(condition.labels or ()),
        *_files(paths),
        *((SAFE_SOURCE,) if with_branch else ()),
    )


# Comments


def _comments(condition: Condition, used: Sequence[str]) -> tuple[Match, ...]:
    """Return the match of all words, or one for each where the run must be told which it was."""
    words = [word for word in dict.fromkeys(condition.chatops or ()) if word.split() == [word]]
    if not words:
        message = "no comment begins with such a word: nothing fires the action"
        raise Inexpressible("chatops", message, "write the first word of a comment, without its slash")
    if CANCEL in words:
        message = (
            'Pipelines-as-Code takes the comment "/cancel" for its own, which cancels runs and starts none'
        )
        raise Inexpressible("chatops", message, "choose another word")
    guards = _guards(condition)
    groups = [[word] for word in words] if "chatop-command" in used else [words]
    behind = rf"(?:\s{SAFE_COMMENT})?$" if "chatop-args" in used else r"(?:\s|$)"
    return tuple(
        Match({"on-comment": f"^/{_one_of(group)}{behind}"}, guards, group[0] if len(group) == 1 else "")
        for group in groups
    )


def _one_of(words: Sequence[str]) -> str:
    quoted = [cel.quoted(word) for word in words]
    return quoted[0] if len(quoted) == 1 else f"(?:{'|'.join(quoted)})"


def _guards(condition: Condition) -> tuple[Guard, ...]:
    """Return what a comment's run asks besides the words of the comment."""
    guards = [
        *_branch_guards("target", condition.targets or ()),
        *_branch_guards("source", condition.sources or ()),
    ]
    for name, clauses in (
        ("labels", _comment_labels(condition.labels or ())),
        ("paths", _files(condition.paths or ())),
    ):
        if clauses:
            guards.append(_asked_guard(f"dispatch-{name}", clauses))
    return tuple(guards)


def _branch_guards(side: str, patterns: Sequence[str]) -> Iterable[Guard]:
    """Yield the guards of a branch: against whole names where there are only such, which every version of PaC can."""
    if any(set(pattern) & set("*?[]{}\\") for pattern in patterns):
        clauses = cel.takes(patterns, f"pac.{side}_branch")
        if clauses:
            yield _asked_guard(f"dispatch-{side}-branch", ["cel: true", *clauses])
        return
    placeholder = f"{{{{ {side}_branch }}}}"
    for operator, listed in (
        ("in", [pattern for pattern in patterns if not pattern.startswith("!")]),
        ("notin", [pattern[1:] for pattern in patterns if pattern.startswith("!")]),
    ):
        if listed:
            yield Guard(f"dispatch-{side}-branch", placeholder, operator, tuple(dict.fromkeys(listed)))


def _asked_guard(param: str, clauses: Sequence[str]) -> Guard:
    """Return the guard that all of some clauses hold, which PaC works out; its placeholder ends at the first `}`."""
    asked = " && ".join(clauses).replace("\\}", r"\x7d")
    return Guard(param, f"{{{{ {asked} }}}}", "in", ("true",))


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


# CEL


def _asked(*clauses: str) -> Match:
    return Match({"on-cel-expression": "\n&& ".join(clauses)})


def _of_tag(patterns: Sequence[str]) -> list[str]:
    """Return clauses about a pushed tag. Each names `refs/heads/`, so that PaC does not cut it off a branch's name."""
    clauses = []
    for negated in (False, True):
        listed = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!") == negated]
        if negated and not listed:
            continue
        names = "|".join(glob.to_regex(pattern)[1:-1] for pattern in dict.fromkeys(listed)) or ".*"
        asked = f"{'!' * negated}target_branch.matches({cel.literal(f'^refs/tags/({names})$')})"
        clauses.append(f"(target_branch.startsWith('refs/heads/') ? false : {asked})")
    return clauses


def _files(patterns: Sequence[str]) -> list[str]:
    taken = cel.takes(patterns, "f", "path")
    return [f"files.all.exists(f, {' && '.join(taken) or 'true'})"] if patterns else []


def _labels(labels: Sequence[str]) -> list[str]:
    """Return a clause for each label, which forges list in three ways: PaC asks CEL again on /retest."""
    return [
        f"{'!' * label.startswith('!')}({_has_label('body.pull_request', 'name', label)} || "
        f"{_has_label('body.issue', 'name', label)} || {_has_label('body', 'title', label)})"
        for label in labels
    ]


def _comment_labels(labels: Sequence[str]) -> list[str]:
    """Return clauses for a comment; each begins with `body`, by which PaC knows what is CEL."""
    clauses = []
    for label in labels:
        holds = (
            f"{_has_label('body.issue', 'name', label)} || {_has_label('body.merge_request', 'title', label)}"
        )
        clauses.append(f"{'!' * label.startswith('!')}({holds})")
    return ["body.size() > 0", *clauses] if clauses else []


def _has_label(holder: str, field: str, label: str) -> str:
    there = f"has({holder}) && " if holder != "body" else ""
    named = f"l.{field} == {_quoted(label.removeprefix('!'))}"
    return f"({there}has({holder}.labels) && {holder}.labels.exists(l, {named}))"


def _quoted(text: str) -> str:
    """Return a text as a string of CEL in which PaC finds no braces of its own."""
    kept = (char if char.isprintable() and char not in "'\\{}" else f"\\U{ord(char):08x}" for char in text)
    return f"'{''.join(kept)}'"
