from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile.cli.main import main
from tests.event.repository import git, repository
from tests.plan.test_graph import SHOP


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "shop")
    (folder / "Dispatchfile.yaml").write_text(SHOP)
    monkeypatch.chdir(folder)
    return folder


def test_actions_with_reasons_then_tasks_in_order(repo: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "-q", "--event", "push", "--branch", "main"]) == 0
    head = git(repo, "rev-parse", "HEAD")[:10]
    assert (
        capsys.readouterr().out
        == f"""\
event  a push to main at {head}

actions
  ✓ action #0 fires: deploy
      on.push.branches: branch "main" matches "main"
  ✓ action #1 fires: docs, unit
      on.push.branches: branch "main" matches "*"
  ✗ action #2 does not fire
      on.tag: waits for a pushed tag, this is a push to a branch  Dispatchfile.yaml:15:24

tasks, in order
  1. unit
  2. lint
  3. build   waits for unit (named in deps)
  4. deploy  waits for build (makes app), lint (named in inputs)
  5. docs
"""
    )


def test_guess_is_told(repo: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["plan"]) == 0
    assert capsys.readouterr().out.splitlines()[1].strip() == "guessed from HEAD; --event chooses another"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--event", "release", "--tag", "v1", "--commit", "HEAD", "--exit-code"], 1),
        (["--event", "release", "--tag", "v1", "--commit", "HEAD"], 0),
        (["--event", "push", "--exit-code"], 0),
        (["--exit-code", "docs"], 0),
    ],
)
def test_exit_code(repo: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", *arguments]) == code
    assert ("none: no action fires" in capsys.readouterr().out) is ("release" in arguments)


@pytest.mark.parametrize("command", ["plan", "run", "tekton"])
@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ("[{tasks: [], on: {git: {push: {}}}}]", "what fires lists no task"),
        ("[]", "the Dispatchfile has no actions, so name a task\n"),
    ],
    ids=["no-task", "no-action"],
)
def test_why_there_is_nothing_to_do(
    repo: Path, command: str, actions: str, reason: str, capsys: pytest.CaptureFixture[str]
):
    (repo / "empty.yaml").write_text(
        "{task: {t: {steps: [{name: s, image: i}]}}, actions: " + actions + "}",
        encoding="utf-8",
    )
    assert main([command, "-f", "empty.yaml", "--event", "push"]) == 0
    told = "".join(capsys.readouterr())
    assert reason in told
    assert "no action fires" not in told


def test_json(repo: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--event", "pull-request", "--target", "main", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["event"]["kind"] == "pull_request"
    assert told["event"]["target"] == "main"
    assert [action["fires"] for action in told["actions"]] == [False, False, False]
    assert told["tasks"] == []
    assert main(["plan", "deploy", "--json"]) == 0
    last = json.loads(capsys.readouterr().out)["tasks"][-1]
    assert last == {
        "name": "deploy",
        "asked": True,
        "needs": [
            {"task": "build", "kind": "resource", "via": "app"},
            {"task": "lint", "kind": "input", "via": "lint"},
        ],
        "steps": ["run"],
        "planned": True,
    }


def test_all_lists_every_task_and_marks_the_planned(repo: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--all", "--event", "tag", "--tag", "v1", "--commit", "HEAD"]) == 0
    tasks = capsys.readouterr().out.partition("tasks, in order\n")[2].splitlines()
    assert [line.split()[1:3] for line in tasks] == [
        ["–", "unit"],
        ["✓", "lint"],
        ["–", "build"],
        ["–", "deploy"],
        ["–", "docs"],
    ]


def test_missing_fact_is_a_usage_error(repo: Path, capsys: pytest.CaptureFixture[str]):
    git(repo, "checkout", "--quiet", "--detach")
    assert main(["plan", "--event", "push"]) == 2
    assert "help: give --branch" in capsys.readouterr().err


def test_outside_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "Dispatchfile.yaml").write_text(SHOP)
    assert main(["-C", str(tmp_path), "plan"]) == 4
    assert "not in a git repository" in capsys.readouterr().err


HEAVY = ("docker", "git", "networkx", "rich", "lark", "dataclasses")


def test_plan_loads_nothing_heavy(repo: Path):
    code = f"import sys; from dispatchfile.cli.main import main; main(['plan']); print([m for m in {HEAVY} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repo, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[]"


# graph


def test_graph_needs_no_repository_and_draws_every_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "Dispatchfile.yaml").write_text(SHOP)
    assert main(["-C", str(tmp_path), "graph"]) == 0
    assert (
        capsys.readouterr().out
        == """\
deploy
├── build  [app]
│   └── unit
└── lint
docs
"""
    )


@pytest.mark.parametrize(
    ("arguments", "tasks"),
    [
        (["build"], {"unit", "build"}),
        (["--event", "tag", "--tag", "v1", "--commit", "HEAD"], {"lint"}),
        (["--branch", "main"], {"deploy", "build", "unit", "lint", "docs"}),
    ],
)
def test_graph_of_names_or_of_an_event(
    repo: Path, arguments: list[str], tasks: set[str], capsys: pytest.CaptureFixture[str]
):
    assert main(["graph", "-q", "--format", "json", *arguments]) == 0
    assert {task["name"] for task in json.loads(capsys.readouterr().out)["tasks"]} == tasks


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("x.svg", "<svg "),
        ("x.dot", "digraph "),
        ("x.mmd", "flowchart "),
        ("x.json", "{"),
        ("x.txt", "deploy"),
    ],
)
def test_graph_file_says_its_format_by_its_name(repo: Path, name: str, start: str):
    (repo / name).write_text("old")
    before = set(repo.iterdir())
    assert main(["graph", "--out", name]) == 0
    assert (repo / name).read_text(encoding="utf-8").startswith(start)
    assert set(repo.iterdir()) == before


@pytest.mark.parametrize("name", ["x.png", "x.pdf"])
def test_graph_is_not_drawn_under_the_name_of_another_format(
    name: str, repo: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["graph", "--out", name]) == 2
    assert f'no format is known by the name "{name[1:]}"' in capsys.readouterr().err
    assert not (repo / name).exists()


def test_graph_goes_through_a_link_and_into_a_pipe(repo: Path):
    (repo / "link.svg").symlink_to("real.svg")
    assert main(["graph", "--out", "link.svg"]) == 0
    assert (repo / "link.svg").is_symlink()
    assert (repo / "real.svg").read_text(encoding="utf-8").startswith("<svg ")
    os.mkfifo(repo / "pipe")
    reader = os.open(repo / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert main(["graph", "--out", "pipe"]) == 0
    assert (repo / "pipe").is_fifo()
    assert b"deploy" in os.read(reader, 10_000)
    os.close(reader)


def test_graph_that_cannot_be_written_leaves_nothing(repo: Path, capsys: pytest.CaptureFixture[str]):
    before = set(repo.iterdir())
    (repo / "taken").mkdir()
    assert main(["graph", "--out", "taken"]) == 4
    assert main(["graph", "--out", "no/such/x.svg"]) == 4
    assert "cannot write no/such/x.svg" in capsys.readouterr().err
    assert set(repo.iterdir()) - before == {repo / "taken"}
