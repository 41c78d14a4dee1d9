"""Repositories: what a revision is, and what a commit lays out."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.apps import export, source
from dispatchfile.apps.export import SourceProblem
from dispatchfile.errors import EnvironmentProblem, UsageError
from tests.apps.repository import GitOps, git
from tests.gitops.git_server import GitServer


@pytest.fixture
def history(gitops: GitOps) -> dict[str, str]:
    """Commits by what names them."""
    first = gitops.commit({"a.yaml": "1"}, "first")
    git(gitops.folder, "tag", "light")
    git(gitops.folder, "tag", "-m", "noted", "annotated")
    git(gitops.folder, "branch", "both")
    second = gitops.commit({"a.yaml": "2"}, "second ✓")
    git(gitops.folder, "tag", "both")
    git(gitops.folder, "branch", "feature/x")
    return {
        "HEAD": second,
        "main": second,
        "feature/x": second,
        "light": first,
        "annotated": first,
        "both": first,
        "refs/tags/both": second,
        "refs/heads/main": second,
        first: first,
        first[:10]: first,
    }


@pytest.mark.parametrize(
    "name",
    ["HEAD", "main", "feature/x", "light", "annotated", "both", "refs/tags/both", "refs/heads/main", 8, 9],
)
def test_a_revision_is_a_commit(gitops: GitOps, history: dict[str, str], name: str | int) -> None:
    revision = list(history)[name] if isinstance(name, int) else name
    with source.opened(gitops.url) as repository:
        assert repository.fetch(revision).id == history[revision]


def test_a_commit_is_known_by_its_subject(gitops: GitOps, history: dict[str, str]) -> None:
    with source.opened(gitops.url) as repository:
        commit = repository.fetch("main")
    assert (commit.subject, commit.author) == ("second ✓", "Ada")


@pytest.mark.parametrize(
    ("revision", "why"),
    [
        ("mian", 'has no revision "mian"; did you mean "main"'),
        ("f" * 40, "has no commit"),
        ("abcdef0", "has no commit"),
        ("--upload-pack=touch x", "cannot be a revision"),
        ("-x", "cannot be a revision"),
        ("main:path", "cannot be a revision"),
        ("main~1", "cannot be a revision"),
        ("", "cannot be a revision"),
        ("a\nb", "cannot be a revision"),
    ],
    ids=repr,
)
def test_what_is_no_revision(gitops: GitOps, history: dict[str, str], revision: str, why: str) -> None:
    with source.opened(gitops.url) as repository, pytest.raises(UsageError, match=why):
        repository.fetch(revision)


def test_an_empty_repository(gitops: GitOps) -> None:
    with source.opened(gitops.url) as repository, pytest.raises(UsageError, match="has no commit yet"):
        repository.fetch("HEAD")


def test_a_force_push_and_a_branch_in_place_of_a_folder_of_branches(gitops: GitOps) -> None:
    gitops.commit({"a": "1"})
    git(gitops.folder, "branch", "x/y")
    with source.opened(gitops.url) as repository:
        repository.fetch("x/y")
        git(gitops.folder, "branch", "-D", "x/y")
        git(gitops.folder, "commit", "-q", "--amend", "-m", "forced")
        git(gitops.folder, "branch", "x")
        assert repository.fetch("x").subject == "forced"
        assert repository.fetch("main").subject == "forced"


def test_what_is_here_is_not_fetched_again(gitops: GitOps, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = gitops.commit({"a": "1"})
    with source.opened(gitops.url) as repository:
        repository.fetch("main")
        monkeypatch.setattr(repository, "_fetch", lambda _wanted: pytest.fail("it was fetched again"))
        assert repository.fetch("main").id == commit


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "srv"
    folder.mkdir()
    with GitServer(folder, user="ci", password="pa55-Word-of-git") as running:
        yield running


def test_over_http_with_a_token(
    server: GitServer, gitops: GitOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = gitops.commit({"a": "1"})
    git(tmp_path, "clone", "-q", "--bare", gitops.url, str(tmp_path / "srv" / "web.git"))
    url = f"{server.url}/web.git"
    with source.opened(url) as repository, pytest.raises(EnvironmentProblem) as caught:
        repository.tip("main")
    assert "DISPATCHFILE_GIT_TOKEN" in caught.value.help
    monkeypatch.setenv("DISPATCHFILE_GIT_TOKEN", "pa55-Word-of-git")
    with source.opened(url.replace("://", "://ci@")) as repository:
        assert repository.fetch("main").id == commit
    kept = "".join(
        path.read_text("utf-8", "replace") for path in (tmp_path / "cache").rglob("*") if path.is_file()
    )
    assert "pa55" not in kept


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% /tmp/x", "-x", "ftp://h/x", "https://h:0x/y", "https:///x"], ids=str
)
def test_urls_that_git_is_not_given(url: str) -> None:
    with pytest.raises(UsageError), source.opened(url):
        pass


def exported(gitops: GitOps, path: str, folder: Path) -> export.Exported:
    with source.opened(gitops.url) as repository:
        commit = repository.fetch("HEAD").id
        return export.export(repository.git, commit, path, folder)


def laid_out(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_only_the_path_is_laid_out(gitops: GitOps, tmp_path: Path) -> None:
    gitops.commit({"a/x.yaml": "x", "a/b/y.yaml": "y\r\n", "c.yaml": "c", "[a]/z.yaml": "z"})
    exported(gitops, "a/", tmp_path / "out")
    assert laid_out(tmp_path / "out") == {"a/x.yaml", "a/b/y.yaml"}
    assert (tmp_path / "out/a/b/y.yaml").read_bytes() == b"y\r\n"
    exported(gitops, "[a]", tmp_path / "odd")
    assert laid_out(tmp_path / "odd") == {"[a]/z.yaml"}


def test_all_is_laid_out_for_what_refers_to_other_folders(gitops: GitOps, tmp_path: Path) -> None:
    gitops.commit({"over/kustomization.yaml": "{}", "base/x.yaml": "x"})
    exported(gitops, "over", tmp_path / "out")
    assert laid_out(tmp_path / "out") == {"over/kustomization.yaml", "base/x.yaml"}


def test_attributes_of_the_repository_change_nothing(gitops: GitOps, tmp_path: Path) -> None:
    gitops.commit(
        {
            ".gitattributes": "a.yaml export-ignore\n*.yaml export-subst ident filter=x\n",
            "a.yaml": "$Format:%H$ $Id$",
        }
    )
    exported(gitops, ".", tmp_path / "out")
    assert (tmp_path / "out/a.yaml").read_text() == "$Format:%H$ $Id$"


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("../shared/real.yaml", True),
        ("real.yaml", True),
        ("/etc/passwd", False),
        ("../../../../../../../../etc/passwd", False),
        ("..", True),
        ("../..", False),
        ("second", False),
    ],
)
def test_links(gitops: GitOps, tmp_path: Path, target: str, stays: bool) -> None:
    for name in ("shared/real.yaml", "a/real.yaml"):
        (gitops.folder / name).parent.mkdir(exist_ok=True)
        (gitops.folder / name).write_text("x")
    (gitops.folder / "a/link.yaml").symlink_to(target)
    (gitops.folder / "a/second").symlink_to("/etc")
    gitops.commit_all()
    found = exported(gitops, "a", tmp_path / "out")
    assert (tmp_path / "out/a/link.yaml").is_symlink() is stays
    assert any("a/link.yaml is a link that leads out" in note for note in found.notes) is not stays


def raw_tree(gitops: GitOps, *entries: tuple[str, bytes, str]) -> None:
    """Commit a tree that git itself would not make."""
    lines = b"".join(
        mode.encode() + b" " + name + b"\0" + bytes.fromhex(blob) for mode, name, blob in entries
    )
    made = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=gitops.folder, input=lines, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    git(gitops.folder, "update-ref", "refs/heads/main", git(gitops.folder, "commit-tree", "-m", "x", made))


@pytest.mark.parametrize("name", [b"../../evil", b"..", b".git", b".GIT", b"a/../../evil"], ids=repr)
def test_names_that_no_checkout_may_have(gitops: GitOps, tmp_path: Path, name: bytes) -> None:
    gitops.commit({"a": "evil"})
    blob = git(gitops.folder, "rev-parse", "HEAD:a")
    raw_tree(gitops, ("100644", name, blob))
    with pytest.raises(SourceProblem, match="which no checkout may have"):
        exported(gitops, ".", tmp_path / "out")
    assert not list(tmp_path.glob("**/evil"))


@pytest.mark.parametrize("is_link", [False, True], ids=["file", "link"])
def test_nothing_is_made_through_a_link(gitops: GitOps, tmp_path: Path, is_link: bool) -> None:
    gitops.commit({"d/f": "evil", "l": str(tmp_path / "victim")})
    if is_link:
        (gitops.folder / "d/f").unlink()
        (gitops.folder / "d/f").symlink_to("/etc/passwd")
        gitops.commit_all()
    (tmp_path / "victim").mkdir()
    tree, link = git(gitops.folder, "rev-parse", "HEAD:d"), git(gitops.folder, "rev-parse", "HEAD:l")
    raw_tree(gitops, ("120000", b"d", link), ("40000", b"d", tree))
    with pytest.raises(SourceProblem, match="holds d twice, as a link and as a folder"):
        exported(gitops, ".", tmp_path / "out")
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../../x", "a\nb"], ids=repr)
def test_paths_that_lead_out(gitops: GitOps, tmp_path: Path, path: str) -> None:
    gitops.commit({"a": "1"})
    with pytest.raises(UsageError, match="does not lie in the repository"):
        exported(gitops, path, tmp_path / "out")


def test_a_path_that_is_not_there(gitops: GitOps, tmp_path: Path) -> None:
    gitops.commit({"staging/a": "1", "production/a": "1"})
    with pytest.raises(SourceProblem, match="there is no stagin in commit") as caught:
        exported(gitops, "stagin", tmp_path / "out")
    assert caught.value.help == "its folders are production, staging"


def test_submodules_and_lfs_are_said(gitops: GitOps, tmp_path: Path) -> None:
    commit = gitops.commit({"big.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"})
    git(gitops.folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/sub")
    git(gitops.folder, "commit", "-q", "-m", "sub")
    assert [note.split(" is ")[0] for note in exported(gitops, ".", tmp_path / "out").notes] == [
        "vendor/sub",
        "big.yaml",
    ]


def test_what_is_too_large(gitops: GitOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gitops.commit({"a": "1", "b": "2"})
    monkeypatch.setattr(export, "MOST_FILES", 1)
    with pytest.raises(SourceProblem, match="too large"):
        exported(gitops, ".", tmp_path / "out")


def test_the_mirror_is_for_its_user_alone(gitops: GitOps, tmp_path: Path) -> None:
    gitops.commit({"a": "1"})
    with source.opened(gitops.url) as repository:
        assert stat.S_IMODE(repository.folder.stat().st_mode) == 0o700
