"""Jobs: pods that are to end well, so many times.

The pods of a Job are called JOB-SLOT-ATTEMPT. A slot is done when one of its pods ended with 0; what has been done is
read from the names and ends of the pods alone.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dispatchfile.apps.local.objects import MOST_PODS, number
from dispatchfile.apps.local.rollout import drop
from dispatchfile.errors import DispatchfileError
from dispatchfile.record import Record, replace
from dispatchfile.run.connect import Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dispatchfile.apps.local.blueprint import Draft
    from dispatchfile.apps.local.snapshot import Found
    from dispatchfile.apps.local.workload import Workload

_LONGEST_PAUSE = 60.0
_LOOK = (0.1, 1.0)
_GROUP = "batch.kubernetes.io"


class Progress(Record):
    """How a Job stands. `ended` is "Complete", "Failed" or "" while it runs; `failed` are pods, oldest first."""

    ended: str
    message: str
    active: tuple[Found, ...]
    failed: tuple[Found, ...]
    to_begin: tuple[str, ...]


def progress(spec: Mapping[str, Any], name: str, pods: Sequence[Found], now: float, where: str) -> Progress:
    """Return how a Job stands, and which pods are to begin now. `now` is in seconds since 1970."""
    parallel = number(spec, "parallelism", 1, where, MOST_PODS)
    slots = number(spec, "completions", max(1, parallel), where, MOST_PODS)
    limit = number(spec, "backoffLimit", 6, where)
    active = tuple(pod for pod in pods if outcome(pod) is None)
    failed = tuple(pod for pod in pods if outcome(pod) not in (None, 0))
    done = {_slot(pod) for pod in pods if outcome(pod) == 0}
    if len(done) >= slots:
        return Progress("Complete", f"{len(done)} of {slots} done", active, failed, ())
    if "activeDeadlineSeconds" in spec and pods:
        seconds = number(spec, "activeDeadlineSeconds", 0, where)
        if now - min(pod.created for pod in pods) > seconds:
            return Progress(
                "Failed", f"it took longer than {seconds} s (DeadlineExceeded)", active, failed, ()
            )
    retries = 0 if _restarts_itself(spec) else limit
    if len(failed) > retries:
        return Progress("Failed", "its pods failed too often (BackoffLimitExceeded)", active, failed, ())
    waits = failed and now < max(pod.created for pod in failed) + min(
        2.0 ** (len(failed) - 1), _LONGEST_PAUSE
    )
    busy = {_slot(pod) for pod in active}
    free = [slot for slot in range(slots) if slot not in done and slot not in busy]
    begin = () if waits else tuple(free[: max(0, parallel - len(active))])
    names = tuple(f"{name}-{slot}-{sum(_slot(pod) == slot for pod in pods)}" for slot in begin)
    return Progress("", f"{len(done)} of {slots} done", active, failed, names)


def outcome(pod: Found) -> int | None:
    """Return with what code a pod ended; None while it runs or will be started again."""
    codes = [part.exit_code for part in pod.own]
    if not codes or any(code is None for code in codes):
        return None
    return max(code or 0 for code in codes)


def run(wanted: Workload, pods: Sequence[Found]) -> str:
    """Run a Job to its end; return why it failed, "" when it did not. Pods of another make are removed: it runs anew."""
    site, name = wanted.site, wanted.key.name
    drop(wanted, [pod for pod in pods if not fits(wanted, pod)])
    pause = _LOOK[0]
    while True:
        found = [pod for pod in site.machine.pods_of(wanted.key) if fits(wanted, pod)]
        rest(wanted, found)
        stands = progress(wanted.spec, name, found, time.time(), wanted.where)
        if stands.ended:
            return finish(wanted, stands)
        if problem := begin(wanted, name, stands.to_begin):
            return problem
        if site.stop.wait(pause):
            return "the sync was stopped"
        pause = _LOOK[0] if stands.to_begin else min(pause * 1.3, _LOOK[1])


def begin(wanted: Workload, job: str, names: Sequence[str]) -> str:
    """Begin pods of a Job; return why one could not be, "" when all are."""
    if not names:
        return ""
    with ThreadPoolExecutor(min(16, len(names))) as workers:
        return next((one for one in workers.map(lambda name: _begin(wanted, job, name), names) if one), "")


def rest(wanted: Workload, pods: Sequence[Found]) -> None:
    """End the sidecars of pods whose own containers have ended, and what held their network."""
    for pod in pods:
        if outcome(pod) is not None and any(part.state == "running" for part in pod.parts):
            wanted.site.machine.rest(pod)


def finish(wanted: Workload, stands: Progress) -> str:
    """End what still runs of a Job that has ended; return why it failed, "" when it did not."""
    drop(wanted, stands.active)
    if stands.ended == "Complete":
        return ""
    last = stands.failed[-1].own[0].id if stands.failed else ""
    words = wanted.site.machine.last_words(last) if last else ""
    return f"{stands.message}{words}"


def fits(wanted: Workload, pod: Found) -> bool:
    """Return whether a pod is one of this Job as it is wanted. One without its containers was cut off, and is not."""
    return pod.digest == wanted.template.digest and pod.whole


def _begin(wanted: Workload, job: str, name: str) -> str:
    from dispatchfile.apps.local.workload import progress_deadline

    of_job = replace(wanted, draft=_identified(wanted, job, name.split("-")[-2]))
    deadline = time.monotonic() + progress_deadline(wanted)
    try:
        wanted.site.machine.make(
            of_job.draw(name), lambda address: of_job.draw(name, address), deadline, wanted.site.stop.is_set
        )
    except Unanswered:
        raise
    except DispatchfileError as problem:
        return problem.message
    return ""


def _identified(wanted: Workload, job: str, slot: str) -> Draft:
    """Return what a pod of a Job is drawn from, with what Kubernetes gives to it (batch/v1 Job)."""
    labels = {"job-name": job, f"{_GROUP}/job-name": job}
    if wanted.spec.get("completionMode") != "Indexed":
        return replace(wanted.draft, job=job, labels=labels)
    index = {f"{_GROUP}/job-completion-index": slot}
    return replace(
        wanted.draft, job=job, env={"JOB_COMPLETION_INDEX": slot}, labels={**labels, **index}, annotations=index,
        hostname=f"{job}-{slot}",
    )  # fmt: skip


def _slot(pod: Found) -> int:
    slot = pod.name.split("-")[-2:][0]
    return int(slot) if slot.isdecimal() else -1


def _restarts_itself(spec: Mapping[str, Any]) -> bool:
    """Return whether the engine starts its containers again, so that a pod that ended badly was tried often enough."""
    pod = (spec.get("template") or {}).get("spec") or {}
    return pod.get("restartPolicy") == "OnFailure"
