"""Comments on pull requests as what starts runs of Pipelines-as-Code (PaC).

PaC matches a comment by its text alone: with `on-comment` it looks at no other annotation. The rest of such a condition
is asked by the run itself: each task has it as `when`, and is skipped where it does not hold, so that the run ends well
and did nothing. Names of branches are compared by Tekton; patterns of branches need `cel:`, labels `body`, and paths
`files`. A version that lacks them leaves the placeholder as it is, and nothing runs.
"""

from __future__ import annotations

from dispatchfile.tekton import cel
from dispatchfile.tekton.conditions import NO_WORD, words
from dispatchfile.tekton.pac import clauses
from dispatchfile.tekton.pac.match import Guard, Inexpressible, Match, Never

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dispatchfile.model.pipeline import Condition

OWN_WORDS = {
    "test": "the runs of the pull request again too, and with a word behind it only the run of that name",
    "retest": "the runs that failed again too, and with a word behind it only the run of that name",
    "ok-to-test": "the runs that wait for an approval too",
}
"""Words of comments that PaC takes for its own before it looks for ours, and what they start."""
CANCEL = "cancel"
"""The word after which PaC looks for nothing."""

# What a comment may hold whose words become a value: no `{{` and no `$(`, and nothing that ends a line of YAML but the
# line ends that PaC itself takes out.
_ODD = r"\x00-\x08\x0a-\x1f\x7f-\x9f\x{2028}\x{2029}\x{feff}\x{fffe}\x{ffff}"
_CHAR = rf"[^{{${_ODD}]|\r?\n"
SAFE_COMMENT = rf"(?:{_CHAR}|\$*\{{(?:{_CHAR})|\$+(?:[^{{$({_ODD}]|\r?\n))*\$*\{{?"


def matches(condition: Condition, used: Sequence[str]) -> tuple[Match, ...]:
    """Return the match of all words, or one for each where the run must be told which it was; raises Inexpressible."""
    asked = words(condition)
    if not asked:
        raise Never(*NO_WORD)
    if CANCEL in asked:
        message = (
            'Pipelines-as-Code takes the comment "/cancel" for its own, which cancels runs and starts none'
        )
        raise Inexpressible("chatops", message, "choose another word")
    guards = _guards(condition)
    groups = [[word] for word in asked] if "chatop-command" in used else [asked]
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
    for name, asked in (
        ("labels", clauses.of_comment_labels(condition.labels or ())),
        ("paths", clauses.files(condition.paths or ())),
    ):
        if asked:
            guards.append(_asked_guard(f"dispatch-{name}", asked))
    return tuple(guards)


def _branch_guards(side: str, patterns: Sequence[str]) -> Iterable[Guard]:
    """Yield the guards of a branch: against whole names where there are only such, which every version of PaC can."""
    if any(set(pattern) & set("*?[]{}\\") for pattern in patterns):
        if asked := cel.takes(patterns, f"pac.{side}_branch"):
            yield _asked_guard(f"dispatch-{side}-branch", ["cel: true", *asked])
        return
    placeholder = f"{{{{ {side}_branch }}}}"
    for operator, listed in (
        ("in", [pattern for pattern in patterns if not pattern.startswith("!")]),
        ("notin", [pattern[1:] for pattern in patterns if pattern.startswith("!")]),
    ):
        if listed:
            yield Guard(f"dispatch-{side}-branch", placeholder, operator, tuple(dict.fromkeys(listed)))


def _asked_guard(param: str, asked: Sequence[str]) -> Guard:
    """Return the guard that all of some clauses hold, which PaC works out; its placeholder ends at the first `}`."""
    expression = " && ".join(asked).replace("\\}", r"\x7d")
    return Guard(param, f"{{{{ {expression} }}}}", "in", ("true",))
