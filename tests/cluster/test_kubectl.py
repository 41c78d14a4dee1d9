"""What is emitted goes through kubectl into a cluster that knows the published schemas."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dispatchfile import front
from dispatchfile.event.event import Event
from tests import ci
from tests.cluster import project
from tests.cluster.api_server import ApiServer
from tests.tekton import crds, events
from tests.tekton.pac_model import LOADER

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def firing() -> Iterator[tuple[str, Event]]:
    for path in sorted(EXAMPLES.glob("*/Dispatchfile*")):
        pipeline, _ = front.load(str(path), None)
        for action, event in events.firing(pipeline):
            yield f"{path.parent.name}-{action.title}", event


FIRING = list(firing())


@pytest.fixture(scope="module")
def kubectl() -> str:
    found = shutil.which("kubectl")
    if found is None:
        ci.skip("kubectl is not on PATH")
        raise AssertionError("skipped")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    if not crds.CRDS.is_dir():
        ci.skip("the published schemas are not here")
    with ApiServer(validate=crds.validate) as made:
        yield made


def repository(tmp_path: Path, example: str) -> Path:
    folder = tmp_path / "app"
    shutil.copytree(EXAMPLES / example, folder)
    project.git("init", "-q", cwd=folder)
    project.commit(folder)
    project.git("remote", "add", "origin", project.URL, cwd=folder)
    return folder


def flags(event: Event) -> list[str]:
    """Return the event as a user would give it."""
    kind = event.kind.replace("_", "-")
    given = {
        "branch": event.branch, "tag": event.tag, "source": event.source, "target-branch": event.target,
        "number": event.number, "action": event.action,
        "chatop": "/" + " ".join(event.chatop) if event.chatop else None,
    }  # fmt: skip
    words = ["--event", kind, "--commit", "HEAD"]
    words += [
        word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))
    ]
    words += [word for label in event.labels or () for word in ("--label", label)]
    return words + [word for path in event.paths or () for word in ("--path", path)]


def create(kubectl: str, server: ApiServer, tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    environment = project.environment(tmp_path, server.kubeconfig(tmp_path / "kubeconfig"))
    return subprocess.run(
        [kubectl, "create", "-f", "-"],
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def emitted(tmp_path: Path, folder: Path, *words: str) -> str:
    environment = project.environment(tmp_path, tmp_path / "none")
    command = [sys.executable, "-m", "dispatchfile", "-C", str(folder), "tekton", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "event"), FIRING, ids=[name for name, _ in FIRING])
def test_every_example(kubectl: str, server: ApiServer, tmp_path: Path, name: str, event: Event) -> None:
    example = next(one.name for one in EXAMPLES.iterdir() if name.startswith(f"{one.name}-"))
    folder = repository(tmp_path, example)
    text = emitted(tmp_path, folder, *flags(event), "--name", f"example-{FIRING.index((name, event))}")
    done = create(kubectl, server, tmp_path, text)
    assert done.returncode == 0, done.stderr
    sent = [made for made in yaml.load_all(text, LOADER) if made]
    assert [made["kind"] for made in sent] == ["Pipeline", "PipelineRun"]
    received = server.bodies[-2:]
    for made, kept in zip(sent, received, strict=True):
        kept["metadata"].pop("namespace", None)
        assert kept == made  # Go's reader of YAML takes it as Python's does


@pytest.mark.parametrize("example", ["hello-world", "parallel-tasks"])
def test_triggers(kubectl: str, server: ApiServer, tmp_path: Path, example: str) -> None:
    folder = repository(tmp_path, example)
    done = create(
        kubectl, server, tmp_path, emitted(tmp_path, folder, "--target", "triggers", "--name", example)
    )
    assert done.returncode == 0, done.stderr
    assert "eventlistener.triggers.tekton.dev/" in done.stdout


def test_the_server_refuses_what_the_schemas_do_not_have(
    kubectl: str, server: ApiServer, tmp_path: Path
) -> None:
    folder = repository(tmp_path, "hello-world")
    text = emitted(
        tmp_path, folder, "--kind", "run", "--event", "push", "--branch", "master", "--commit", "HEAD"
    )
    made = yaml.safe_load(text)
    made["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["resources"] = {}
    done = create(kubectl, server, tmp_path, yaml.safe_dump(made))
    assert done.returncode == 1
    assert "is invalid" in done.stderr
    assert "resources" in done.stderr
