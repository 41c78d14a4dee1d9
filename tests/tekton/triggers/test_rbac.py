"""Accounts and rights: what is asked for, for whom, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.triggers import objects as triggers
from dispatchfile.tekton.triggers import rbac
from dispatchfile.tekton.triggers.waiting import Settings
from tests.event import pipelines
from tests.tekton import crds

OPTIONS = Options("shop", namespace="ci")
PUSH, CRON = "{push: {}}", "{cron: {schedule: '@daily'}}"


def objects(*conditions: str, rights: bool = True) -> list[dict[str, Any]]:
    actions = "\n".join(f"- {{name: a{at}, tasks: [unit], on: {on}}}" for at, on in enumerate(conditions))
    source = pipelines.pipeline(f"{pipelines.TASKS}\nactions:\n{actions}\n")
    made = triggers.objects(source, OPTIONS, Settings(rbac=rights)).objects
    assert crds.validate_all(made) == []
    return list(made)


def found(objects: list[dict[str, Any]], kind: str) -> list[str]:
    return [one["metadata"]["name"] for one in objects if one["kind"] == kind]


@pytest.mark.parametrize(
    ("conditions", "accounts", "roles", "bindings"),
    [
        ((PUSH,), ["shop-listener"], [], ["shop-listener"]),
        ((CRON,), ["shop-schedule"], ["shop-schedule"], ["shop-schedule"]),
        ((PUSH, CRON), ["shop-listener", "shop-schedule"], ["shop-schedule"], ["shop-listener", "shop-schedule"]),
    ],
    ids=["push", "cron", "both"],
)  # fmt: skip
def test_who_there_is(
    conditions: tuple[str, ...], accounts: list[str], roles: list[str], bindings: list[str]
) -> None:
    made = objects(*conditions)
    assert found(made, "ServiceAccount") == accounts
    assert found(made, "Role") == roles
    assert found(made, "RoleBinding") == bindings
    assert found(made, "ClusterRoleBinding") == (["ci-shop-listener"] if PUSH in conditions else [])
    assert made[0]["kind"] == "ServiceAccount"  # before all that names it


def test_a_listener_has_the_roles_that_triggers_ships() -> None:
    made = objects(PUSH)
    bound = {one["kind"]: one["roleRef"]["name"] for one in made if "roleRef" in one}
    assert bound == {
        "RoleBinding": "tekton-triggers-eventlistener-roles",
        "ClusterRoleBinding": "tekton-triggers-eventlistener-clusterroles",
    }
    listener = next(one for one in made if one["kind"] == "EventListener")
    for one in made:
        if "subjects" in one:
            account = listener["spec"]["serviceAccountName"]
            assert one["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "ci"}]


def test_a_schedule_may_create_runs_and_nothing_else() -> None:
    made = objects(CRON)
    (role,) = (one for one in made if one["kind"] == "Role")
    assert role["rules"] == [
        {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create"]}
    ]
    job = next(one for one in made if one["kind"] == "CronJob")
    account = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"]
    (binding,) = (one for one in made if one["kind"] == "RoleBinding")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "ci"}]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }


def test_none_without_being_asked() -> None:
    assert {one["kind"] for one in objects(PUSH, CRON, rights=False)} == {
        "Pipeline", "TriggerBinding", "TriggerTemplate", "EventListener", "ConfigMap", "CronJob",
    }  # fmt: skip


def test_without_a_namespace_there_is_nobody_to_name() -> None:
    with pytest.raises(UsageError) as raised:
        rbac.objects(Options("shop"), listener=True, schedule=False)
    assert raised.value.help == "give --namespace NAME"
