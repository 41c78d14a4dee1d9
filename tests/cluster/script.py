"""A controller that plays PipelineRuns by a script: what steps write and how they end, without running anything."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.cluster.api_server import Cluster
from tests.cluster.store import Object, Refusal, now

Key = tuple[str, str]


class Act(NamedTuple):
    """What a step does: it writes its log piece by piece, each after `delay` seconds, calls `then`, and ends.

    `told` is what Tekton says of the end (`reason` of terminated), `goes_on` that of `onError: continue`.
    """

    log: tuple[bytes, ...] = ()
    exit_code: int = 0
    delay: float = 0.0
    then: Callable[[Cluster, Object], None] | None = None
    told: str = ""
    goes_on: bool = False


class _Ended(Exception):
    """The run is over before its tasks are."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reason, self.message = reason, message


class Script:
    """Plays runs. `acts` by (task, step) on the cluster, `results` by task; `pending` is a state of the pods' start.

    `fails` ends a TaskRun with a reason and a message before any step; `ends` ends the whole run after a task.
    """

    def __init__(
        self, acts: Mapping[Key, Act] | None = None, *, results: Mapping[str, Mapping[str, str]] | None = None,
        pending: Mapping[str, Callable[[Object], None]] | None = None, pause: float = 0.0,
        fails: Mapping[str, tuple[str, str]] | None = None, ends: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self.acts, self.results, self.pending, self.pause = acts or {}, results or {}, pending or {}, pause
        self.fails, self.ends = fails or {}, ends or {}
        self.runs: list[str] = []
        self.pods: dict[str, str] = {}

    def started(self, run: Object, cluster: Cluster) -> None:
        with contextlib.suppress(Refusal):  # the run was deleted: there is nothing left to play
            self._play(run, cluster)

    def _play(self, run: Object, cluster: Cluster) -> None:
        name = run["metadata"]["name"]
        self.runs.append(name)
        self._set(cluster, "PipelineRun", run, {"startTime": now()}, ("Unknown", "Running", ""))
        tasks = run["spec"]["pipelineSpec"]["tasks"]
        done: list[str] = []
        failed = ""
        try:
            while len(done) < len(tasks) and not failed:
                task = next(
                    task
                    for task in tasks
                    if task["name"] not in done and set(task.get("runAfter", ())) <= {*done}
                )
                done.append(task["name"])
                if not self._task(task, run, cluster):
                    failed = task["name"]
                if task["name"] in self.ends:
                    raise _Ended(*self.ends[task["name"]])
        except _Ended as ended:
            self._end(cluster, run, tasks, done, ("False", ended.reason, ended.message))
            return
        told = (
            ("False", "Failed", "Tasks Completed: 1 (Failed: 1)")
            if failed
            else ("True", "Succeeded", "all done")
        )
        self._end(cluster, run, tasks, done, told)

    def _end(
        self, cluster: Cluster, run: Object, tasks: list[Object], done: list[str], told: tuple[str, str, str]
    ) -> None:
        skipped = [
            {"name": task["name"], "reason": "PipelineRun was stopping"}
            for task in tasks
            if task["name"] not in done
        ]
        self._set(cluster, "PipelineRun", run, {"completionTime": now(), "skippedTasks": skipped}, told)

    def _task(self, task: Object, run: Object, cluster: Cluster) -> bool:
        metadata = run["metadata"]
        namespace, name = metadata["namespace"], f"{metadata['name']}-{task['name']}"
        labels = {"tekton.dev/pipelineRun": metadata["name"], "tekton.dev/pipelineTask": task["name"]}
        task_run = cluster.create(
            "TaskRun",
            namespace,
            {"metadata": {"name": name, "labels": labels}, "spec": {"taskSpec": task["taskSpec"]}},
        )
        self._set(cluster, "TaskRun", task_run, {"startTime": now()}, ("Unknown", "Pending", ""))
        if task["name"] in self.fails:
            self._set(
                cluster, "TaskRun", task_run, {"completionTime": now()}, ("False", *self.fails[task["name"]])
            )
            return False
        pod = self._pod(task, run, task_run, cluster)
        failed = self._steps(task, run, task_run, pod, cluster)
        found = self.results.get(task["name"], {})
        ended = {
            "completionTime": now(),
            "results": [{"name": key, "type": "string", "value": value} for key, value in found.items()],
        }
        timed_out = any(act.told == "TaskRunTimeout" for act in self.acts.values()) and failed
        reason = "TaskRunTimeout" if timed_out else "Failed"
        told = ("False", reason, f'"step-{failed}" exited') if failed else ("True", "Succeeded", "")
        self._set(cluster, "TaskRun", task_run, ended, told)
        return not failed

    def _pod(self, task: Object, run: Object, task_run: Object, cluster: Cluster) -> Object:
        """Return the pod of a task once it runs."""
        name, namespace = task_run["metadata"]["name"], run["metadata"]["namespace"]
        containers = [f"step-{step['name']}" for step in task["taskSpec"]["steps"]]
        pod = cluster.create(
            "Pod",
            namespace,
            {
                "metadata": {"name": f"{name}-pod", "labels": task_run["metadata"]["labels"]},
                "spec": {"containers": [{"name": container} for container in containers]},
                "status": {"phase": "Pending"},
            },
        )
        self.pods[name] = pod["metadata"]["name"]
        if task["name"] in self.pending:
            cluster.change("Pod", namespace, self.pods[name], self.pending[task["name"]])
        self._wait(self.pause, cluster, run, task_run)

        def run_pod(found: Object) -> None:
            statuses = [{"name": container, "state": {"running": {}}} for container in containers]
            found["status"] = {"phase": "Running", "containerStatuses": statuses}

        cluster.change("Pod", namespace, self.pods[name], run_pod)
        return pod

    def _steps(self, task: Object, run: Object, task_run: Object, pod: Object, cluster: Cluster) -> str:
        """Play the steps of a task, and return the one that failed, or ""."""
        namespace, pod_name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        names = [step["name"] for step in task["taskSpec"]["steps"]]
        states: list[Object] = [
            {"name": name, "container": f"step-{name}", "running": {"startedAt": now()}} for name in names
        ]
        status = {"podName": pod_name, "steps": states}
        self._set(cluster, "TaskRun", task_run, status, ("Unknown", "Running", ""))
        failed = ""
        for state in states:
            act = self.acts.get((task["name"], state["name"]), Act())
            if failed:
                act = Act(exit_code=1, told="Error")
            else:
                self._write(act, task_run, pod, state, cluster, run)
            del state["running"]
            reason = act.told or ("Error" if act.exit_code else "Completed")
            state["terminated"] = {
                "exitCode": act.exit_code, "reason": reason, "startedAt": now(), "finishedAt": now()
            }  # fmt: skip
            state["terminationReason"] = "Continued" if act.goes_on else "Skipped" if failed else reason
            cluster.log(namespace, pod_name, state["container"], end=True)
            self._set(cluster, "TaskRun", task_run, {"steps": states}, ("Unknown", "Running", ""))
            if act.exit_code and not act.goes_on:
                failed = failed or state["name"]
        return failed

    def _write(
        self, act: Act, task_run: Object, pod: Object, state: Object, cluster: Cluster, run: Object
    ) -> None:
        for piece in act.log:
            self._wait(act.delay, cluster, run, task_run)
            cluster.log(pod["metadata"]["namespace"], pod["metadata"]["name"], state["container"], piece)
        if not act.log:
            self._wait(act.delay, cluster, run, task_run)
        if act.then is not None:
            act.then(cluster, run)

    def _wait(self, seconds: float, cluster: Cluster, run: Object, task_run: Object) -> None:
        """Wait, and end the run when it is cancelled meanwhile."""
        deadline = time.monotonic() + seconds
        while not cluster.closed.is_set():
            if cluster.cancelled(run):
                told = ("False", "TaskRunCancelled", 'TaskRun "x" was cancelled')
                self._set(cluster, "TaskRun", task_run, {"completionTime": now()}, told)
                if task_run["metadata"]["name"] in self.pods:  # as Tekton does, and with it go the logs
                    cluster.delete(
                        "Pod", run["metadata"]["namespace"], self.pods[task_run["metadata"]["name"]]
                    )
                raise _Ended("Cancelled", "PipelineRun was cancelled")
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.02, left))

    def _set(
        self,
        cluster: Cluster,
        kind: str,
        found: Object,
        status: Mapping[str, Any],
        told: tuple[str, str, str],
    ) -> None:
        def change(target: Object) -> None:
            condition = dict(zip(("status", "reason", "message"), told, strict=True))
            target.setdefault("status", {}).update(status)
            target["status"]["conditions"] = [{"type": "Succeeded", **condition}]

        metadata = found["metadata"]
        cluster.change(kind, metadata["namespace"], metadata["name"], change)
