"""The set-up scripts: what they start they stop, and what runs already they leave alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None,
    reason="starting an engine needs root and dockerd",
)


@pytest.fixture
def engine_scripts(tmp_path: Path) -> Path:
    """A copy of the scripts that keeps its engine's data in the test's own folder and builds no images."""
    shutil.copytree(ROOT / "runner" / "engine", tmp_path / "runner" / "engine")
    images = tmp_path / "runner" / "engine" / "images"
    images.write_text("#!/bin/sh\n", encoding="utf-8")
    return tmp_path / "runner" / "engine" / "with-engine"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "VENV": sys.prefix, **more}


def left_over() -> set[str]:
    """Return what an engine of ours would leave: its run folders, bridges and daemons."""
    found = {str(path) for path in Path("/run").glob("dispatchfile-engine.*")}
    found |= {path.name for path in Path("/sys/class/net").glob("dispatch*")}
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() == "dockerd":
                found.add(f"dockerd {comm.parent.name}")
        except OSError:
            continue
    return found


@pytest.mark.docker
def test_an_engine_that_answers_is_used_as_it_is(engine_scripts: Path) -> None:
    before = left_over()
    done = subprocess.run(
        [engine_scripts, "sh", "-c", "echo host=$DOCKER_HOST"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"host={os.environ.get('DOCKER_HOST', '')}\n"
    assert "starting" not in done.stderr
    assert left_over() == before


@pytest.mark.docker
@needs_root
def test_a_private_engine_comes_and_goes(engine_scripts: Path) -> None:
    before = left_over()
    done = subprocess.run(
        [engine_scripts, "python", "-m", "dispatchfile", "doctor"],
        env=environment(ENGINE="own"),
        cwd=engine_scripts.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "/run/dispatchfile-engine." in done.stdout, done.stderr
    assert "set-up: stopping the Docker engine" in done.stderr
    assert left_over() == before


@pytest.mark.docker
@needs_root
def test_ctrl_c_stops_what_was_started(engine_scripts: Path) -> None:
    before = left_over()
    started = subprocess.Popen(
        # Where the tests run in the background, SIGINT is ignored, and a shell cannot undo that.
        ["env", "--default-signal=INT", engine_scripts, "sh", "-c", "echo ready; sleep 60"],
        env=environment(ENGINE="own"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    with started.stdout:
        assert started.stdout.readline() == "ready\n"
        time.sleep(0.2)
        os.killpg(started.pid, signal.SIGINT)
        assert started.wait(30) == 130
    assert left_over() == before


def test_an_engine_that_does_not_answer_is_told(engine_scripts: Path) -> None:
    done = subprocess.run(
        [engine_scripts, "true"],
        env=environment(DOCKER_HOST="unix:///nonexistent.sock"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr == (
        "error: no Docker engine answers at DOCKER_HOST=unix:///nonexistent.sock\n"
        "help: start it, or unset DOCKER_HOST\n"
    )
