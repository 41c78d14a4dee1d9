"""Whether a pod is ready: all its containers run, and those that can say so say so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dispatchfile.apps.local import probes
from dispatchfile.apps.local.container import named_ports
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from docker import APIClient

    from dispatchfile.apps.local.machine import Machine
    from dispatchfile.apps.local.snapshot import Found

SETTLED = 0.5
"""Seconds that a container without a probe runs before it counts as ready: what ends at once never was."""
SETTLED_AGAIN = 5.0
"""The same for one that has ended already: it runs for a while each time."""
CRASHES, CRASHING = 5, 20.0
"""Restarts, and seconds since a pod began, after which it is not waited for any more."""
ENDING = ("Never", "OnFailure")
"""restartPolicy of pods that may end."""
_QUICK = (0.05, 1.0)
"""Between two looks at a pod that begins: short first, then longer; a probe's own period is for those that run."""


class Awaited(Record):
    """How waiting for a pod ended: `problem` is "" when it is ready; `container` is the one that is not."""

    problem: str
    container: str = ""


class _Look(Record):
    problem: str = ""
    container: str = ""
    hopeless: bool = False
    began: tuple[str, ...] = ()


def specs(pod: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what a pod's manifest says of its containers, by their names."""
    found = (*(pod.get("initContainers") or ()), *(pod.get("containers") or ()))
    return {str(one.get("name")): one for one in found}


def probe(spec: Mapping[str, Any], container: str, kind: str) -> probes.Probe | None:
    """Return a probe of a pod's container, None without one. Raises UsageError for one that cannot be run."""
    given = specs(spec).get(container)
    if given is None:
        return None
    where = f"container {container}"
    return probes.probe_of(given, probes.FIELDS[kind], named_ports(given, where), where)


def has_probe(pod: Found) -> bool:
    """Return whether a container of a pod is to be asked whether it is ready."""
    return any(one.get("readinessProbe") for one in specs(pod.given).values())


def is_ready(client: APIClient, pod: Found) -> str:
    """Ask a pod once; return "" when it is ready, else why not. Raises UsageError for a probe that cannot be run."""
    if not pod.whole:
        return "it is not whole"
    for part in pod.main:
        if part.exit_code == 0 and pod.given.get("restartPolicy") in ENDING:
            continue  # it has done what it was there for
        if part.state != "running":
            return f"the container {part.part} is {part.state}"
        asked = probe(pod.given, part.part, "readiness")
        if asked and (problem := probes.run(client, asked, part.id, pod.owner.address)):
            return f"the container {part.part} is not ready: {problem}"
    return ""


def until_ready(
    machine: Machine,
    pod: Found,
    seconds: float,
    settle: float,
    stopped: Callable[[], bool],
    tell: Callable[[str], None] = lambda _why: None,
) -> Awaited:
    """Wait until a pod is ready, and stays so for `settle` seconds; give up after `seconds`, or when it crashes on and on.

    `tell` gets why it is not ready yet, each time it is looked at.
    A startupProbe or readinessProbe that fails is asked again until then; failureThreshold is for pods that serve.
    """
    unasked = any(probe(pod.given, part.part, "readiness") is None for part in pod.main)
    if unasked:
        settle = max(settle, SETTLED)
    began, since = time.monotonic(), 0.0
    started: set[str] = set()
    pause = _QUICK[0]
    look: _Look | None = None
    began_at: tuple[str, ...] = ()
    while not stopped():
        now = time.monotonic()
        look = _look(machine, pod, started, now - began)
        if look.hopeless:
            return Awaited(look.problem, look.container)
        tell(look.problem or "it has to stay ready")
        if look.began and began_at and look.began != began_at:
            since, settle = 0.0, max(settle, SETTLED_AGAIN if unasked else 0.0)
        began_at = look.began
        since = (since or now) if not look.problem else 0.0
        if since and now - since >= settle:
            return Awaited("")
        if now - began > seconds:
            why = look.problem or "it does not stay ready"
            return Awaited(f"it was not ready within {seconds:g} s: {why}", look.container)
        time.sleep(pause)
        pause = min(pause * 1.4, _QUICK[1])
    why = f": {look.problem}" if look and look.problem else ""
    return Awaited(f"it is waited for no longer{why}", look.container if look else "")


def _look(machine: Machine, pod: Found, started: set[str], age: float) -> _Look:
    spec = pod.given
    address = machine.address(pod.owner.id)
    began = []
    for part in pod.main:
        found = machine.inspect(part.id)
        state = found["State"]
        began.append(str(state.get("StartedAt")))
        if not state["Running"] or state.get("Restarting"):
            code = state.get("ExitCode")
            if code == 0 and spec.get("restartPolicy") in ENDING:
                continue
            policy = found["HostConfig"]["RestartPolicy"]["Name"]
            often = found.get("RestartCount", 0) >= CRASHES and age >= CRASHING
            said = f"the container {part.part} ended with exit code {code}"
            return _Look(said, part.id, often or policy in ("", "no"), ("ended",))
        for kind in ("startup", "readiness"):
            asked = probe(spec, part.part, kind)
            if asked is None or (kind == "startup" and part.id in started):
                continue
            if problem := probes.run(machine.client, asked, part.id, address):
                return _Look(f"the container {part.part} is not ready: {problem}", part.id)
            started.add(part.id)
    return _Look(began=tuple(began))
