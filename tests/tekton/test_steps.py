"""Steps and volumes of a task, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.diagnostics import Severity
from dispatchfile.front import interpret, read
from dispatchfile.plan.graph import arrange
from dispatchfile.source import Source
from dispatchfile.tekton import names, pipeline
from dispatchfile.tekton.draft import draft
from dispatchfile.tekton.options import Options
from tests.tekton.drafts import drafted, found, spec, step, step_of, task_of, told

GIT = {"src": {"type": "git", "param": {"url": "$(context.git.url)", "revision": "$(context.git.commit)"}}}


def only(*args: Any, **options: Any) -> dict[str, Any]:
    """The one step of the one task."""
    return step_of(spec(*args, **options), "t", "run")


def test_all_that_a_step_has() -> None:
    given = {
        "name": "run",
        "image": "golang:1.13",
        "command": ["go", "build"],
        "args": ["-o", "$(OUT)/app"],
        "workingDir": "/workspace/src",
        "env": [
            {"name": "OUT", "value": "/out"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "EMPTY"},
        ],
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "settings"}}],
        "volumeMounts": [
            {"name": "m2", "mountPath": "/root/.m2", "subPath": "cache", "readOnly": True},
            {"name": "m2", "mountPath": "/all", "mountPropagation": "None"},
        ],
        "volumeDevices": [{"name": "m2", "devicePath": "/dev/x"}],
        "resources": {"limits": {"cpu": 2, "memory": "1Gi"}, "requests": {"cpu": 0.5}},
        "imagePullPolicy": "Always",
        "securityContext": {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}, "privileged": False},
    }
    volumes = [{"name": "m2", "persistentVolumeClaim": {"claimName": "m2"}}]
    made = only({"t": {"steps": [given], "volumes": volumes}})
    assert made == {
        **{name: given[name] for name in ("name", "image", "workingDir", "command", "args", "envFrom")},
        "env": [*given["env"][:3], {"name": "EMPTY", "value": ""}],
        "volumeMounts": given["volumeMounts"],
        "volumeDevices": given["volumeDevices"],
        "computeResources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "0.5"}},
        "imagePullPolicy": "Always",
        "securityContext": given["securityContext"],
    }
    assert list(made)[:5] == ["name", "image", "workingDir", "command", "args"]


def test_a_bare_step() -> None:
    assert only({"t": [step()]}) == {"name": "run", "image": "busybox"}


def test_empty_words_and_nulls_are_left_out() -> None:
    made = only({"t": [step("run", args=[], command=[], workingDir="", securityContext=None, env=[])]})
    assert made == {"name": "run", "image": "busybox"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ports", [{"containerPort": 80}]),
        ("livenessProbe", {"exec": {"command": ["true"]}}),
        ("readinessProbe", {}),
        ("startupProbe", {}),
        ("lifecycle", {}),
        ("terminationMessagePath", "/x"),
        ("terminationMessagePolicy", "File"),
        ("stdin", True),
        ("stdinOnce", True),
        ("tty", True),
        ("nonsense", 1),
    ],
)
def test_fields_that_tekton_s_steps_do_not_have(name: str, content: Any) -> None:
    one = step("run", "true", **{name: content})
    (warning,) = found({"t": [one]})
    assert told(warning) == ("DF801", f"task.t.steps[0].{name}", f'"{name}"')
    assert warning.severity is Severity.WARNING
    made = drafted({"t": [one]})
    assert step_of(pipeline.spec(made), "t", "run") == step("run", "true")


def test_a_field_that_is_null_is_not_told() -> None:
    assert found({"t": [step("run", "true", tty=None)]}) == []


def test_a_script_stays_one() -> None:
    script = "#!/usr/bin/env python3\nprint('$$ $(date)')\n"
    assert only({"t": [step("run", script=script, args=["a"])]}) == {
        "name": "run",
        "image": "busybox",
        "args": ["a"],
        "script": script,
    }


def test_an_empty_script_is_none() -> None:
    assert only({"t": [step("run", "true", script="")]}) == step("run", "true")


def test_a_command_beside_a_script_does_not_run() -> None:
    (warning,) = found({"t": [step("run", "true", script="echo")]})
    assert told(warning) == ("DF801", "task.t.steps[0].command", '"command"')
    assert "has a script" in warning.message


@pytest.mark.parametrize(
    ("image", "options", "made"),
    [
        ("me/app:1", {}, "me/app:1"),
        ("me/app:1", {"images": {"me/app": "other:2"}}, "other:2"),
        ("host:5000/me/app@sha256:0", {"images": {"app": "other"}}, "other"),
        ("x/update-gitops-repo:v1.0", {"gitops_image": "mine:3"}, "mine:3"),
        ("x/update-gitops-repo:v1.0", {}, "x/update-gitops-repo:v1.0"),
        (
            "x/update-gitops-repo:v1.0",
            {"gitops_image": "a", "images": {"x/update-gitops-repo:v1.0": "b"}},
            "b",
        ),
        ("me/app:$(context.git.tag)", {}, "me/app:$(params.git-tag)"),
        ("me/app:$(context.git.tag)", {"images": {"app": "other"}}, "other"),
    ],
)
def test_images_are_looked_up_as_in_a_local_run(image: str, options: dict[str, Any], made: str) -> None:
    assert only({"t": [step("run", "true", image=image)]}, **options)["image"] == made


def test_variables_become_parameters_where_tekton_replaces_them() -> None:
    branch = "$(context.git.branch)"
    one = step(
        "run", "echo", branch, image=f"i:{branch}", args=[branch], workingDir=f"/workspace/{branch}",
        env=[
            {"name": "A", "value": branch},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": branch, "key": branch}}},
        ],
        envFrom=[{"secretRef": {"name": branch}}],
        volumeMounts=[{"name": "v", "mountPath": f"/m/{branch}", "subPath": branch}],
        imagePullPolicy=branch,
    )  # fmt: skip
    volumes = [{"name": "v", "secret": {"secretName": branch, "items": [{"key": branch, "path": "p"}]}}]
    made = task_of(spec({"t": {"steps": [one], "volumes": volumes}}), "t")
    assert made["params"] == [{"name": "git-branch", "value": "$(params.git-branch)"}]
    assert made["taskSpec"]["params"] == [{"name": "git-branch", "type": "string"}]
    assert "context.git" not in str(made)
    # The kubelet, which has the secrets, gets it once.
    assert str(made).count("$(params.git-branch)") == 12
    assert str(made).count("$(DISPATCHFILE_VALUE.git-branch)") == 3


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"securityContext": {"seLinuxOptions": {"level": "$(context.git.tag)"}}}, "securityContext.seLinuxOptions.level"),
        ({"volumeDevices": [{"name": "v", "devicePath": "$(context.git.tag)"}]}, "volumeDevices[0].devicePath"),
        ({"resources": {"limits": {"memory": "$(context.git.tag)"}}}, "resources.limits.memory"),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "$(context.git.tag)"}}}]},
            "env[0].valueFrom.fieldRef.fieldPath",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/m", "subPathExpr": "$(context.git.tag)"}]},
            "volumeMounts[0].subPathExpr",
        ),
    ],
)  # fmt: skip
def test_variables_where_tekton_replaces_none(part: dict[str, Any], path: str) -> None:
    volumes = [{"name": "v"}]
    (error,) = found({"t": {"steps": [step("run", "true", **part)], "volumes": volumes}})
    assert told(error) == ("DF802", f"task.t.steps[0].{path}", "$(context.git.tag)")
    assert error.severity is Severity.ERROR


def test_text_that_tekton_would_take_is_kept_from_it_by_the_step_s_environment() -> None:
    made = only({"t": [step("run", "echo", "$(params.x)", env=[{"name": "A", "value": "1"}])]})
    assert made["command"] == ["echo", "$(DISPATCHFILE_DOLLAR)(params.x)"]
    assert made["env"] == [{"name": "DISPATCHFILE_DOLLAR", "value": "$"}, {"name": "A", "value": "1"}]


def test_a_variable_that_is_made_of_home_finds_it_before_itself() -> None:
    cache = {"name": "CACHE", "value": "$(HOME)/.cache"}
    home = {"name": "HOME", "value": "/tekton/home"}
    assert only({"t": [step("run", "true", env=[cache])]})["env"] == [home, cache]
    own = {"name": "HOME", "value": "/root"}
    assert only({"t": [step("run", "true", env=[own, cache])]})["env"] == [own, cache]
    assert only({"t": [step("run", "echo", "$(HOME)", env=[own])]})["env"] == [own]


# Requests.


def resources_of(*given: dict[str, Any]) -> list[dict[str, Any]]:
    steps = [step(f"s{index}", "true", resources=one) for index, one in enumerate(given)]
    made = task_of(spec({"t": steps}), "t")["taskSpec"]["steps"]
    return [one.get("computeResources", {}) for one in made]


def test_only_the_largest_request_of_each_kind_stays() -> None:
    assert resources_of(
        {"requests": {"cpu": "900m", "memory": "1Gi"}},
        {"requests": {"cpu": 1, "memory": "500Mi"}},
        {},
        {"requests": {"cpu": "1", "ephemeral-storage": "1G"}},
    ) == [
        {"requests": {"cpu": "0", "memory": "1Gi"}},
        {"requests": {"cpu": "1", "memory": "0"}},
        {},
        {"requests": {"cpu": "0", "ephemeral-storage": "1G"}},
    ]


def test_a_limit_alone_is_a_request_too() -> None:
    assert resources_of({"limits": {"memory": "2Gi"}}, {"limits": {"memory": "1Gi"}}) == [
        {"limits": {"memory": "2Gi"}},
        {"limits": {"memory": "1Gi"}, "requests": {"memory": "0"}},
    ]


def test_what_may_not_be_more_than_asked_for_stays() -> None:
    gpu = {"limits": {"nvidia.com/gpu": 1}}
    assert resources_of(gpu, gpu) == [{"limits": {"nvidia.com/gpu": "1"}}] * 2


def test_one_step_keeps_what_it_asks_for() -> None:
    given = {"limits": {"cpu": "1"}, "requests": {"cpu": "250m"}}
    assert resources_of(given) == [given]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("1.5", 1.5),
        ("2.0", 2),
        ("1e3", 1000),
        ("7", 7),
        ("1e400", "1E+400"),
        ("-1e30", "-1E+30"),
        ("true", True),
    ],
)
def test_numbers_of_all_kinds(written: str, made: Any) -> None:
    text = (
        f'task: t: {{steps: [{{name: "run", image: "i"}}], volumes: [{{name: "v", csi: {{a: {written}}}}}]}}'
    )
    pipeline_, _found = interpret(read(Source("Dispatchfile", text)))
    assert pipeline_ is not None
    one = draft("app", pipeline_, arrange(pipeline_, ["t"]), Options("app"), [])
    (volume,) = pipeline.spec(one)["tasks"][0]["taskSpec"]["volumes"]
    assert volume == {"name": "v", "csi": {"a": made}}
    assert type(volume["csi"]["a"]) is type(made)


# Volumes.


def test_volumes_pass_as_they_are() -> None:
    volumes = [
        {"name": "a"},
        {"name": "b", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {"name": "c", "hostPath": {"path": "/lib/modules", "type": "Directory"}},
        {
            "name": "d",
            "secret": {"secretName": "s", "defaultMode": 256, "items": [{"key": "k", "path": "p"}]},
        },
        {"name": "e", "projected": {"sources": [{"secret": {"name": "s"}}], "defaultMode": 420}},
        {"name": "f", "nfs": {"server": "nfs.test", "path": "/x", "readOnly": True}},
    ]
    made = task_of(spec({"t": {"steps": [step()], "volumes": volumes}}), "t")["taskSpec"]["volumes"]
    assert made == [{"name": "a", "emptyDir": {}}, *volumes[1:]]


def test_volumes_get_names_that_kubernetes_takes_and_tekton_has_not() -> None:
    called = ["Cache", "cache", "m.2", "tekton-internal-home"]
    mounts = [{"name": name, "mountPath": f"/{index}"} for index, name in enumerate(called)]
    made = spec({"t": {"steps": [step(volumeMounts=mounts)], "volumes": [{"name": name} for name in called]}})
    given = [one["name"] for one in task_of(made, "t")["taskSpec"]["volumes"]]
    assert given == [names.hashed("Cache"), "cache", "m-2", names.hashed("volume tekton-internal-home")]
    assert not any(name.startswith("tekton-internal-") for name in given)
    assert [one["name"] for one in step_of(made, "t", "run")["volumeMounts"]] == given


def test_a_volume_that_is_called_as_one_of_the_emitter_s() -> None:
    mounting = step("run", "ls", "/builder/home", volumeMounts=[{"name": "dispatch-home", "mountPath": "/m"}])
    made = task_of(spec({"t": {"steps": [mounting], "volumes": [{"name": "dispatch-home"}]}}), "t")[
        "taskSpec"
    ]
    given = names.hashed("dispatch-home")
    assert [one["name"] for one in made["volumes"]] == ["dispatch-home", given]
    assert made["steps"][-1]["volumeMounts"] == [{"name": given, "mountPath": "/m"}]


@pytest.mark.parametrize(
    ("volume", "path"),
    [
        ({"hostPath": {"path": "/srv/$(context.git.branch)"}}, "hostPath.path"),
        ({"emptyDir": {"medium": "$(context.git.branch)"}}, "emptyDir.medium"),
        ({"nfs": {"server": "$(context.git.branch)"}}, "nfs.server"),
    ],
)
def test_variables_in_volumes_where_tekton_replaces_none(volume: dict[str, Any], path: str) -> None:
    (error,) = found({"t": {"steps": [step()], "volumes": [{"name": "v", **volume}]}})
    assert told(error) == ("DF802", f"task.t.volumes[0].{path}", "$(context.git.branch)")


@pytest.mark.parametrize("path", ["/tekton/results", "/tekton", "/tekton/./bin/", "/workspace/../tekton/x"])
def test_places_that_are_tekton_s_own(path: str) -> None:
    mounts = [{"name": "v", "mountPath": path}]
    (error,) = found({"t": {"steps": [step(volumeMounts=mounts)], "volumes": [{"name": "v"}]}})
    assert told(error) == ("DF803", "task.t.steps[0].volumeMounts[0].mountPath", f'"{path}"')


@pytest.mark.parametrize("path", ["/tekton/home", "/tekton/home/.docker", "/tektonic", "/workspace"])
def test_places_that_are_the_user_s(path: str) -> None:
    mounts = [{"name": "v", "mountPath": path}]
    assert found({"t": {"steps": [step(volumeMounts=mounts)], "volumes": [{"name": "v"}]}}) == []
