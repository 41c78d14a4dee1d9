"""`dispatchfile tekton --target triggers`, from the command line on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatchfile.cli.main import main
from tests.event.repository import git, repository
from tests.tekton import crds, listener, webhooks

TRIGGERS = ("tekton", "--target", "triggers")
TEXT = """
resource:
  src: {type: git, param: {url: $(context.git.url), revision: $(context.git.commit)}}
task:
  unit: {inputs: [src], steps: [{name: run, image: "tool:1", command: [make]}]}
actions:
- {tasks: [unit], on: {push: {branches: [main]}}}
- {tasks: [unit], on: {pull_request: {paths: ["**/*.go"]}}}
- {name: nightly, tasks: [unit], on: {cron: {schedule: "@daily"}}}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "shop")
    (folder / "Dispatchfile.yaml").write_text(TEXT)
    git(folder, "remote", "add", "origin", "https://ada:t0ken@git.example.com/acme/shop.git")
    monkeypatch.chdir(folder)
    return folder


def emitted(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert main([*TRIGGERS, *options]) == 0
    text = capsys.readouterr().out
    assert "t0ken" not in text
    objects = list(yaml.safe_load_all(text))
    assert crds.validate_all(objects) == []
    assert list(listener.refused(objects)) == []
    return objects


def test_printed_objects_start_the_runs(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = emitted(capsys)
    (run,) = listener.runs(objects, webhooks.branch("main")).values()
    assert listener.params(run) == {"git-url": webhooks.REPOSITORY["clone_url"], "git-commit": webhooks.SHA}
    job = next(one for one in objects if one["kind"] == "CronJob")
    env = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["initContainers"][0]["env"]
    assert env[0] == {"name": "REPOSITORY", "value": "https://git.example.com/acme/shop.git"}


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the notes on stderr."""
    return [" ".join(text.split()) for text in capsys.readouterr().err.split("note: ")[1:]]


def test_what_else_is_needed_is_told(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRIGGERS, "--webhook-secret", "hooks/token"]) == 0
    webhook, accounts, paths = told(capsys)
    assert webhook == (
        "webhooks go to the service el-shop, port 8080, as JSON, and are signed with the key "
        '"token" of the secret "hooks"; that secret, and an Ingress or Route to the service, are yours to make'
    )
    assert accounts == (
        "the listener runs as shop-listener and schedules run as shop-schedule, which --rbac --namespace NAME emits"
    )
    assert paths.endswith("of private repositories with --token-secret alone")
    assert main([*TRIGGERS, "--rbac", "--namespace", "ci", "--token-secret", "github"]) == 0
    assert [text.split()[0] for text in told(capsys)] == ["webhooks"]


def test_the_account_of_schedules_is_told_where_there_is_nothing_else(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, actions, listed = TEXT.partition("actions:\n")
    (repo / "Dispatchfile.yaml").write_text(head + actions + listed.splitlines(keepends=True)[-1])
    assert main([*TRIGGERS]) == 0
    assert told(capsys) == ["schedules run as shop-schedule, which --rbac --namespace NAME emits"]


def test_a_token_is_not_asked_for_where_paths_cannot_be_asked_at_all(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "Dispatchfile.yaml").write_text(TEXT.replace("paths: [", "chatops: [go], paths: ["))
    assert main([*TRIGGERS, "--partial"]) == 0
    assert "--token-secret" not in capsys.readouterr().err


def test_files_and_what_was_there_before(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRIGGERS, "--out", "cluster", "--rbac", "--namespace", "ci", "-q"]) == 0
    first = {path.name: path.read_text(encoding="utf-8") for path in Path("cluster").iterdir()}
    assert {"eventlistener-shop.yaml", "cronjob-shop-nightly.yaml", "role-shop-schedule.yaml"} <= first.keys()
    assert main([*TRIGGERS, "--out", "cluster", "--rbac", "--namespace", "ci", "-q"]) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in Path("cluster").iterdir()} == first
    assert capsys.readouterr().err == ""


def test_secrets_and_images_are_those_named(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = str(
        emitted(capsys, "--webhook-secret", "a.b/c", "--token-secret", "gh", "--kubectl-image", "my/kubectl:1",
            "--repository", "https://u:t0ken@other.example.com/x/y.git")
    )  # fmt: skip
    assert "{'secretName': 'a.b', 'secretKey': 'c'}" in text
    assert "{'secretName': 'gh', 'secretKey': 'token'}" in text
    assert "'my/kubectl:1'" in text
    assert "'https://other.example.com/x/y.git'" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TRIGGERS, "--rbac"), "--rbac needs to know the namespace"),
        ((*TRIGGERS, "--webhook-secret", "A b"), '--webhook-secret "A b" names no secret'),
        ((*TRIGGERS, "--token-secret", "a/"), '--token-secret "a/" names no secret'),
        ((*TRIGGERS, "--token-secret", "a/b c"), '--token-secret "a/b c" names no secret'),
        ((*TRIGGERS, "--repository=-x"), "not usable"),
        ((*TRIGGERS, "--repository", "/srv/shop"), 'action "nightly" needs the URL of the repository'),
        ((*TRIGGERS, "--kubectl-image", "$(X)"), '--kubectl-image "$(X)" names no image'),
        ((*TRIGGERS, "--git-auth"), "--git-auth goes with --target pac"),
        ((*TRIGGERS, "--event", "push"), "an event does not go with it"),
        (("tekton", "--members-only"), "--members-only goes with --target triggers"),
        (("tekton", "--rbac"), "--rbac goes with --target triggers"),
        (("tekton", "--target", "pac", "--token-secret", "x"), "--token-secret goes with --target triggers"),
        (("tekton", "--partial"), "--partial goes with --target triggers or pac"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_with_options(
    repo: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert "Traceback" not in said.err


def test_a_condition_that_triggers_cannot_ask_is_shown_in_the_file(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chatop = "- {tasks: [unit], on: {pull_request: {chatops: [test], targets: [main]}}}\n"
    Path("Dispatchfile.yaml").write_text(TEXT + chatop)
    assert main([*TRIGGERS]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "error[DF806]: Tekton Triggers cannot ask for targets" in said.err
    assert "--> Dispatchfile.yaml:10:" in said.err
    assert "dispatchfile tekton --target pac" in said.err
    assert main([*TRIGGERS, "--partial"]) == 0
    said = capsys.readouterr()
    assert "warning[DF806]" in said.err
    assert said.out
