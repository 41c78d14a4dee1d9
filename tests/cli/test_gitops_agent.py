"""`gitops agent` as a process: options, the log, signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from dispatchfile.cli.main import main

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [a-z0-9-]+: .+")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    names = {
        f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "CACHE", "CONFIG", "DATA")
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DISPATCHFILE_")}
    return {**kept, **names, "HOME": str(tmp_path)}


def started(environment: dict[str, str], *argv: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dispatchfile", "gitops", "agent", *argv]
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_on_a_signal(environment: dict[str, str], number: signal.Signals) -> None:
    with started(environment, "--listen", "127.0.0.1:0") as process:
        assert process.stderr is not None
        assert "webhooks are believed unsigned" in process.stderr.readline()
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        with urllib.request.urlopen(f"{found[0]}/healthz", timeout=10) as answer:
            assert answer.read() == b'{"status": "ok", "applications": 0}\n'
        process.send_signal(number)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [line for line in rest.splitlines() if not LINE.fullmatch(line)] == []
    assert rest.endswith("agent: ending\n")


def test_once_with_nothing_to_do(environment: dict[str, str]) -> None:
    with started(environment, "--once") as process:
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("nobody",), 2, 'there is no application "nobody"'),
        (("--listen", "8484"), 2, "is no HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), 2, "is no HOST:PORT"),
        (("--listen", "0.0.0.0:8484"), 2, "is heard beyond this machine"),
        (("--interval", "0"), 2, "is no time between"),
        (("--interval", "soon"), 2, "is no time between"),
        (("--secret-file", "none"), 2, "there is no --secret-file none"),
        (("--secret-file", "open"), 4, "others than you may read open"),
        (("--secret-file", "empty"), 2, "holds no secret"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("DISPATCHFILE_AGENT_SECRET", raising=False)
    for name, mode in (("open", 0o644), ("empty", 0o600)):
        (tmp_path / name).write_text("" if name == "empty" else "x\n")
        (tmp_path / name).chmod(mode)
    assert main(["gitops", "agent", *argv]) == code
    assert message in capsys.readouterr().err
