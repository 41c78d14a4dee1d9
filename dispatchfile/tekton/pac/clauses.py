"""Clauses of CEL about an event, as Pipelines-as-Code (PaC) evaluates them."""

from __future__ import annotations

from dispatchfile import glob
from dispatchfile.tekton import cel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NEW_COMMITS = (
    "!(has(body.action) && "
    "body.action in ['labeled', 'unlabeled', 'label_updated', 'label_cleared', 'ready_for_review'])"
)
"""The clause that labels did not change (PaC asks CEL then, and only CEL), nor a draft became ready (GitHub, Forgejo)."""
NO_GITLAB_LABELS = (
    "!(has(body.object_attributes) && body.object_attributes.action == 'update' && "
    "(!has(body.object_attributes.oldrev) || body.object_attributes.oldrev == ''))"
)
SAFE_SOURCE = "!source_branch.matches('[{][{]|[$][(]')"
"""The clause that neither PaC nor Tekton nor the kubelet finds anything to fill in inside a branch's name."""


def of_tag(patterns: Sequence[str]) -> list[str]:
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


def files(patterns: Sequence[str]) -> list[str]:
    """Return the clause that one of the changed files is taken, if there are patterns."""
    taken = cel.takes(patterns, "f", "path")
    return [f"files.all.exists(f, {' && '.join(taken) or 'true'})"] if patterns else []


def of_labels(labels: Sequence[str]) -> list[str]:
    """Return a clause for each label, which forges list in three ways: PaC asks CEL again on /retest."""
    return [
        f"{'!' * label.startswith('!')}({_has_label('body.pull_request', 'name', label)} || "
        f"{_has_label('body.issue', 'name', label)} || {_has_label('body', 'title', label)})"
        for label in labels
    ]


def of_comment_labels(labels: Sequence[str]) -> list[str]:
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
