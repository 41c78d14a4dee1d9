"""One process or thread at a time; whoever ends lets go."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dispatchfile import locks

HOLDER = """
import pathlib, sys
from dispatchfile import locks
with locks.held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_free_once_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert locks.take(path) is None
        holder.kill()
        lock = locks.take(path, patience=30)
    assert lock is not None
    os.close(lock)


def test_another_is_waited_for_as_long_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path):
        began = time.monotonic()
        assert locks.take(path, patience=0.2) is None
        assert time.monotonic() - began >= 0.2
    lock = locks.take(path)
    assert lock is not None
    os.close(lock)


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locks.held(tmp_path / "lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path):
        before = len(list(Path("/proc/self/fd").iterdir()))
        assert locks.take(path) is None
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_no_lock_is_taken_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        locks.take(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()
