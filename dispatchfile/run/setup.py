"""Puts the parts of a run together from a plan and a repository."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from dispatchfile.errors import UsageError
from dispatchfile.event.checkout import Checkout, commit_of
from dispatchfile.plan.plan import Plan
from dispatchfile.run.backend import RunSpec
from dispatchfile.run.history import RunFolder
from dispatchfile.run.places import Ground, Places
from dispatchfile.run.resolve import Resolver, Supplies


def resolver(
    plan: Plan, checkout: Checkout, folder: Path, storage: Path, supplies: Supplies, kept: Iterable[str], *,
    revision: str = "", untracked: bool = False,
) -> Resolver:  # fmt: skip
    """Return the resolver of a run; raises UsageError when the repository has no such revision."""
    find = partial(commit_of, checkout.root)
    commit = find(revision) if revision else ""
    if commit is None:
        raise UsageError(f'--revision "{revision}" is no commit of this repository')
    ground = Ground(Path(checkout.root), checkout.commit, folder, storage, find, commit, untracked)
    return Resolver(plan, Places(plan, ground), supplies, kept)


def run_spec(
    folder: RunFolder, repository: Path, resolver: Resolver, kept: Container[str], jobs: int, **options: Any
) -> RunSpec:
    """Return what the backend is told of a run; the options are fields of RunSpec."""
    to_run = [planned for planned in resolver.plan.tasks if planned.name not in kept]
    first = [planned.task for planned in to_run if all(need in kept for need in planned.waits_for)][:jobs]
    networks = sum(not resolver.is_alone(task) for task in first)
    return RunSpec(
        folder.id, folder.path, repository, repository.name,
        tasks=len(to_run), first=len(first), networks=networks, **options,
    )  # fmt: skip


def fingerprints(plan: Plan) -> dict[str, str]:
    """Return a hash for each task of how it and its resources are written: what a rerun may keep did not change."""
    found = {}
    for planned in plan.tasks:
        names = (*planned.task.inputs, *planned.task.outputs)
        used = [
            plan.pipeline.resources[name].value.plain() for name in names if name in plan.pipeline.resources
        ]
        text = json.dumps([planned.task.value.plain(), used], default=str)
        found[planned.name] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return found
