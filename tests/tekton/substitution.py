"""What becomes of the texts of a PipelineRun until a container starts: Triggers, Tekton, and the kubelet, in Python.

A model of what others do, written from their sources and from what was seen on a cluster, and not from the emitter:
tektoncd/triggers pkg/template; tektoncd/pipeline pkg/substitution, pkg/container, pkg/reconciler/pipelinerun/resources
and pkg/reconciler/taskrun (`apply.go` of both, in the order in which the reconcilers call it), pkg/apis/pipeline/v1
for what is refused; Kubernetes third_party/forked/golang/expansion for the kubelet.

Every step of Tekton's is one pass over the fields in FIELDS: what a pass puts in, the same pass does not look at, but
the next one does.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dispatchfile.record import Record

Object = dict[str, Any]

_CONTAINER = (
    "name", "image", "imagePullPolicy", "workingDir", "command.*", "args.*", "env.*.value",
    "env.*.valueFrom.secretKeyRef.name", "env.*.valueFrom.secretKeyRef.key",
    "env.*.valueFrom.configMapKeyRef.name", "env.*.valueFrom.configMapKeyRef.key",
    "envFrom.*.prefix", "envFrom.*.configMapRef.name", "envFrom.*.secretRef.name",
    "volumeMounts.*.name", "volumeMounts.*.mountPath", "volumeMounts.*.subPath",
)  # fmt: skip
_STEP = (
    *_CONTAINER,
    "script",
    "onError",
    "stdoutConfig.path",
    "stderrConfig.path",
    "when.*.input",
    "when.*.values.*",
)
FIELDS = (
    *(f"steps.*.{field}" for field in _STEP),
    *(f"stepTemplate.{field}" for field in _CONTAINER),
    *(f"sidecars.*.{field}" for field in (*_CONTAINER, "script")),
    "volumes.*.name", "volumes.*.configMap.name", "volumes.*.configMap.items.*.key", "volumes.*.configMap.items.*.path",
    "volumes.*.secret.secretName", "volumes.*.secret.items.*.key", "volumes.*.secret.items.*.path",
    "volumes.*.persistentVolumeClaim.claimName", "volumes.*.projected.sources.*.configMap.name",
    "volumes.*.projected.sources.*.secret.name", "volumes.*.projected.sources.*.serviceAccountToken.audience",
    "volumes.*.csi.nodePublishSecretRef.name", "volumes.*.csi.volumeAttributes.*",
    "workspaces.*.mountPath",
)  # fmt: skip
"""The fields of a task spec in which Tekton replaces variables; in all others `$(…)` stays what it is."""
TASK_FIELDS = (
    "params.*.value", "displayName", "workspaces.*.subPath", "when.*.input", "when.*.values.*", "taskRef.name",
    "matrix.params.*.value",
)  # fmt: skip
"""The fields of a task of a Pipeline, beside its embedded spec."""

PARAMS = ("params.{}", 'params["{}"]', "params['{}']")
TASK_PARAMS = (*PARAMS, "inputs.params.{}")
RESULTS = ("results.{}.path", 'results["{}"].path', "results['{}'].path")


class Container(Record):
    """A step as its container starts. `words` are command and args; `env` is what the program sees, in order."""

    name: str
    image: str
    words: tuple[str, ...]
    script: str
    env: Mapping[str, str]
    working_dir: str
    mounts: tuple[tuple[str, str, str, bool], ...]
    stdout: str
    rights: Mapping[str, Any]


class Refused(AssertionError):
    """The admission webhook, or the reconciler, says no."""


def triggers(template: Object, params: Mapping[str, str], uid: str = "u1d") -> Object:
    """Return a resource template as Triggers creates it: the values go into its JSON as they are, one by one."""
    text = json.dumps(template, ensure_ascii=False)
    for name, value in params.items():
        text = text.replace(f"$(tt.params.{name})", json.dumps(value, ensure_ascii=False)[1:-1])
    return json.loads(text.replace("$(uid)", uid))  # type: ignore[no-any-return] # an object, as it was


# Tekton.


class Run:
    """A PipelineRun with its spec in it, or beside it, as the reconcilers carry it out.

    `results` gives the results of a task by its name on the cluster when it has run.
    """

    def __init__(
        self, spec: Object, values: Mapping[str, str], name: str = "run-x1", namespace: str = "ci"
    ) -> None:
        refuse_unknown(spec)
        self.name, self.namespace = name, namespace
        given = {param["name"]: param.get("default") for param in spec.get("params", ())} | dict(values)
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise Refused(f"PipelineRun missing parameters: {missing}")
        self._results: dict[str, str] = {}
        spec = copy.deepcopy(spec)
        spec = self._pass(spec, _named(given, PARAMS))
        spec = self._pass(spec, {
            "context.pipelineRun.name": name, "context.pipeline.name": name, "context.pipelineRun.namespace": namespace,
            "context.pipelineRun.uid": "uid-of-the-run",
        })  # fmt: skip
        self.spec = self._pass(
            spec,
            {f"workspaces.{workspace['name']}.bound": "true" for workspace in spec.get("workspaces", ())},
        )

    @staticmethod
    def _pass(spec: Object, known: Mapping[str, str]) -> Object:
        for task in (*spec["tasks"], *spec.get("finally", ())):
            replace(task, TASK_FIELDS, known)
            own = {pattern.format(param["name"]): param["value"]
                   for param in task.get("params", ()) for pattern in PARAMS}  # fmt: skip
            # A param of the task goes before one of the Pipeline that is called the same.
            replace(task["taskSpec"], FIELDS, {name: own.get(name, value) for name, value in known.items()})
        return spec

    def finished(self, task: str, results: Mapping[str, str]) -> None:
        """Tell what a task left as results."""
        self._results |= {f"tasks.{task}.results.{name}": value for name, value in results.items()}

    def start(self, task: str, secrets: Mapping[str, Mapping[str, str]] | None = None) -> list[Container]:
        """Return the containers of a task as they start, now that the tasks it waits for are finished."""
        spec = self.started(task)["taskSpec"]
        return [_container(step, spec, secrets or {}) for step in spec["steps"]]

    def started(self, task: str) -> Object:
        """Return a task of the Pipeline as its pod is made of it, now that the tasks it waits for are finished."""
        one = copy.deepcopy(next(item for item in self.spec["tasks"] if item["name"] == task))
        replace(one, TASK_FIELDS, {"context.pipelineTask.retries": "0"})
        for param in one.get("params", ()):
            for maker, name in re.findall(r"\$\(tasks\.([\w-]+)\.results\.([\w.-]+)\)", param["value"]):
                if f"tasks.{maker}.results.{name}" not in self._results:
                    raise Refused(f"{param['value']}: {maker} did not emit the result")
        replace(one, TASK_FIELDS, self._results)
        spec = one["taskSpec"]
        replace(spec, FIELDS, self._results)
        values = {param["name"]: param.get("default") for param in spec.get("params", ())}
        values |= {param["name"]: param["value"] for param in one.get("params", ())}
        if missing := [name for name, value in values.items() if value is None]:
            raise Refused(f"missing values for these params which have no default values: {missing}")
        for known in self._passes(one, values):
            replace(spec, FIELDS, known)
        _refuse_in_task(spec)
        replace(spec, FIELDS, {"credentials.path": "/tekton/creds"})
        return one

    def _passes(self, task: Object, values: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
        spec = task["taskSpec"]
        yield _named(values, TASK_PARAMS)
        yield {
            "context.taskRun.name": f"{self.name}-{task['name']}", "context.task.name": task["name"],
            "context.taskRun.namespace": self.namespace, "context.taskRun.uid": "uid", "context.task.retry-count": "0",
        }  # fmt: skip
        yield {pattern.format(result["name"]): f"/tekton/results/{result['name']}"
               for result in spec.get("results", ()) for pattern in RESULTS}  # fmt: skip
        yield {f"steps.step-{step['name']}.exitCode.path": f"/tekton/steps/step-{step['name']}/exitCode"
               for step in spec["steps"]}  # fmt: skip
        for workspace in spec.get("workspaces", ()):
            name = workspace["name"]
            path = workspace.get("mountPath", f"/workspace/{name}")
            yield {f"workspaces.{name}.path": path, f"workspaces.{name}.bound": "true",
                   f"workspaces.{name}.volume": "ws-1", f"workspaces.{name}.claim": "claim-1"}  # fmt: skip


def _named(values: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    return {pattern.format(name): value for name, value in values.items() for pattern in patterns}


def replace(thing: Object, fields: Iterable[str], known: Mapping[str, str]) -> None:
    """Replace the variables in these fields of an object, each text in one pass, leftmost first."""
    if not known:
        return
    pattern = re.compile("|".join(re.escape(f"$({name})") for name in sorted(known, key=len, reverse=True)))

    def replaced(text: str) -> str:
        return pattern.sub(lambda match: known[match[0][2:-1]], text) if "$(" in text else text

    for field in fields:
        _at(thing, field.split("."), replaced)


def _at(thing: Any, path: list[str], change: Callable[[str], str]) -> None:
    head, rest = path[0], path[1:]
    keys: Iterable[Any]
    if head == "*":
        keys = range(len(thing)) if isinstance(thing, list) else list(thing)
    else:
        keys = [head] if isinstance(thing, dict) and head in thing else []
    for key in keys:
        if rest:
            _at(thing[key], rest, change)
        elif isinstance(thing[key], str):
            thing[key] = change(thing[key])


# What Tekton refuses.

_NAME = r"[_a-zA-Z][_a-zA-Z0-9.-]*(?:\[\*\])?"


def _names(text: str, prefix: str) -> list[str]:
    """Return the names that follow a prefix in the variables of a text, as the webhook finds them."""
    found = re.findall(rf"""\$\({prefix}(?:\.({_NAME})|\["({_NAME})"\]|\['({_NAME})'\])\)""", text)
    return ["".join(groups).removesuffix("[*]").split(".")[0] for groups in found]


def refuse_unknown(spec: Object) -> None:
    """Raise Refused where the webhook would not admit a Pipeline because of its variables."""
    declared = {param["name"] for param in spec.get("params", ())}
    results = {
        task["name"]: {result["name"] for result in task["taskSpec"].get("results", ())}
        for task in spec["tasks"]
    }
    for task in spec["tasks"]:
        for param in task.get("params", ()):
            _refuse(param["value"], "params", declared)
            for maker, name in re.findall(r"\$\(tasks\.([\w-]+)\.results\.([\w.-]+)\)", param["value"]):
                if name not in results.get(maker, ()):
                    raise Refused(f"{param['value']}: no such result")
        _refuse_in_task(task["taskSpec"])
        given = {param["name"] for param in task.get("params", ())}
        wanted = {param["name"] for param in task["taskSpec"].get("params", ()) if "default" not in param}
        if wanted - given:
            raise Refused(f"task {task['name']} is not given {wanted - given}")
    for result in spec.get("results", ()):
        for maker, name in re.findall(r"\$\(tasks\.([\w-]+)\.results\.([\w.-]+)\)", result["value"]):
            if name not in results.get(maker, ()):
                raise Refused(f"{result['value']}: no such result")


def _refuse_in_task(spec: Object) -> None:
    params = {param["name"] for param in spec.get("params", ())}
    results = {result["name"] for result in spec.get("results", ())}
    for step in spec["steps"]:
        for text in _texts(step):
            _refuse(text, "params", params)
            _refuse(text, r"context\.taskRun", {"name", "namespace", "uid"})
            _refuse(text, r"context\.task", {"name", "retry-count"})
        _refuse(step.get("script", ""), "results", results)
        for field in ("image", "script", "workingDir"):
            if re.search(r"\$\(steps\.[\w-]+\.results\.", step.get(field, "")):
                raise Refused(f"{field}: stepResult substitutions are only allowed in env, command and args")


def _refuse(text: str, prefix: str, known: set[str]) -> None:
    for name in _names(text, prefix):
        if name not in known:
            raise Refused(f'non-existent variable in "{text}"')


def _texts(step: Object) -> Iterator[str]:
    yield from (step.get(field, "") for field in ("name", "image", "workingDir", "script"))
    yield from step.get("command", ())
    yield from step.get("args", ())
    yield from (one.get("value", "") for one in step.get("env", ()))
    for mount in step.get("volumeMounts", ()):
        yield from (mount["name"], mount["mountPath"], mount.get("subPath", ""))


# The pod, and the kubelet.


def _container(step: Object, spec: Object, secrets: Mapping[str, Mapping[str, str]]) -> Container:
    template = spec.get("stepTemplate", {})
    listed = merged_env(template.get("env", []), step.get("env", []))
    env: dict[str, str] = {}
    for one in listed:
        if "value" in one or "valueFrom" not in one:
            env[one["name"]] = kubelet(one.get("value", ""), env)
            continue
        key = one["valueFrom"].get("secretKeyRef")
        value = secrets.get(key["name"], {}).get(key["key"]) if key else None
        if value is not None:
            env[one["name"]] = value
    words = (*step.get("command", ()), *step.get("args", ()))
    return Container(
        step["name"],
        step["image"],
        tuple(kubelet(word, env) for word in words),
        step.get("script", ""),
        env,
        step.get("workingDir") or template.get("workingDir", ""),
        tuple(
            (one["name"], one["mountPath"], one.get("subPath", ""), one.get("readOnly", False))
            for one in (*template.get("volumeMounts", ()), *step.get("volumeMounts", ()))
        ),
        step.get("stdoutConfig", {}).get("path", ""),
        step.get("securityContext", {}),
    )


def merged_env(template: list[Object], own: list[Object]) -> list[Object]:
    """Return the env of a step: its own, the last of a name holds, and behind it what only the template has.

    So a strategic merge orders it (k8s.io/apimachinery, pkg/util/strategicpatch, mergeSortedSlice).
    """
    by_name = {one["name"]: one for one in own}
    return [*by_name.values(), *(one for one in template if one["name"] not in by_name)]


_REFERENCE = re.compile(r"\$(?:(\$)|\(([^)]*)\)|.)", re.DOTALL)


def kubelet(text: str, env: Mapping[str, str]) -> str:
    """Return a text as the kubelet expands it: `$$` is `$`, `$(NAME)` a variable that is known, all else stays."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        return env.get(match[2], match[0]) if match[2] is not None else match[0]

    return _REFERENCE.sub(value, text)
