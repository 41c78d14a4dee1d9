"""Image outputs: the digest that the script reports is the one that a local run reports of the same layout."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import DispatchfileError
from dispatchfile.front import interpret, read
from dispatchfile.run.oci import canonical, digest_of, digest_of_index, index_json
from dispatchfile.source import Source
from dispatchfile.tekton.options import Options
from dispatchfile.tekton.pac import objects as pac
from tests.tekton.drafts import spec, step, step_of, task_of
from tests.tekton.shells import SHELLS, run

A, B = digest_of(b"a"), digest_of(b"b")


def manifest(digest: Any = A, **more: Any) -> dict[str, Any]:
    return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7, "digest": digest, **more}


def index(*manifests: Any, **more: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": list(manifests), **more}).encode()


LAYOUTS = {
    "ours": index_json(manifest()),
    "one": index(manifest()),
    "pretty": json.dumps(json.loads(index(manifest())), indent=4).encode(),
    "a tab and CRLF": b'{\t"manifests"\r\n:\t[\r\n{"digest"  :\t"' + A.encode() + b'"}]}\r\n',
    "no line end": canonical({"manifests": [manifest()]}),
    "two": index(manifest(A), manifest(B)),
    "two the same": index(manifest(A), manifest(A)),
    "digests in annotations": index(
        manifest(annotations={"org.base.digest": B}), annotations={"digest-of": B}
    ),
    "a platform after the digest": b'{"manifests":[{"digest":"%s","platform":{"os":"linux","digest":"x"}}]}'
    % A.encode(),
    "brackets and quotes in text": index(manifest(annotations={'a"]}': '{"digest": [\\'}, urls=["}", "]"])),
    "a comment as value": index(manifest(annotations={"manifests": '"manifests":[{"digest":"x"}]'})),
    "other letters": index(manifest(annotations={"titel": "Größe ✓"})),
    "numbers and words": index(manifest(size=-1.5e3, artifact=None, is_new=True, is_old=False)),
    "large": index(*(manifest(digest_of(str(n).encode())) for n in range(200))),
}
ODD = {
    "none": index(),
    "a digest before the list": b'{"digest":"%s","manifests":[{"digest":"%s"}]}' % (B.encode(), A.encode()),
    "two documents": index(manifest()) * 2,
}
BROKEN = {
    "empty": b"",
    "no JSON": b"oci layout",
    "half": index(manifest())[:-9],
    "open text": b'{"manifests": [{"digest": "sha256:',
    "wrong bracket": b'{"manifests": [{"digest": "x"]}',
    "a list": b"[]",
    "a text": b'"manifests"',
    "no list": b'{"schemaVersion": 2}',
    "a number for the list": b'{"manifests": 5}',
    "numbers in the list": b'{"manifests": [5]}',
    "texts in the list": b'{"manifests": ["sha256"]}',
    "lists in the list": b'{"manifests": [[]]}',
    "no digest": b'{"manifests": [{"size": 5}]}',
    "short": index(manifest("sha256:abc")),
    "another algorithm": index(manifest("sha512:" + 64 * "0")),
    "capitals": index(manifest(A.upper())),
    "more than a digest": index(manifest(A + "\n")),
    "shell": index(manifest("$(touch pwned)`touch pwned`\";touch pwned;'")),
}  # fmt: skip


def report(
    folder: Path,
    content: bytes | None,
    shell: str = "dash",
    place: str = "output/app",
    read: str = "required",
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script on a layout; return what it wrote too."""
    if content is not None:
        (folder / place).mkdir(parents=True)
        (folder / place / "index.json").write_bytes(content)
    results = [folder / "url", folder / "digest"]
    args = [str(folder / "output/app"), "me/app:$1", read, *map(str, results)]
    done = run(folder, "digests", {}, args, shell)
    return done, [one.read_text() if one.exists() else "-" for one in results]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_digest_is_that_of_a_local_run(shell: str, layout: str, tmp_path: Path):
    expected = digest_of_index(LAYOUTS[layout], "here")
    done, results = report(tmp_path, LAYOUTS[layout], shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert results == ["me/app:$1", expected]
    assert done.stdout == f"image app: {expected}\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("layout", BROKEN)
def test_what_is_no_layout_is_refused_as_in_a_local_run(shell: str, layout: str, tmp_path: Path):
    with pytest.raises(DispatchfileError):
        digest_of_index(BROKEN[layout], "here")
    done, results = report(tmp_path, BROKEN[layout], shell)
    assert (done.returncode, done.stdout, results) == (1, "", ["-", "-"])
    assert (
        done.stderr
        == f"{tmp_path}/output/app/index.json is no OCI image index with a digest: the tool that wrote it may have failed\n"
    )
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("layout", ODD)
def test_an_odd_layout_is_never_told_by_the_digest_of_something_else(layout: str, tmp_path: Path):
    done, (_url, digest) = report(tmp_path, ODD[layout])
    assert (done.returncode, digest) in ((0, digest_of(ODD[layout])), (1, "-"))


def test_the_older_place_counts_too(tmp_path: Path):
    _done, results = report(tmp_path, index(manifest()), place="home/image-outputs/app")
    assert results == ["me/app:$1", A]


def test_the_newer_place_counts_first(tmp_path: Path):
    report(tmp_path, index(manifest(B)), place="home/image-outputs/app")
    _done, results = report(tmp_path, index(manifest(A)))
    assert results == ["me/app:$1", A]


def test_without_a_layout_the_digest_is_empty_when_nobody_reads_it(tmp_path: Path):
    done, results = report(tmp_path, None, read="optional")
    assert (done.returncode, done.stderr, results) == (0, "", ["me/app:$1", ""])


def test_without_a_layout_a_digest_that_is_read_fails_the_task(tmp_path: Path):
    done, results = report(tmp_path, None)
    assert (done.returncode, results) == (1, ["-", "-"])
    assert done.stderr.startswith("image app has no digest: let a step write its OCI layout to ")
    assert done.stderr.count("\n") == 1


def test_several_images_are_told_one_after_the_other(tmp_path: Path):
    for name, digest in (("one", A), ("two", B)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.json").write_bytes(index(manifest(digest)))
    args = [
        word
        for name in ("one", "two")
        for word in (str(tmp_path / name), "", "optional", f"{name}.url", f"{name}.digest")
    ]
    done = run(tmp_path, "digests", {}, args)
    assert done.returncode == 0
    assert [(tmp_path / f"{name}.digest").read_text() for name in ("one", "two")] == [A, B]


# What is emitted

APP = {"type": "image", "param": {"url": "me/app:$(context.build.name)"}}


def test_url_and_digest_of_an_image_are_results():
    made = spec(
        {"build": {"outputs": ["app", "Other.One"], "steps": [step()]}}, {"app": APP, "Other.One": APP}
    )
    results = [one["name"] for one in task_of(made, "build")["taskSpec"]["results"]]
    assert results == ["app_IMAGE_URL", "app_IMAGE_DIGEST", "other-one_IMAGE_URL", "other-one_IMAGE_DIGEST"]
    assert [one["name"] for one in made["results"]] == results
    args = step_of(made, "build", "dispatch-digests")["args"]
    url, digest = "$(results.other-one_IMAGE_URL.path)", "$(results.other-one_IMAGE_DIGEST.path)"
    assert args[5:] == ["/workspace/output/Other.One", "me/app:$(params.build-name)", "optional", url, digest]
    steps = [one["name"] for one in task_of(made, "build")["taskSpec"]["steps"]]
    assert steps == ["dispatch-prepare", "run", "dispatch-digests"]
    assert step_of(made, "build", "dispatch-prepare")["args"] == [
        "/workspace/output/app",
        "/workspace/output/Other.One",
    ]


def test_a_digest_that_another_task_reads_must_be_there():
    reader = {"inputs": ["app"], "steps": [step("run", "echo", "$(inputs.resources.app.digest)")]}
    made = spec({"build": {"outputs": ["app"], "steps": [step()]}, "deploy": reader}, {"app": APP})
    assert step_of(made, "build", "dispatch-digests")["args"][2] == "required"


@pytest.mark.parametrize(
    ("fields", "mounted"),
    [
        pytest.param({"image": "any/kaniko-project/executor:v1"}, True, id="kaniko"),
        pytest.param({"image": "tools/executors"}, False, id="another image"),
        pytest.param(
            {"image": "kaniko", "env": [{"name": "DOCKER_CONFIG", "value": "/tekton/home/.docker"}]},
            False,
            id="told where",
        ),
        pytest.param({"image": "kaniko", "args": ["--x=/kaniko/.docker"]}, False, id="its own is meant"),
        pytest.param(
            {"image": "kaniko", "volumeMounts": [{"name": "login", "mountPath": "/kaniko/.docker/"}]},
            False,
            id="a volume",
        ),
    ],
)
def test_kaniko_finds_the_credentials_that_tekton_brings(fields: dict[str, Any], mounted: bool):
    task = {"steps": [{"name": "run", **fields}], "volumes": [{"name": "login", "emptyDir": {}}]}
    template = task_of(spec({"build": task}), "build")["taskSpec"]["stepTemplate"]
    assert template.get("volumeMounts", []) == [
        {"name": "dispatch-home", "mountPath": "/tekton/home"},
        {"name": "dispatch-home", "mountPath": "/kaniko/.docker", "subPath": ".docker"},
    ] * mounted  # fmt: skip


def test_the_home_directory_has_its_older_name_where_a_task_uses_it():
    env = [{"name": "DOCKER_CONFIG", "value": "/workspace/output/.docker"}]
    old = step("run", "build", "--oci-layout-path=/builder/home/image-outputs/app", env=env)
    made = spec({"build": {"outputs": ["app"], "steps": [old]}, "other": [step()]}, {"app": APP})
    build = task_of(made, "build")["taskSpec"]
    assert build["volumes"] == [{"name": "dispatch-home", "emptyDir": {}}]
    assert build["stepTemplate"]["volumeMounts"] == [
        {"name": "dispatch-home", "mountPath": "/tekton/home"},
        {"name": "dispatch-home", "mountPath": "/builder/home"},
        {"name": "dispatch-home", "mountPath": "/workspace/output/.docker", "subPath": ".docker"},
    ]
    prepared = step_of(made, "build", "dispatch-prepare")["args"]
    assert prepared == ["/workspace/output/app", "/tekton/home/image-outputs/app"]
    assert "volumeMounts" not in task_of(made, "other")["taskSpec"]["stepTemplate"]


def test_the_token_of_pipelines_as_code_leaves_the_home_directory_its_names():
    text = """\
task:
  build: {steps: [{name: run, image: kaniko}]}
actions:
- {tasks: [build], on: {push: {}}}
"""
    made, _found = interpret(read(Source("Dispatchfile", text, "yaml")))
    assert made is not None
    [run] = pac.objects(made, Options("app"), pac.Settings(git_auth=True)).objects
    [task] = run["spec"]["pipelineSpec"]["tasks"]
    mounted = [one["mountPath"] for one in task["taskSpec"]["stepTemplate"]["volumeMounts"]]
    assert mounted == ["/tekton/home", "/kaniko/.docker", "/var/secret/dispatch-git-auth"]
    assert [one["name"] for one in task["taskSpec"]["volumes"]] == ["dispatch-home", "dispatch-git-auth"]
