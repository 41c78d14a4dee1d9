from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.event import checkout
from tests.event.repository import commit, git, repository


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "shop")


def test_branch_commit_and_own_path_from_a_folder_inside(repo: Path):
    head = commit(repo, sub__b_txt="1")
    found = checkout.read(str(repo / "sub"))
    assert found == checkout.Checkout(str(repo), str(repo), "main", head, ())


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://ada:s3cret@git.example/acme/shop.git", "https://git.example/acme/shop.git"),
        ("https://t0ken@git.example:8443/shop?x=1", "https://git.example:8443/shop?x=1"),
        ("git@git.example:acme/shop.git", "git@git.example:acme/shop.git"),
        ("ssh://git:pw@git.example:22/shop.git", "ssh://git@git.example:22/shop.git"),
        ("/srv/git/shop.git", "/srv/git/shop.git"),
        ("https://[bad/shop", ""),
    ],
)
def test_url_is_that_of_origin_without_secrets(origin: str, url: str):
    assert checkout.public_url(origin) == url


def test_origin_counts_before_the_path(repo: Path):
    git(repo, "remote", "add", "origin", "https://ada:s3cret@git.example/shop.git")
    assert checkout.read(str(repo)).url == "https://git.example/shop.git"


def test_detached_head_with_tags_highest_version_first(repo: Path):
    for tag in ("v1.9", "v1.10", "latest"):
        git(repo, "tag", tag)
    git(repo, "checkout", "--quiet", "--detach")
    found = checkout.read(str(repo))
    assert found.branch is None
    assert found.tags == ("v1.10", "v1.9", "latest")


def test_no_commit_yet(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    found = checkout.read(str(tmp_path))
    assert (found.branch, found.commit, found.tags) == ("trunk", "", ())


def test_worktree_is_a_repository_of_its_own(repo: Path, tmp_path: Path):
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    found = checkout.read(str(tmp_path / "side"))
    assert (found.root, found.branch) == (str(tmp_path / "side"), "side")


def test_no_repository_is_told_with_the_way_out(tmp_path: Path):
    with pytest.raises(EnvironmentProblem, match="not in a git repository") as caught:
        checkout.read(str(tmp_path))
    assert "git init" in caught.value.help


def test_bare_repository_is_told_with_the_way_out(repo: Path, tmp_path: Path):
    git(repo, "clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    with pytest.raises(EnvironmentProblem, match="bare") as caught:
        checkout.read(str(tmp_path / "bare.git"))
    assert "git clone" in caught.value.help


def test_changed_paths_are_those_since_the_merge_base(repo: Path):
    start = commit(repo, old_txt="same text, long enough to count as renamed\n" * 5)
    git(repo, "checkout", "--quiet", "-b", "dev")
    git(repo, "mv", "old.txt", "new.txt")
    head = commit(repo, **{"ü__x y_txt": "1"})
    git(repo, "checkout", "--quiet", "main")
    base = commit(repo, elsewhere_txt="1")
    assert checkout.changed_paths(str(repo), base, head) == ("new.txt", "old.txt", "ü/x y.txt")
    assert checkout.changed_paths(str(repo), start, start) == ()


def test_shallow_clone_says_how_to_get_the_history(repo: Path, tmp_path: Path):
    start = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "--quiet", "--orphan", "other")
    commit(repo, b_txt="2")
    commit(repo, b_txt="3")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{repo}", "clone")
    head = git(tmp_path / "clone", "rev-parse", "HEAD")
    with pytest.raises(EnvironmentProblem, match="share no history") as caught:
        checkout.changed_paths(str(tmp_path / "clone"), start, head)
    assert "--unshallow" in caught.value.help


def test_revision(repo: Path):
    head = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "-a", "-m", "x", "v1")
    assert checkout.commit_of(str(repo), "refs/tags/v1") == head
    assert checkout.commit_of(str(repo), "nowhere") is None


@pytest.mark.parametrize("revision", ["", "--output=x", "-x", "a\0b"])
def test_revision_that_is_an_option_is_refused(repo: Path, revision: str):
    with pytest.raises(UsageError, match="is not a revision"):
        checkout.commit_of(str(repo), revision)


def test_repository_settings_run_no_program(repo: Path):
    mark = repo / "mark"
    program = repo / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager", "core.sshCommand"):
        git(repo, "config", name, str(program))
    first = git(repo, "-c", "core.fsmonitor=false", "rev-parse", "HEAD")
    git(repo, "-c", "core.fsmonitor=false", "commit", "--quiet", "--allow-empty", "-m", "x")
    mark.unlink(missing_ok=True)
    found = checkout.read(str(repo))
    checkout.changed_paths(str(repo), first, found.commit)
    assert not mark.exists()


def test_partial_clone_fetches_nothing(repo: Path, tmp_path: Path):
    first = git(repo, "rev-parse", "HEAD")
    head = commit(repo, sub__b_txt="1")
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=tree:0", f"file://{repo}", "clone")
    mark, program = tmp_path / "mark", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    git(tmp_path / "clone", "config", "remote.origin.uploadpack", str(program))
    git(tmp_path / "clone", "config", "protocol.file.allow", "always")
    with pytest.raises(EnvironmentProblem):
        checkout.changed_paths(str(tmp_path / "clone"), first, head)
    assert not mark.exists()


def test_default_branch_of_origin(repo: Path, tmp_path: Path):
    assert checkout.default_branch(str(repo)) is None
    git(tmp_path, "clone", "--quiet", str(repo), "clone")
    assert checkout.default_branch(str(tmp_path / "clone")) == "main"
