"""What of a run does not start: told once, with the reason, when it has been waited for long enough."""

from __future__ import annotations

import time

from dispatchfile.cluster import status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dispatchfile.kube.client import Object

PATIENCE_S = 10.0
"""Seconds that a pod may take to start before it is told what it waits for."""


class Delays:
    """The pods that have not done their work yet, by the task that each is of; `tell` is given what keeps one.

    `titles` are what tasks are called to the user, by their names on the cluster; pods of others are no concern.
    """

    def __init__(self, titles: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._titles, self._tell = titles, tell
        self._began = time.monotonic()
        self._pods: dict[str, tuple[float, Object]] = {}
        self._told: set[str] = set()

    def see(self, task: str, pod: Object) -> None:
        """Learn what the pod of a task is now."""
        if task in self._titles:
            since = self._pods.get(task, (time.monotonic(), pod))[0]
            self._pods[task] = (since, pod)

    def forget(self, task: str) -> None:
        """Expect nothing more of the pod of a task."""
        self._pods.pop(task, None)

    def tell_of_pods(self) -> None:
        """Tell what keeps pods from starting."""
        for task, (since, pod) in self._pods.items():
            if time.monotonic() - since > PATIENCE_S and (trouble := status.trouble(pod)):
                self._once(f"{self._titles[task]}: {trouble}")

    def tell_of_run(self, run: Object) -> None:
        """Tell that nothing of a run has begun, and what the run itself says."""
        if time.monotonic() - self._began > PATIENCE_S:
            why = status.succeeded(run).message or "is Tekton's controller running there?"
            self._once(f"nothing of the run has begun yet: {why}")

    def _once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
