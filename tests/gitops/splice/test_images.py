"""--set-image: which places it finds, what it writes there, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.errors import DispatchfileError, UsageError
from dispatchfile.gitops import flags
from dispatchfile.gitops.update import compile_only

A, B = (f"sha256:{letter * 64}" for letter in "ab")


class Folder:
    """A folder of files, set and looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []

    def put(self, **files: str) -> None:
        for name, text in files.items():
            self.put_at(name.replace("__", "/") + ".yaml", text)

    def put_at(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(text.encode())

    def set(self, *argv: str) -> list[str]:
        return compile_only(self.path, flags.parse(argv), self.notes.append)

    def text(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def workload(kind: str, image: str = "registry.test/acme/web:1", group: str = "containers") -> str:
    """An object of the kind with one container, named main, as real ones nest it."""
    spec = f"{group}:\n- name: main\n  image: {image}  # which\n"
    deep = {"Pod": 0, "CronJob": 3}.get(kind, 1)
    for name in (
        ("template:\n  spec", "template:\n  spec", "jobTemplate:\n  spec")[:deep]
        if deep == 3
        else ("template:\n  spec",) * deep
    ):
        spec = f"{name}:\n" + "".join(f"    {line}\n" for line in spec.splitlines())
    body = "".join(f"  {line}\n" for line in spec.splitlines())
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: it\nspec:\n{body}"


@pytest.mark.parametrize("group", ["containers", "initContainers", "ephemeralContainers"])
@pytest.mark.parametrize(
    "kind",
    ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout"],
)
@pytest.mark.parametrize("name", ["web", "acme/web", "registry.test/acme/web", "main"])
def test_pod_templates(folder: Folder, kind: str, group: str, name: str) -> None:
    folder.put(app=workload(kind, group=group))
    assert folder.set(f"-set-image={name}=:2") == ["app.yaml"]
    assert folder.text("app.yaml") == workload(kind, "registry.test/acme/web:2", group)


@pytest.mark.parametrize(
    ("old", "ref", "new"),
    [
        ("acme/web:1", "acme/web:2", "acme/web:2"),
        ("acme/web", f"@{A}", f"acme/web@{A}"),
        (f"acme/web:1@{A}", f":2@{B}", f"acme/web:2@{B}"),
        ("localhost:5000/web:1", ":2", "localhost:5000/web:2"),
        ("localhost:5000/web", "other:5000/x/web:2", "other:5000/x/web:2"),
        ("'web:1'", ":2", "'web:2'"),
        ('"web:1"', ":2", '"web:2"'),
        ('"we\\u0062:1"', ":2", '"web:2"'),
        ('"web:\\\n      1"', ":2", '"web:2"'),
        ("|-\n      web:1", ":2", "|-\n      web:2"),
        (">- # why\n      web:1\n", ":2", ">- # why\n      web:2\n"),
        ("|\n      web:1\n", ":2", "|\n      web:2\n"),
    ],
    ids=repr,
)
def test_forms_of_the_value(folder: Folder, old: str, ref: str, new: str) -> None:
    def text(image: str) -> str:
        return f"kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: {image}\n    name: web\n"

    folder.put(app=text(old))
    folder.set(f"-set-image=web={ref}")
    assert folder.text("app.yaml") == text(new)


KUSTOMIZATIONS = [
    ("- name: web\n  newTag: '1' # c\n", ":2", "- name: web\n  newTag: '2' # c\n"),
    ("- name: web\n  newTag: v1\n", ":1.20", '- name: web\n  newTag: "1.20"\n'),
    ("- name: web\n  newTag: v1\n", ":12e4567", '- name: web\n  newTag: "12e4567"\n'),
    ("- name: web\n  newTag: v1\n", f"@{A}", f"- name: web\n  digest: {A}\n"),
    ("- newTag: v1 # c\n  name: web\n", f":3@{A}", f"- digest: {A} # c\n  name: web\n"),
    (f"- name: web\n  digest: {A}\n", ":v2", "- name: web\n  newTag: v2\n"),
    (f"- name: web\n  newTag: v1\n  digest: {A}\n", f"@{B}", f"- name: web\n  digest: {B}\n"),
    (f"- newTag: v1\n  digest: {A}\n  name: web\n", f"@{B}", f"- digest: {B}\n  name: web\n"),
    ("- name: web\n", ":v2", "- name: web\n  newTag: v2\n"),
    ("- name: web # c\n- name: b\n", "r/web:v2", "- name: web # c\n  newName: r/web\n  newTag: v2\n- name: b\n"),
    ("- {name: web, newTag: v1}\n", f"r/web@{A}", f"- {{name: web, newName: r/web, digest: {A}}}\n"),
    (f"- {{name: web, newTag: v1, digest: '{A}'}}\n", ":v2", "- {name: web, newTag: v2}\n"),
    (f"- {{newTag: v1, digest: {A}, name: web}}\n", f"@{B}", f"- {{digest: {B}, name: web}}\n"),
    ("- name: web\n  newName: r/web\n  newTag: v1", "q/web:v2", "- name: web\n  newName: q/web\n  newTag: v2"),
    ("- name: x\n  newName: r/web\n  newTag: v1\n", ":v2", "- name: x\n  newName: r/web\n  newTag: v2\n"),
    ("- name: web\r\n- name: y\r\n", ":v2", "- name: web\r\n  newTag: v2\r\n- name: y\r\n"),
    ("- name: web\n  newTag:\n", ":v2", "- name: web\n  newTag: v2\n"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "ref", "new"), KUSTOMIZATIONS, ids=repr)
def test_kustomizations(folder: Folder, old: str, ref: str, new: str) -> None:
    folder.put_at("kustomization.yaml", f"# head\nimages:\n{old}")
    folder.set(f"-set-image=web={ref}")
    assert folder.text("kustomization.yaml") == f"# head\nimages:\n{new}"


def test_a_flux_kustomization_too(folder: Folder) -> None:
    text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  images:\n  - name: web\n    newTag: v1\n"
    folder.put(flux=text)
    folder.set("-set-image=web=:v2")
    assert folder.text("flux.yaml") == text.replace("v1\n", "v2\n").replace(
        "flux.yaml/v2", "flux.yaml/v1"
    ).replace("io/v2", "io/v1")


VALUES = [
    ("image:\n  repository: acme/web\n  tag: v1\n", ":v2", "image:\n  repository: acme/web\n  tag: v2\n"),
    (
        "image:\n  repository: acme/web\n  tag: 1.19\n",
        ":1.20",
        'image:\n  repository: acme/web\n  tag: "1.20"\n',
    ),
    ("a:\n  b:\n  - image: acme/web:1\n", ":2", "a:\n  b:\n  - image: acme/web:2\n"),
    ("proxyImage: acme/web:1\n", ":2", "proxyImage: acme/web:2\n"),
    (
        'i: {repository: acme/web, tag: "1", digest: ""}\n',
        f"@{A}",
        f'i: {{repository: acme/web, tag: "1", digest: "{A}"}}\n',
    ),
    (
        f"i:\n  repository: acme/web\n  tag: v1\n  digest: {A}\n",
        ":v2",
        'i:\n  repository: acme/web\n  tag: v2\n  digest: ""\n',
    ),
    ("i:\n  repository: acme/web\n  tag: v1\n", f":v2@{A}", f"i:\n  repository: acme/web\n  tag: v2@{A}\n"),
    (
        "i:\n  registry: r.test\n  repository: acme/web\n  tag: v1\n",
        "r.test/acme/web:v2",
        "i:\n  registry: r.test\n  repository: acme/web\n  tag: v2\n",
    ),
    (
        "i:\n  registry: r.test\n  repository: acme/web\n  tag: v1\n",
        "q.test/b/web:v2",
        "i:\n  registry: q.test\n  repository: b/web\n  tag: v2\n",
    ),
    (
        "apiVersion: h/v2\nkind: HelmRelease\nspec:\n  values:\n    image: acme/web:1\n",
        ":2",
        "apiVersion: h/v2\nkind: HelmRelease\nspec:\n  values:\n    image: acme/web:2\n",
    ),
]


@pytest.mark.parametrize(("old", "ref", "new"), VALUES, ids=repr)
def test_helm_values(folder: Folder, old: str, ref: str, new: str) -> None:
    folder.put(values=old)
    folder.set(f"-set-image=web={ref}")
    assert folder.text("values.yaml") == new


@pytest.mark.parametrize(
    ("mark", "ref", "new"),
    [
        ('acme/web:1 # {"$imagepolicy": "flux:web"}', "acme/web:2", "acme/web:2"),
        ('"1" # {"$imagepolicy": "flux:web:tag"}', ":2", '"2"'),
        ('acme/web # {"$imagepolicy": "flux:web:name"}', "acme/new:2", "acme/new"),
        (f'{A} # {{"$imagepolicy": "flux:web:digest"}}', f"@{B}", B),
    ],
)
def test_setter_comments(folder: Folder, mark: str, ref: str, new: str) -> None:
    folder.put(any=f"spec:\n  whatever: {mark}\n  other: acme/web:1\n")
    folder.set(f"-set-image=flux:web={ref}")
    _, hash_, comment = mark.partition(" #")
    assert folder.text("any.yaml") == f"spec:\n  whatever: {new}{hash_}{comment}\n  other: acme/web:1\n"


BASE = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: main\n    image: web\n"


@pytest.mark.parametrize("name", ["web", "main"])
def test_what_a_kustomization_replaces_is_set_there(folder: Folder, name: str) -> None:
    folder.put(
        base__pod=BASE, base__kustomization="resources: [pod.yaml]\n", alone=BASE.replace("web", "r/web:1")
    )
    folder.put(
        prod__kustomization="resources: [../base]\nimages:\n- name: web\n  newName: r/web\n  newTag: v1\n"
    )
    if name == "main":
        (folder.path / "alone.yaml").unlink()
    folder.set(f"-set-image={name}=r/web:v2")
    assert folder.text("base/pod.yaml") == BASE
    assert "newTag: v2" in folder.text("prod/kustomization.yaml")
    assert "base/pod.yaml:6" in folder.notes[0]
    assert name == "main" or "image: r/web:v2" in folder.text("alone.yaml")


def test_several_uses_of_one_image_are_all_set(folder: Folder) -> None:
    folder.put(a=workload("Deployment"), b=workload("CronJob"), c="image: registry.test/acme/web:0\n")
    assert folder.set("-set-image=web=:2") == ["a.yaml", "b.yaml", "c.yaml"]


def test_filepath_limits(folder: Folder) -> None:
    folder.put(staging__a=workload("Pod"), production__a=workload("Pod"))
    assert folder.set("-set-image=web=:2", "-filepath=staging/**") == ["staging/a.yaml"]


def test_hidden_folders_links_and_outputs_of_templates_are_left_out(folder: Folder) -> None:
    folder.put_at(".github/a.yaml", "image: web:1\n")
    folder.put_at("out.yaml.tmpl", "image: web:1\n")
    folder.put(out="image: web:1\n", seen="image: web:1\n")
    (folder.path / "link.yaml").symlink_to("seen.yaml")
    assert folder.set("-set-image=web=:2") == ["seen.yaml"]
    assert folder.text("out.yaml") == "image: web:1\n"


def test_json(folder: Folder) -> None:
    text = '\ufeff{\n\t"apiVersion": "v1", "kind": "Pod",\n\t"spec": {"containers": [{"name": "a\U0001f600", "image": "web:1"}]}\n}\n'
    folder.put_at("pod.json", text)
    folder.set("-set-image=web=:2", '-set=pod.json:spec.containers[0].name="quoted"')
    assert folder.text("pod.json") == text.replace("web:1", "web:2").replace(
        '"a\U0001f600"', '"\\"quoted\\""'
    )


def test_with_templates_in_one_update(folder: Folder) -> None:
    folder.put_at("a.yaml.tmpl", "image: $({ .image })\n")
    folder.put(b="image: web:1\n")
    assert folder.set("-substitute=image=x:1", "-set-image=web=:2") == ["a.yaml", "b.yaml"]
    assert (folder.text("a.yaml").splitlines()[-1], folder.text("b.yaml")) == ("image: x:1", "image: web:2\n")


REFUSED = {
    "nothing is named so": ({"a": "image: other:1\n"}, 'no image or container is named "web"'),
    "two images": ({"a": "image: one/web:1\n", "b": "\nimage: two/web:1\n"}, r"a.yaml:1: image is one/web:1; b.yaml:2"),
    "a container of that name and another image": (
        {"a": workload("Pod"), "b": workload("Pod", "envoy:1").replace("main", "web")},
        "may mean different images",
    ),
    "an alias": ({"a": "x: &x web:1\nimage: *x\n"}, "a.yaml:1: this image is repeated"),
    "an aliased container": (
        {"a": BASE.replace("- name", "- &c\n    name") + "  initContainers:\n  - *c\n"},
        "a.yaml:7: this image is repeated",
    ),
    "a merged container": (
        {"a": "x-c: &c {image: web}\n" + BASE.replace("image: web", "<<: *c")},
        "a.yaml:1: this image is repeated",
    ),
    "a key twice": ({"a": "image: web:1\nimage: web:2\n"}, 'a.yaml:2: the key "image" stands here twice'),
    "broken YAML": ({"a": "image: web:1\n  b: c\n"}, "a.yaml:2: this is no YAML"),
    "an anchor": ({"a": "image: &i web:1\n"}, "the anchor &i"),
    "a tag": ({"a": "image: !!str web:1\n"}, "the tag tag:yaml.org,2002:str"),
    "a text of two lines": ({"a": "image: |\n  web:1\n  # no comment\n"}, "this text has several lines"),
    "no tag among the values": ({"a": "i: {repository: web, pullPolicy: x}\n"}, "neither tag nor digest"),
    "a templated chart only": ({"a": "{{- if .x }}\nimage: web\n{{- end }}\n"}, 'is named "web"'),
}  # fmt: skip


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(folder: Folder, files: dict[str, str], message: str) -> None:
    folder.put(**files)
    before = {name: folder.text(f"{name}.yaml") for name in files}
    with pytest.raises(DispatchfileError, match=message) as caught:
        folder.set("-set-image=web=:2")
    assert caught.value.exit_code in (1, 2)
    assert {name: folder.text(f"{name}.yaml") for name in files} == before


def test_an_image_in_a_rendered_file_names_its_template(folder: Folder) -> None:
    folder.put_at("a.yaml.tmpl", "image: $({ .image })\n")
    folder.put(a="image: web:1\n")
    with pytest.raises(UsageError, match='is named "web"') as caught:
        folder.set("-set-image=web=:2")
    assert caught.value.help == "a.yaml is rendered from a.yaml.tmpl: -substitute sets what is in it"


def test_a_digest_that_the_values_cannot_hold(folder: Folder) -> None:
    folder.put(values="i:\n  repository: web\n  tag: v1\n")
    with pytest.raises(DispatchfileError, match=r"values.yaml:2: these values have no digest"):
        folder.set(f"-set-image=web=@{A}")


def test_a_templated_chart_is_left_out_and_said(folder: Folder) -> None:
    folder.put(chart__templates__a="{{- if .x }}\nimage: web\n{{- end }}\n", b="image: web:1\n")
    assert folder.set("-set-image=web=:2") == ["b.yaml"]
    assert folder.notes == ["chart/templates/a.yaml was not looked into: it is a template of a Helm chart"]


def test_two_wishes_for_one_image_are_an_error(folder: Folder) -> None:
    folder.put(a=workload("Pod"))
    with pytest.raises(DispatchfileError, match=r"a.yaml:8: two settings change this differently"):
        folder.set("-set-image=web=:2", "-set-image=main=:3")
    assert folder.set("-set-image=web=:2", "-set-image=main=:2") == ["a.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "web",
        "=x:1",
        "web=",
        "web=x",
        "web=X:1",
        "web=x:1:2/",
        "web=x@sha256:12",
        "web=x: 1",
        "web=-x:1",
        "../a=x:1",
        "web=x:1@",
    ],
)
def test_what_is_no_wish(text: str) -> None:
    with pytest.raises(UsageError):
        flags.parse([f"-set-image={text}"])


def test_what_a_kustomization_elsewhere_replaces_is_not_touched(folder: Folder) -> None:
    folder.put(
        base__pod=BASE,
        prod__kustomization="resources: [../base/pod.yaml]\nimages:\n- name: web\n  newTag: v1\n",
    )
    with pytest.raises(
        UsageError, match=r"base/pod.yaml:6: .* is replaced by prod/kustomization.yaml:3, which -filepath"
    ):
        folder.set("-set-image=web=:v2", "-filepath=base/**")
    assert folder.text("base/pod.yaml") == BASE


def test_one_file_under_two_names(folder: Folder) -> None:
    folder.put(a="image: web:1\nb: 1\nc: 1\n")
    (folder.path / "link.yaml").symlink_to("a.yaml")
    folder.set("-set-image=web=:2", "-set=x/../a.yaml:b=2", "-set=./a.yaml:c=3")
    assert folder.text("a.yaml") == "image: web:2\nb: 2\nc: 3\n"
    with pytest.raises(UsageError, match="under another name"):
        folder.set("-set=a.yaml:b=3", "-set=link.yaml:c=4")
