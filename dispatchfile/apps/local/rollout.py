"""Pods are replaced: new ones begin and become ready, then old ones get no more requests, and end.

A new pod that does not become ready ends the replacement; the old ones go on serving. Which pods are new is told by
the hash of what they were made of, so that a replacement that was cut off goes on where it was.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from dispatchfile.apps.local import drift
from dispatchfile.apps.local.blueprint import container_name
from dispatchfile.apps.local.objects import number
from dispatchfile.apps.local.readiness import is_ready, until_ready
from dispatchfile.apps.local.workload import ordinal, progress_deadline, room
from dispatchfile.errors import DispatchfileError
from dispatchfile.record import Record, replace
from dispatchfile.run.connect import Unanswered
from dispatchfile.spelling import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatchfile.apps.local.blueprint import Blueprint
    from dispatchfile.apps.local.snapshot import Found, Seen
    from dispatchfile.apps.local.workload import Workload

_TOGETHER = 32
"""Pods of one workload that begin or end at one time."""
_SOON = 2.0
"""Seconds that pods may take to end before it is said that they are waited for."""


class Sorted(Record):
    """The pods of a workload: those that are as wanted, those to be replaced, and what was mended on the way."""

    new: list[Found]
    old: list[Found]
    mended: list[str]


def sort(wanted: Workload, found: Sequence[Found]) -> Sorted:
    """Sort the pods of a workload, and mend what can be mended without another pod; what is half made is removed."""
    machine = wanted.site.machine
    new, old, mended = [], [], []
    for pod in (_without_copies(wanted, one) for one in found):
        if not pod.whole:
            if pod.digest == wanted.template.digest or not any(part.state == "running" for part in pod.main):
                wanted.site.say(f"{pod.name}: half of it is there; it is made anew")
                drop(wanted, [pod])
            else:
                old.append(pod)
        elif pod.digest != wanted.template.digest:
            old.append(pod)
        elif wanted.site.looked.is_clean(pod, machine.images):
            new.append(pod)
        else:
            plan = wanted.draw(pod.name)
            details = {part.id: machine.inspect(part.id) for part in pod.parts}
            if any(drift.of_settings(pod, plan, details, machine.images)):
                old.append(pod)
                continue
            if any(drift.of_state(wanted, pod, plan)):
                names = {part.name: container_name(wanted.site.app, plan, part) for part in plan.parts}
                mended += machine.mend(pod, names)
                pod = machine.find(pod.namespace, pod.name) or pod
            new.append(pod)
    return Sorted(new, old, mended)


def _without_copies(wanted: Workload, pod: Found) -> Found:
    """Remove containers that somebody made after the likeness of one of ours; return the pod without them."""
    own: dict[str, Seen] = {}
    for part in sorted(pod.parts, key=lambda part: (not part.name.endswith(f"_{part.part}"), part.created)):
        if own.setdefault(part.part, part) is not part:
            wanted.site.say(f"{pod.name}: {part.name} is a copy, and goes")
            wanted.site.machine.remove_stray(part)
    return pod if len(own) == len(pod.parts) else replace(pod, parts=tuple(own.values()))


def roll(wanted: Workload, pods: Sorted) -> str:
    """Bring about the pods of a Deployment, ReplicaSet or DaemonSet; return why it cannot be, "" when it is.

    As on a cluster, a pod that ends counts no more: the next begins while it still drains.
    """
    surge, missing = room(wanted)
    staying = [pod for pod in pods.old if wanted.stays(pod)]
    count = wanted.count - len(staying)
    new, extra = pods.new[:count], pods.new[count:]
    old = [pod for pod in pods.old if pod not in staying]
    _announce(wanted, count - len(new), len(old), len(extra))
    gone = [pod for pod in old if missing >= count or is_ready(wanted.site.machine.client, pod)]
    old = [pod for pod in old if pod not in gone]
    with ThreadPoolExecutor(_TOGETHER) as workers:
        gone += extra
        ending: list[Future[None]] = [workers.submit(drop, wanted, gone)]
        if missing >= count or not surge:
            ending[0].result()  # Recreate: none of the new begins beside one of the old
        problem = admit(wanted, new)
        while not problem and (len(new) < count or old):
            begin = min(count - len(new), count + surge - len(new) - len(old))
            if begin > 0:
                made, problem = begin_all(wanted, _names(wanted, begin, [*new, *old, *gone]))
                new += made
                continue
            spare = len(old) if len(new) >= count else max(1, len(new) + len(old) - (count - missing))
            ending.append(workers.submit(drop, wanted, old[:spare]))
            gone, old = gone + old[:spare], old[spare:]
            if not surge:
                ending[-1].result()  # the next may need what the one before has, such as a port
        if wait(ending, _SOON).not_done:
            wanted.site.say(f"{wanted.key}: the new pods serve; waiting for those before them to end")
        for one in ending:
            one.result()
    return problem


def in_order(wanted: Workload, pods: Sorted) -> str:
    """Bring about the pods of a StatefulSet, or a Pod, whose names are fixed; return why it cannot be, "" when it is.

    As Kubernetes: those that are missing begin in order, those to be replaced are from the last to the first, one at
    a time, and each is ready before the next.
    """
    there = {pod.name: pod for pod in (*pods.old, *pods.new)}
    names = wanted.names()[: wanted.count]
    extra = sorted(set(there) - set(names), key=ordinal, reverse=True)
    missing = [name for name in names if name not in there]
    replaced = [pod for pod in pods.old if pod.name in names and not wanted.stays(pod)]
    _announce(wanted, len(missing) + len(replaced), len(replaced), len(extra))
    for name in extra:
        drop(wanted, [there[name]])
    if wanted.spec.get("podManagementPolicy") == "Parallel":
        if problem := begin_all(wanted, missing)[1]:
            return problem
    else:
        for name in missing:
            if problem := begin_all(wanted, [name])[1]:
                return problem
    if problem := admit(wanted, [pod for pod in pods.new if pod.name in names]):
        return problem
    for pod in sorted(replaced, key=lambda pod: ordinal(pod.name), reverse=True):
        drop(wanted, [pod])
        if problem := begin_all(wanted, [pod.name])[1]:
            return problem
    return ""


def _announce(wanted: Workload, begins: int, old: int, extra: int) -> None:
    """Say how many pods will begin, be replaced, and end."""
    replaced = min(begins, old)
    starts, ends = begins - replaced, extra + old - replaced
    words = [
        f"{verb} {counted(number, 'pod')}"
        for verb, number in (("starts", starts), ("replaces", replaced), ("removes", ends))
        if number
    ]
    if words:
        wanted.site.say(f"{wanted.key}: {', '.join(words)}")


def begin_all(wanted: Workload, names: Sequence[str]) -> tuple[list[Found], str]:
    """Make pods, wait until they are ready, and let them get requests; return those that are, and why others are not."""
    if not names:
        return [], ""
    with ThreadPoolExecutor(min(_TOGETHER, len(names))) as workers:
        done = list(workers.map(lambda name: _begin(wanted, name), names))
    ready = [pod for pod, problem in done if pod is not None and not problem]
    return ready, next((problem for _, problem in done if problem), "")


def admit(wanted: Workload, pods: Sequence[Found]) -> str:
    """Wait until pods that are there are ready, and let them get requests; return why one is not, "" when all are."""
    if not pods:
        return ""
    with ThreadPoolExecutor(min(_TOGETHER, len(pods))) as workers:
        return next(
            (problem for problem in workers.map(lambda pod: _admit(wanted, pod), pods) if problem), ""
        )


def drop(wanted: Workload, pods: Sequence[Found]) -> None:
    """Let pods get no more requests, and end them."""
    if not pods:
        return
    with ThreadPoolExecutor(min(_TOGETHER, len(pods))) as workers:
        list(workers.map(lambda pod: _drop(wanted, pod), pods))


def _begin(wanted: Workload, name: str) -> tuple[Found | None, str]:
    site = wanted.site
    deadline = time.monotonic() + progress_deadline(wanted)
    try:
        plan = wanted.draw(name)
        site.waits[name] = _beginning(plan)
        site.machine.make(plan, lambda address: wanted.draw(name, address), deadline, site.stop.is_set)
    except Unanswered:
        raise
    except DispatchfileError as problem:
        return None, problem.message
    finally:
        site.waits.pop(name, None)
    pod = site.machine.find(plan.namespace, name)
    if pod is None:
        return None, f"{name}: it was removed"
    return pod, _admit(wanted, pod)


def _beginning(plan: Blueprint) -> str:
    names = " and then ".join(part.name for part in plan.init if not part.sidecar)
    return f"its init containers have to end first: {names}" if names else "it is made"


def _admit(wanted: Workload, pod: Found) -> str:
    site = wanted.site
    settle = float(number(wanted.spec, "minReadySeconds", 0, wanted.where))
    deadline = progress_deadline(wanted)
    try:
        awaited = until_ready(
            site.machine,
            pod,
            deadline,
            settle,
            site.stop.is_set,
            lambda why: site.waits.update({pod.name: why}),
        )
    finally:
        site.waits.pop(pod.name, None)
    if awaited.problem:
        words = site.machine.last_words(awaited.container) if awaited.container else ""
        return f"the pod {pod.name}: {awaited.problem}{words}"
    found = site.machine.find(pod.namespace, pod.name)
    if found is None:
        return f"the pod {pod.name} was removed"
    site.traffic.admit(found.pod(ready=True))
    return ""


def _drop(wanted: Workload, pod: Found) -> None:
    site = wanted.site
    if pod.running:
        site.traffic.retire(pod.pod(ready=False), float(pod.grace))
    site.machine.stop(pod)


def _names(wanted: Workload, count: int, there: Sequence[Found]) -> list[str]:
    taken = {pod.name for pod in there}
    names = []
    for _ in range(count):
        names.append(wanted.name_beside(taken))
        taken.add(names[-1])
    return names
