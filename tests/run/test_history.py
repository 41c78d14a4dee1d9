"""The folders that runs leave, and what a rerun takes from them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.run.history import RunFolder, find, kept_outcomes, log_files, past_runs, prune
from dispatchfile.run.outcome import Outcome
from dispatchfile.run.progress import Board


def finished(home: Path, repository: str = "/repo", **outcomes: Outcome) -> RunFolder:
    """A run that told and kept how its tasks ended."""
    folder = RunFolder({"repository": repository, "event": {}}, home=home)
    board = Board([folder])
    for name, outcome in outcomes.items():
        masked = {step: text.replace("secret", "***") for step, text in outcome.results.items()}
        board.tell(
            "task.finished", name, status=outcome.status, results=masked, digests=dict(outcome.digests)
        )
    board.tell("run.finished", status="failed", exit_code=1, duration=1.5, message="")
    folder.finish(outcomes, dict.fromkeys(outcomes, "f"))
    folder.close()
    return folder


def test_a_run_leaves_a_folder_for_the_user_alone(tmp_path: Path) -> None:
    folder = RunFolder({"repository": "/repo"}, home=tmp_path)
    board = Board([folder])
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert past_runs(home=tmp_path)[0].status == "running"
    board.tell("task.started", "t")
    board.tell("step.log", "t", "s", stream="stdout", line="not kept here")
    board.tell("run.finished", status="succeeded", exit_code=0, duration=2.0, message="")
    folder.finish({}, {})
    folder.close()
    events = [json.loads(line)["event"] for line in (folder.path / "events.ndjson").read_text().splitlines()]
    assert events == ["task.started", "run.finished"]
    run = past_runs(home=tmp_path)[0]
    assert (run.status, run.record["exit_code"], run.record["duration"]) == ("succeeded", 0, 2.0)


def test_a_run_whose_process_was_killed_has_died(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from dispatchfile.run.history import RunFolder;"
        "f = RunFolder({'repository': '/repo'}, home=Path(sys.argv[1])); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert [run.status for run in past_runs(home=tmp_path)] == ["died"]


def test_finding_runs(tmp_path: Path) -> None:
    one, two = finished(tmp_path, "/one"), finished(tmp_path, "/two")
    assert {run.id for run in past_runs(home=tmp_path)} == {one.id, two.id}
    assert find("last", Path("/one"), home=tmp_path).id == one.id
    assert find(two.id, home=tmp_path).id == two.id
    for name in ("nope", "20", "../x"):
        with pytest.raises(UsageError):
            find(name, home=tmp_path)
    with pytest.raises(UsageError, match="no run of this repository"):
        find("last", Path("/three"), home=tmp_path)


def test_folders_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "runs/broken").mkdir(parents=True)
    (tmp_path / "runs/broken/run.json").write_text("{")
    (tmp_path / "runs/empty").mkdir()
    assert past_runs(home=tmp_path) == []


NEEDS: dict[str, tuple[str, ...]] = {"build": (), "test": (), "deploy": ("build", "test")}


@pytest.mark.parametrize(
    ("outcomes", "changed", "kept"),
    [
        pytest.param(
            {"build": "succeeded", "test": "succeeded", "deploy": "failed"},
            "",
            {"build", "test"},
            id="the failed",
        ),
        pytest.param(
            {"build": "succeeded", "test": "failed", "deploy": "skipped"}, "", {"build"}, id="the skipped"
        ),
        pytest.param(
            {"build": "kept", "test": "succeeded", "deploy": "stopped"},
            "",
            {"build", "test"},
            id="kept twice",
        ),
        pytest.param(
            {"build": "succeeded", "test": "succeeded", "deploy": "succeeded"},
            "build",
            {"test"},
            id="changed since",
        ),
        pytest.param({"build": "succeeded"}, "", {"build"}, id="tasks that are new"),
    ],
)
def test_what_a_rerun_keeps(tmp_path: Path, outcomes: dict[str, str], changed: str, kept: set[str]) -> None:
    done = {name: Outcome(name, status, digests={"app": "sha256:1"}) for name, status in outcomes.items()}
    folder = finished(tmp_path, **done)
    fingerprints = {name: "other" if name == changed else "f" for name in NEEDS}
    found = kept_outcomes(find(folder.id, home=tmp_path), fingerprints, NEEDS)
    assert set(found) == kept
    assert all(
        outcome.status == "kept" and outcome.digests == {"app": "sha256:1"} for outcome in found.values()
    )


def test_results_that_were_masked_are_made_again(tmp_path: Path) -> None:
    folder = finished(
        tmp_path,
        build=Outcome("build", "succeeded", results={"s": "a secret"}), test=Outcome("test", "succeeded", results={"s": "1.2"}),
    )  # fmt: skip
    found = kept_outcomes(find(folder.id, home=tmp_path), dict.fromkeys(NEEDS, "f"), NEEDS)
    assert set(found) == {"test"}
    assert found["test"].results == {"s": "1.2"}
    assert "a secret" not in (folder.path / "run.json").read_text()


def test_outputs_that_are_gone_are_made_again(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    outcomes = {
        "build": Outcome("build", "succeeded", outputs={"src": there}),
        "test": Outcome("test", "succeeded", outputs={"src": tmp_path / "gone"}),
    }
    folder = finished(tmp_path, **outcomes)
    found = kept_outcomes(find(folder.id, home=tmp_path), dict.fromkeys(NEEDS, "f"), NEEDS)
    assert {name: outcome.outputs for name, outcome in found.items()} == {"build": {"src": there}}


def test_old_folders_are_pruned_but_not_those_of_running_runs(tmp_path: Path) -> None:
    done = [finished(tmp_path) for _ in range(4)]
    names = sorted(folder.id for folder in done)
    with RunFolder({"repository": "/repo"}, home=tmp_path) as running:
        gone = prune(2, home=tmp_path, spare=tmp_path / "runs" / names[0])
        assert [path.name for path in gone] == [names[1]]
        assert {run.id for run in past_runs(home=tmp_path)} == {running.id, names[0], *names[2:]}


def test_a_run_that_could_not_be_set_up_has_a_status(tmp_path: Path) -> None:
    with pytest.raises(UsageError), RunFolder({"repository": "/repo"}, home=tmp_path):
        raise UsageError("no such revision")
    assert [run.status for run in past_runs(home=tmp_path)] == ["error"]


def test_logs_come_in_the_order_of_the_plan(tmp_path: Path) -> None:
    folder = RunFolder({"repository": "/repo", "steps": [["z", "b"], ["z", "a"], ["m", "s"]]}, home=tmp_path)
    folder.close()
    for task, step in (("m", "s"), ("z", "a"), ("z", "b")):
        (folder.logs / task).mkdir(parents=True, exist_ok=True)
        (folder.logs / task / f"{step}.log").touch()
    assert [found[:2] for found in log_files(find(folder.id, home=tmp_path))] == [
        ("z", "b"),
        ("z", "a"),
        ("m", "s"),
    ]


def test_a_state_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(EnvironmentProblem, match="cannot keep the run"):
        RunFolder({}, home=tmp_path)


def test_the_folder_is_under_the_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "XDG_STATE_HOME", str(tmp_path))
    with RunFolder({}) as folder:
        assert folder.path.parent == tmp_path / "dispatchfile/runs"
