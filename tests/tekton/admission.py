"""What Tekton's admission webhook, and the API server for a pod, ask of an object beyond what its schema says.

After tektoncd/pipeline, pkg/apis/pipeline/v1, `*_validation.go`. Where Tekton would look for a parameter further out,
it must be declared here: that is how objects of this program are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dispatchfile.model.quantities import duration, quantity

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
PARAM = r"[_a-zA-Z][_a-zA-Z0-9.-]*"
RESULT = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
ENV = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
REFERENCE = r"\$\(%s(?:\.([_a-zA-Z][_a-zA-Z0-9.-]*)|\[\"([^\"]*)\"\]|\['([^']*)'\])(?:\[[\d*]*\])?\)"
TASK_RESULT = re.compile(r"\$\(tasks\.([a-z0-9-]+)\.results\.([-A-Za-z0-9_.]+)\)")
SOURCES = {
    "emptyDir", "secret", "configMap", "persistentVolumeClaim", "hostPath", "projected", "csi", "downwardAPI", "nfs",
    "ephemeral", "iscsi", "image",
}  # fmt: skip
CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding"}


def metadata(made: Mapping[str, Any]) -> Iterator[str]:
    metadata = made.get("metadata", {})
    name, prefix = metadata.get("name"), metadata.get("generateName")
    longest = {"EventListener": 60, "CronJob": 52}.get(made.get("kind", ""), 63)
    if name is None and prefix is None:
        yield "metadata: neither name nor generateName"
    if name is not None:
        yield from matches(name, SUBDOMAIN, "metadata.name", longest)
    if prefix is not None:
        yield from matches(f"{prefix}12345", SUBDOMAIN, "metadata.generateName", longest)
    if "namespace" in metadata:
        yield from matches(metadata["namespace"], LABEL, "metadata.namespace", 63)
        if made.get("kind") in CLUSTER_SCOPED:
            yield f"metadata.namespace: a {made['kind']} has none"
    yield from _labels(metadata, "metadata")


def _labels(metadata: Mapping[str, Any], path: str) -> Iterator[str]:
    for kind in ("labels", "annotations"):
        for key, value in metadata.get(kind, {}).items():
            domain, slash, word = key.rpartition("/")
            yield from matches(word, LABEL_VALUE.removesuffix("?"), f"{path}.{kind} key {key}", 63)
            if slash:
                yield from matches(domain, SUBDOMAIN, f"{path}.{kind} key {key}", 253)
            if kind == "labels":
                yield from matches(value, LABEL_VALUE, f"{path}.labels.{key}", 63)
    if sum(len(key) + len(value.encode()) for key, value in metadata.get("annotations", {}).items()) > 2**18:
        yield f"{path}.annotations: more than 256 KiB"


def matches(text: str, pattern: str, path: str, longest: int) -> Iterator[str]:
    if len(text) > longest:
        yield f"{path}: {text!r} is longer than {longest}"
    if re.fullmatch(pattern, text) is None:
        yield f"{path}: {text!r} does not match {pattern}"


def twice(items: Iterable[Any], path: str, message: str) -> Iterator[str]:
    seen = set()
    for item in items:
        if item in seen:
            yield f"{path}: {item!r} {message}"
        seen.add(item)


def pipeline(made: Mapping[str, Any], alpha: bool) -> Iterator[str]:
    yield from _pipeline(made["spec"], "spec", alpha)


def run(made: Mapping[str, Any], alpha: bool) -> Iterator[str]:
    spec = made["spec"]
    if ("pipelineRef" in spec) == ("pipelineSpec" in spec):
        yield "spec: expected exactly one of pipelineRef and pipelineSpec"
    yield from twice([param["name"] for param in spec.get("params", ())], "spec.params", "is given twice")
    for param in spec.get("params", ()):
        yield from _param_value(param, "spec.params")
        if "$(tasks." in str(param["value"]):
            yield f"spec.params.{param['name']}: results cannot be values of a run's parameters"
    yield from _timeouts(spec.get("timeouts", {}))
    yield from twice([one["name"] for one in spec.get("workspaces", ())], "spec.workspaces", "is bound twice")
    for one in spec.get("workspaces", ()):
        if len(one.keys() - {"name", "subPath"}) != 1:
            yield f"spec.workspaces.{one['name']}: expected exactly one source"
    if "pipelineSpec" in spec:
        yield from _pipeline(spec["pipelineSpec"], "spec.pipelineSpec", alpha)
        yield from bound(spec, spec["pipelineSpec"])


def _timeouts(timeouts: Mapping[str, str]) -> Iterator[str]:
    wrong = [fault for name, text in timeouts.items() for fault in _duration(text, f"spec.timeouts.{name}")]
    yield from wrong
    limits = {} if wrong else {name: duration(text) for name, text in timeouts.items()}
    whole = limits.get("pipeline", 3600)
    if whole and limits.get("tasks", 0) > whole:
        yield "spec.timeouts.tasks: should be <= pipeline duration"


def bound(run: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[str]:
    given = {param["name"] for param in run.get("params", ())}
    declared = {param["name"]: param for param in pipeline.get("params", ())}
    for name in declared.keys() - given:
        if "default" not in declared[name]:
            yield f"spec.params: {name} has no value"
    for name in given - declared.keys():
        yield f"spec.params: the Pipeline has no parameter {name}"
    bound = {one["name"] for one in run.get("workspaces", ())}
    asked = {one["name"] for one in pipeline.get("workspaces", ()) if not one.get("optional")}
    for name in asked ^ bound:
        yield f"spec.workspaces: {name} is {'not bound' if name in asked else 'no workspace of the Pipeline'}"


def _duration(text: str, path: str) -> Iterator[str]:
    try:
        if duration(text) < 0:
            yield f"{path}: {text} is below zero"
    except ValueError as error:
        yield f"{path}: {text!r}: {error}"


def _param_value(param: Mapping[str, Any], path: str) -> Iterator[str]:
    if not isinstance(param.get("value"), str):
        yield f"{path}.{param['name']}: {param.get('value')!r} is no string"


def _params(declared: Iterable[Mapping[str, Any]], path: str) -> Iterator[str]:
    declared = list(declared)
    yield from twice([param["name"] for param in declared], f"{path}.params", "is declared twice")
    for param in declared:
        yield from matches(param["name"], PARAM, f"{path}.params", 253)
        if param.get("type", "string") not in ("string", "array", "object"):
            yield f"{path}.params.{param['name']}: unknown type"
        if not isinstance(param.get("default", ""), str):
            yield f"{path}.params.{param['name']}: the default is no string"


def _unknown(text: str, prefix: str, known: Iterable[str], path: str) -> Iterator[str]:
    """Yield references to what is not known, as `substitution.ValidateNoReferencesToUnknownVariables` finds them."""
    for found in re.finditer(REFERENCE % prefix, text):
        dotted, *quoted = found.groups()
        name = dotted.partition(".")[0] if dotted else next(word for word in quoted if word)
        if name not in known:
            yield f"{path}: {found[0]} is not declared"


def _pipeline(spec: Mapping[str, Any], path: str, alpha: bool) -> Iterator[str]:
    tasks = {task["name"]: task for task in spec.get("tasks", ())}
    yield from _params(spec.get("params", ()), path)
    if not tasks:
        yield f"{path}.tasks: expected at least one task"
    yield from twice([task["name"] for task in spec.get("tasks", ())], f"{path}.tasks", "is there twice")
    names = [one["name"] for one in spec.get("workspaces", ())]
    yield from twice(names, f"{path}.workspaces", "is there twice")
    params = {param["name"] for param in spec.get("params", ())}
    for task in spec.get("tasks", ()):
        here = f"{path}.tasks.{task['name']}"
        yield from _pipeline_task(task, tasks, params, names, here)
        yield from _task(task["taskSpec"], f"{here}.taskSpec", alpha)
    yield from _cycles(tasks, path)
    yield from twice([one["name"] for one in spec.get("results", ())], f"{path}.results", "is there twice")
    for result in spec.get("results", ()):
        yield from matches(result["name"], RESULT, f"{path}.results", 253)
        if not TASK_RESULT.search(result["value"]):
            yield f"{path}.results.{result['name']}: {result['value']!r} is no result of a task"
        yield from _results_read(result["value"], tasks, f"{path}.results.{result['name']}")


def _pipeline_task(
    task: Mapping[str, Any],
    tasks: Mapping[str, Any],
    params: set[str],
    workspaces: Iterable[str],
    path: str,
) -> Iterator[str]:
    yield from matches(task["name"], LABEL, path, 63)
    if ("taskSpec" in task) == ("taskRef" in task):
        yield f"{path}: expected exactly one of taskRef and taskSpec"
    for name in task.get("runAfter", ()):
        if name not in tasks:
            yield f"{path}.runAfter: there is no task {name}"
    if "timeout" in task:
        yield from _duration(task["timeout"], f"{path}.timeout")
    spec = task.get("taskSpec", {})
    given = [param["name"] for param in task.get("params", ())]
    declared = {param["name"]: param for param in spec.get("params", ())}
    yield from twice(given, f"{path}.params", "is given twice")
    for name in declared.keys() - set(given):
        if "default" not in declared[name]:
            yield f"{path}.params: {name} has no value"
    for name in set(given) - declared.keys():
        yield f"{path}.params: the task has no parameter {name}"
    for param in task.get("params", ()):
        yield from _param_value(param, f"{path}.params")
        yield from _unknown(str(param["value"]), "params", params, f"{path}.params.{param['name']}")
        yield from _results_read(str(param["value"]), tasks, f"{path}.params.{param['name']}")
    bound = {one["name"]: one.get("workspace", one["name"]) for one in task.get("workspaces", ())}
    asked = {one["name"] for one in spec.get("workspaces", ()) if not one.get("optional")}
    for name in asked ^ bound.keys():
        yield f"{path}.workspaces: {name} is {'not bound' if name in asked else 'no workspace of the task'}"
    for name in set(bound.values()) - set(workspaces):
        yield f"{path}.workspaces: the Pipeline has no workspace {name}"


def _results_read(text: str, tasks: Mapping[str, Any], path: str) -> Iterator[str]:
    for task, result in TASK_RESULT.findall(text):
        if task not in tasks:
            yield f"{path}: there is no task {task}"
        elif result not in {one["name"] for one in tasks[task]["taskSpec"].get("results", ())}:
            yield f"{path}: task {task} has no result {result}"


def _cycles(tasks: Mapping[str, Any], path: str) -> Iterator[str]:
    waits = {
        name: set(task.get("runAfter", ()))
        | {found[0] for param in task.get("params", ()) for found in TASK_RESULT.findall(str(param["value"]))}
        for name, task in tasks.items()
    }
    while ready := [name for name, others in waits.items() if not others & waits.keys()]:
        for name in ready:
            del waits[name]
    if waits:
        yield f"{path}.tasks: {', '.join(sorted(waits))} wait for each other"


def _task(spec: Mapping[str, Any], path: str, alpha: bool) -> Iterator[str]:
    yield from _labels(spec.get("metadata", {}), f"{path}.metadata")
    yield from _params(spec.get("params", ()), path)
    if not spec.get("steps"):
        yield f"{path}.steps: expected at least one step"
    steps = spec.get("steps", ())
    names = [step.get("name") for step in steps]
    yield from twice(names, f"{path}.steps", "is there twice")
    containers = [name[:58] for name in dict.fromkeys(names) if name]
    yield from twice(containers, f"{path}.steps", "is the same container as another (58 characters)")
    volumes = [volume.get("name") for volume in spec.get("volumes", ())]
    yield from twice(volumes, f"{path}.volumes", "is there twice")
    for volume in spec.get("volumes", ()):
        yield from matches(str(volume.get("name")), LABEL, f"{path}.volumes", 63)
        if len(volume.keys() & SOURCES) != 1 or volume.keys() - SOURCES - {"name"}:
            yield f"{path}.volumes.{volume.get('name')}: expected exactly one source"
    mounts = [
        mount["mountPath"].rstrip("/")
        for part in (*steps, spec.get("stepTemplate", {}))
        for mount in part.get("volumeMounts", ())
    ]
    workspaces = spec.get("workspaces", ())
    yield from twice([one["name"] for one in workspaces], f"{path}.workspaces", "is there twice")
    paths = [one.get("mountPath", f"/workspace/{one['name']}").rstrip("/") for one in workspaces]
    yield from twice([*dict.fromkeys(mounts), *paths], f"{path}.workspaces", "is mounted twice")
    results = [result["name"] for result in spec.get("results", ())]
    yield from twice(results, f"{path}.results", "is there twice")
    for name in results:
        yield from matches(name, RESULT, f"{path}.results", 253)
    params = {param["name"] for param in spec.get("params", ())}
    for index, step in enumerate(steps):
        here = f"{path}.steps[{index}]"
        yield from _step(step, here, alpha)
        yield from _variables(step, params, set(results), here)
        for mount in step.get("volumeMounts", ()):
            if mount["name"] not in volumes:
                yield f"{here}.volumeMounts: there is no volume {mount['name']}"


def _step(step: Mapping[str, Any], path: str, alpha: bool) -> Iterator[str]:
    yield from matches(step.get("name", ""), LABEL, f"{path}.name", 63)
    if not step.get("image"):
        yield f"{path}.image: missing"
    if step.get("script") and step.get("command"):
        yield f"{path}: script cannot be used with command"
    if "timeout" in step:
        yield from _duration(step["timeout"], f"{path}.timeout")
    if {"stdoutConfig", "stderrConfig"} & step.keys() and not alpha:
        yield f"{path}: stdoutConfig and stderrConfig need alpha fields"
    if step.get("script", "").strip().startswith("#!win") and not alpha:
        yield f"{path}.script: scripts for Windows need alpha fields"
    yield from _mounts(step, path)
    for variable in step.get("env", ()):
        yield from matches(variable["name"], ENV, f"{path}.env", 2**15)
        if "value" in variable and "valueFrom" in variable:
            yield f"{path}.env.{variable['name']}: value and valueFrom"
    resources = step.get("computeResources", {})
    for kind, amounts in resources.items():
        for name, amount in amounts.items():
            try:
                quantity(str(amount))
            except ValueError as error:
                yield f"{path}.computeResources.{kind}.{name}: {amount!r}: {error}"


def _mounts(step: Mapping[str, Any], path: str) -> Iterator[str]:
    for mount in step.get("volumeMounts", ()):
        where = mount["mountPath"]
        if where.startswith("/tekton/") and not where.startswith("/tekton/home"):
            yield f"{path}.volumeMounts: {where} is Tekton's"
        if mount["name"].startswith("tekton-internal-"):
            yield f"{path}.volumeMounts: {mount['name']} is Tekton's"
        if ".." in mount.get("subPath", "").split("/") or mount.get("subPath", "").startswith("/"):
            yield f"{path}.volumeMounts: subPath {mount['subPath']} leads out"
    targets = [mount["mountPath"] for mount in step.get("volumeMounts", ())]
    yield from twice(targets, f"{path}.volumeMounts", "is mounted twice")


def _variables(step: Mapping[str, Any], params: set[str], results: set[str], path: str) -> Iterator[str]:
    """Yield references to unknown names in the fields in which the webhook looks for them."""
    fields = {
        name: step[name] for name in ("name", "image", "workingDir", "script", "onError") if name in step
    }
    for name in ("command", "args"):
        fields |= {f"{name}[{index}]": text for index, text in enumerate(step.get(name, ()))}
    fields |= {f"env.{one['name']}": one.get("value", "") for one in step.get("env", ())}
    for index, mount in enumerate(step.get("volumeMounts", ())):
        texts = {key: mount[key] for key in ("name", "mountPath", "subPath") if key in mount}
        fields |= {f"volumeMounts[{index}].{key}": text for key, text in texts.items()}
    for field, text in fields.items():
        here = f"{path}.{field}"
        yield from _unknown(text, r"(?:inputs\.)?params", params, here)
        yield from _unknown(text, r"context\.taskRun", ("name", "namespace", "uid"), here)
        yield from _unknown(text, r"context\.task", ("name", "retry-count"), here)
        yield from _unknown(text, "results", results, here)
        if "$(steps." in text and field in ("image", "workingDir", "script"):
            yield f"{here}: results of steps stand in command, args and env only"
