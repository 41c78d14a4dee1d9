"""What has to be done between syncs: probes of pods that serve, CronJobs, the pods of Jobs.

What is counted from one call to the next (failures in a row, when a probe is due) is kept in a file, since every call
may be another process. Who loses it counts anew.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dispatchfile import atomic
from dispatchfile.apps.local import probes, schedules
from dispatchfile.apps.local.readiness import probe
from dispatchfile.apps.local.template import WORKLOADS
from dispatchfile.apps.local.workload import workload
from dispatchfile.errors import DispatchfileError, EnvironmentProblem
from dispatchfile.run.connect import asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dispatchfile.apps.local.snapshot import Found, Seen, Snapshot
    from dispatchfile.apps.local.workload import Site
    from dispatchfile.apps.manifest import Manifest

LONGEST = 60.0
"""Seconds until the next look where nothing is due: a pod's address may have changed."""


class Counts:
    """Of each container: when its probes are due, their failures and successes in a row, whether it began and is ready."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "probes.json"
        try:
            self.of: dict[str, dict[str, Any]] = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.of = {}

    def save(self, there: Iterable[str]) -> None:
        """Keep what is counted of the containers that are there. Raises EnvironmentProblem."""
        data = {name: self.of[name] for name in there if name in self.of}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic.write(self._path, json.dumps(data).encode())
        except OSError as error:
            raise EnvironmentProblem(
                f"what probes found cannot be kept in {self._path}: {error.strerror}"
            ) from error


def tend(site: Site, wanted: Sequence[Manifest], seen: Snapshot, folder: Path) -> float:
    """Do what is due now; return the seconds until something is due again."""
    counts, now = Counts(folder), time.time()
    pauses = [LONGEST]
    serving: list[Found] = []
    for manifest in wanted:
        if manifest.key.kind not in WORKLOADS or manifest.key.kind == "Job":
            continue
        try:
            found = workload(site, manifest)
            if manifest.key.kind != "CronJob":
                serving += [pod for pod in seen.of(manifest.key) if pod.whole]
            elif site.applied.get(manifest.key) is not None:
                pauses.append(schedules.tend(found, seen.of(manifest.key), now))
        except DispatchfileError as error:
            site.say(f"{manifest.key}: {error.message}")
    with ThreadPoolExecutor(8) as workers:
        pauses += workers.map(lambda pod: _tend_pod(site, pod, counts, now), serving)
    counts.save(part.id for pod in serving for part in pod.main)
    return max(0.2, min(pauses))


def _tend_pod(site: Site, pod: Found, counts: Counts, now: float) -> float:
    """Run the probes of a pod that are due; return the seconds until one is due again."""
    pauses = [LONGEST]
    answers: list[bool | None] = [pod.running]
    try:
        for part in pod.main:
            if part.state == "running":
                pauses.append(_tend_container(site, pod, part, counts, now))
                asked = probe(pod.given, part.part, "readiness")
                answers.append(True if asked is None else counts.of[part.id].get("ready"))
            else:
                _rejoin(site, pod, part)
        # Until its probes were asked often enough a pod stays what the sync that began it left it.
        ready = False if False in answers else None if None in answers else True
        before = counts.of.setdefault(pod.owner.id, {}).get("told")
        told = [ready, pod.owner.address]
        if ready is not None and before != told:
            if ready:
                site.traffic.admit(pod.pod(ready=True))
            elif before is None or before[0]:
                site.say(f"{pod.name} is not ready: it gets no requests")
                site.traffic.retire(pod.pod(ready=False), 0.0)
            counts.of[pod.owner.id]["told"] = told
    except DispatchfileError as error:
        site.say(f"{pod.name}: {error.message}")
    return min(pauses)


def _rejoin(site: Site, pod: Found, part: Seen) -> None:
    """Start a container that the engine, when it was restarted, tried to start before the one that holds its network."""
    if part.state != "exited" or pod.owner.state != "running" or pod.owner.id == part.id:
        return
    if "cannot join network" in str(site.machine.inspect(part.id)["State"].get("Error", "")):
        site.say(f"{part.name}: it is started after the container that holds its network")
        with asking(f"start the container {part.name}"):
            site.machine.client.start(part.id)


def _tend_container(site: Site, pod: Found, part: Seen, counts: Counts, now: float) -> float:
    count = counts.of.setdefault(part.id, {})
    began = _began(site, part, count)
    found = {kind: probe(pod.given, part.part, kind) for kind in probes.FIELDS}
    if found["startup"] is None:
        count["begun"] = True
    kinds = ("readiness", "liveness") if count.get("begun") else ("startup",)
    pauses = [LONGEST]
    for kind in kinds:
        asked = found[kind]
        if asked is None:
            continue
        due = max(count.get(f"{kind} due", 0.0), began + asked.delay)
        if due <= now:
            due = now + asked.period
            count[f"{kind} due"] = due
            problem = probes.run(site.machine.client, asked, part.id, pod.owner.address)
            _count(site, pod, part, kind, asked, problem, count)
        pauses.append(due - now)
    return min(pauses)


def _count(
    site: Site,
    pod: Found,
    part: Seen,
    kind: str,
    asked: probes.Probe,
    problem: str,
    count: dict[str, Any],
) -> None:
    """Count an answer, and do what follows from it."""
    good, bad = f"{kind} successes", f"{kind} failures"
    count[good] = 0 if problem else count.get(good, 0) + 1
    count[bad] = count.get(bad, 0) + 1 if problem else 0
    if kind == "readiness":
        if count[good] >= asked.successes:
            count["ready"] = True
        elif count[bad] >= asked.failures:
            count["ready"] = False
    elif kind == "startup" and count[good] >= asked.successes:
        count["begun"] = True
    if kind != "readiness" and count[bad] >= asked.failures:
        site.say(f"{part.name}: its {kind}Probe failed {count[bad]} times ({problem}): it is restarted")
        with asking(f"restart the container {part.name}"):
            site.machine.client.restart(part.id, timeout=pod.grace)
        count.clear()
        count.update(started="", ready=False)


def _began(site: Site, part: Seen, count: dict[str, Any]) -> float:
    """Return when a container was begun last, in seconds since 1970; what is counted of an earlier time is forgotten."""
    from datetime import datetime

    text = str(site.machine.inspect(part.id)["State"].get("StartedAt", ""))
    if count.get("started") != text:
        again = "started" in count
        count.clear()
        count["started"] = text
        if again:
            count["ready"] = False  # it has to say so anew
    head = text.partition(".")[0]
    try:
        return datetime.fromisoformat(head.removesuffix("Z") + "+00:00").timestamp() if head else 0.0
    except ValueError:
        return 0.0
