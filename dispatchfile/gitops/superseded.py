"""Which branches hold nothing but older updates of the files that this update makes."""

from __future__ import annotations

import re

from dispatchfile.gitops import checkout as checkouts
from dispatchfile.gitops.checkout import Revision
from dispatchfile.gitops.clone import Clone, LostRace, Tip
from dispatchfile.gitops.outcome import Outcome

# The branches of Dispatch's own tool, one a commit, and whom it said their commits are by (Dispatch 1.0 to 1.4).
_BRANCH = re.compile(r"update-to-commit-(?P<revision>.+)")
_AUTHORS = (
    "CI <ci@example.com>",
    "Dispatch CI <56653984+d2iq-dispatch@users.noreply.github.com>",
)
# More commits than this are no update: that is one commit, or a few where a base was merged in.
_MOST_COMMITS = 20


def tip_of(branch: str, outcome: Outcome, clone: Clone, revision: Revision) -> Tip | None:
    """Return the tip of a branch of the remote that `outcome` supersedes, None for any other branch.

    Superseded is a branch whose commits were all made by an update of the same app, or by Dispatch's tool, that
    changes no file besides those of the outcome, and that is of no newer source commit than `revision`.
    """
    try:
        tip = clone.look_at(branch)
    except LostRace:
        return None
    commits = clone.between(outcome.parent, tip.commit, most=_MOST_COMMITS + 1)
    if not 0 < len(commits) <= _MOST_COMMITS:
        return None
    original = _BRANCH.fullmatch(branch)
    for commit in commits:
        by_us = commit.ours and commit.app == outcome.app
        if not (by_us or (original and not commit.app and commit.author in _AUTHORS)):
            return None
    if not clone.changed(outcome.parent, tip.commit) <= set(outcome.files):
        return None
    source = tip.source or (Revision(original["revision"]) if original else None)
    newer = source is not None and bool(revision.name) and checkouts.is_older(revision, source)
    return None if newer else tip
