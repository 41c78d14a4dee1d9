"""`dispatchfile tekton --target pac`, from the command line on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dispatchfile.cli.main import main
from tests.event.repository import git, repository
from tests.tekton import crds, pac_model, webhooks

PAC = ("tekton", "--target", "pac")
TEXT = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  unit: {inputs: [src], steps: [{name: run, image: "tool:1", command: [make]}]}
actions:
- {tasks: [unit], on: {push: {branches: [main]}}}
- {tasks: [unit], on: {pull_request: {paths: ["**/*.go"]}}}
"""
CRON = '- {name: nightly, tasks: [unit], on: {cron: {schedule: "@daily"}}}\n'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "shop")
    (folder / "Dispatchfile.yaml").write_text(TEXT)
    git(folder, "remote", "add", "origin", "https://ada:t0ken@git.example.com/acme/shop.git")
    monkeypatch.chdir(folder)
    return folder


def test_what_is_printed_starts_the_runs(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC]) == 0
    text = capsys.readouterr().out
    assert "t0ken" not in text
    assert [crds.validate(made) for made in yaml.safe_load_all(text)] == [[], []]
    sent = webhooks.branch("main")
    facts = pac_model.github(sent.event, sent.body)
    assert facts is not None
    (run,) = pac_model.started({"all.yaml": text}, facts).values()
    assert pac_model.params(run) == {"git-url": webhooks.REPOSITORY["html_url"], "git-commit": webhooks.SHA}


def test_files_are_the_same_again_and_others_are_kept(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC, "--out", ".tekton"]) == 0
    said = capsys.readouterr().err
    assert "needs a Repository object" in said
    assert said.endswith("wrote .tekton/shop-push.yaml\nwrote .tekton/shop-pull-request.yaml\n")
    first = {path.name: path.read_bytes() for path in Path(".tekton").iterdir()}
    assert sorted(first) == ["shop-pull-request.yaml", "shop-push.yaml"]
    assert main([*PAC, "--out", ".tekton", "--quiet"]) == 0
    assert {path.name: path.read_bytes() for path in Path(".tekton").iterdir()} == first
    (repo / ".tekton" / "shop-push.yaml").write_text("kind: PipelineRun\n")
    assert main([*PAC, "--out", ".tekton"]) == 2
    assert "was not made by dispatchfile" in capsys.readouterr().err
    assert (repo / ".tekton" / "shop-push.yaml").read_text() == "kind: PipelineRun\n"


def test_a_file_of_an_action_that_is_gone_is_told(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC, "--out", ".tekton"]) == 0
    (repo / ".tekton" / "mine.yaml").write_text("kind: PipelineRun\n")
    lines = TEXT.splitlines(keepends=True)
    (repo / "Dispatchfile.yaml").write_text("".join(line for line in lines if "pull_request" not in line))
    capsys.readouterr()
    assert main([*PAC, "--out", ".tekton"]) == 0
    assert capsys.readouterr().err.endswith(
        "wrote .tekton/shop-push.yaml\n"
        "note: .tekton/shop-pull-request.yaml was written by dispatchfile too, and no action gives it now: remove it?\n"
    )
    assert (repo / ".tekton" / "shop-pull-request.yaml").exists()


def test_check_names_what_differs_and_writes_nothing(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = [*PAC, "--out", ".tekton", "--check"]
    assert main(check) == 1
    assert capsys.readouterr().out == ".tekton/shop-push.yaml\n.tekton/shop-pull-request.yaml\n"
    assert not Path(".tekton").exists()
    assert main([*PAC, "--out", ".tekton", "--quiet"]) == 0
    assert main(check) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    push, request = Path(".tekton/shop-push.yaml"), Path(".tekton/shop-pull-request.yaml")
    push.write_bytes(push.read_bytes().replace(b"\n", b"\r\n"))  # as git for Windows does
    assert main(check) == 0
    request.write_text("kind: PipelineRun\n")
    assert main(check) == 1
    told = capsys.readouterr()
    assert told.out == ".tekton/shop-pull-request.yaml\n"
    assert told.err == "1 file not as the Dispatchfile has it; --check wrote nothing\n"
    assert request.read_text() == "kind: PipelineRun\n"


def test_check_names_files_of_actions_that_are_gone(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC, "--out", ".tekton", "--quiet"]) == 0
    (repo / ".tekton" / "mine.yaml").write_text("kind: PipelineRun\n")
    (repo / "Dispatchfile.yaml").write_text(TEXT.partition("actions:")[0] + "actions:\n" + CRON)
    assert main([*PAC, "--out", ".tekton", "--check", "--partial", "--quiet"]) == 1
    assert capsys.readouterr().out == ".tekton/shop-pull-request.yaml\n.tekton/shop-push.yaml\n"


def test_check_needs_a_folder(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC, "--check"]) == 2
    assert "--check goes with --out DIR" in capsys.readouterr().err


def test_an_action_that_cannot_be_started(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "Dispatchfile.yaml").write_text(TEXT + CRON)
    assert main([*PAC, "--out", ".tekton"]) == 3
    told = capsys.readouterr().err
    assert "error[DF806]: Pipelines-as-Code has no schedules\n --> Dispatchfile.yaml:9:" in told
    assert "dispatchfile tekton --target triggers" in told
    assert not Path(".tekton").exists()
    assert main([*PAC, "--out", ".tekton", "--partial"]) == 0
    assert (
        'warning[DF806]: Pipelines-as-Code has no schedules; action "nightly" is left out'
        in capsys.readouterr().err
    )
    assert len(list(Path(".tekton").iterdir())) == 2


def test_where_no_action_is_left_nothing_is_printed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "Dispatchfile.yaml").write_text(TEXT.partition("actions:")[0] + "actions:\n" + CRON)
    assert main([*PAC, "--partial"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("nothing to emit: no action is left\n")


def test_options_are_annotations(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main([*PAC, "--keep-runs", "5", "--cancel-in-progress", "--git-auth", "--service-account", "ci"]) == 0
    )
    for run in yaml.safe_load_all(capsys.readouterr().out):
        annotations = run["metadata"]["annotations"]
        assert annotations[f"{pac_model.GROUP}max-keep-runs"] == "5"
        assert annotations[f"{pac_model.GROUP}cancel-in-progress"] == "true"
        assert run["spec"]["taskRunTemplate"] == {"serviceAccountName": "ci"}
        assert "{{ git_auth_secret }}" in str(run)


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1.5", "9" * 20, "٣"])
def test_a_number_of_runs_that_is_none(number: str, repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PAC, f"--keep-runs={number}"]) == 2
    assert f'--keep-runs "{number}" is no number of runs' in capsys.readouterr().err
