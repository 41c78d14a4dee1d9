from __future__ import annotations

import hashlib
import json
import os
import tarfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.model.images import is_kaniko
from dispatchfile.run.backend import Output, StepResult, StorageInput
from dispatchfile.run.buildcontext import _ignored, _rule, base_images, ignore_lines
from dispatchfile.run.connect import connect
from dispatchfile.run.images import registry_host, split_ref
from dispatchfile.run.kaniko import parse_request
from tests.run.on_engine import Collected, bench, step_spec

KANIKO = "registry.test/kaniko-project/executor:v0.14.0"
DIGEST_LENGTH = len("sha256:") + 64
DIGEST = "sha256:" + "cd" * 32


@pytest.fixture
def context(tmp_path: Path, toolbox: str) -> Path:
    folder = tmp_path / "context"
    (folder / "sub").mkdir(parents=True)
    (folder / "Dockerfile").write_text(
        f"ARG BASE={toolbox}\nFROM $BASE AS first\nARG WHO\nCOPY . /app\nRUN echo $WHO > /who && ls -A /app > /list\n"
        'FROM first\nCMD ["cat", "/who", "/list"]\n'
    )
    (folder / "sub/file").write_text("x")
    (folder / "secret.txt").write_text("s")
    (folder / ".dockerignore").write_text("# what stays out\nsecret.txt\nDockerfile\n")
    return folder


def arguments(name: str, *more: str) -> tuple[str, ...]:
    return (
        "--context=/workspace/source",
        f"--destination={name}",
        "--oci-layout-path=/workspace/output/app",
        *more,
    )


@pytest.mark.docker
def test_what_is_not_pushed_is_told_and_has_a_layout(context: Path, tmp_path: Path, toolbox: str) -> None:
    name = "registry.test/team/app-not-pushed"
    with bench(tmp_path, offline=True) as made:
        made.backend.ensure_image(KANIKO, "missing")
        task = made.task(StorageInput("source", context), outputs=(Output("app", "image"),))
        args = arguments(
            f"{name}:v1", "--build-arg=WHO", "--digest-file", "/workspace/digest", "--label=a=b", "--cache"
        )
        result, out, err = made.step(task, KANIKO, args=args, env={"WHO": "me"})
        try:
            assert (result, out) == (StepResult(0), ""), err
            assert f"not pushed: {name}:v1 (the image stays on this engine; --publish pushes it)" in err
            digest = made.backend.image_digest(task, "app")
            assert digest
            check_layout(made, task, tmp_path / "layout", digest)
            _, written, _ = made.step(task, toolbox, "cat /workspace/digest; ls -A /workspace/source")
            assert written.startswith(digest)
            assert "secret.txt" in written
            for ref in (f"{name}:v1@{digest}", f"{name}@{digest}", f"{name}:v1"):
                made.backend.ensure_image(ref, "missing")
                result, out, _ = made.step(task, ref)
                assert (result.exit_code, out.split()) == (0, ["me", ".dockerignore", "sub"]), ref
            again, _, err = made.step(task, KANIKO, args=args, env={"WHO": "me"})
            assert (again.exit_code, "Using cache" in err, made.backend.image_digest(task, "app")) == (
                0,
                True,
                digest,
            )
        finally:
            made.backend._engine.remove_image(f"{name}:v1", force=True)


def check_layout(made, task, folder: Path, digest: str) -> None:
    """The layout is whole: every blob that its manifest names is there and has the digest it goes by."""
    made.backend.save_output(task, "app", folder)
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    blobs = {path.name for path in (folder / "blobs/sha256").iterdir()}
    manifest = json.loads((folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes())
    named = [manifest["config"], *manifest["layers"]]
    assert {item["digest"].removeprefix("sha256:") for item in named} | {
        digest.removeprefix("sha256:")
    } == blobs
    for item in named:
        content = (folder / "blobs/sha256" / item["digest"].removeprefix("sha256:")).read_bytes()
        assert ("sha256:" + hashlib.sha256(content).hexdigest(), len(content)) == (
            item["digest"],
            item["size"],
        )


@pytest.mark.docker
def test_what_is_pushed_has_the_registrys_digest(context: Path, tmp_path: Path, registry: str) -> None:
    name = f"{registry}/team/app"
    with bench(tmp_path) as made:
        task = made.task(StorageInput("source", context), outputs=(Output("app", "image"),))
        args = arguments(name, f"--destination={name}:v2", "--image-name-with-digest-file=/workspace/named")
        result, _, err = made.step(task, KANIKO, args=(*args, "--tar-path=/workspace/output/app/image.tar"))
        try:
            assert result == StepResult(0), err
            digest = made.backend.image_digest(task, "app")
            for tag in ("latest", "v2"):
                request = urllib.request.Request(f"http://{registry}/v2/team/app/manifests/{tag}")
                request.add_header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
                with urllib.request.urlopen(request, timeout=10) as answer:
                    assert answer.headers["Docker-Content-Digest"] == digest
            made.backend.save_output(task, "app", tmp_path / "out")
            with tarfile.open(tmp_path / "out/image.tar") as tar:
                assert "manifest.json" in tar.getnames()
        finally:
            for tag in ("latest", "v2"):
                made.backend._engine.remove_image(f"{name}:{tag}", force=True)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(
            ("--context=/workspace/absent", "--no-push"), "there is no Dockerfile", id="no Dockerfile"
        ),
        pytest.param(("--context=/workspace/source",), "--destination is missing", id="no destination"),
        pytest.param(("--contxt=x",), "unknown flag --contxt", id="unknown flag"),
        pytest.param(
            ("--context=/workspace/source", "--no-push", "--build-arg=BASE=localhost:1/nope"),
            "localhost:1/nope is not on this engine, and the run is offline",
            id="no base image",
        ),
        pytest.param(
            ("--context=/workspace/source", "--no-push", "--target=nope"),
            "the build failed: ",
            id="no such stage",
        ),
    ],
)
def test_builds_that_fail(context: Path, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    with bench(tmp_path, offline=True) as made:
        task = made.task(StorageInput("source", context))
        if "offline" in message:
            with pytest.raises(EnvironmentProblem, match=message):
                made.step(task, KANIKO, args=args)
            return
        result, _, err = made.step(task, KANIKO, args=args)
    assert result.exit_code == 1
    assert message in result.message
    assert message in err


@pytest.mark.docker
def test_a_build_can_be_stopped(context: Path, tmp_path: Path, toolbox: str) -> None:
    (context / "Dockerfile").write_text(f"FROM {toolbox}\nRUN echo begun{time.time()} && sleep 60\n")
    with bench(tmp_path) as made:
        task = made.task(StorageInput("source", context))
        sink = Collected()
        spec = step_spec(KANIKO, args=("--context=dir:///workspace/source", "--no-push"))
        results: list[StepResult] = []
        step = made.backend.create_step(task, spec)
        thread = threading.Thread(target=lambda: results.append(made.backend.run_step(step, sink, 40)))
        thread.start()
        deadline = time.monotonic() + 20
        while "Running in" not in sink.text("stderr") and time.monotonic() < deadline:
            time.sleep(0.05)
        made.backend.stop(kill=False)
        thread.join(20)
        assert [result.reason for result in results] == ["stopped"]


@pytest.mark.parametrize(
    ("ref", "kaniko"),
    [
        ("registry.test/kaniko-project/executor:debug", True),
        ("someone/kaniko-executor@sha256:00", True),
        ("localhost:5000/kaniko", True),
        ("registry.test/kaniko-project/warmer", False),
        ("executor-tools", False),
    ],
)
def test_kaniko_is_known_by_its_name(ref: str, kaniko: bool) -> None:
    assert is_kaniko(ref) is kaniko


def test_arguments_are_read_as_the_executor_reads_them() -> None:
    words = "-d a/b:1 --destination c -f=x/Dockerfile -c src --context-sub-path /sub --no-push=false --reproducible"
    request = parse_request(
        [*words.split(), "--build-arg", "A=1=2", "--build-arg=B"], {"B": "b"}, "/workspace/app"
    )
    assert (request.context, request.dockerfile) == ("/workspace/app/src/sub", "x/Dockerfile")
    assert (request.destinations, request.push) == (("a/b:1", "c"), True)
    assert request.build_args == {"A": "1=2", "B": "b"}
    assert parse_request(["--no-push"], {}, "/w").context == "/workspace"


@pytest.mark.parametrize(
    ("words", "message", "advice"),
    [
        (["--destinaton=x"], "unknown flag --destinaton", "did you mean --destination?"),
        (["build"], 'unexpected argument "build"', "--name=value"),
        (["--destination"], "--destination needs a value", ""),
        (["--no-push=maybe"], '--no-push is true or false, not "maybe"', ""),
        (
            ["--context=git://x", "--no-push"],
            "is not supported by the engine's builder",
            "--kaniko=container",
        ),
        (["-x"], "unknown flag -x", ""),
        (["--label=a", "--no-push"], "not of the form name=value", ""),
    ],
)
def test_arguments_that_the_executor_refuses(words: list[str], message: str, advice: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_request(words, {}, "/workspace")
    assert advice in caught.value.help


def test_references_are_taken_apart() -> None:
    assert split_ref("h:5/a/b") == ("h:5/a/b", "latest")
    assert split_ref("h:5/a/b:1") == ("h:5/a/b", "1")
    assert split_ref("a:1@sha256:00") == ("a", "sha256:00")
    assert [registry_host(ref) for ref in ("a/b", "localhost/a", "h:5/a", "h.test/a", "a")] == [
        "",
        "localhost",
        "h:5",
        "h.test",
        "",
    ]


def test_what_a_dockerfile_builds_on() -> None:
    text = b"""# syntax
ARG V=1
ARG W
FROM --platform=linux/amd64 base:$V AS one
FROM other:${W} as two
COPY --from=one /a /a
COPY --from=third:2 --chown=1 /a /a
FROM scratch
COPY --from=0 x y
FROM two
FROM $UNKNOWN
"""
    assert base_images(text, {"W": "w"}) == ["base:1", "other:w", "third:2"]
    assert ignore_lines(b"\xef\xbb\xbf# c\n\n/a/\n!a/b \n*.md\n") == ["a", "!a/b", "*.md"]


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        (["*.md"], "a.md", True),
        (["*.md"], "A.MD", False),
        (["*.md"], "docs/a.md", False),
        (["**/*.md"], "docs/x/a.md", True),
        (["**/*.md"], "a.md", True),
        (["docs"], "docs/x/a.md", True),
        (["docs", "!docs/x"], "docs/x/a.md", False),
        (["!docs/x", "docs"], "docs/x/a.md", True),
        (["a?c", "[x-z]1"], "abc", True),
        (["a?c", "[x-z]1"], "y1", True),
        (["a.c"], "abc", False),
        (["*"], "a/b", True),
        (["a/**/b"], "a/b", True),
        (["a/**/b"], "a/x/y/b/c", True),
    ],
)
def test_what_a_dockerignore_leaves_out(patterns: list[str], path: str, ignored: bool) -> None:
    assert _ignored(path, [_rule(pattern) for pattern in patterns]) is ignored


@pytest.mark.docker
def test_the_executor_itself_runs_when_asked_for(tmp_path: Path, toolbox: str) -> None:
    # Stands in for kaniko's image: its entrypoint tells its arguments and leaves a layout where they say.
    executor = (
        "#!/bin/sh\n"
        'echo "executor $*"\n'
        "for word; do case $word in --oci-layout-path=*) path=${word#*=};; esac; done\n"
        f'echo \'{{"manifests": [{{"digest": "{DIGEST}"}}]}}\' > "$path/index.json"\n'
    )
    image = f"dispatchfile-test-{os.getpid()}/kaniko-executor:x"
    context = tmp_path / "context"
    context.mkdir()
    (context / "executor").write_text(executor)
    (context / "executor").chmod(0o755)
    (context / "Dockerfile").write_text(
        f'FROM {toolbox}\nCOPY executor /kaniko/executor\nENTRYPOINT ["/kaniko/executor"]\n'
    )
    client = connect()
    try:
        for _ in client.build(path=str(context), tag=image, rm=True):
            continue
        with bench(tmp_path, kaniko="container", offline=True) as made:
            with pytest.raises(EnvironmentProblem, match="is not on this engine, and the run is offline"):
                made.backend.ensure_image(KANIKO, "missing")
            made.backend.ensure_image(image, "missing")
            task = made.task(outputs=(Output("app", "image"),))
            args = ("--no-push", "--oci-layout-path=/workspace/output/app")
            result, out, _ = made.step(task, image, args=args)
            assert (result.exit_code, out) == (0, f"executor {' '.join(args)}\n")
            assert made.backend.image_digest(task, "app") == DIGEST
    finally:
        client.remove_image(image, force=True)
        client.close()
