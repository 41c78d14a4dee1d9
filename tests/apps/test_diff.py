"""Diffs, and that no value of a Secret gets into one."""

from __future__ import annotations

import base64

import pytest

from dispatchfile.apps.diff import hidden, unified
from dispatchfile.apps.manifest import Key
from dispatchfile.apps.status import Resource


def secret(**fields: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


@pytest.mark.parametrize(
    "found",
    [
        secret(stringData={"a": "geheim"}),
        secret(data={"a": base64.b64encode(b"geheim").decode()}),
        secret(data={"a": "geheim, and no base64"}),
        secret(data={"a": 12345}, stringData={"b": "geheim"}),
        secret(
            metadata={
                "name": "s",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "geheim"},
            }
        ),
    ],
    ids=["stringData", "data", "broken data", "both", "what kubectl noted"],
)
def test_no_value_is_left(found: dict[str, object]) -> None:
    shown = repr(hidden(found))
    assert "geheim" not in shown
    assert base64.b64encode(b"geheim").decode() not in shown
    assert "12345" not in shown
    assert "hidden-" in shown


def test_equal_values_are_told_apart_from_others() -> None:
    clear, coded = secret(stringData={"a": "x"}), secret(data={"a": base64.b64encode(b"x").decode()})
    assert hidden(clear) == hidden(coded)
    assert hidden(clear) != hidden(secret(stringData={"a": "y"}))


def test_other_kinds_come_as_they_are() -> None:
    found = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    assert hidden(found) is found


def resource(name: str, sync: str, **fields: object) -> Resource:
    return Resource(Key("apps", "Deployment", "shop", name), sync, **fields)  # type: ignore[arg-type] # any field


def test_only_what_differs_is_shown_under_heads_of_argo_cd() -> None:
    found = unified(
        [
            resource("same", "Synced", wanted={"a": 1}, live={"a": 2}),
            resource("changed", "OutOfSync", wanted={"a": 1, "b": "x"}, live={"a": 2, "b": "x"}),
            resource("missing", "OutOfSync", wanted={"a": 1}),
            resource("extra", "OutOfSync", live={"a": 1}),
            resource(
                "unseen", "OutOfSync", wanted={"a": 1}, live={"a": 1}, message="its container was replaced"
            ),
        ]
    )
    assert found == (
        "===== apps/Deployment shop/changed ======\n@@ -1,2 +1,2 @@\n-a: 2\n+a: 1\n b: x\n"
        "===== apps/Deployment shop/missing ======\n@@ -0,0 +1 @@\n+a: 1\n"
        "===== apps/Deployment shop/extra ======\n@@ -1 +0,0 @@\n-a: 1\n"
        "===== apps/Deployment shop/unseen ======\n  its container was replaced\n"
    )
