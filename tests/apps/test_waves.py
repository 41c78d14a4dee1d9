"""The order in which objects are applied."""

from __future__ import annotations

import pytest

from dispatchfile.apps.manifest import Key, Manifest
from dispatchfile.apps.sync import selects
from dispatchfile.apps.waves import delete_policies, hooks_of, in_order, in_waves, wave_of

ARGO = "argocd.argoproj.io/"


def made(kind: str, name: str = "a", **annotations: str) -> Manifest:
    marks = {ARGO + key.replace("_", "-"): value for key, value in annotations.items()}
    found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "annotations": marks}}
    return Manifest(Key("", kind, "default", name), found)


def test_kinds_come_in_the_order_of_what_needs_what() -> None:
    kinds = [
        "Rollout",
        "Ingress",
        "Deployment",
        "Service",
        "ConfigMap",
        "Namespace",
        "ServiceAccount",
        "Job",
        "Pod",
    ]
    assert [one.key.kind for one in in_order(map(made, kinds))] == [
        "Namespace", "ServiceAccount", "ConfigMap", "Service", "Pod", "Deployment", "Job", "Ingress", "Rollout",
    ]  # fmt: skip


def test_waves_are_numbers_and_names_settle_the_rest() -> None:
    listed = [
        made("Pod", "b", sync_wave="10"),
        made("Pod", "a", sync_wave="2"),
        made("Pod", "c", sync_wave="-1"),
        made("Pod", "a0"),
    ]
    found = in_waves([*listed, made("Job", hook="PreSync")], "Sync")
    assert [(wave.number, [one.key.name for one in wave.manifests]) for wave in found] == [
        (-1, ["c"]), (0, ["a0"]), (2, ["a"]), (10, ["b"]),
    ]  # fmt: skip


def test_what_others_live_in_comes_before_the_first_of_them() -> None:
    def of(group: str, kind: str, namespace: str, name: str, wave: str = "0", **more: object) -> Manifest:
        marks = {ARGO + "sync-wave": wave, **({ARGO + "hook": "PreSync"} if name == "migrate" else {})}
        found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "annotations": marks}, **more}
        return Manifest(Key(group, kind, namespace, name), found)

    spec = {"group": "shop.test", "names": {"kind": "Cart"}}
    listed = [
        of("batch", "Job", "shop", "migrate", "-3"),
        of("", "Namespace", "", "shop"),
        of("", "Namespace", "", "other"),
        of("shop.test", "Cart", "other", "cart", "-1"),
        of("apiextensions.k8s.io", "CustomResourceDefinition", "", "carts.shop.test", "4", spec=spec),
    ]
    before, during = (
        [(wave.number, [one.key.name for one in wave.manifests]) for wave in in_waves(listed, phase)]
        for phase in ("PreSync", "Sync")
    )
    assert before == [(-3, ["shop", "migrate"])]
    assert during == [(-1, ["other", "carts.shop.test", "cart"])]


@pytest.mark.parametrize(
    ("annotations", "hooks", "policies"),
    [
        ({}, (), ("BeforeHookCreation",)),
        ({ARGO + "hook": "PreSync, PostSync"}, ("PreSync", "PostSync"), ("BeforeHookCreation",)),
        ({ARGO + "hook": "Skip"}, ("Skip",), ("BeforeHookCreation",)),
        ({"helm.sh/hook": "pre-install,pre-upgrade"}, ("PreSync",), ("BeforeHookCreation",)),
        ({"helm.sh/hook": "test"}, ("Skip",), ("BeforeHookCreation",)),
        (
            {"helm.sh/hook": "post-install", "helm.sh/hook-delete-policy": "hook-succeeded"},
            ("PostSync",),
            ("HookSucceeded",),
        ),
        ({ARGO + "hook": "Sync", ARGO + "hook-delete-policy": "HookFailed"}, ("Sync",), ("HookFailed",)),
    ],
    ids=str,
)
def test_hooks(annotations: dict[str, str], hooks: tuple[str, ...], policies: tuple[str, ...]) -> None:
    found = {"metadata": {"annotations": annotations}}
    assert (hooks_of(found), delete_policies(found)) == (hooks, policies)


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("-2", -2), ("+1", 1), ("x", 0), ("", 0), ("9" * 5000, 0)]
)
def test_waves_that_are_no_numbers(text: str, number: int) -> None:
    assert wave_of(made("Pod", sync_wave=text).object) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Deployment/web", True), ("deployment/web", True), ("Deployment/wep", False), ("apps:Deployment:web", True),
        ("apps:Deployment:shop/web", True), ("apps:Deployment:other/web", False), ("*:*:web", True), (":Deployment:web", False),
        ("apps:Deployment", False),
    ],
)  # fmt: skip
def test_a_selection(text: str, expected: bool) -> None:
    assert selects(text, Key("apps", "Deployment", "shop", "web")) is expected
