from __future__ import annotations

import gc
import hashlib
import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from docker.errors import APIError
from requests import Response

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.connect import connect, find_endpoint
from dispatchfile.run.labels import HOST, PID, RUN, START, is_dead, labels_of_run, start_of
from dispatchfile.run.sweep import discard, sweep
from tests.run.on_engine import bench

PROGRAM = """
    import sys, time
    from pathlib import Path
    from tests.run.on_engine import Bench, step_spec, Collected
    made = Bench(Path.cwd())
    print(made.run_id, flush=True)
    task = made.task()
    {action}
"""


def start(action: str, **options) -> subprocess.Popen[bytes]:
    program = textwrap.dedent(PROGRAM).format(action=action)
    root = Path(__file__).parent.parent.parent
    return subprocess.Popen([sys.executable, "-c", program], cwd=root, **options)


@pytest.mark.docker
def test_what_a_killed_run_left_is_removed_and_a_living_one_is_not(tmp_path: Path, toolbox: str) -> None:
    action = f'made.step(task, "{toolbox}", "echo up; sleep 100")'
    with start(action, stdout=subprocess.PIPE) as killed, bench(tmp_path) as living:
        assert killed.stdout
        run = killed.stdout.readline().decode().strip()
        kept = living.task()
        client = connect()
        try:
            deadline = time.monotonic() + 30
            while (
                len(client.containers(filters={"label": f"{RUN}={run}"})) < 2 and time.monotonic() < deadline
            ):
                time.sleep(0.1)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            swept = sweep(client)
            assert run in swept.runs
            assert living.run_id not in swept.runs
            assert swept.containers >= 3
            assert client.containers(all=True, filters={"label": f"{RUN}={run}"}) == []
        finally:
            client.close()
        assert living.step(kept, toolbox, "echo lives")[1] == "lives\n"


def test_a_run_is_dead_when_its_process_is_another_or_none() -> None:
    mine = labels_of_run("r")
    assert not is_dead(mine)
    assert is_dead({**mine, START: "other"})
    assert is_dead({**mine, PID: "4194999"})
    assert not is_dead({**mine, HOST: "elsewhere", START: "other"})
    assert not is_dead({RUN: "r"})
    assert start_of(os.getpid()) == mine[START]


@pytest.mark.docker
def test_a_shell_opens_in_the_state_that_the_step_left(toolbox: str) -> None:
    action = (
        f'step = made.backend.create_step(task, step_spec("{toolbox}", "echo state > /made; cd /; exit 3", '
        'env={"COLOUR": "blue"}, working_dir="/workspace/here")); '
        "made.backend.run_step(step, Collected(), None); code = made.backend.shell(step); "
        "made.backend.close(); sys.exit(code)"
    )
    ours, theirs = pty.openpty()
    with start(action, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = read_until(ours, b"$ ", b"# ")
        os.write(ours, b"cat /made; echo $COLOUR; pwd; ls -d $HOME/.docker; exit 5\n")
        seen += read_until(ours)
        process.wait(30)
    os.close(ours)
    assert process.returncode == 5, seen
    for text in (b"state\r\n", b"blue\r\n", b"/workspace/here\r\n", b"/tekton/home/.docker\r\n"):
        assert text in seen


def read_until(terminal: int, *ends: bytes) -> bytes:
    """Read from a terminal until one of the texts came, or it is closed."""
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(seen.endswith(end) for end in ends):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                return seen
            if not data:
                return seen
            seen += data
    return seen


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("unix:///nowhere/docker.sock", "does not answer: No such file or directory"),
        ("tcp://127.0.0.1:9", "does not answer: Connection refused"),
        ("ssh://me@host.test", "is reached over ssh, which is not supported"),
    ],
)
def test_an_engine_that_is_not_there(host: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EnvironmentProblem, match=message) as caught:
        connect()
    assert "(named by DOCKER_HOST)" in caught.value.message
    assert "DOCKER_HOST" in caught.value.help
    gc.collect()  # a socket left open would be a warning, and with it a failure of whatever test runs then


def test_a_volume_that_another_process_is_about_to_let_go_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusal(text: str) -> APIError:
        response = Response()
        response.status_code = 409
        return APIError("409", response, text)

    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    answers = [refusal("volume is in use - [abc]"), refusal("volume is in use - [abc]"), None]
    calls = []

    def remove(name: str, **_options: bool) -> None:
        calls.append(name)
        if (answer := answers[len(calls) - 1]) is not None:
            raise answer

    discard(remove, "v", force=True)
    assert calls == ["v"] * 3
    answers[:] = [refusal("volume is in use - [abc]")] * 9
    calls.clear()
    with pytest.raises(APIError):
        discard(remove, "v", force=True)
    assert len(calls) == 4


def test_where_the_engine_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    with pytest.raises(EnvironmentProblem, match='the docker context "far" has no engine'):
        find_endpoint()
    digest = hashlib.sha256(b"far").hexdigest()
    meta = tmp_path / "contexts/meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text('{"Endpoints": {"docker": {"Host": "tcp://far.test:2376"}}}')
    assert find_endpoint().host == "tcp://far.test:2376"
    monkeypatch.setenv("DOCKER_HOST", "unix:///x")
    assert find_endpoint().host == "unix:///x"
    assert find_endpoint("unix:///y").host == "unix:///y"
