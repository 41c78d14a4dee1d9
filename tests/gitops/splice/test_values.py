"""--set FILE:PATH=VALUE."""

from __future__ import annotations

import pytest

from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.gitops import flags
from tests.gitops.splice.test_images import Folder, folder

__all__ = ["folder"]

TEXT = """\
# who: Ada
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # its name
  annotations: {"a.b/c": 'x', other: null}
spec:
  replicas: 1
  paused: false
  since: 2020-01-01
  empty:
  list: [1, {name: "two", v: "2"}]
  containers:
  - name: web
    image: web:1
  - name: side
    args: ["-x"]
    text: >
      folded
---
kind: Service
metadata: {name: web}
spec:
  type: ClusterIP
"""

CASES = [
    ("spec.replicas=3", "replicas: 1", "replicas: 3"),
    ("spec.paused=true", "paused: false", "paused: true"),
    ("spec.since=2021-02-03", "since: 2020-01-01", 'since: "2021-02-03"'),
    ("spec.empty=a b", "empty:", 'empty: "a b"'),
    ("spec.empty=7", "empty:", "empty: 7"),
    ("spec.list[0]=2.5", "[1,", "[2.5,"),
    ("spec.list[1].v=a,b", '"2"', '"a,b"'),
    ("spec.list[name=two].v=", '"2"', '""'),
    ('metadata.annotations["a.b/c"]=it\'s', "'x'", "'it''s'"),
    ("metadata.annotations.other=yes", "other: null", "other: true"),
    ("spec.containers[name=side].args[0]=-y=\\z", '"-x"', '"-y=\\\\z"'),
    ("spec.containers[1].text=plain", "folded", "plain"),
    ("spec.containers[name=web].image=web:2", "web:1", "web:2"),
    ("spec.type=NodePort", "ClusterIP", "NodePort"),
    ("spec.type=yes", "ClusterIP", '"yes"'),
    ("spec.type=12", "ClusterIP", '"12"'),
    ("spec.type=1.2.3", "ClusterIP", "1.2.3"),
    ("spec.type=v1", "ClusterIP", "v1"),
    ("spec.type=1:30", "ClusterIP", '"1:30"'),
    ("spec.type=0o17", "ClusterIP", '"0o17"'),
    ("spec.type=.5", "ClusterIP", '".5"'),
    ("spec.type=a:", "ClusterIP", '"a:"'),
    ("spec.type=a: b", "ClusterIP", '"a: b"'),
]


@pytest.mark.parametrize(("path", "old", "new"), CASES, ids=lambda value: value)
def test_values(folder: Folder, path: str, old: str, new: str) -> None:
    if path == "metadata.annotations.other=yes":
        new = "other: yes"
    folder.put(app=TEXT)
    assert folder.set(f"-set=app.yaml:{path}") == ["app.yaml"]
    assert folder.text("app.yaml") == TEXT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("none.yaml:a=1", "there is no such file"),
        ("../app.yaml:a=1", "there is no such file"),
        ("/etc/passwd:a=1", "there is no such file"),
        ("app.yaml:kind=x", "in several documents: app.yaml:3, app.yaml:21"),
        ("app.yaml#Service/web:kind=x", ""),
        ("app.yaml#Service/api:kind=x", "there is no Service/api"),
        ("app.yaml:spec.replica=1", "spec has no replica"),
        ("app.yaml:spec.replicas=many", 'this is a number, and "many" is none'),
        ("app.yaml:spec.replicas=0x1", "is none"),
        ("app.yaml:spec.paused=no", "is none"),
        ("app.yaml:spec.containers=1", "this is no single value"),
        ("app.yaml:spec.containers[7].name=1", r"has no \[7\]"),
        ("app.yaml:spec.containers[name=x].name=1", r"has no \[name=x\]"),
        ("app.yaml:spec.replicas.x=1", "is a single value and has no x"),
        ("out.yaml:a=1", "this file is rendered from out.yaml.tmpl"),
        ("alias.yaml:b=1", "b is repeated elsewhere by an alias"),
        ("alias.yaml:b.c=1", r"b is an alias, \*x"),
        ("alias.yaml:a.c=1", "a.c is repeated elsewhere"),
        ("alias.yaml:m.c=1", "no c of its own, only what << brings"),
        ("alias.yaml:two[k=1].k=2", r"has 2 elements with \[k=1\]"),
        ("chart.yaml:a=1", "no YAML"),
        ("tabs.yaml:a=1", "tabs.yaml:1: this is no YAML"),
        ("latin.yaml:a=1", "is not UTF-8"),
        ("deep.yaml:a=1", "nested too deeply"),
        ("deep.json:a=1", "nested too deeply"),
        ("bad.json:a=1", "bad.json:1: this is no JSON"),
    ],
)
def test_refused(folder: Folder, address: str, message: str) -> None:
    folder.put(app=TEXT, out="a: 1\n", chart="a: 1\n{{- if x }}\n", tabs="\ta: 1\n\tb: 2\n")
    folder.put(alias="a: &x\n  c: 1\nb: *x\nm:\n  <<: *x\ntwo: [{k: 1}, {k: 1}]\n", deep="a: " + "[" * 500)
    folder.put_at("deep.json", '{"a":' + "[" * 5000 + "]" * 5000 + "}")
    folder.put_at("bad.json", '{"a": 1,}')
    folder.put_at("out.yaml.tmpl", "a: 1\n")
    (folder.path / "latin.yaml").write_bytes(b"a: \xe9\n")
    if not message:
        assert folder.set(f"-set={address}") == ["app.yaml"]
        return
    with pytest.raises(DispatchfileError, match=message):
        folder.set(f"-set={address}")
    assert folder.text("app.yaml") == TEXT


def test_a_link_out_of_the_repository_is_refused(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.yaml"
    outside.write_text("a: 1\n")
    (folder.path / "a.yaml").symlink_to(outside)
    with pytest.raises(UsageError, match="leaves the repository"):
        folder.set("-set=a.yaml:a=2")
    assert outside.read_text() == "a: 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "app.yaml",
        "app.yaml:",
        "app.yaml:a",
        ":a=1",
        "a#b:c=1",
        "a:b..c=1",
        "a:b[=1",
        "a:b[x]y=1",
        "a:b=\n",
        "a:.b=1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        flags.parse([f"-set={text}"])
