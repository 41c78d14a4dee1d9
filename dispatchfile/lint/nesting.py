"""Fixes that put a field under a new `git`, or give it another name, wherever it is written."""

from __future__ import annotations

from dispatchfile.diagnostics import Edit, Fix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.lint.rule import Subject
    from dispatchfile.value import Value


def under_git(subject: Subject, value: Value, parent: Value, name: str) -> Fix | None:
    """Return the fix that makes the field `name` of `parent` a field of a `git` in its place, or None."""
    if not value.keys or "git" in _fields(parent) or not is_private(subject, "git", name):
        return None
    from dispatchfile.lint.edits import nested

    edits: list[Edit] = []
    for key in value.keys:
        chain, colons = None, []
        if subject.tree is not None:
            from dispatchfile.lint import syntax

            chain = syntax.chains_by_label(subject.tree).get(key.start)
            if chain is None:
                return None
            colons = syntax.colons(chain)
        made = nested("git", key, value, parent, chain, colons)
        if made is None:
            return None
        edits += made
    return Fix(f"put `{name}` under `git`", tuple(edits), safe=True)


def renamed(subject: Subject, value: Value, old: str, new: str) -> Fix | None:
    """Return the fix that calls a field by its new name, or None."""
    if not value.keys or not is_private(subject, old, new):
        return None
    from dispatchfile.model.edits import relabelled

    if any(key.text.strip("\"'") != old for key in value.keys):
        return None
    edits = tuple(Edit(key, relabelled(key, new)) for key in value.keys)
    return Fix(f"rename it to `{new}`", edits, safe=True)


def is_private(subject: Subject, *names: str) -> bool:
    """Return whether no expression refers to a field by one of the names, and none is optional somewhere.

    Only then does a field's new name or place change nothing else in the file.
    """
    if subject.tree is None:
        return True
    from dispatchfile.lint.syntax import survey

    known = survey(subject.tree)
    return known.mentioned.isdisjoint(names) and known.marked.isdisjoint(names)


def _fields(value: Value) -> dict[str, Value]:
    return value.data if isinstance(value.data, dict) else {}
