"""How a workload stands: beside the repository, and by its pods (health as Argo CD's checks have it)."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local import drift, jobs
from dispatchfile.apps.local.readiness import CRASHES
from dispatchfile.apps.local.schedules import schedule_of
from dispatchfile.apps.local.workload import progress_deadline, workload
from dispatchfile.apps.status import Resource
from dispatchfile.errors import UsageError
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dispatchfile.apps.local.drift import Difference
    from dispatchfile.apps.local.snapshot import Found
    from dispatchfile.apps.local.workload import Site, Workload
    from dispatchfile.apps.manifest import Key, Manifest, Object
    from dispatchfile.apps.status import Health

_COUNTED = ("Deployment", "ReplicaSet", "StatefulSet")


class Details(Record):
    """What was asked of the engine about pods: `containers` by id as inspected, `unready` why a pod is not ready, by id."""

    containers: Mapping[str, Mapping[str, Any]]
    unready: Mapping[str, str]


def stands(site: Site, manifest: Manifest, pods: Sequence[Found], details: Details) -> Resource:
    """Return how a workload stands."""
    base = site.applied.get(manifest.key)
    try:
        wanted = workload(site, manifest)
        if manifest.key.kind == "CronJob":
            schedule_of(wanted)
        notes = wanted.notes()
        differences = _differences(wanted, pods, details)
    except UsageError as problem:
        live = copy.deepcopy(base) if pods else None
        health: Health = "Degraded" if pods else "Missing"
        return Resource(
            manifest.key, "OutOfSync", health, _full(problem), manifest.object, live, place=manifest.place
        )
    if manifest.key.kind == "CronJob":
        return _cron_job(wanted, manifest, base, pods, notes)
    if not pods and wanted.count and not (wanted.suspended and base is not None):
        return Resource(manifest.key, "OutOfSync", "Missing", notes, manifest.object, place=manifest.place)
    said = _said(wanted, manifest, base, pods, differences)
    live = _live(manifest, base, wanted, pods, differences)
    health, why = _health(wanted, pods, details)
    same = live == manifest.object and not said
    message = "; ".join(filter(None, (*dict.fromkeys(said), why, notes)))
    return Resource(
        manifest.key, "Synced" if same else "OutOfSync", health, message, manifest.object, live,
        place=manifest.place,
    )  # fmt: skip


def unwanted(site: Site, key: Key, pods: Sequence[Found]) -> Resource:
    """Return a workload that is there and that the repository does not hold any more."""
    live = site.applied.get(key) or _outline(key, pods)
    health: Health = "Healthy" if all(pod.running for pod in pods) else "Degraded"
    return Resource(key, "OutOfSync", health, "the repository does not hold it", None, copy.deepcopy(live))


def _differences(wanted: Workload, pods: Iterable[Found], details: Details) -> list[tuple[Found, Difference]]:
    found = []
    if wanted.key.kind in ("Job", "CronJob"):
        return []
    for pod in pods:
        if wanted.fits(pod) and not wanted.site.looked.is_clean(pod, wanted.site.machine.images):
            plan = wanted.draw(pod.name)
            images = wanted.site.machine.images
            own = [*drift.of_state(wanted, pod, plan)]
            own += drift.of_settings(pod, plan, details.containers, images)
            if not own:
                wanted.site.looked.found_clean(pod)
            found += [(pod, one) for one in own]
    return found


def _said(
    wanted: Workload,
    manifest: Manifest,
    base: Object | None,
    pods: Sequence[Found],
    differences: Iterable[tuple[Found, Difference]],
) -> list[str]:
    """Return what is not as wanted in words, beside what a diff of the manifests shows."""
    said = [f"{pod.name}: {one.text}" for pod, one in differences]
    for pod in pods:
        if not pod.whole:
            said.append(
                f"{pod.name} has {len(pod.parts)} of {pod.expected} containers, or some were not begun"
            )
    outdated = [pod for pod in pods if pod.whole and not wanted.fits(pod) and not wanted.stays(pod)]
    if outdated and base in (None, manifest.object):
        said.append(f"{', '.join(pod.name for pod in outdated)}: made of what was wanted before")
    if wanted.key.kind not in ("Job", "CronJob") and (running := len(pods)) != wanted.count:
        said.append(f"{running} of {wanted.count} pods are there")
    return said


def _live(
    manifest: Manifest,
    base: Object | None,
    wanted: Workload,
    pods: Sequence[Found],
    differences: Iterable[tuple[Found, Difference]],
) -> Object:
    """Return the object that would have brought about what there is."""
    live = copy.deepcopy(base if base is not None else manifest.object)
    there = sum(
        pod.whole and not any(part.state in ("exited", "paused", "dead") for part in pod.main) for pod in pods
    )
    if wanted.key.kind in _COUNTED and there != wanted.count:
        live.setdefault("spec", {})["replicas"] = there
    template = live if manifest.key.kind == "Pod" else live.get("spec", {}).get("template") or {}
    spec = template.get("spec") or {}
    given = {
        one.get("name"): one for one in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    }
    for _, one in differences:
        if one.path and one.container in given:
            _put(given[one.container], one.path, one.live)
    return live


def _put(found: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(found.get(name), dict):
            found[name] = {}
        found = found[name]
    if value is None:
        found.pop(path[-1], None)
    else:
        found[path[-1]] = value


def _health(wanted: Workload, pods: Sequence[Found], details: Details) -> tuple[Health, str]:
    if wanted.key.kind == "Job":
        return _job_health(wanted, pods)
    if wanted.suspended:
        return "Suspended", "it is paused"
    # Before a replacement begins the old pods are as healthy as they were; once it has begun, the new ones count.
    own = [pod for pod in pods if wanted.fits(pod) or wanted.stays(pod)] or [pod for pod in pods if pod.whole]
    ready = [pod for pod in own if not details.unready.get(pod.owner.id)]
    if len(ready) >= wanted.count and len(pods) == len(ready):
        return "Healthy", ""
    waiting = [pod for pod in own if details.unready.get(pod.owner.id)]
    why = details.unready.get(waiting[0].owner.id, "") if waiting else ""
    for pod in waiting:
        for part in pod.main:
            found = details.containers.get(part.id) or {}
            if part.state in ("paused", "exited", "dead") or found.get("RestartCount", 0) >= CRASHES:
                return "Degraded", f"{pod.name}: {why}{_words(wanted, part.id)}"
        if time.time() - pod.created > progress_deadline(wanted):
            return "Degraded", f"{pod.name}: {why}{_words(wanted, pod.main[0].id)}"
    if any(not pod.whole for pod in pods) and not own:
        return "Degraded", "its new pods could not be made"
    return "Progressing", f"{len(ready)} of {wanted.count} pods are ready" + (f": {why}" if why else "")


def _words(wanted: Workload, container: str) -> str:
    return wanted.site.machine.last_words(container)


def _job_health(wanted: Workload, pods: Sequence[Found]) -> tuple[Health, str]:
    if wanted.suspended:
        return "Suspended", "it is suspended"
    own = [pod for pod in pods if jobs.fits(wanted, pod)]
    now = jobs.progress(wanted.spec, wanted.key.name, own, time.time(), wanted.where)
    if now.ended == "Failed":
        words = _words(wanted, now.failed[-1].own[0].id) if now.failed else ""
        return "Degraded", f"{now.message}{words}"
    return ("Healthy", now.message) if now.ended else ("Progressing", now.message)


def _cron_job(
    wanted: Workload, manifest: Manifest, base: Object | None, pods: Sequence[Found], notes: str
) -> Resource:
    if base is None:
        return Resource(manifest.key, "OutOfSync", "Missing", "", manifest.object, place=manifest.place)
    health: Health = "Suspended" if wanted.suspended else "Healthy"
    active = sum(jobs.outcome(pod) is None for pod in pods)
    message = "; ".join(filter(None, (f"{active} of its pods are running" if active else "", notes)))
    return Resource(
        manifest.key, "Synced" if base == manifest.object else "OutOfSync", health, message, manifest.object,
        copy.deepcopy(base), place=manifest.place,
    )  # fmt: skip


def _outline(key: Key, pods: Sequence[Found]) -> Object:
    """Return what can be told of an object that nothing but its containers remembers."""
    containers = [{"name": part.part, "image": part.image} for pod in pods[:1] for part in pod.main]
    version = f"{key.group}/v1" if key.group else "v1"
    return {
        "apiVersion": version, "kind": key.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {"replicas": len(pods), "template": {"spec": {"containers": containers}}},
    }  # fmt: skip


def _full(problem: UsageError) -> str:
    return f"{problem.message}; {problem.help}" if problem.help else problem.message
