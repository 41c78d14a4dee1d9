"""CronJobs: when one is due, its Job begins; Jobs that go on are seen to, and old ones removed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.apps.local import jobs
from dispatchfile.apps.local.cron import Schedule
from dispatchfile.apps.local.objects import as_text, mapping, number
from dispatchfile.apps.local.rollout import drop
from dispatchfile.record import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.apps.local.snapshot import Found
    from dispatchfile.apps.local.workload import Workload

_WINDOWS = (3600.0, 86400.0, 86400.0 * 32, 86400.0 * 367)
ACTIVE_LOOK = 2.0
"""Seconds between two looks at Jobs that go on."""


def schedule_of(wanted: Workload) -> Schedule:
    """Return when a CronJob is due. Raises UsageError."""
    return Schedule(as_text(wanted.spec.get("schedule")), as_text(wanted.spec.get("timeZone")), wanted.where)


def tend(wanted: Workload, pods: Sequence[Found], now: float) -> float:
    """Do what a CronJob asks for now; return the seconds until it is to be looked at again. Times since 1970."""
    schedule = schedule_of(wanted)
    by_job: dict[str, list[Found]] = {}
    for pod in pods:
        by_job.setdefault(pod.job, []).append(pod)
    active = [name for name, own in by_job.items() if not _go_on(wanted, name, own, now)]
    _tidy(wanted, by_job, active, now)
    if not wanted.suspended:
        _begin_due(wanted, schedule, by_job, active, now)
    else:
        # What is missed while it is suspended is not made up for.
        wanted.site.applied.schedule(wanted.key, now)
    following = schedule.after(now)
    pause = ACTIVE_LOOK if active else 3600.0
    return max(0.2, min(pause, following - now if following is not None else pause))


def _begin_due(
    wanted: Workload, schedule: Schedule, by_job: dict[str, list[Found]], active: list[str], now: float
) -> None:
    site, spec = wanted.site, wanted.spec
    since = site.applied.scheduled(wanted.key)
    if since is None:
        site.applied.schedule(wanted.key, now)
        return
    if "startingDeadlineSeconds" in spec:
        since = max(since, now - number(spec, "startingDeadlineSeconds", 0, wanted.where))
    due = _latest(schedule, since, now)
    if due is None:
        return
    policy = as_text(spec.get("concurrencyPolicy")) or "Allow"
    if active and policy == "Forbid":
        return  # it is still due when the other has ended
    if active and policy == "Replace":
        for name in active:
            drop(wanted, by_job[name])
    site.applied.schedule(wanted.key, due)
    # Kubernetes: the name ends with the minutes since 1970, so that a time has one Job however often it is begun.
    name = f"{wanted.key.name}-{int(due // 60)}"
    if name in by_job:
        return
    site.say(f"{wanted.where}: {name} begins")
    wanted.bring_images()
    of_job = _job(wanted)
    first = jobs.progress(of_job.spec, name, [], now, wanted.where)
    if problem := jobs.begin(of_job, name, first.to_begin):
        site.say(f"{wanted.where}: {problem}")
    active.append(name)


def _latest(schedule: Schedule, since: float, now: float) -> float | None:
    """Return the last time that is due; near ones are looked for first, as an agent may have been away for long."""
    for window in _WINDOWS:
        if (found := schedule.latest(max(since, now - window), now)) is not None:
            return found
        if now - window <= since:
            return None
    return None


def _go_on(wanted: Workload, name: str, pods: Sequence[Found], now: float) -> bool:
    """See to a Job that was begun; return whether it has ended. What a Job was made of stays what it is made of."""
    of_job = _job(wanted)
    jobs.rest(of_job, pods)
    stands = jobs.progress(of_job.spec, name, pods, now, wanted.where)
    if stands.ended:
        if stands.active and (problem := jobs.finish(of_job, stands)):
            wanted.site.say(f"{of_job.where}: {problem}")
        return True
    if problem := jobs.begin(of_job, name, stands.to_begin):
        wanted.site.say(f"{wanted.where}: {problem}")
    return False


def _tidy(wanted: Workload, by_job: dict[str, list[Found]], active: list[str], now: float) -> None:
    """Remove the pods of Jobs that ended, but for the last few."""
    ended = sorted((name for name in by_job if name not in active), reverse=True)
    job = _job(wanted)
    good = [
        name for name in ended if jobs.progress(job.spec, name, by_job[name], now, "").ended == "Complete"
    ]
    bad = [name for name in ended if name not in good]
    for names, field, kept in ((good, "successfulJobsHistoryLimit", 3), (bad, "failedJobsHistoryLimit", 1)):
        for name in names[number(wanted.spec, field, kept, wanted.where) :]:
            drop(wanted, by_job[name])


def _job(wanted: Workload) -> Workload:
    """Return a CronJob as the Job that it begins."""
    template = mapping(wanted.spec, "jobTemplate", wanted.where)
    return replace(wanted, spec=mapping(template, "spec", wanted.where))


def begun(wanted: Workload) -> None:
    """Count the times of a CronJob that was just brought about from now on, unless they are counted already."""
    schedule_of(wanted)
    if wanted.site.applied.scheduled(wanted.key) is None:
        wanted.site.applied.schedule(wanted.key, time.time())
