"""`dispatchfile run` and what stands around it, from the command line on."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.cli import run as run_command
from dispatchfile.cli.main import main
from dispatchfile.run.backend import Commit, WorkingTree
from dispatchfile.run.dummy import Act, DummyBackend

PIPELINE = """\
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
  app: {type: image, param: {url: "me/app:$(context.build.name)", digest: $(inputs.resources.app.digest)}}
task:
  test:
    inputs: [src]
    steps: [{name: unit, image: busybox, command: [make, test], livenessProbe: {exec: {command: ["true"]}}}]
  build:
    inputs: [src]
    outputs: [app]
    steps:
    - {name: version, image: busybox, command: [cat, VERSION]}
    - {name: push, image: busybox, args: ["$(outputs.resources.app.url)"], env: [
        {name: TOKEN, valueFrom: {secretKeyRef: {name: registry, key: token}}}]}
  deploy:
    inputs: [app, build, test]
    steps: [{name: set, image: busybox, args: ["$(inputs.resources.app.digest)", "$(inputs.tasks.build.version)"]}]
actions:
- tasks: [deploy]
  on: {push: {branches: [main]}}
"""
REACHING = """\
task:
  dind:
    volumes: [{name: modules, hostPath: {path: /lib/modules}}, {name: unused, hostPath: {path: /etc}}]
    steps:
    - {name: a, image: busybox, securityContext: {privileged: true}, volumeMounts: [{name: modules, mountPath: /m}]}
    - {name: b, image: busybox}
actions: []
"""
SECRET = "t0p-s3cret-token"
DIGEST = "sha256:" + "ab" * 32


def git(*words: str, cwd: Path) -> str:
    settings = ("-c", "user.name=T", "-c", "user.email=t@test", "-c", "init.defaultBranch=main")
    return subprocess.run(
        ["git", *settings, *words], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dispatchfile.yaml").write_text(PIPELINE)
    git("init", "-q", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "-qm", "first", cwd=folder)
    for name in [name for name in os.environ if name.startswith("DISPATCHFILE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(folder)
    return folder


Play = Callable[..., DummyBackend]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Let the next run play a script instead of running containers."""

    def script(acts: dict[tuple[str, str], Act] | None = None, **more: Any) -> DummyBackend:
        backend = DummyBackend(acts, **{"digests": {"app": DIGEST}, **more})
        monkeypatch.setattr(run_command, "_backend", lambda *_: backend)
        return backend

    return script


WITH_SECRET = ("--secret", f"registry/token={SECRET}")
FAILING = {
    ("deploy", "set"): Act(exit_code=7, stdout=(b"about to fail\n",), stderr=(f"token {SECRET}".encode(),))
}
VERSION = {("build", "version"): Act(stdout=(b"1.2\n",))}


def folders(repository: Path) -> list[Path]:
    return sorted((repository.parent / "state/dispatchfile/runs").iterdir())


def test_a_run(repository: Path, play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    backend = play(VERSION)
    assert main(["run", *WITH_SECRET]) == 0
    out, err = capsys.readouterr()
    assert out == "[build/version] 1.2\n"
    assert backend.steps["build", "push"].env == {"TOKEN": SECRET}
    assert backend.steps["build", "push"].args == ("me/app:main",)
    assert backend.steps["deploy", "set"].args == (DIGEST, "1.2")
    source = backend.tasks["test"].inputs[0]
    assert getattr(source, "origin", None) == WorkingTree(
        repository, git("rev-parse", "HEAD", cwd=repository)
    )
    assert "warning[DF106]: `livenessProbe` of a step is not honoured by a local run" in err
    assert "Dispatchfile.yaml:7" in err
    assert "succeeded in" in err
    record = json.loads((folders(repository)[0] / "run.json").read_text())
    assert record["status"] == "succeeded"
    assert record["tasks"]["build"]["digests"] == {"app": DIGEST}
    assert record["tasks"]["build"]["results"] == {"version": "1.2"}


def test_a_failing_run_says_where_why_and_what_to_do(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(FAILING | VERSION)
    assert main(["run", *WITH_SECRET]) == 1
    out, err = capsys.readouterr()
    run_id = folders(repository)[0].name
    assert "deploy/set ended with exit code 7; its last lines:\n  about to fail\n  token ***\n" in err
    assert f"run again what did not succeed: dispatchfile run --rerun {run_id}" in err
    assert str(folders(repository)[0] / "logs") in err
    kept = "".join(path.read_text() for path in folders(repository)[0].rglob("*") if path.is_file())
    assert SECRET not in out + err + kept


def test_rerun_runs_only_what_failed(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(FAILING | VERSION)
    main(["run", *WITH_SECRET, "--env", "COLOR=no"])
    backend = play()
    assert main(["run", "--rerun", "last"]) == 0  # the secret was of a task that is kept
    err = capsys.readouterr().err
    assert [call[1] for call in backend.calls if call[0] == "run_step"] == ["deploy"]
    assert backend.steps["deploy", "set"].args == (DIGEST, "1.2")
    assert backend.steps["deploy", "set"].env == {"COLOR": "no"}
    assert "again: deploy; kept: test, build" in err
    assert main(["run", "--rerun", "last"]) == 0
    assert "again: nothing; kept: test, build, deploy" in capsys.readouterr().err


def test_rerun_runs_again_what_was_changed(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(FAILING | VERSION)
    main(["run", *WITH_SECRET])
    (repository / "Dispatchfile.yaml").write_text(PIPELINE.replace("[make, test]", "[make, check]"))
    backend = play()
    assert main(["run", "--rerun", folders(repository)[0].name]) == 0
    assert [call[1] for call in backend.calls if call[0] == "run_step"] == ["test", "deploy"]


def test_rerun_is_of_the_same_commit(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    play({("test", "unit"): Act(exit_code=1)})
    main(["run", "test"])
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=repository)
    backend = play()
    assert main(["run", "--rerun", "last"]) == 0
    assert getattr(backend.tasks["test"].inputs[0], "origin", None) == Commit(repository, first)
    assert f"HEAD has moved since; this is again of {first[:10]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--rerun", "last"], "no run of this repository", id="no run yet"),
        pytest.param(["--rerun", "nope"], 'no run is called "nope"', id="unknown run"),
        pytest.param(["--rerun", "last", "test"], "--rerun takes tasks and event", id="rerun with tasks"),
        pytest.param(
            [], "no value for the secret registry/token (task build, step push, variable TOKEN)", id="secret"
        ),
        pytest.param([*WITH_SECRET, "--timeout", "soon"], '--timeout "soon" is not a duration', id="timeout"),
        pytest.param([*WITH_SECRET, "--revision", "nope"], '--revision "nope" is no commit', id="revision"),
        pytest.param([*WITH_SECRET, "--shell-on-failure"], "--shell-on-failure needs a terminal", id="shell"),
        pytest.param([*WITH_SECRET, "--env", "a b=c"], '--env: "a b" is no name', id="env"),
        pytest.param([*WITH_SECRET, "--image", "x"], '--image "x" names no image', id="image"),
        pytest.param([*WITH_SECRET, "-j", "0"], "is not a positive number", id="jobs"),
        pytest.param([*WITH_SECRET, "--junit", "nowhere/x.xml"], "--junit nowhere/x.xml", id="junit"),
        pytest.param(["tset"], 'there is no task "tset"', id="task"),
    ],
)
def test_usage_errors(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    backend = play()
    assert main(["run", *words]) == 2
    assert message in capsys.readouterr().err
    assert backend.calls == []


def test_nothing_fires(repository: Path, play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    backend = play()
    git("checkout", "-qb", "topic", cwd=repository)
    assert main(["run"]) == 0
    assert "nothing to run: no action fires" in capsys.readouterr().err
    assert backend.calls == []


def test_json_events(repository: Path, play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(FAILING)
    assert main(["run", *WITH_SECRET, "--progress", "json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "run.started"
    assert events[0]["tasks"][-1] == {"name": "deploy", "needs": ["build", "test"]}
    assert {"event", "time", "task", "step", "stream", "line"} == set(
        next(e for e in events if e["event"] == "step.log")
    )
    finished = [event for event in events if event["event"] == "task.finished"]
    assert {event["task"]: event["status"] for event in finished} == {
        "test": "succeeded",
        "build": "succeeded",
        "deploy": "failed",
    }
    assert events[-1]["event"] == "run.finished"
    assert (events[-1]["status"], events[-1]["exit_code"]) == ("failed", 1)


def test_quiet_shows_nothing_but_failures(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(VERSION)
    assert main(["run", *WITH_SECRET, "--progress", "quiet", "-q"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "1.2" not in err


def test_dry_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-n"]) == 0
    out = capsys.readouterr().out
    assert "[test/unit]     would run busybox in /workspace: make test\n" in out
    assert "[build/push]    would run busybox in /workspace -e TOKEN: <ENTRYPOINT> me/app:main\n" in out
    assert "'<digest of app>' '<output of build/version>'" in out
    assert not (repository.parent / "state/dispatchfile/runs").exists()


def test_environment_problems_are_told_once(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play(problems={"ensure_image busybox missing": f"no image, {SECRET}"})
    assert main(["run", *WITH_SECRET]) == 4
    err = capsys.readouterr().err
    assert err.count("error: no image, ***") == 1
    assert SECRET not in err
    assert "skipped" not in err  # nothing had begun, and the error says why


@pytest.mark.parametrize("option", ["state", "logs"])
def test_folders_that_cannot_be_made_are_told_before_anything_starts(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, option: str,
) -> None:  # fmt: skip
    (tmp_path / "file").write_text("")
    backend = play()
    if option == "state":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    words = ["--log-dir", str(tmp_path / "file")] if option == "logs" else []
    assert main(["run", *WITH_SECRET, *words]) == 4
    assert "Not a directory" in capsys.readouterr().err
    assert backend.calls == []


def test_a_disk_that_is_full_is_one_error(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play({("test", "unit"): Act(problem="the engine's disk is full")} | VERSION)
    monkeypatch.setattr("dispatchfile.run.history.RunFolder._save", _full_after_the_first())
    assert main(["run", *WITH_SECRET]) == 4
    assert capsys.readouterr().err.count("error: ") == 1


def _full_after_the_first() -> Callable[[Any], None]:
    saves = iter([None])

    def save(_folder: Any) -> None:
        if next(saves, "full"):
            raise OSError(errno.ENOSPC, "No space left on device")

    return save


def test_what_reaches_out_of_the_containers_is_said_before_the_run(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "Dispatchfile.yaml").write_text(REACHING)
    play()
    assert main(["run", "dind"]) == 0
    err = capsys.readouterr().err
    note = "task dind runs privileged (step a) and mounts /lib/modules: it can change this machine"
    assert err.index(note) < err.index("dind succeeded")


def test_the_token_of_the_way_out_is_masked(
    repository: Path, play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _bytes: "opens-the-gateway")
    play({("test", "unit"): Act(stdout=(b"origin http://10.0.0.1:9/opens-the-gateway/r0\n",))} | VERSION)
    assert main(["run", *WITH_SECRET]) == 0
    assert "origin http://10.0.0.1:9/***/r0" in capsys.readouterr().out


def test_a_timeout_of_the_run(repository: Path, play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play({("test", "unit"): Act(seconds=30)})
    assert main(["run", *WITH_SECRET, "--timeout", "300ms"]) == 124
    assert "the run took longer than 0.3s" in capsys.readouterr().err


def test_the_log_directory(repository: Path, play: Play, tmp_path: Path) -> None:
    play(VERSION)
    assert main(["run", *WITH_SECRET, "--log-dir", str(tmp_path / "logs")]) == 0
    assert [path.read_text() for path in (tmp_path / "logs").glob("*/build/version.log")] == ["1.2\n"]


def test_a_reader_that_goes_away_does_not_end_the_run(
    repository: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    play(VERSION)
    monkeypatch.setattr("sys.stdout", Closed())
    assert main(["run", *WITH_SECRET]) == 0
    assert (
        json.loads((folders(repository)[0] / "run.json").read_text())["tasks"]["deploy"]["status"]
        == "succeeded"
    )


def test_junit(repository: Path, play: Play, tmp_path: Path) -> None:
    play({("build", "version"): Act(exit_code=2, stdout=(b"bad \x1b[1m\x00<&>\n",)), ("test", "unit"): Act()})
    assert main(["run", *WITH_SECRET, "--junit", str(tmp_path / "report.xml")]) == 1
    root = ET.parse(tmp_path / "report.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert {name: (s.get("tests"), s.get("failures"), s.get("skipped")) for name, s in suites.items()} == {
        "test": ("1", "0", "0"), "build": ("2", "1", "1"), "deploy": ("1", "0", "1"),
    }  # fmt: skip
    failure = suites["build"].find("testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("exit code 2", "bad <&>")


def test_runs_and_logs(repository: Path, play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    play(FAILING | VERSION)
    main(["run", *WITH_SECRET])
    capsys.readouterr()
    assert main(["runs"]) == 0
    line = capsys.readouterr().out
    assert "failed" in line
    assert "push main" in line
    assert line.endswith("failed: deploy\n")
    assert main(["runs", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)
    assert runs[0]["status"] == "failed"
    assert runs[0]["tasks"]["deploy"]["exit_code"] == 7
    for words in (["last", "build/version"], ["build/version"], [runs[0]["run"], "build/version"]):
        assert main(["logs", *words]) == 0
        assert capsys.readouterr().out == "1.2\n"
    assert main(["logs"]) == 0
    assert "==> deploy/set <==\nabout to fail\ntoken ***\n" in capsys.readouterr().out
    assert main(["logs", "--follow"]) == 0
    assert "about to fail" in capsys.readouterr().out
    assert main(["logs", "last", "nope"]) == 2
    assert "it has logs of" in capsys.readouterr().err


def test_a_revision_is_taken_instead_of_the_working_tree(repository: Path, play: Play) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=repository)
    backend = play()
    assert main(["run", "test", "--revision", "HEAD~1"]) == 0
    origin = getattr(backend.tasks["test"].inputs[0], "origin", None)
    assert getattr(origin, "commit", None) == first
    assert not isinstance(origin, WorkingTree)


def test_options_that_reach_the_backend(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Keen(DummyBackend):
        def open(self, run: Any) -> None:
            seen.append(run)

    monkeypatch.setattr(run_command, "_backend", lambda *_: Keen())
    words = [
        "--publish",
        "--offline",
        "--pull",
        "never",
        "--kaniko",
        "container",
        "--platform",
        "linux/arm64",
    ]
    assert (
        main(["run", "test", *words, "--network", "n", "--docker-host", "unix:///x", "--keep", "--untracked"])
        == 0
    )
    spec = seen[0]
    assert (spec.publish, spec.offline, spec.pull, spec.kaniko) == (True, True, "never", "container")
    assert (spec.platform, spec.network, spec.docker_host, spec.keep) == (
        "linux/arm64",
        "n",
        "unix:///x",
        True,
    )
    assert (spec.repository, spec.project) == (repository, "app")
