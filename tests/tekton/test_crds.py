"""The judge of emitted objects refuses what a cluster refuses, each fault by its name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.tekton import crds, shapes

PIPELINE = {
    "apiVersion": "tekton.dev/v1",
    "kind": "Pipeline",
    "metadata": {"name": "shop-push", "namespace": "ci", "labels": {"app.kubernetes.io/managed-by": "x"}},
    "spec": {
        "params": [{"name": "git-url", "type": "string"}, {"name": "git-tag", "type": "string", "default": ""}],
        "workspaces": [{"name": "dispatch", "description": "volume that the tasks share"}],
        "tasks": [
            {
                "name": "build",
                "params": [{"name": "git-url", "value": "$(params.git-url)"}],
                "timeout": "1h30m",
                "taskSpec": {
                    "metadata": {"labels": {"team": "Core_1"}, "annotations": {"dispatchfile/task": "Build It"}},
                    "params": [{"name": "git-url", "type": "string"}],
                    "results": [{"name": "app_IMAGE_DIGEST", "description": "digest"}],
                    "volumes": [{"name": "cache", "emptyDir": {}}],
                    "stepTemplate": {
                        "workingDir": "/workspace", "env": [{"name": "HOME", "value": "/tekton/home"}],
                    },
                    "steps": [
                        {
                            "name": "clone", "image": "git:1", "script": "#!/bin/sh\ngit clone \"$URL\" $(date +%s)\n",
                            "env": [{"name": "URL", "value": "$(params.git-url)"}],
                        },
                        {
                            "name": "make", "image": "toolbox:1", "command": ["make"], "args": ["$(results.app_IMAGE_DIGEST.path)"],
                            "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                            "computeResources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": 2}},
                        },
                    ],
                },
            },
            {
                "name": "deploy",
                "runAfter": ["build"],
                "params": [{"name": "digest", "value": "$(tasks.build.results.app_IMAGE_DIGEST)"}],
                "workspaces": [{"name": "site", "workspace": "dispatch", "subPath": "storage/site"}],
                "taskSpec": {
                    "params": [{"name": "digest", "type": "string"}],
                    "workspaces": [{"name": "site", "mountPath": "/workspace/site"}],
                    "steps": [{"name": "deploy", "image": "deploy:1", "args": ["--digest=$(params.digest)"]}],
                },
            },
        ],
        "results": [{"name": "app_IMAGE_DIGEST", "value": "$(tasks.build.results.app_IMAGE_DIGEST)"}],
    },
}  # fmt: skip

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
RUN = {
    "apiVersion": "tekton.dev/v1",
    "kind": "PipelineRun",
    "metadata": {"generateName": "acme-shop-main-4bf92f3-", "labels": {"build": "main"}, "annotations": {"tasks": "a,b"}},
    "spec": {
        "pipelineRef": {"name": "shop-push"},
        "params": [{"name": "git-url", "value": "https://git.example.com/acme/shop"}],
        "taskRunTemplate": {"serviceAccountName": "builder"},
        "timeouts": {"pipeline": "2h"},
        "workspaces": [{"name": "dispatch", "volumeClaimTemplate": {"spec": CLAIM}}],
    },
}  # fmt: skip


def carrying_run() -> dict[str, Any]:
    run = copy.deepcopy(RUN)
    del run["spec"]["pipelineRef"]
    run["spec"]["pipelineSpec"] = copy.deepcopy(PIPELINE["spec"])
    return run


def test_sound_objects_are_taken() -> None:
    assert crds.validate(PIPELINE) == []
    assert crds.validate(RUN) == []
    assert crds.validate(carrying_run()) == []
    assert crds.validate_all([PIPELINE, RUN]) == []


Break = Callable[[dict[str, Any]], object]


def task(made: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return made["spec"]["tasks"][index]


def spec(made: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return task(made, index)["taskSpec"]


def step(made: dict[str, Any], index: int = 1) -> dict[str, Any]:
    return spec(made)["steps"][index]


PIPELINES: dict[str, tuple[Break, str]] = {
    "resources of v1beta1": (lambda p: step(p).update(resources={}), "'resources' was unexpected"),
    "a field that v1 dropped": (lambda p: step(p).update(livenessProbe={}), "'livenessProbe' was unexpected"),
    "a field of no one": (lambda p: p["spec"].update(task=[]), "'task' was unexpected"),
    "a number for a text": (lambda p: step(p).update(image=1), "1 is not of type 'string'"),
    "a number in env": (lambda p: step(p, 0)["env"].append({"name": "A", "value": 1}), "1 is not of type"),
    "a truth for a label": (lambda p: p["metadata"]["labels"].update(a=True), "True is not of type 'string'"),
    "half a processor as a number": (
        lambda p: step(p)["computeResources"]["limits"].update(cpu=0.5),
        "0.5 is not of type 'integer', 'string'",
    ),
    "no quantity": (lambda p: step(p)["computeResources"]["limits"].update(cpu="much"), "'much' does not match"),
    "an old version": (lambda p: p.update(apiVersion="tekton.dev/v1beta1"), "was unexpected"),
    "no name": (lambda p: p["metadata"].pop("name"), "neither name nor generateName"),
    "a name in capitals": (lambda p: p["metadata"].update(name="Shop"), "'Shop' does not match"),
    "a name that is too long": (lambda p: p["metadata"].update(name="a" * 64), "longer than 63"),
    "a namespace with dots": (lambda p: p["metadata"].update(namespace="a.b"), "'a.b' does not match"),
    "a label that is a branch": (lambda p: p["metadata"]["labels"].update(build="a/b"), "'a/b' does not match"),
    "a label key with a space": (lambda p: p["metadata"]["labels"].update({"a b": ""}), "'a b' does not match"),
    "no tasks": (lambda p: p["spec"].update(tasks=[], results=[]), "expected at least one task"),
    "a task's name with dots": (lambda p: task(p).update(name="a.b"), "'a.b' does not match"),
    "two tasks of one name": (lambda p: task(p, 1).update(name="build"), "'build' is there twice"),
    "an unknown runAfter": (lambda p: task(p, 1).update(runAfter=["test"]), "there is no task test"),
    "a circle": (lambda p: task(p).update(runAfter=["deploy"]), "build, deploy wait for each other"),
    "days": (lambda p: task(p).update(timeout="1d"), "'1d': expected numbers with units"),
    "an unknown parameter of the Pipeline": (
        lambda p: task(p)["params"][0].update(value="$(params.git-branch)"),
        "$(params.git-branch) is not declared",
    ),
    "a parameter without a value": (lambda p: task(p)["params"].clear(), "git-url has no value"),
    "a parameter that the task has not": (
        lambda p: task(p)["params"].append({"name": "x", "value": ""}),
        "the task has no parameter x",
    ),
    "a value that is no text": (lambda p: task(p)["params"][0].update(value=1), "1 is no string"),
    "a parameter that is no name": (lambda p: p["spec"]["params"][0].update(name="1a"), "'1a' does not match"),
    "a parameter declared twice": (lambda p: spec(p)["params"].append({"name": "git-url"}), "declared twice"),
    "an unknown parameter in args": (
        lambda p: step(p)["args"].append("$(params.x)"),
        "args[1]: $(params.x) is not declared",
    ),
    "an unknown parameter in brackets": (
        lambda p: step(p)["args"].append('$(params["x"])'),
        'args[1]: $(params["x"]) is not declared',
    ),
    "an unknown parameter in a script": (
        lambda p: step(p, 0).update(script="echo $(inputs.params.x)"),
        "$(inputs.params.x) is not declared",
    ),
    "an unknown variable of the run": (
        lambda p: step(p)["args"].append("$(context.taskRun.uuid)"),
        "$(context.taskRun.uuid) is not declared",
    ),
    "an unknown result in a script": (
        lambda p: step(p, 0).update(script="$(results.x.path)"),
        "$(results.x.path) is not declared",
    ),
    "a result that the task has not": (
        lambda p: task(p, 1)["params"][0].update(value="$(tasks.build.results.url)"),
        "task build has no result url",
    ),
    "a result of no task": (
        lambda p: p["spec"]["results"][0].update(value="$(tasks.test.results.x)"),
        "there is no task test",
    ),
    "a result's name": (lambda p: spec(p)["results"].append({"name": "x_"}), "'x_' does not match"),
    "a result twice": (lambda p: p["spec"]["results"].append(p["spec"]["results"][0]), "is there twice"),
    "no steps": (lambda p: spec(p).update(steps=[]), "expected at least one step"),
    "two steps of one name": (lambda p: step(p).update(name="clone"), "'clone' is there twice"),
    "two steps that begin the same": (
        lambda p: (step(p).update(name="a" * 58 + "x"), step(p, 0).update(name="a" * 58 + "y")),
        "58 characters",
    ),
    "a step without a name": (lambda p: step(p).pop("name"), "'name' is a required property"),
    "a step without an image": (lambda p: step(p).pop("image"), "image: missing"),
    "script and command": (lambda p: step(p).update(script="x"), "script cannot be used with command"),
    "an alpha field": (lambda p: step(p).update(stdoutConfig={"path": "/x"}), "need alpha fields"),
    "a mount below /tekton": (
        lambda p: step(p)["volumeMounts"][0].update(mountPath="/tekton/bin"),
        "/tekton/bin is Tekton's",
    ),
    "a mount of no volume": (lambda p: spec(p).pop("volumes"), "there is no volume cache"),
    "two volumes of one name": (
        lambda p: spec(p)["volumes"].append({"name": "cache", "emptyDir": {}}),
        "'cache' is there twice",
    ),
    "a volume of two sources": (lambda p: spec(p)["volumes"][0].update(hostPath={"path": "/"}), "exactly one source"),
    "a volume with a misspelt field": (
        lambda p: spec(p)["volumes"][0].update(emptyDir={"sizelimit": "1Gi"}),
        "'sizelimit' was unexpected",
    ),
    "two mounts at one place": (
        lambda p: step(p)["volumeMounts"].append({"name": "cache", "mountPath": "/cache"}),
        "'/cache' is mounted twice",
    ),
    "a folder outside of a volume": (
        lambda p: step(p)["volumeMounts"][0].update(subPath="a/../../b"),
        "leads out",
    ),
    "a variable's name with a space": (lambda p: step(p, 0)["env"][0].update(name="A B"), "'A B' does not match"),
    "a workspace that is not bound": (lambda p: task(p, 1).pop("workspaces"), "site is not bound"),
    "a workspace of no Pipeline": (lambda p: p["spec"].pop("workspaces"), "has no workspace dispatch"),
}  # fmt: skip

RUNS: dict[str, tuple[Break, str]] = {
    "the account of v1beta1": (
        lambda r: r["spec"].update(serviceAccountName="builder"),
        "'serviceAccountName' was unexpected",
    ),
    "the timeout of v1beta1": (lambda r: r["spec"].update(timeout="1h"), "'timeout' was unexpected"),
    "neither spec nor ref": (lambda r: r["spec"].pop("pipelineSpec"), "expected exactly one of"),
    "both spec and ref": (lambda r: r["spec"].update(pipelineRef={"name": "x"}), "expected exactly one of"),
    "a parameter without a value": (lambda r: r["spec"].update(params=[]), "git-url has no value"),
    "a parameter of no Pipeline": (
        lambda r: r["spec"]["params"].append({"name": "x", "value": ""}),
        "the Pipeline has no parameter x",
    ),
    "a parameter twice": (lambda r: r["spec"]["params"].append(r["spec"]["params"][0]), "is given twice"),
    "a result for a value": (
        lambda r: r["spec"]["params"][0].update(value="$(tasks.build.results.x)"),
        "results cannot be values",
    ),
    "a timeout without a unit": (lambda r: r["spec"]["timeouts"].update(pipeline="90"), "expected numbers with"),
    "tasks longer than the run": (lambda r: r["spec"]["timeouts"].update(tasks="3h"), "should be <="),
    "no volume": (lambda r: r["spec"].pop("workspaces"), "dispatch is not bound"),
    "a volume without a source": (
        lambda r: r["spec"]["workspaces"][0].pop("volumeClaimTemplate"),
        "expected exactly one source",
    ),
    "a fault of a step inside": (
        lambda r: r["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][1].update(resources={}),
        "spec.pipelineSpec.tasks[0].taskSpec.steps[1]: Additional properties are not allowed ('resources'",
    ),
    "a prefix in capitals": (lambda r: r["metadata"].update(generateName="Shop-"), "does not match"),
    "a prefix that leaves no room": (lambda r: r["metadata"].update(generateName="a" * 59), "longer than 63"),
}  # fmt: skip


@pytest.mark.parametrize("fault", PIPELINES)
def test_a_broken_pipeline_is_refused(fault: str) -> None:
    broken, said = copy.deepcopy(PIPELINE), PIPELINES[fault][1]
    PIPELINES[fault][0](broken)
    assert any(said in one for one in crds.validate(broken)), crds.validate(broken)


@pytest.mark.parametrize("fault", RUNS)
def test_a_broken_run_is_refused(fault: str) -> None:
    broken, said = carrying_run(), RUNS[fault][1]
    RUNS[fault][0](broken)
    assert any(said in one for one in crds.validate(broken)), crds.validate(broken)


def test_objects_that_do_not_go_together_are_refused() -> None:
    lone = copy.deepcopy(RUN)
    lone["spec"]["pipelineRef"]["name"] = "other"
    assert crds.validate_all([PIPELINE, lone]) == [
        "spec.pipelineRef: there is no Pipeline other among the objects"
    ]
    lone = copy.deepcopy(RUN)
    lone["spec"]["params"] = []
    assert crds.validate_all([PIPELINE, lone]) == ["spec.params: git-url has no value"]
    assert crds.validate_all([PIPELINE, PIPELINE]) == [
        "objects: ('Pipeline', 'ci', 'shop-push') is there twice"
    ]


def test_a_template_is_held_against_what_it_makes() -> None:
    run = carrying_run()
    run["metadata"]["generateName"] = "shop-$(tt.params.sha7)-"
    template = {
        "apiVersion": "triggers.tekton.dev/v1beta1",
        "kind": "TriggerTemplate",
        "metadata": {"name": "shop"},
        "spec": {"params": [{"name": "sha7"}], "resourcetemplates": [run]},
    }
    assert crds.validate(template) == []
    run["spec"]["timeout"] = "1h"
    assert crds.validate(template)[0].startswith("spec.resourcetemplates[0].spec: Additional properties")


WAITING: dict[str, tuple[dict[str, Any], str]] = {
    "EventListener": (
        {"spec": {"serviceAccountName": "x", "triggers": [{"name": "a", "bindings": [], "template": {"name": "x"}}]}},
        "'name' was unexpected",
    ),
    "TriggerBinding": ({"spec": {"params": [{"name": "a", "default": "b"}]}}, "'default' was unexpected"),
    "CronJob": ({"spec": {"schedule": "@daily", "timezone": "UTC", "jobTemplate": {}}}, "'timezone' was unexpected"),
    "Role": ({"rules": [{"apiGroups": ["x"], "resources": ["y"], "verb": ["create"]}]}, "'verb' was unexpected"),
    "RoleBinding": ({"subjects": [], "roleRef": {"kind": "Role", "name": "x"}}, "'apiGroup' is a required property"),
    "ConfigMap": ({"data": {"a": 1}}, "1 is not of type 'string'"),
    "ServiceAccount": ({"secrets": ["x"]}, "'x' is not of type 'object'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WAITING)
def test_what_waits_for_events_is_held_against_a_shape(kind: str) -> None:
    fields, said = WAITING[kind]
    made = {"apiVersion": shapes.KINDS[kind][0], "kind": kind, "metadata": {"name": "shop"}, **fields}
    assert any(said in one for one in crds.validate(made)), crds.validate(made)
    assert any(one.startswith("apiVersion") for one in crds.validate({**made, "apiVersion": "v0"}))
