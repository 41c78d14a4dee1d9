"""How fast `lint` is beside a bare interpreter and beside yamllint; needs no Docker engine.

    make bench BENCH=lint                     all rows, the best of ten rounds
    make bench BENCH="lint start many --rounds 3"

start   one file of 100 lines, nothing cached: CPU beside `python -c pass`
many    300 different files of 100 lines, nothing cached: seconds beside yamllint on the same pipelines as YAML
again   the same files a second time, unchanged: seconds beside the first time
large   2,500, 5,000 and 10,000 tasks in one file: seconds, and seconds a task beside those of the smallest

Prints ratios of one run and asserts nothing: machines differ.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".cache" / "bench" / "lint"
YAMLLINT = "yamllint==1.37.1"
FILES = 300
TASKS = (2500, 5000, 10_000)
ROWS = ("start", "many", "again", "large")

RESOURCE = """\
resource: "src": {
  type: "git"
  param: url:      "$(context.git.url)"
  param: revision: "$(context.git.commit)"
}
"""
TASK = """\
task: "%(name)s": {
  inputs: ["src"]
  steps: [{
    name:  "test"
    image: "golang:1.21.5"
    command: ["go", "test", "./%(name)s/..."]
    workingDir: "/workspace/src"
    env: [{name: "CGO_ENABLED", value: "%(number)d"}]
  }]
}
"""
ACTIONS = """\
actions: [{
  tasks: [%s]
  on: git: push: branches: ["main"]
}]
"""


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; default: all")
    options.add_argument(
        "--rounds",
        type=int,
        default=10,
        metavar="N",
        help="of start; many and again take at most 3 (default: 10)",
    )
    args = options.parse_args()
    if unknown := set(args.rows) - set(ROWS):
        options.error(f"unknown row {', '.join(sorted(unknown))}")
    chosen = args.rows or ROWS
    FOLDER.mkdir(parents=True, exist_ok=True)
    if "start" in chosen:
        measure_start(args.rounds)
    if "many" in chosen or "again" in chosen:
        measure_many(min(args.rounds, 3), chosen)
    if "large" in chosen:
        measure_large()
    return 0


def pipeline(tasks: int, seed: int = 0) -> str:
    """Return a pipeline without mistakes as CUE; ten lines a task."""
    names = [f"part-{seed}-{number}" for number in range(tasks)]
    body = "".join(TASK % {"name": name, "number": number + seed} for number, name in enumerate(names))
    return RESOURCE + body + ACTIONS % ", ".join(f'"{name}"' for name in names)


def best(command: Sequence[str], rounds: int) -> tuple[float, float]:
    """Return the least CPU and the least time of several runs of a command, in seconds."""
    environment: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "XDG_CACHE_HOME": str(FOLDER / "cache"),
    }
    cpu, seconds = [], []
    for _ in range(rounds):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, check=False)
        seconds.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(command[:4])} …: {done.stderr.decode()}")
    return min(cpu), min(seconds)


def lint(*words: str) -> list[str]:
    """Return the command line of `dispatchfile lint`, as its console script starts it."""
    start = "from dispatchfile.__main__ import run; run()"
    return [sys.executable, "-c", start, "lint", *words]


def measure_start(rounds: int) -> None:
    """Print the CPU of one small file beside that of a bare interpreter, in turn."""
    file = FOLDER / "start.cue"
    file.write_text(pipeline(9))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "lint --no-cache": lint("--no-cache", str(file)),
    }
    cpu = dict.fromkeys(commands, float("inf"))
    for _ in range(max(rounds, 1)):
        for name, command in commands.items():
            cpu[name] = min(cpu[name], best(command, 1)[0])
    print(f"one file of {len(file.read_text().splitlines())} lines, CPU")
    for name, value in cpu.items():
        print(f"  {name:36}{value * 1000:9.1f} ms{value / cpu['python -c pass']:8.2f}x")


def measure_many(rounds: int, chosen: Sequence[str]) -> None:
    """Print the time of many small files, of yamllint on the same pipelines, and of a second time."""
    files = []
    for number in range(FILES):
        file = FOLDER / f"many-{number}.cue"
        file.write_text(pipeline(9, number))
        files.append(file.name)
    if "many" in chosen:
        translated = [as_yaml(FOLDER / name) for name in files]
        program = yamllint()
        _, theirs = best([str(program), "-d", "relaxed", *translated], rounds)
        _, ours = best(lint("--no-cache", *files), rounds)
        print(f"{FILES} files of 100 lines, seconds")
        print(f"  {'yamllint, the same as YAML':36}{theirs:9.2f} s {1:8.2f}x")
        print(f"  {'lint --no-cache':36}{ours:9.2f} s {ours / theirs:8.2f}x")
    if "again" in chosen:
        firsts, seconds = [], []
        for _ in range(rounds):
            shutil.rmtree(FOLDER / "cache", ignore_errors=True)
            firsts.append(best(lint(*files), 1)[1])
            seconds.append(best(lint(*files), 1)[1])
        print(f"{FILES} unchanged files, seconds")
        print(f"  {'the first time':36}{min(firsts):9.2f} s {1:8.2f}x")
        print(f"  {'the second time':36}{min(seconds):9.2f} s {min(seconds) / min(firsts):8.2f}x")


def measure_large() -> None:
    """Print the time of one file with very many tasks, and how it grows."""
    print("many tasks in one file, seconds")
    smallest = 0.0
    for tasks in TASKS:
        file = FOLDER / f"large-{tasks}.cue"
        file.write_text(pipeline(tasks))
        _, seconds = best(lint("--no-cache", str(file)), 1)
        smallest = smallest or seconds / tasks
        print(f"  {f'{tasks:,} tasks':36}{seconds:9.2f} s {seconds / tasks / smallest:8.2f}x a task")


def as_yaml(file: Path) -> str:
    """Write a pipeline once more as YAML beside its file, and return that name."""
    from dispatchfile.cue import export
    from dispatchfile.model.render import yaml

    made = file.with_suffix(".yaml")
    made.write_text("---\n" + yaml(export(file.read_text())))
    return made.name


def yamllint() -> Path:
    """Return yamllint, installed for this bench alone: it is GPL, and nothing else here uses it."""
    home = ROOT / ".cache" / "bench" / "yamllint"
    if not (home / "bin" / "yamllint").exists():
        print(f"+ pip install {YAMLLINT} (into {home})", file=sys.stderr)
        venv.create(home, with_pip=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", YAMLLINT], check=True)
    return home / "bin" / "yamllint"


if __name__ == "__main__":
    sys.exit(main())
