"""Plain manifests: which files, which objects, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatchfile.apps import render as rendering
from dispatchfile.apps import source
from dispatchfile.apps.app import App
from dispatchfile.apps.export import SourceProblem
from dispatchfile.apps.render import Rendered, render
from tests.apps.repository import GitOps, config, deployment


def rendered(gitops: GitOps, files: dict[str, str | None], **fields: object) -> Rendered:
    gitops.commit(files)
    app = App("web", gitops.url, **fields)  # type: ignore[arg-type] # any field
    with source.opened(gitops.url) as repository:
        return render(app, repository, repository.fetch("HEAD").id)


def names(found: Rendered) -> list[str]:
    return [f"{one.key.kind}/{one.key.name}" for one in found.manifests]


@pytest.mark.parametrize(
    ("recurse", "expected"),
    [
        (False, ["ConfigMap/a", "ConfigMap/b", "ConfigMap/c"]),
        (True, ["ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "ConfigMap/d"]),
    ],
    ids=["the folder", "and those below"],
)
def test_files_of_manifests(gitops: GitOps, recurse: bool, expected: list[str]) -> None:
    files = {
        "c.json": config("c"), "a.yaml": config("a"), "b.yml": config("b"), "d.yaml.tmpl": "{{", "README.md": "#",
        ".hidden.yaml": "[", "below/d.yaml": config("d"), ".github/x.yaml": "on: [", "sub/.git-not/x.txt": "x",
    }  # fmt: skip
    assert names(rendered(gitops, dict(files), recurse=recurse)) == expected


def test_documents_lists_and_places(gitops: GitOps) -> None:
    text = f"# first\n---\n---\n{config('a')}\n---\n# nothing\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: b}}\n"
    listed = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            json.loads(config("c")),
            {"apiVersion": "v1", "kind": "ConfigMapList", "items": [json.loads(config("d"))]},
        ],
    }
    found = rendered(gitops, {"x/all.yaml": text, "x/list.json": json.dumps(listed, indent=1)}, path="x")
    assert names(found) == ["ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "ConfigMap/d"]
    assert [one.place for one in found.manifests][:3] == ["x/all.yaml:4", "x/all.yaml:15", "x/list.json:5"]


def test_json_has_escapes_of_its_own(gitops: GitOps) -> None:
    found = rendered(
        gitops, {"a.json": config("a", {"face": "\U0001f600", "slash": "/"}).replace("/", "\\/")}
    )
    assert found.manifests[0].object["data"] == {"face": "\U0001f600", "slash": "/"}


def test_a_single_file_as_path(gitops: GitOps) -> None:
    assert names(rendered(gitops, {"a.yaml": config("a"), "b.yaml": config("b")}, path="b.yaml")) == [
        "ConfigMap/b"
    ]


def test_namespaces(gitops: GitOps) -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "worlds.x.io"},
        "spec": {"scope": "Cluster", "group": "x.io", "names": {"kind": "World"}},
    }  # fmt: skip
    world = {"apiVersion": "x.io/v1", "kind": "World", "metadata": {"name": "earth", "namespace": "ignored"}}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:x"},
    }
    text = "\n---\n".join(
        [json.dumps(crd), json.dumps(world), json.dumps(role), config("a"), config("b", namespace="other")]
    )
    found = rendered(gitops, {"all.yaml": text}, namespace="staging")
    assert [one.key.namespace for one in found.manifests] == ["", "", "", "staging", "other"]
    assert found.manifests[3].object["metadata"]["namespace"] == "staging"
    assert "namespace" not in found.manifests[1].object["metadata"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode: 0644", 420),
        ("mode: 1.0", 1),
        ("mode: 0.5", 0.5),
        ("mode: yes", True),
        ('mode: "yes"', "yes"),
        ("mode: 2026-01-31", "2026-01-31"),
        ("mode: &x {a: 1}", {"a": 1}),
        ("mode: 12345678901234567890", 12345678901234567890),
    ],
    ids=lambda value: str(value),
)
def test_values_are_those_of_kubernetes(gitops: GitOps, text: str, expected: object) -> None:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    assert rendered(gitops, {"a.yaml": head + text}).manifests[0].object["mode"] == expected


def test_other_yaml_is_passed_over_and_told(gitops: GitOps) -> None:
    found = rendered(
        gitops, {"a.yaml": config("a"), "values.yaml": "replicas: 3\n", "empty.yaml": "# nothing\n"}
    )
    assert names(found) == ["ConfigMap/a"]
    assert found.notes == ("values.yaml holds no object of Kubernetes, and is passed over",)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a.yaml": "a: [1\nb: 2\n"}, r"a\.yaml:2: "),
        ({"a.yaml": "a: 1\n\tb: 2\n"}, r"a\.yaml:2: "),
        ({"a.yaml": config("a") + "\n---\na: {\n"}, r"a\.yaml:11: "),
        ({"a.yaml": "a: 1\na: 2\nkind: x\n"}, r'a\.yaml:2: the key "a" is repeated'),
        ({"a.yaml": BOMB}, "too large once its aliases are followed"),
        ({"a.yaml": "[" * 300 + "]" * 300}, "nested too deeply"),
        ({"a.yaml": "a: !!python/object/apply:os.system [x]\n"}, r"the tag !!python.* is not supported"),
        ({"a.yaml": "a: \x07\n"}, "a control character"),
        ({"a.yaml": "a: \udcff\n"}, "is not UTF-8"),
        ({"a.yaml": config("a") + "\n---\nreplicas: 1\n"}, r"a\.yaml:10 is not an object of Kubernetes: it has no kind"),
        ({"a.yaml": "kind: Pod\nmetadata: {name: a}\n"}, "it has no apiVersion"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\n"}, "has no metadata"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n"}, r"has no metadata\.name"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: ../../etc}\n"}, r"metadata\.name cannot be '\.\./\.\./etc'"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\n"}, r"metadata\.name cannot be 12"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: A/b}\n"}, r"metadata\.namespace cannot be"),
        ({"a.yaml": "apiVersion: v1\nkind: '../x'\nmetadata: {name: a}\n"}, "kind cannot be"),
        ({"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: 1}}\n"}, r"labels\.a must be a text, not 1"),
        ({"a.yaml": config("x"), "b.yaml": config("x")}, r"ConfigMap default/x is there twice: a\.yaml:1 and b\.yaml:1"),
        ({"a.json": '{"a": "\\ud83d x"}'}, "half of a character"),
        ({"a.json": '{"a": 1,\n "b": }'}, r"a\.json:2: "),
        ({"a.json": '{"a": ' + "[" * 300 + "]" * 300 + "}"}, r"a\.json:1: .*deep"),
        ({"a.yaml": "a: [", "b.yaml": "b: {"}, r"a\.yaml:1: .*\nb\.yaml:1: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(gitops: GitOps, files: dict[str, str | None], why: str) -> None:
    with pytest.raises(SourceProblem, match=why):
        rendered(gitops, files)


def test_hooks_may_have_generated_names(gitops: GitOps) -> None:
    hook = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "migrate-", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
    }
    found = rendered(gitops, {"a.yaml": json.dumps(hook), "b.yaml": deployment("b")})
    assert names(found) == ["Job/migrate-1", "Deployment/b"]


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({"x/README.md": "x"}, "manifests are files ending in"),
        (
            {"x/staging/a.yaml": config("a"), "x/prod/b/c.yaml": config("c")},
            "there are some in x/prod/b, x/staging: ",
        ),
        ({"x/values.yaml": "a: 1"}, "x/values.yaml holds no object"),
    ],
    ids=["nothing", "below", "something else"],
)
def test_no_manifests(gitops: GitOps, files: dict[str, str | None], advice: str) -> None:
    with pytest.raises(SourceProblem, match="there are no manifests in x") as caught:
        rendered(gitops, files, path="x")
    assert caught.value.help.startswith(advice)


def test_nothing_is_left_behind(gitops: GitOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "tmp"
    private.mkdir()
    monkeypatch.setattr(rendering.tempfile, "tempdir", str(private))
    rendered(gitops, {"a.yaml": config("a")})
    assert list(private.iterdir()) == []
