"""`dispatchfile run` on a real engine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.run.connect import find_endpoint

pytestmark = pytest.mark.docker

PIPELINE = """\
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
  made: {type: git, param: {url: "https://git.test/made"}}
  cache: {type: storage, param: {type: gcs, location: "s3://cache"}}
task:
  version:
    inputs: [src]
    steps:
    - {name: read, image: IMAGE, workingDir: /workspace/src, command: [cat, VERSION]}
  test:
    inputs: [src]
    outputs: [made, cache]
    steps:
    - name: unit
      image: IMAGE
      workingDir: /workspace/src
      command: [sh, -c, "echo token $TOKEN; echo dirty > VERSION; cp VERSION /workspace/output/made/; echo c > /workspace/output/cache/f"]
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: cred, key: token}}}]
    - {name: again, image: IMAGE, script: "#!/bin/sh\\ncat /workspace/src/VERSION"}
  use:
    inputs: [version, made, cache]
    steps:
    - {name: show, image: IMAGE, command: [sh, -c, "echo $(inputs.tasks.version.read) $(cat /workspace/made/VERSION /workspace/cache/f); exit ${CODE:-0}"]}
  slow:
    steps: [{name: sleep, image: IMAGE, command: [sh, -c, "echo asleep; sleep 60"]}]
"""
SECRET = "t0p-s3cret-token"


@pytest.fixture
def repository(tmp_path: Path, toolbox: str) -> Iterator[Path]:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dispatchfile.yaml").write_text(PIPELINE.replace("IMAGE", toolbox))
    (folder / "VERSION").write_text("1.2\n")
    settings = ["-c", "user.name=T", "-c", "user.email=t@test", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *settings, *words], cwd=folder, check=True)
    (folder / "VERSION").write_text("1.3\n")
    yield folder
    assert (folder / "VERSION").read_text() == "1.3\n"
    assert {path.owner() for path in folder.rglob("*")} == {folder.owner()}


def start(repository: Path, *words: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(repository.parent / "state"),
        "DISPATCHFILE_SECRET_CRED_TOKEN": SECRET,
    }
    command = [sys.executable, "-m", "dispatchfile", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=repository, env=environment, text=True, stdout=pipe, stderr=pipe)


def run(repository: Path, *words: str) -> tuple[int, str, str]:
    with start(repository, *words) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def left(run_id: str) -> list[str]:
    """The containers and volumes of a run that are still there."""
    found = []
    for kind in (["ps", "-aq"], ["volume", "ls", "-q"]):
        done = subprocess.run(
            ["docker", *kind, "--filter", f"label=dispatchfile.run={run_id}"],
            check=True,
            capture_output=True,
            text=True,
        )
        found += done.stdout.split()
    return found


def run_ids(repository: Path) -> list[str]:
    return sorted(path.name for path in (repository.parent / "state/dispatchfile/runs").iterdir())


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if text in line:
                return
    finally:
        watchdog.cancel()
    raise AssertionError(f"no {text!r}; {process.stderr.read() if process.stderr else ''}")


def test_inputs_outputs_results_and_secrets(repository: Path) -> None:
    code, out, err = run(repository, "run", "use", "test")
    assert code == 0, err
    lines = sorted(re.sub(r" +", " ", line) for line in out.splitlines())
    assert lines == [
        "[test/again] dirty",
        "[test/unit] token ***",
        "[use/show] 1.3 dirty c",
        "[version/read] 1.3",
    ]
    assert SECRET not in out + err
    assert left(run_ids(repository)[0]) == []


def test_rerun_takes_results_and_outputs_from_the_run_before(repository: Path) -> None:
    assert run(repository, "run", "use", "--env", "CODE=5")[0] == 1
    code, out, err = run(repository, "run", "--rerun", "last", "--env", "CODE=0", "--progress", "json")
    assert code == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["line"] for event in events if event["event"] == "step.log"] == ["1.3 dirty c"]
    statuses = {event["task"]: event["status"] for event in events if event["event"] == "task.finished"}
    assert statuses == {"version": "kept", "test": "kept", "use": "succeeded"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(repository: Path, number: signal.Signals, code: int) -> None:
    with start(repository, "run", "slow") as process:
        wait_for(process, "asleep")
        process.send_signal(number)
        began = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert time.monotonic() - began < 30
    assert "error: interrupted" in err
    assert left(run_ids(repository)[0]) == []


def test_a_killed_run_is_cleaned_up(repository: Path) -> None:
    with start(repository, "run", "slow") as process:
        wait_for(process, "asleep")
        process.kill()
        process.communicate()
    run_id = run_ids(repository)[0]
    assert left(run_id)
    assert "died" in run(repository, "runs")[1]
    code, out, err = run(repository, "clean")
    assert code == 0, err
    assert "removed" in out
    assert left(run_id) == []


def test_two_runs_at_once(repository: Path) -> None:
    with start(repository, "run", "use", "test") as one, start(repository, "run", "use", "test") as two:
        for process in (one, two):
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            assert "1.3 dirty c" in out
    assert len(run_ids(repository)) == 2


def test_a_task_that_takes_too_long(repository: Path) -> None:
    file = repository / "Dispatchfile.yaml"
    file.write_text(file.read_text().replace("  slow:\n", "  slow:\n    timeout: 1s\n"))
    code, _, err = run(repository, "run", "slow")
    assert code == 1
    assert "step sleep: the task took longer than its timeout of 1.0s" in err
    assert left(run_ids(repository)[0]) == []


class Relay:
    """A way to the engine that can be cut."""

    def __init__(self, path: Path, engine: str) -> None:
        self._engine, self._open = engine, []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._engine)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def test_an_engine_that_dies_in_the_middle(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("s") / "s"
    relay = Relay(path, find_endpoint().host.removeprefix("unix://"))
    with start(repository, "run", "slow", "--docker-host", f"unix://{path}") as process:
        wait_for(process, "asleep")
        relay.cut()
        path.unlink()
        began = time.monotonic()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 4, err
    assert time.monotonic() - began < 60
    assert err.count("error:") == 1
    assert "Traceback" not in err
    assert run(repository, "clean")[0] == 0
    assert left(run_ids(repository)[0]) == []


def test_no_engine(repository: Path) -> None:
    code, _, err = run(repository, "run", "slow", "--docker-host", f"unix://{repository}/none.sock")
    assert code == 4
    assert err.count("error:") == 1
    assert "Traceback" not in err
