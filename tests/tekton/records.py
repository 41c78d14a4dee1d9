"""What a Tekton writes down of a run: the TaskRun and the Pod of each task, and the conditions of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cluster.api_server import Cluster
from tests.cluster.store import now
from tests.tekton.pods import Pod, StepRun

Object = dict[str, Any]


class RunRecord:
    """The status of a PipelineRun."""

    def __init__(self, cluster: Cluster, run: Object) -> None:
        self.cluster = cluster
        self.metadata = run["metadata"]
        self.name, self.namespace = run["metadata"]["name"], run["metadata"]["namespace"]

    def change(self, how: Callable[[Object], object]) -> None:
        """Change the status in place."""
        self.cluster.change(
            "PipelineRun", self.namespace, self.name, lambda found: how(found.setdefault("status", {}))
        )

    def tell(self, status: str, reason: str, message: str) -> None:
        """Write the condition, and the time of the end when it is one."""
        told: Object = {"conditions": [condition(status, reason, message)]}
        if status != "Unknown":
            told["completionTime"] = now()
        self.change(lambda found: found.update(told))


class TaskRecord:
    """The TaskRun and the Pod of one task."""

    def __init__(self, record: RunRecord, task: Object, name: str, pod: Pod) -> None:
        self.record, self.cluster, self.namespace = record, record.cluster, record.namespace
        self.task, self.name, self.pod = task, name, pod
        self.steps = [step["name"] for step in task["taskSpec"]["steps"]]

    def begin(self) -> None:
        """Create the objects; all containers of a pod run from its start, and wait for one another."""
        spec = self.task["taskSpec"]
        labels = {**self.record.metadata.get("labels", {}), **spec.get("metadata", {}).get("labels", {})}
        labels |= {"tekton.dev/pipelineRun": self.record.name, "tekton.dev/pipelineTask": self.task["name"]}
        metadata = {"name": self.name, "labels": labels}
        told = {
            "params": self.task.get("params", []),
            "taskSpec": {k: v for k, v in spec.items() if k != "metadata"},
        }
        self.cluster.create(
            "TaskRun", self.namespace, {"metadata": metadata, "spec": told, "status": self._task_status()}
        )
        metadata = {"name": self.pod.name, "labels": {**labels, "tekton.dev/taskRun": self.name}}
        containers = {"containers": [{"name": f"step-{step}"} for step in self.steps]}
        self.cluster.create(
            "Pod", self.namespace, {"metadata": metadata, "spec": containers, "status": self._pod_status()}
        )
        child = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": self.name}
        child["pipelineTaskName"] = self.task["name"]
        self.record.change(lambda status: status.setdefault("childReferences", []).append(child))

    def step_ended(self, step: str) -> None:
        """Write down that a step ended; its log is complete."""
        self.cluster.log(self.namespace, self.pod.name, f"step-{step}", end=True)
        self._write()

    def end(self, refused: str) -> str:
        """Write how the task ended, and return its state: Succeeded or Failed."""
        for step in self.steps:
            self.cluster.log(self.namespace, self.pod.name, f"step-{step}", end=True)
        told = self._verdict(refused)
        self._write(told, "Succeeded" if told["status"] == "True" else "Failed")
        return "Succeeded" if told["status"] == "True" else "Failed"

    def _verdict(self, refused: str) -> Object:
        specs = {one["name"]: one for one in self.task["taskSpec"]["steps"]}
        bad = next(
            (one for one in self.pod.steps if one.exit_code and specs[one.name].get("onError") != "continue"),
            None,
        )
        if refused:
            return condition("False", "PodCreationFailed", refused)
        if self.pod.stopped:
            return condition("False", self.pod.stopped, f'TaskRun "{self.name}" was ended')
        if bad:
            reason = "TaskRunTimeout" if bad.reason == "TimeoutExceeded" else "Failed"
            return condition("False", reason, f'"step-{bad.name}" exited with code {bad.exit_code}')
        return condition("True", "Succeeded", "All Steps have completed executing")

    def _write(self, told: Object | None = None, phase: str = "Running") -> None:
        task, pod = self._task_status(told), self._pod_status(phase)
        self.cluster.change("Pod", self.namespace, self.pod.name, lambda found: found["status"].update(pod))
        self.cluster.change("TaskRun", self.namespace, self.name, lambda found: found["status"].update(task))

    def _task_status(self, told: Object | None = None) -> Object:
        running = condition("Unknown", "Running", "Not all Steps in the Task have finished executing")
        status: Object = {"podName": self.pod.name, "conditions": [told or running]}
        status |= {"completionTime": now()} if told else {"startTime": now()} if not self.pod.steps else {}
        status["steps"] = [
            {"name": step, "container": f"step-{step}", **self._state(step, over=bool(told))}
            for step in self.steps
        ]
        if told and self.pod.results:
            status["results"] = [
                {"name": name, "type": "string", "value": value}
                for name, value in sorted(self.pod.results.items())
            ]
        return status

    def _pod_status(self, phase: str = "Running") -> Object:
        over = phase != "Running"
        return {
            "phase": phase,
            "containerStatuses": [
                {"name": f"step-{step}", "state": self._state(step, over=over)} for step in self.steps
            ],
        }

    def _state(self, step: str, *, over: bool) -> Object:
        run: StepRun | None = next((one for one in self.pod.steps if one.name == step), None)
        if run is not None and run.reason:
            return {"terminated": {"exitCode": run.exit_code, "reason": run.reason, "finishedAt": now()}}
        if over:
            # Tekton's entrypoint skips what follows a failure, and ends with 1.
            return {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": now()}}
        return {"running": {"startedAt": now()}}


def condition(status: str, reason: str, message: str) -> Object:
    """Return the condition that says how far something is."""
    told = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
    return {**told, "lastTransitionTime": now()}
