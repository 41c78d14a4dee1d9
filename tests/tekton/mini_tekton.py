"""A Tekton that runs PipelineRuns for real, on the Docker engine: its controller and what of its webhook matters here.

It takes what is emitted as Tekton v0.50 to v1.15 would with the default feature flags: parameters, results and
contexts are substituted in the fields that Tekton knows, level by level; tasks start when those that they wait for
have succeeded, side by side; the first failure lets no further task begin; a result that a task did not give fails
the run. pods.py runs the pods. It plays the controller behind tests/cluster/api_server.py, and `run` does without one.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from tests.cluster.api_server import Cluster
from tests.cluster.store import Refusal, Store, now
from tests.tekton.pods import TOOLS, Pod, StepRun, seconds
from tests.tekton.records import RunRecord, TaskRecord
from tests.tekton.substitution import Refused, Run

Object = dict[str, Any]
NAMESPACE = "ci"
DEFAULT_TIMEOUT = "1h"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class MiniTekton:
    """The controller. `folder` is for the files of volumes; `network` is the engine's network of the pods.

    `pods` are all pods by the names of their pipeline tasks; `started_tasks` the tasks in the order of their starts.
    `api` is the value of the feature flag enable-api-fields.
    """

    def __init__(self, folder: Path, *, network: str = "bridge", api: str = "beta") -> None:
        self.folder = folder
        self.network = network
        self.api = api
        self.pods: dict[str, Pod] = {}
        self.started_tasks: list[str] = []
        self.claims = folder / "claims"
        self.claims.mkdir(parents=True, exist_ok=True)

    def started(self, run: Object, cluster: Cluster) -> None:
        """Run a PipelineRun that was just created, to its end."""
        try:
            Running(self, run, cluster).run()
        except Refused as refusal:
            RunRecord(cluster, run).tell("False", "PipelineValidationFailed", str(refusal))
        finally:
            self._forget()

    def run(self, *objects: Object) -> Object:
        """Create objects, as `kubectl create` would; return the last PipelineRun among them as it is in the end."""
        cluster = Cluster(Store(), threading.Event())
        last: Object = {}
        for made in objects:
            kept = cluster.create(made["kind"], NAMESPACE, made)
            last = kept if made["kind"] == "PipelineRun" else last
        self.started(last, cluster)
        return cluster.get("PipelineRun", NAMESPACE, last["metadata"]["name"])

    def step(self, task: str, step: str) -> StepRun:
        """Return a step that ran."""
        return next(one for one in self.pods[task].steps if one.name == step)

    def _forget(self) -> None:
        """Remove the files of the volumes; they belong to the containers' users."""
        if not any(self.claims.iterdir()):
            return
        mount = f"--volume={self.folder}:/all"
        subprocess.run(
            ["docker", "run", "--rm", mount, TOOLS, "sh", "-c", "rm -rf /all/*"],
            check=True,
            capture_output=True,
        )
        self.claims.mkdir(exist_ok=True)


class Running:
    """One PipelineRun on its way."""

    def __init__(self, tekton: MiniTekton, run: Object, cluster: Cluster) -> None:
        self.tekton = tekton
        self.object = run
        self.cluster = cluster
        self.record = RunRecord(cluster, run)
        self.name = run["metadata"]["name"]
        self.namespace = run["metadata"]["namespace"]
        self.results: dict[str, dict[str, str]] = {}
        self._late = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run all tasks, and finish the run's status. Raises Refused for what admission would not take."""
        spec = self._pipeline_spec()
        tasks = {task["name"]: task for task in spec["tasks"]}
        for task in tasks.values():
            admit(task, tasks, self.tekton.api)
        _first_cycle(tasks)
        template = self.object["spec"].get("taskRunTemplate", {})
        self._account = self._secrets_of(template.get("serviceAccountName", "default"))
        self._template = template.get("podTemplate", {})
        self._workspaces = self._bound_workspaces(spec)
        self.record.change(lambda status: status.update(startTime=now(), pipelineSpec=spec))
        self._progress("Unknown", "Running", tasks, {})
        states = self._schedule(tasks)
        if self.cluster.cancelled(self.object):
            self._progress("False", "Cancelled", tasks, states)
        elif self._late:
            self._progress("False", "PipelineRunTimeout", tasks, states)
        elif "Failed" in states.values():
            self._progress("False", "Failed", tasks, states)
        else:
            given = [
                {"name": one["name"], "value": self._filled(one["value"])} for one in spec.get("results", ())
            ]
            self.record.change(lambda status: status.update(results=given) if given else None)
            self._progress("True", "Succeeded", tasks, states)

    # What is to run

    def _pipeline_spec(self) -> Object:
        spec = self.object["spec"]
        if ("pipelineRef" in spec) == ("pipelineSpec" in spec):
            raise Refused("expected exactly one, got both or neither: spec.pipelineRef, spec.pipelineSpec")
        if "pipelineRef" in spec:
            reference = spec["pipelineRef"]["name"]
            try:
                found = self.cluster.get("Pipeline", self.namespace, reference)["spec"]
            except Refusal as refusal:
                raise Refused(f"Error retrieving pipeline for pipelinerun: {refusal}") from None
        else:
            found = spec["pipelineSpec"]
        values = {one["name"]: one["value"] for one in spec.get("params", ())}
        self.text = Run(found, values, self.name, self.namespace)
        return self.text.spec

    def _bound_workspaces(self, spec: Object) -> dict[str, Object]:
        given = {one["name"]: dict(one) for one in self.object["spec"].get("workspaces", ())}
        for declared in spec.get("workspaces", ()):
            if declared["name"] not in given and not declared.get("optional"):
                raise Refused(
                    f"pipeline requires workspace with name {declared['name']!r} be provided by pipelinerun"
                )
        for name, one in given.items():
            if "volumeClaimTemplate" in one:
                del one["volumeClaimTemplate"]
                one["persistentVolumeClaim"] = {"claimName": f"pvc-{self.name}-{name}"[:63]}
            if claim := one.get("persistentVolumeClaim", {}).get("claimName"):
                (self.tekton.claims / claim).mkdir(mode=0o755, exist_ok=True)
        return given

    def _secrets_of(self, account: str) -> list[str]:
        try:
            found = self.cluster.get("ServiceAccount", self.namespace, account)
        except Refusal as refusal:
            if account == "default":
                return []
            raise Refused(str(refusal)) from None
        return [one["name"] for one in found.get("secrets", ())]

    # In which order

    def _schedule(self, tasks: Mapping[str, Object]) -> dict[str, str]:
        """Run the tasks; return the state of each that began: Succeeded or Failed."""
        limits = self.object["spec"].get("timeouts", {})
        limit = seconds(limits.get("pipeline", DEFAULT_TIMEOUT))
        end = time.monotonic() + limit if limit else float("inf")
        states: dict[str, str] = {}
        doing: dict[Future[str], str] = {}
        with ThreadPoolExecutor(8) as pool:
            while True:
                stopped = "Failed" in states.values() or self.cluster.cancelled(self.object)
                for name, task in tasks.items():
                    ready = all(states.get(other) == "Succeeded" for other in waits_for(task, tasks))
                    if ready and not stopped and name not in states and name not in doing.values():
                        doing[pool.submit(self._run_task, task)] = name
                if not doing:
                    return states
                done, _ = wait(doing, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    states[doing.pop(future)] = future.result()
                self._end_what_must(end, list(doing.values()))
                if done:
                    self._progress("Unknown", "Running", tasks, states)

    def _end_what_must(self, end: float, doing: list[str]) -> None:
        cancelled, late = self.cluster.cancelled(self.object), time.monotonic() > end
        if cancelled or late or self.cluster.closed.is_set():
            for name in doing:
                if pod := self.tekton.pods.get(name):
                    self._late = self._late or late
                    pod.stop("TaskRunTimeout" if late else "TaskRunCancelled")

    def _run_task(self, task: Object) -> str:
        name = task["name"]
        with self._lock:
            self.tekton.started_tasks.append(name)
            task = self.text.started(name)
        taskrun = child_name(self.name, name)
        secrets = {one["metadata"]["name"]: one for one in self.cluster.list("Secret", self.namespace)}
        pod = Pod(
            child_name(taskrun, "pod"), task["taskSpec"], self.tekton.folder / taskrun, claims=self.tekton.claims,
            secrets=secrets, account=self._account, template=self._template, workspaces=self._bound(task),
            network=self.tekton.network, ended=lambda step: record.step_ended(step),
            write=lambda step, data: self.cluster.log(self.namespace, pod.name, f"step-{step}", data),
        )  # fmt: skip
        self.tekton.pods[name] = pod
        record = TaskRecord(self.record, task, taskrun, pod)
        record.begin()
        limit = seconds(task.get("timeout", DEFAULT_TIMEOUT))
        timer = threading.Timer(limit or 1e6, pod.stop, ("TaskRunTimeout",))
        timer.start()
        refused = ""
        try:
            pod.run()
        except Refused as refusal:
            refused = str(refusal)
        finally:
            timer.cancel()
        with self._lock:
            self.results[name] = dict(pod.results)
            self.text.finished(name, pod.results)
        return record.end(refused)

    def _bound(self, task: Object) -> dict[str, Object]:
        """Return the workspaces of a task, each with what is behind it."""
        bound = {}
        for one in task.get("workspaces", ()):
            given = dict(self._workspaces[one.get("workspace", one["name"])])
            given["subPath"] = "/".join(filter(None, (given.get("subPath", ""), one.get("subPath", ""))))
            bound[one["name"]] = given
        if (
            len(
                {
                    str(one["persistentVolumeClaim"])
                    for one in bound.values()
                    if "persistentVolumeClaim" in one
                }
            )
            > 1
        ):
            raise Refused("TaskRunValidationFailed: more than one PersistentVolumeClaim is bound")
        return bound

    def _filled(self, text: str) -> str:
        """Return a text with the results that it refers to; raise Refused for one that a task did not give."""

        def one(found: re.Match[str]) -> str:
            task, result = found[1], found[2]
            if result not in self.results.get(task, {}):
                raise Refused(
                    f"task {task} in the pipeline completed successfully but did not emit the result {result}"
                )
            return self.results[task][result]

        return re.sub(r"\$\(tasks\.([\w-]+)\.results\.([\w.-]+)\)", one, text)

    def _progress(
        self, status: str, reason: str, tasks: Mapping[str, Object], states: Mapping[str, str]
    ) -> None:
        failed = sum(state != "Succeeded" for state in states.values())
        rest = f"{'Skipped' if status != 'Unknown' else 'Incomplete'}: {len(tasks) - len(states)}"
        self.record.tell(
            status, reason, f"Tasks Completed: {len(states)} (Failed: {failed}, Cancelled 0), {rest}"
        )


# What Tekton's webhook and its substitution say of specs


def child_name(parent: str, suffix: str) -> str:
    """Return the name of what belongs to something: both names, or with a hash where that is too long."""
    name = f"{parent}-{suffix}"
    return name if len(name) <= 63 else f"{name[:30]}-{hashlib.md5(name.encode()).hexdigest()}"


def admit(task: Object, tasks: Mapping[str, Object], api: str) -> None:
    """Raise Refused for a pipeline task that the webhook refuses."""
    name, spec = task["name"], task["taskSpec"]
    if not _LABEL.fullmatch(name):
        raise Refused(f"invalid value: {name!r} must be a valid DNS label")
    containers = [f"step-{step.get('name', '')}"[:63] for step in spec["steps"]]
    if len(set(containers)) != len(containers):
        raise Refused(f"{name}: Duplicate value of spec.containers[].name among {containers}")
    for step in spec["steps"]:
        if not _LABEL.fullmatch(step.get("name", "")):
            raise Refused(f"{name}: step name {step.get('name')!r} is no DNS label")
        if "script" in step and "command" in step:
            raise Refused(f"{name}.{step['name']}: script cannot be used with command")
        if "stdoutConfig" in step and api != "alpha":
            raise Refused(f'{name}.{step["name"]}: stdoutConfig requires "enable-api-fields" to be "alpha"')
    for other in task.get("runAfter", ()):
        if other not in tasks:
            raise Refused(f"{name}: couldn't add link between {name} and {other}: task {other} doesn't exist")
    for other, result in _references(task):
        declared = [one["name"] for one in tasks.get(other, {}).get("taskSpec", {}).get("results", ())]
        if result not in declared:
            raise Refused(f"{name}: invalid result reference: task {other} has no result {result}")


def waits_for(task: Object, tasks: Mapping[str, Object]) -> list[str]:
    """Return the tasks that must have succeeded before this one: those it names, and those whose results it takes."""
    return sorted({*task.get("runAfter", ()), *(other for other, _ in _references(task))})


def _references(task: Object) -> set[tuple[str, str]]:
    return {
        (found[0], found[1])
        for param in task.get("params", ())
        for found in re.findall(r"\$\(tasks\.([\w-]+)\.results\.([\w.-]+)\)", param["value"])
    }


def _first_cycle(tasks: Mapping[str, Object]) -> None:
    done: set[str] = set()
    while len(done) < len(tasks):
        ready = {
            name for name, task in tasks.items() if name not in done and set(waits_for(task, tasks)) <= done
        }
        if not ready:
            raise Refused(f"cycle detected among {sorted(set(tasks) - done)}")
        done |= ready
