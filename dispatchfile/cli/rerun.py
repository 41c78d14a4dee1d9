"""Runs again: what a run leaves behind for `run --rerun`, and how that goes on from there."""

from __future__ import annotations

import os
from pathlib import Path

from dispatchfile.cli import options
from dispatchfile.cli.run_engines import is_of_other_engine
from dispatchfile.errors import UsageError
from dispatchfile.record import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from dispatchfile.event.checkout import Checkout
    from dispatchfile.event.event import Event
    from dispatchfile.model.pipeline import Pipeline
    from dispatchfile.plan.plan import Plan
    from dispatchfile.run.history import PastRun
    from dispatchfile.run.outcome import Outcome

REMEMBERED = (
    "revision", "untracked", "env", "env_file", "platform", "network", "kaniko", "artifacts", "image", "docker_host",
    "pull", "offline", "flavour", "engine", "context", "namespace", "service_account", "workspace", "volume_size",
    "results", "git_image", "storage_image", "gitops_image",
)  # fmt: skip
"""Options that a rerun takes from the run it repeats, unless they are given anew."""


PATHS = ("file", "out", "env_file", "secret_file", "artifacts", "log_dir", "junit")
"""Options with paths that the user gives from where he is, and not from where the run was started."""


def past(args: argparse.Namespace) -> PastRun | None:
    """Return the run that `--rerun` names, or None without it; raises UsageError."""
    if args.rerun is None:
        return None
    if options.tasks_from(args) or args.event or args.event_file:
        raise UsageError("--rerun takes tasks and event from the run it repeats")
    found = named(args.rerun)
    if found.status == "running":
        raise UsageError(f"run {found.id} is still running")
    return found


def named(name: str) -> PastRun:
    """Return the run of an id, the start of one, or "last" for that of this repository; raises UsageError."""
    from dispatchfile.event.checkout import read
    from dispatchfile.run.history import find

    return find(name, Path(read(".").root) if name == "last" else None)


def plan_again(args: argparse.Namespace, run: PastRun) -> Plan:
    """Return the plan of a past run, by the Dispatchfile as it is now; go to where that run was started."""
    from dispatchfile.event.event import Event
    from dispatchfile.plan.graph import make

    told = run.record
    for name in PATHS if told["directory"] != str(Path.cwd()) else ():
        value = getattr(args, name, None)
        if value not in (None, "-"):
            paths = [str(Path(path).absolute()) for path in ([value] if isinstance(value, str) else value)]
            setattr(args, name, paths[0] if isinstance(value, str) else paths)
    try:
        os.chdir(told["directory"])
    except OSError as error:
        raise UsageError(f"run {run.id} was of {told['directory']}: {error.strerror}") from error
    engine = getattr(args, "engine", None) or told["options"].get("engine") or "docker"
    for name, value in told["options"].items():
        if getattr(args, name, None) is None and not is_of_other_engine(name, engine):
            setattr(args, name, value)
    args.file = args.file or told["file"]
    facts: Any = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["event"].items()
    }
    pipeline, event = options.pipeline_from(args), Event(**facts)
    fired = _fired_again(pipeline, event, told["asked"]) if told.get("fired") else None
    return fired or make(pipeline, event, told["asked"])


def _fired_again(pipeline: Pipeline, event: Event, asked: Sequence[str]) -> Plan | None:
    """Return the plan of the actions that an event fires, or None where they do not ask for the same tasks any more."""
    from dispatchfile.plan.graph import make

    try:
        plan = make(pipeline, event)
    except UsageError:  # a condition that was not there asks for what was not told
        return None
    return plan if {planned.name for planned in plan.tasks if planned.asked} == set(asked) else None


def kept(plan: Plan, run: PastRun | None, args: argparse.Namespace) -> dict[str, Outcome]:
    """Return the outcomes that are taken from the past run, and tell the user which."""
    if run is None:
        return {}
    from dispatchfile.run.history import kept_outcomes
    from dispatchfile.run.setup import fingerprints

    needs = {planned.name: planned.waits_for for planned in plan.tasks}
    found = kept_outcomes(run, fingerprints(plan), needs)
    again = ", ".join(name for name in needs if name not in found)
    options.note(args, f"run {run.id} again: {again or 'nothing'}; kept: {', '.join(found) or 'nothing'}")
    return found


def record(args: argparse.Namespace, plan: Plan, checkout: Checkout, past: PastRun | None) -> dict[str, Any]:
    """Return what `run.json` says about a run before it starts; no secrets."""
    return {
        "repository": checkout.root,
        "directory": str(Path.cwd()),
        "file": str(Path(args.file).absolute()) if args.file else None,
        "event": plain(plan.event),
        "fired": bool(plan.decisions),
        "asked": [planned.name for planned in plan.tasks if planned.asked],
        "plan": [{"name": planned.name, "needs": list(planned.waits_for)} for planned in plan.tasks],
        "steps": [[planned.name, step.name] for planned in plan.tasks for step in planned.task.steps],
        "options": {name: value for name in REMEMBERED if (value := getattr(args, name)) is not None},
        "rerun_of": past.id if past else None,
        "dry_run": args.dry_run,
    }
