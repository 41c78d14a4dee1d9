"""Conditions of actions as what an EventListener asks of a webhook: of GitHub, or of a registry for pushed images.

The facts are those of `event.payload` and the answers those of `event.match`, with three differences, which Triggers
forces. A name or comment with `$(` in it starts nothing: Triggers, Tekton and the kubelet would each take that for
their own. A name that git would refuse starts nothing, as everywhere here, and neither does one that begins with `-`.
And of a pull request the changed paths come from Triggers as one text, joined by commas: a path with a comma in it is
taken for two. (Those of a push are read from its commits, of which GitHub lists the first 2048.)

An expression that fails, such as one that asks for a field that is not there, counts as not true.
"""

from __future__ import annotations

from dispatchfile.diagnostics import Diagnostic, Severity
from dispatchfile.event.payload import UNSAFE_NAME
from dispatchfile.model import variables
from dispatchfile.record import Record
from dispatchfile.tekton import cel
from dispatchfile.tekton.conditions import NO_WORD, field_of, finding, unreadable, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dispatchfile.model.pipeline import Action, Condition
    from dispatchfile.tekton.draft import Draft

ON_COMMENT = "issue_comment"
"""GitHub's name of the webhook of a comment."""
BY_MEMBER = "body.comment.author_association in ['OWNER', 'MEMBER', 'COLLABORATOR']"
"""The clause that who wrote a comment may push to the repository, or belongs to its organization."""
UNSAFE = rf"{UNSAFE_NAME.pattern}|\$\("
"""Names that are not handed on."""
BRANCH, TAG = "body.ref.substring(11)", "body.ref.substring(10)"
COMMENT = "comment"
"""The words of a comment's first line."""
PUSHED_COMMIT = "!has(body.head_commit) || body.head_commit == null ? body.after : body.head_commit.id"
FULL_HASH = "^[0-9a-f]{40}$"


MISSING = {
    ON_COMMENT: "the webhook of a comment does not tell the commit: $(context.git.commit) is refs/pull/N/head",
    "release": "the webhook of a release need not tell the commit: $(context.git.commit) may be refs/tags/TAG",
    "": "a registry does not tell a commit: $(context.git.commit) is the name of a branch",
}
"""What texts should know that take the commit of an event without one, by `Match.event`."""


class Match(Record):
    """What fires an action: `event` is GitHub's name of the webhook, or "" where it comes from a registry.

    All of `clauses` must hold. `values` are expressions for the parameters of the context that such an event has, by
    their names. `derived` are those that take the value COMMENT, and then must hold `guards`; they see it, as all
    values, in `extensions`. `hashed` says that the value of `git-commit` is a full hash.
    """

    event: str
    clauses: tuple[str, ...]
    values: Mapping[str, str]
    derived: Mapping[str, str] = {}
    guards: tuple[str, ...] = ()
    hashed: bool = False
    changed_files: bool = False


def match(action: Action, found: list[Diagnostic]) -> Match | None:
    """Return what fires an action, or None where no webhook does; what cannot be expressed goes to `found`."""
    condition = action.on
    if condition is None or condition.kind == "cron":
        return None
    wrong = list(unreadable(condition))
    found += wrong
    if wrong or condition.push_tags is not None:
        return None  # that nothing fires on tags of a push is told when the file is read
    return MATCHES[condition.kind](condition, found)


def _push(condition: Condition, _found: list[Diagnostic]) -> Match:
    return Match(
        "push",
        (
            "body.ref.startsWith('refs/heads/')",
            *_made(),
            _safe(BRANCH),
            *cel.takes(condition.branches or (), BRANCH),
            *_pushed_paths(condition.paths),
        ),
        _values(PUSHED_COMMIT, build=BRANCH, branch=BRANCH),
        hashed=True,
    )


def _tag(condition: Condition, _found: list[Diagnostic]) -> Match:
    return Match(
        "push",
        (
            "body.ref.startsWith('refs/tags/')",
            *_made(),
            _safe(TAG),
            *cel.takes(condition.names or (), TAG),
        ),
        _values(PUSHED_COMMIT, build=TAG, tag=TAG),
        hashed=True,
    )


def _pull_request(condition: Condition, found: list[Diagnostic]) -> Match | None:
    if condition.chatops:
        return _comment(condition, found)
    request = "body.pull_request"
    files = "has(extensions.changed_files) && extensions.changed_files.split(',')"
    return Match(
        "pull_request",
        (
            "body.action in ['opened', 'reopened', 'synchronize']",
            _safe(f"{request}.head.ref"),
            *cel.takes(condition.targets or (), f"{request}.base.ref"),
            *cel.takes(condition.sources or (), f"{request}.head.ref"),
            *_labels(condition.labels, f"{request}.labels"),
            *_some_path(condition.paths, files),
        ),
        _values(
            f"{request}.head.sha",
            build=f"'pr-' + {_number(f'{request}.number')}",
            branch=f"{request}.head.ref",
        ),
        hashed=True,
        changed_files=bool(condition.paths),
    )


def _comment(condition: Condition, found: list[Diagnostic]) -> Match | None:
    """Return the match of a comment; its webhook tells neither commit nor branches of the pull request."""
    beyond = [field for field in ("sources", "targets", "paths") if getattr(condition, field)]
    if beyond:
        found.extend(_cannot(condition, field_of(condition, field)) for field in beyond)
        return None
    asked = words(condition)
    if not asked:
        field, message, mend = NO_WORD
        found.append(finding(condition, field, Severity.WARNING, message, mend))
        return None
    command = f"^{cel.SPACE}*/({'|'.join(cel.quoted(word) for word in asked)})({cel.SPACE}|$)"
    number, said = _number("body.issue.number"), f"extensions.{COMMENT}"
    return Match(
        ON_COMMENT,
        (
            "body.action == 'created'",
            "has(body.issue.pull_request)",
            f"body.comment.body.matches({cel.literal(command)})",
            *_labels(condition.labels, "body.issue.labels"),
        ),
        {
            **_values(f"'refs/pull/' + {number} + '/head'", build=f"'pr-' + {number}"),
            COMMENT: cel.words_of_first_line("body.comment.body"),
        },
        {
            "chatop-command": f'{said}.split(" ")[0].substring(1)',
            "chatop-args": f'[{said} + " "].map(l, l.substring(l.indexOf(" ")).trim())[0]',
        },
        (f"!{said}.contains('$(')",),
    )


def _release(condition: Condition, _found: list[Diagnostic]) -> Match:
    tag, target = "body.release.tag_name", "body.release.target_commitish"
    return Match(
        "release",
        ("body.action == 'published'", _safe(tag), *cel.takes(condition.tags or (), tag)),
        _values(
            f"has({target}) && {target}.matches('{FULL_HASH}') ? {target} : 'refs/tags/' + {tag}",
            build=tag,
            tag=tag,
        ),
    )


def _image(condition: Condition, _found: list[Diagnostic]) -> Match:
    """Return the match of a notification of the Distribution registry, which may tell of several pushes: of the first.

    Only a manifest that gets a tag is a pushed image; layers, and manifests by their digest, are not.
    """
    pushed = " && ".join(
        ("e.action == 'push'", "has(e.target.tag)", _safe("e.target.tag"), *cel.takes(condition.tags or (), "e.target.tag"))
    )  # fmt: skip
    return Match(
        "",
        (f"body.events.exists(e, {pushed})",),
        {"build-name": f"body.events.filter(e, {pushed})[0].target.tag"},
    )


MATCHES = {
    "push": _push,
    "tag": _tag,
    "pull_request": _pull_request,
    "release": _release,
    "image": _image,
}


def _values(commit: str, *, build: str, branch: str = "", tag: str = "") -> dict[str, str]:
    """Return the values that every event of GitHub has, and branch or tag where it has them."""
    values = {"git-url": "body.repository.clone_url", "git-commit": commit}
    values |= {"git-branch": branch} if branch else {}
    values |= {"git-tag": tag} if tag else {}
    return {**values, "build-name": build}


def _made() -> tuple[str, str]:
    """Return the clauses for a branch or tag that is there after the push: deletions run nothing (Dispatch 1.1.1)."""
    return "!(has(body.deleted) && body.deleted)", "!body.after.matches('^0+$')"


def _safe(name: str) -> str:
    return f"!{name}.matches({cel.literal(UNSAFE)})"


def _number(value: str) -> str:
    """Return the digits of a number: as a double a large one would be written with an exponent."""
    return f"string(int({value}))"


def _pushed_paths(patterns: Sequence[str] | None) -> list[str]:
    if not patterns:
        return []
    taken = " && ".join(cel.takes(patterns, "f", "path")) or "true"
    return [f"body.commits.exists(c, (c.added + c.modified + c.removed).exists(f, {taken}))"]


def _some_path(patterns: Sequence[str] | None, files: str) -> list[str]:
    """Return the clause that one of the files is taken; no file at all is one without a name."""
    if not patterns:
        return []
    taken = " && ".join(("f != ''", *cel.takes(patterns, "f", "path")))
    return [f"{files}.exists(f, {taken})"]


def _labels(labels: Sequence[str] | None, there: str) -> list[str]:
    """Return the clauses that every listed label is there, and every one with a `!` is not."""
    return [
        f"{'!' * label.startswith('!')}{there}.exists(l, l.name == {cel.literal(label.removeprefix('!'))})"
        for label in labels or ()
    ]


def _cannot(condition: Condition, field: str) -> Diagnostic:
    why = "the webhook of a comment does not tell them"
    message = f"Tekton Triggers cannot ask for {field} where a comment fires the action: {why}"
    mend = "Pipelines-as-Code can: dispatchfile tekton --target pac"
    return finding(condition, field, Severity.ERROR, message, mend)


def missing_commit(draft: Draft, match: Match) -> Iterator[Diagnostic]:
    """Yield a warning where a task, or an image, takes the commit from an event that does not tell it.

    Git takes the name that it gets instead, as the revision of a resource; a tag of an image is not called so.
    """
    if match.hashed:
        return
    tasks = [planned.task for planned in draft.tasks]
    used = draft.resources(dict.fromkeys(name for task in tasks for name in (*task.inputs, *task.outputs)))
    texts = [(f"task.{task.name}", task.value) for task in tasks]
    texts += [(f"resource.{one.name}", one.value) for one in used if one.type != "git"]
    for start, whole in texts:
        for value, path in variables.strings(whole, start):
            if any(found.name == "context.git.commit" for found in variables.find(str(value.data))):
                message, mend = MISSING[match.event], "ask git in the clone: git rev-parse HEAD"
                yield Diagnostic("DF806", Severity.WARNING, message, value.span, path=path, help=mend)
