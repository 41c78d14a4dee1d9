"""The committed table is what the grammar compiles to, on every run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILE = ROOT / "grammar" / "compile.py"


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_table_is_up_to_date_whatever_the_hash_seed(seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, COMPILE, "--check"], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_check_sees_an_old_table(tmp_path):
    for name in ("grammar/compile.py", "grammar/dispatchfile.lark", "dispatchfile/cue/_tables.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    grammar = tmp_path / "grammar/dispatchfile.lark"
    grammar.write_text(grammar.read_text().replace('LESS: "<"', 'LESS: "<<"').replace('"<"', '"<<"'))
    command = [sys.executable, tmp_path / "grammar/compile.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "out of date" in done.stderr


def test_a_conflict_is_an_error(tmp_path):
    (tmp_path / "compile.py").write_text(COMPILE.read_text())
    (tmp_path / "dispatchfile.lark").write_text('start: one\none: X -> a\n | one one -> b\nX: "x"\n')
    done = subprocess.run(
        [sys.executable, tmp_path / "compile.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "conflict" in done.stderr.lower()
