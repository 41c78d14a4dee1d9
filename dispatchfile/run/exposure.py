"""What a run lets reach out of its containers: said before it starts."""

from __future__ import annotations

from collections.abc import Container

from dispatchfile.plan.plan import Plan, PlannedTask


def exposures(plan: Plan, kept: Container[str] = ()) -> list[str]:
    """Return a sentence for each task that runs privileged or mounts a directory of the engine's machine."""
    found = []
    for planned in plan.tasks:
        parts = _parts(planned) if planned.name not in kept else []
        if parts:
            found.append(f"task {planned.name} {' and '.join(parts)}: it can change this machine")
    return found


def _parts(planned: PlannedTask) -> list[str]:
    steps = [step for step in planned.task.steps if step.privileged]
    mounted = {mount.name for step in planned.task.steps for mount in step.volume_mounts}
    paths = [
        str(volume.settings.get("path", ""))
        for volume in planned.task.volumes
        if volume.kind == "hostPath" and volume.name in mounted
    ]
    privileged = [f"runs privileged (step {', '.join(step.name for step in steps)})"] if steps else []
    return [*privileged, *([f"mounts {', '.join(paths)}"] if paths else [])]
