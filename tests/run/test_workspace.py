from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.run import inputs
from dispatchfile.run.archive import Archive
from dispatchfile.run.backend import Commit, GitInput, Output, Produced, Remote, StorageInput, WorkingTree
from dispatchfile.run.checkouts import checkout_commit, checkout_remote, prune, resolve_revision
from dispatchfile.run.views import borrow_here, hidden_paths, lay_output, overlay_options
from dispatchfile.run.workspace import bind, inner_path, path_part
from tests.run.on_engine import bench, git, repository


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return tmp_path / "cache"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose folder name holds what overlay options use as separators."""
    folder = tmp_path / "my, project: a\\b"
    repository(folder, {"README": "hello", "src/a.txt": "a", ".gitignore": "ignored/\n*.log\n"}, commits=3)
    git(folder, "tag", "-a", "v1", "-m", "v1")
    git(folder, "config", "user.secret", "hunter2")
    (folder / "src/a.txt").write_text("changed")
    (folder / "new.txt").write_text("new")
    (folder / "newdir").mkdir()
    (folder / "newdir/file").write_text("new")
    (folder / "ignored").mkdir()
    (folder / "ignored/deep").write_text("i")
    (folder / "x.log").write_text("log")
    (folder / "link").symlink_to("README")
    return folder


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Owner, mode and content of everything in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = (stat.st_uid, stat.st_mode, content)
    return found


VISIBLE = "ls -a /workspace/app | sort | tr '\\n' ' '"


@pytest.mark.docker
@pytest.mark.parametrize("mountable", [True, False], ids=["overlay", "copy"])
def test_a_task_sees_the_working_tree_and_does_not_change_it(
    project: Path, tmp_path: Path, update_image: str, mountable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not mountable:
        monkeypatch.setattr(inputs, "probe_overlay", lambda *_: "it is far away")
    commit = git(project, "rev-parse", "HEAD")
    before = snapshot(project)
    script = """
        cd /workspace/app; ls -A | sort | tr '\\n' ' '; cat src/a.txt; echo
        git status --porcelain; git log --oneline | wc -l; git rev-parse HEAD; git describe --always --exact-match
        git symbolic-ref -q HEAD || echo detached; git config --get user.secret || echo none
        git config remote.origin.url
        echo mine > README; rm -r src; touch made; git add -A; git -c user.name=S -c user.email=s@x commit -qm step
        git log --oneline | wc -l"""
    with bench(project) as made:
        app = GitInput("app", "https://host.test/a.git", WorkingTree(project, commit))
        result, out, err = made.step(made.task(app), update_image, script, command=("/bin/sh", "-ec", script))
    assert result.exit_code == 0, err
    assert out.splitlines() == [
        ".git .gitignore README src changed",
        " M src/a.txt",
        "1",
        commit,
        "v1",
        "detached",
        "none",
        "https://host.test/a.git",
        "2",
    ]
    assert snapshot(project) == before
    assert made.notices == ([] if mountable else [made.notices[0]])
    assert mountable or "it is far away" in made.notices[0]


@pytest.mark.docker
def test_untracked_files_come_in_when_asked_for(project: Path, toolbox: str) -> None:
    commit = git(project, "rev-parse", "HEAD")
    with bench(project) as made:
        app = GitInput("app", str(project), WorkingTree(project, commit, untracked=True))
        _, out, _ = made.step(made.task(app), toolbox, "ls -A /workspace/app | sort; cat /workspace/app/link")
    assert out.split() == [".git", ".gitignore", "README", "link", "new.txt", "newdir", "src", "hello"]


@pytest.mark.docker
def test_a_commit_is_checked_out_clean_and_fetches_from_origin(
    project: Path, update_image: str, cache: Path
) -> None:
    commit = git(project, "rev-parse", "HEAD~1")
    script = """cd /workspace/app; cat README; echo; git status --porcelain
        git log --oneline | wc -l; git fetch -q --unshallow origin; git log --oneline | wc -l
        git fetch -q origin main; git rev-parse FETCH_HEAD origin/main"""
    with bench(project) as made:
        app = GitInput("app", str(project), Commit(project, commit))
        for _ in range(2):
            result, out, err = made.step(made.task(app), update_image, script)
            head = git(project, "rev-parse", "main")
            assert (result.exit_code, out.splitlines()) == (0, ["hello 1", "1", "2", head, head]), err
    kept = [path for path in (cache / "dispatchfile/checkouts").iterdir() if path.is_dir()]
    assert len(kept) == 1
    assert git(kept[0], "status", "--porcelain") == ""


@pytest.mark.docker
def test_a_step_pushes_to_a_local_remote(tmp_path: Path, update_image: str) -> None:
    source = tmp_path / "source"
    repository(source, {"app.yaml": "image: a"}, commits=2)
    bare = tmp_path / "gitops.git"
    git(tmp_path, "clone", "-q", "--bare", str(source), str(bare))
    script = """cd /workspace/gitops; git checkout -q -b update; echo b > app.yaml
        git -c user.name=S -c user.email=s@x commit -qam step; git push -q origin update
        git clone -q file://$(git config remote.origin.url) /tmp/again; ls /tmp/again"""
    with bench(tmp_path) as made:
        remote = GitInput("gitops", str(bare), Remote("main"))
        result, out, err = made.step(made.task(remote), update_image, script)
    assert (result.exit_code, out) == (0, "app.yaml\n"), err
    assert git(bare, "show", "update:app.yaml") == "b"
    assert git(bare, "log", "--format=%s", "-1", "update") == "step"


@pytest.mark.docker
def test_produced_and_stored_inputs_are_views_too(tmp_path: Path, toolbox: str) -> None:
    stored, produced = tmp_path / "stored", tmp_path / "produced"
    stored.mkdir()
    produced.mkdir()
    (stored / "s").write_text("stored")
    (produced / "p").write_text("produced")
    with bench(tmp_path) as made:
        task = made.task(StorageInput("cache", stored), GitInput("out", "u", Produced(produced)))
        script = "cat /workspace/cache/s /workspace/out/p; rm /workspace/cache/s; echo x > /workspace/out/new"
        result, out, _ = made.step(task, toolbox, script)
    assert (result.exit_code, out) == (0, "storedproduced")
    assert [path.name for path in (*stored.iterdir(), *produced.iterdir())] == ["s", "p"]


@pytest.mark.docker
def test_a_repository_that_a_task_made_goes_on_to_the_next(
    project: Path, tmp_path: Path, update_image: str
) -> None:
    commit = git(project, "rev-parse", "HEAD")
    saved = tmp_path / "saved"
    with bench(project) as made:
        first = made.task(
            GitInput("app", str(project), WorkingTree(project, commit)),
            outputs=(Output("out", "git"),),
            name="a",
        )
        copied, _, err = made.step(first, update_image, "cp -a /workspace/app/. /workspace/output/out")
        assert copied.exit_code == 0, err
        made.backend.save_output(first, "out", saved)
        second = made.task(GitInput("out", str(project), Produced(saved)), name="b")
        result, out, err = made.step(second, update_image, "cd /workspace/out; git log --format=%H")
    assert (result.exit_code, out, err) == (0, f"{commit}\n", "")


@pytest.mark.parametrize("trick", ["a path of this machine", "a link as .git", "a link as the file"])
def test_a_repository_that_a_task_made_names_no_other_directories(tmp_path: Path, trick: str) -> None:
    private = tmp_path / "private"
    (private / "objects/info").mkdir(parents=True)
    (private / "objects/info/alternates").write_text(f"{private}\n")
    made = tmp_path / "made"
    info = made / ".git/objects/info"
    if trick == "a link as .git":
        made.mkdir()
        (made / ".git").symlink_to(private)
    else:
        info.mkdir(parents=True)
        if trick == "a link as the file":
            (info / "alternates").symlink_to(private / "objects/info/alternates")
        else:
            (info / "alternates").write_text(f"{private}\n/tekton/objects/0\n")
    borrow_here(made, [bind("/seen", "/tekton/objects/0", read_only=True), bind("/x", str(private))])
    archive = Archive()
    assert lay_output(archive, "upper", made) == []
    assert (private / "objects/info/alternates").read_text() == f"{private}\n"
    if trick == "a path of this machine":
        assert (info / "alternates").read_text() == "/seen\n"


@pytest.mark.docker
def test_submodules_come_with_the_tree(tmp_path: Path, update_image: str) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    repository(inner, {"lib.txt": "lib", ".gitignore": "junk"})
    repository(outer, {"main.txt": "main"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "lib")
    git(outer, "commit", "-qm", "add lib")
    (outer / "lib/junk").write_text("j")
    commit = git(outer, "rev-parse", "HEAD")
    script = "cd /workspace/app; cat lib/lib.txt; test ! -e lib/junk; git status --porcelain; git -C lib log --oneline"
    with bench(outer) as made:
        for origin in (WorkingTree(outer, commit), Commit(outer, commit)):
            task = made.task(GitInput("app", str(outer), origin), name=type(origin).__name__)
            result, out, err = made.step(task, update_image, f"{script} | wc -l")
            assert (result.exit_code, out.replace("\n", " ")) == (0, "lib1 "), err


def test_hidden_paths_are_what_git_does_not_track(project: Path) -> None:
    tree = WorkingTree(project, git(project, "rev-parse", "HEAD"))
    assert sorted(hidden_paths(tree)) == ["ignored", "link", "new.txt", "newdir", "x.log"]
    assert sorted(hidden_paths(WorkingTree(project, tree.commit, untracked=True))) == ["ignored", "x.log"]


def test_checkouts_of_remotes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    last = repository(source, {"f": "x"}, commits=3)
    first = git(source, "rev-parse", "HEAD~2")
    git(source, "tag", "-a", "v1", first, "-m", "v1")
    cache = tmp_path / "checkouts"
    url = str(source)
    for revision, commit in (("", last), ("main", last), ("v1", first), (first, first), (first[:9], first)):
        folder = checkout_remote(cache, url, Remote(revision))
        assert git(folder, "rev-parse", "HEAD") == commit, revision
        assert git(folder, "config", "remote.origin.url") == url
    assert git(checkout_remote(cache, url, Remote("main")), "rev-list", "--count", "HEAD") == "1"
    with pytest.raises(EnvironmentProblem, match='has no branch or tag "nope"'):
        resolve_revision(url, "nope")
    with pytest.raises(EnvironmentProblem, match="is no git revision"):
        resolve_revision(url, "--upload-pack=touch")
    with pytest.raises(EnvironmentProblem, match=f"there is no repository at {tmp_path / 'absent'}"):
        checkout_remote(cache, str(tmp_path / "absent"), Remote(""))
    with pytest.raises(EnvironmentProblem, match="the run is offline"):
        checkout_remote(cache, "https://host.test/a.git", Remote(""), offline=True)


def test_a_kept_checkout_that_lost_its_objects_is_made_again(tmp_path: Path) -> None:
    source, moved = tmp_path / "source", tmp_path / "moved"
    commit = repository(source, {"f": "x"})
    cache = tmp_path / "checkouts"
    first = checkout_commit(cache, source, commit, "u")
    inode = first.stat().st_ino
    assert checkout_commit(cache, source, commit, "u").stat().st_ino == inode
    (first / ".git/objects/info/alternates").write_text(f"{moved}\n")
    again = checkout_commit(cache, source, commit, "u")
    assert (again / "f").read_text() == "x"
    assert git(again, "status", "--porcelain") == ""


def test_checkouts_that_nobody_uses_are_pruned(tmp_path: Path) -> None:
    commit = repository(tmp_path / "source", {"f": "x"})
    cache = tmp_path / "checkouts"
    old, used = (checkout_commit(cache, tmp_path / "source", commit, url) for url in ("old", "used"))
    os.utime(old, (0, 0))
    assert prune(cache) == 1
    assert (old.exists(), used.exists()) == (False, True)
    assert prune(tmp_path / "absent") == 0


def test_names_and_sub_paths_stay_where_they_are() -> None:
    assert path_part("app.v1", "resource") == "app.v1"
    assert inner_path("a//b/") == "a/b"
    for name in ("", ".", "..", "a/b", "/a"):
        with pytest.raises(UsageError, match="cannot be a directory name"):
            path_part(name, "resource")
    for path in ("/a", "a/../..", ".."):
        with pytest.raises(UsageError, match="must be relative"):
            inner_path(path)


def test_separators_in_paths() -> None:
    options = overlay_options(Path("/a,b:c\\d"), "/v", 2)["o"]
    assert options == "lowerdir=/a\\,b\\:c\\\\d,upperdir=/v/views/2/upper,workdir=/v/views/2/work"
