from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import pytest

from dispatchfile.cli import options
from dispatchfile.cli.argument_parser import Parser
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError
from dispatchfile.event.event import Event, context
from tests.event.repository import commit, git, repository
from tests.event.test_payload import HUB_COMMENT, HUB_PR, HUB_PUSH, HUB_TAG, SERVER_PUSH, SHA


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = repository(tmp_path / "shop")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("USER", "ada")
    return folder


def event(*arguments: str, told: list[str] | None = None) -> Event:
    parser = Parser(prog="test")
    options.add_event_options(parser)
    notes = told if told is not None else []
    return options.event_from(
        parser.parse_args(arguments, argparse.Namespace(quiet=False, color=None)), notes.append
    )


def test_guess_is_a_push_of_the_branch(repo: Path):
    told: list[str] = []
    found = event(told=told)
    head = git(repo, "rev-parse", "HEAD")
    assert found == Event("push", url=str(repo), commit=head, branch="main", user="ada")
    assert told == [f"a push to main at {head[:10]}, guessed from HEAD; --event chooses another"]


def test_guess_on_a_detached_head_with_a_tag_is_the_tag(repo: Path):
    git(repo, "tag", "v1")
    assert event().kind == "push"
    git(repo, "checkout", "--quiet", "--detach")
    assert (event().kind, event().tag) == ("tag", "v1")
    assert event("--branch", "main").kind == "push"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["--target", "main"], "pull_request"),
        (["--label", "x"], "pull_request"),
        (["--chatop", "/x"], "pull_request"),
        (["--action", "nightly"], "cron"),
        (["--branch", "main"], "push"),
        (["--path", "a"], "push"),
    ],
)
def test_options_tell_the_kind(repo: Path, arguments: list[str], kind: str):
    assert event(*arguments).kind == kind


def test_event_given_is_not_a_guess(repo: Path):
    told: list[str] = []
    event("--event", "push", told=told)
    assert told == []


def test_branch_elsewhere_is_at_its_own_head(repo: Path):
    git(repo, "checkout", "--quiet", "-b", "dev")
    head = commit(repo, b_txt="1")
    git(repo, "checkout", "--quiet", "main")
    assert event("--branch", "dev").commit == head
    assert event("--event", "pull-request", "--source", "dev").commit == head
    assert event("--branch", "dev", "--commit", "main").commit == git(repo, "rev-parse", "main")


def test_tag_is_at_its_commit_also_when_annotated(repo: Path):
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "-a", "-m", "x", "v1")
    commit(repo, b_txt="1")
    found = event("--event", "tag", "--tag", "v1")
    assert (found.commit, context(found)["context.git.tag"]) == (first, "v1")


def test_base_gives_the_changed_paths(repo: Path):
    commit(repo, sub__b_txt="1")
    assert event("--base", "HEAD~1").paths == ("sub/b.txt",)
    assert event("--base", "HEAD").paths == ()
    assert event().paths is None


def test_pull_request(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git(tmp_path, "clone", "--quiet", str(repo), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    git(Path.cwd(), "checkout", "--quiet", "-b", "dev")
    told: list[str] = []
    found = event(
        "--event", "pull-request", "--number", "7", "--label", "a", "--label", "b", "--chatop", " /test fast  all",
        told=told,
    )  # fmt: skip
    assert (found.source, found.target, found.number) == ("dev", "main", 7)
    assert found.labels == ("a", "b")
    assert found.chatop == ("test", "fast", "all")
    assert found.url == str(repo)
    assert found.build_name == "pr-7"
    assert "the target branch is main" in told[0]
    assert event("--event", "pull-request", "--label", "").labels == ()


def test_build_name(repo: Path):
    assert event("--build-name", "b7").build_name == "b7"
    assert event("--event", "cron").build_name == "main"
    git(repo, "checkout", "--quiet", "--detach")
    assert event("--event", "push").build_name == "ada"


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        (["--branch", "nowhere"], 'no branch "nowhere"', "--commit"),
        (["--event", "pull-request", "--source", "nowhere"], 'no branch "nowhere"', "--commit"),
        (["--tag", "v9"], 'no tag "v9"', "--commit"),
        (["--event", "tag"], "no tag points at HEAD", "--tag"),
        (["--commit", "beef"], '--commit "beef" is no commit', ""),
        (["--commit=--exec=x"], "is not a revision", ""),
        (["--base", "beef"], '--base "beef" is no commit', ""),
        (["--branch", ""], "--branch is empty", ""),
        (["--chatop", " / "], "--chatop is empty", "/test"),
        (["--path", "a", "--base", "HEAD"], "exclude each other", ""),
        (
            ["--event", "push", "--tag", "v1"],
            "--tag does not go with --event push",
            "tag or release or image",
        ),
        (
            ["--event", "pull-request", "--branch", "x"],
            "--branch does not go with --event pull-request",
            "push",
        ),
        (["--event-file", "no-such.json"], "cannot read --event-file", ""),
    ],
)
def test_wrong_options(repo: Path, arguments: list[str], message: str, advice: str):
    with pytest.raises(UsageError) as caught:
        event(*arguments)
    assert message in caught.value.message
    assert advice in caught.value.help


def test_repository_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git(tmp_path, "init", "--quiet")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentProblem, match="no commit yet"):
        event()


def hook(folder: Path, body: object) -> str:
    path = folder / "hook.json"
    path.write_text(json.dumps(body))
    return str(path)


def test_webhook_needs_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    found = event("--event-file", hook(tmp_path, HUB_PUSH), told=told)
    assert (found.kind, found.commit, found.branch) == ("push", SHA, "main")
    assert told == []


def test_options_count_more_than_the_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    file = hook(tmp_path, HUB_PR)
    assert event("--event-file", file, "--target", "next", "--label", "").labels == ()
    assert event("--event-file", file, "--target", "next").target == "next"
    assert event("--event-file", file, "--path", "./a").paths == ("a",)
    with pytest.raises(UsageError, match="--tag does not go with"):
        event("--event-file", file, "--tag", "v1")
    with pytest.raises(UsageError, match="not --event push"):
        event("--event-file", file, "--event", "push")
    with pytest.raises(DispatchfileError, match="not in a git repository"):
        event("--event-file", file, "--base", "main")


def test_webhook_without_a_commit_is_of_head(repo: Path, tmp_path: Path):
    told: list[str] = []
    found = event("--event-file", hook(tmp_path, HUB_COMMENT), told=told)
    assert found.commit == git(repo, "rev-parse", "HEAD")
    assert found.target is None
    assert "--commit" in told[0]
    other = commit(repo, b_txt="2")
    git(repo, "reset", "--quiet", "--hard", "HEAD~1")
    assert event("--event-file", hook(tmp_path, HUB_COMMENT), "--commit", other).commit == other


def test_base_with_a_webhook_compares_its_commit(repo: Path, tmp_path: Path):
    head = commit(repo, b_txt="1")
    body = {**HUB_TAG, "ref": "refs/heads/dev", "head_commit": {"id": head}, "commits": []}
    assert event("--event-file", hook(tmp_path, body), "--base", "HEAD~1").paths == ("b.txt",)
    with pytest.raises(UsageError, match=f'--commit "{SHA}" is no commit'):
        event("--event-file", hook(tmp_path, {**body, "head_commit": {"id": SHA}}), "--base", "HEAD")


def test_webhook_without_a_url_is_of_the_repository(repo: Path, tmp_path: Path):
    head = git(repo, "rev-parse", "HEAD")
    body = copy.deepcopy(SERVER_PUSH)
    body["changes"][0]["toHash"] = head
    del body["repository"]["links"]
    assert event("--event-file", hook(tmp_path, body)).url == str(repo)


def test_too_large_a_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dispatchfile.cli.simulate.LARGEST_PAYLOAD", 100)
    (tmp_path / "big.json").write_text("[" + " " * 200 + "]")
    with pytest.raises(UsageError, match="is larger than"):
        event("--event-file", "big.json")
