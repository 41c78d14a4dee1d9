"""What happens to the objects of a kind, as long as anybody asks: a list, and then a watch from there on.

A watch ends all the time: the server closes it after some minutes, connections break, and a version that is too old
is gone (410). It goes on from the last version seen, or from a new list; what changed in between is told once, as it
is then. Where nobody may watch, the list alone is asked for again and again.
"""

from __future__ import annotations

import time

from dispatchfile.kube.problems import Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from typing import Literal

    from dispatchfile.kube.client import Cluster, Kind, Object

    Change = tuple[Literal["is", "gone"], Object]

WATCH_S = 60
"""A watch is asked for this long; a connection that is silent for somewhat longer is taken for dead."""
POLL_S = 2.0
"""Seconds between two lists where watching is not allowed."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
GIVE_UP_S = 300.0
"""Seconds without any answer after which a cluster is given up: a restart of its API server takes less."""


def changes(
    cluster: Cluster,
    kind: Kind,
    stop: threading.Event,
    tell: Callable[[str], None] = lambda _: None,
    seen: Iterable[Object] = (),
    **selectors: str,
) -> Iterator[Change]:
    """Yield ("is", object) for each object that is there or has changed, ("gone", object) for one that was deleted.

    `seen` are objects as they were before: they are told when they have changed since, or are gone.
    Ends when `stop` is set. `tell` hears of a cluster that does not answer, and of its return. Raises what is refused
    for good, and what still does not answer after GIVE_UP_S.
    """
    known = {found["metadata"]["name"]: found for found in seen}
    version, failures, lost, told = "", 0, 0.0, False
    while not stop.is_set():
        began = time.monotonic()
        try:
            if not version:
                listed = cluster.list(kind, **selectors)
                version = str(listed["metadata"].get("resourceVersion") or "0")
                yield from _listed(known, listed.get("items") or ())
                lost = 0.0
                if told:
                    told = False
                    tell("the cluster answers again")
            for what, found in cluster.watch(kind, version, seconds=WATCH_S, **selectors):
                failures, lost = 0, 0.0
                version = found["metadata"]["resourceVersion"]
                if what != "BOOKMARK":
                    yield _noted(known, what, found)
            failures = failures + 1 if time.monotonic() - began < 1 else 0
        except (Refused, Unreachable) as problem:
            wait = _wait(problem, bool(version), failures)
            if failures or (isinstance(problem, Refused) and not problem.passes):
                version = ""  # a watch may be silent for long; a list tells at once whether anybody answers
            if isinstance(problem, Unreachable) or problem.passes:
                if failures == 2:
                    told = True
                    tell(f"{problem.message}; trying again")
                lost = lost or began
                if began - lost > GIVE_UP_S:
                    raise
            failures += 1
            stop.wait(wait)
            continue
        if failures:
            stop.wait(_backoff(failures))


def _wait(problem: Refused | Unreachable, watching: bool, failures: int) -> float:  # noqa: FBT001 a fact, no switch
    """Return the seconds until the next try; raises what will not pass."""
    if isinstance(problem, Refused) and not problem.passes:
        if problem.code == 410:
            return _backoff(failures)
        if watching and problem.code in (403, 405):
            return POLL_S
        raise problem
    return max(_backoff(failures), problem.retry_after if isinstance(problem, Refused) else 0.0)


def _backoff(failures: int) -> float:
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures, 10)))


def _listed(known: dict[str, Object], items: Iterable[Object]) -> Iterator[Change]:
    here = {found["metadata"]["name"]: found for found in items}
    for name in [name for name in known if name not in here]:
        yield "gone", known.pop(name)
    for name, found in here.items():
        before = known.get(name)
        if before is None or before["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            yield _noted(known, "MODIFIED", found)


def _noted(known: dict[str, Object], what: str, found: Object) -> Change:
    name = found["metadata"]["name"]
    if what == "DELETED":
        known.pop(name, None)
        return "gone", found
    known[name] = found
    return "is", found
