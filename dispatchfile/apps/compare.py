"""Ask the repository of an application what it wants, and keep the answer; the last good one outlives a bad one."""

from __future__ import annotations

import time

from dispatchfile.apps import source
from dispatchfile.apps.render import described, render
from dispatchfile.apps.status import Condition
from dispatchfile.apps.store import State, Wanted
from dispatchfile.errors import DispatchfileError
from dispatchfile.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from dispatchfile.apps.app import App
    from dispatchfile.apps.store import Store

FAILED = "ComparisonError"
"""The type of the condition that the repository's state is not known."""
WARNING = "SourceWarning"
"""The type of what is worth saying about a repository that could be read."""


def update(store: Store, app: App, mirrors: Path | None, *, hard: bool) -> DispatchfileError | None:
    """Bring what is wanted up to date; return why that could not be. The lock is held.

    A commit that was rendered is not rendered again, unless `hard`.
    """
    state, wanted = store.state(), store.wanted()
    try:
        with source.opened(app.repository, mirrors) as repository:
            tip = repository.tip(app.revision)
            if not hard and tip and _is_known(app, state, wanted, tip):
                store.save_state(replace(state, checked=time.time()))
                return None
            commit = repository.fetch(app.revision)
            state = replace(state, revision=commit.id, subject=commit.subject)
            rendered = render(app, repository, commit.id)
    except DispatchfileError as problem:
        # Before, the conditions were those of another commit.
        store.save_state(replace(state, checked=time.time(), conditions=(condition(problem),)))
        return problem
    store.save_wanted(Wanted(commit.id, described(app), rendered.manifests))
    warnings = tuple(Condition(WARNING, note) for note in rendered.notes)
    store.save_state(replace(state, checked=time.time(), conditions=warnings))
    return None


def at(app: App, revision: str, mirrors: Path | None) -> tuple[Wanted, str]:
    """Return what a revision wants, and the commit's subject; a commit that is here is not asked for."""
    with source.opened(app.repository, mirrors) as repository:
        commit = repository.known(revision) or repository.fetch(revision)
        return Wanted(commit.id, described(app), render(app, repository, commit.id).manifests), commit.subject


def condition(problem: DispatchfileError) -> Condition:
    """Return how a problem with the repository is told."""
    return Condition(FAILED, f"{problem.message} ({problem.help})" if problem.help else problem.message)


def _is_known(app: App, state: State, wanted: Wanted | None, tip: str) -> bool:
    good = all(one.type != FAILED for one in state.conditions)
    return good and wanted is not None and wanted.revision == tip and wanted.described == described(app)
