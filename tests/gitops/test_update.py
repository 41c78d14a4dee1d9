"""The update task on a bare repository on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import flags
from dispatchfile.gitops.template import TemplateError
from dispatchfile.gitops.update import PersonNeeded, compile_only, update
from tests.gitops.conftest import DIGESTS, TEMPLATE, Site, git

BRANCH = "dispatch/update-web"


def image(letter: str) -> str:
    return f"-substitute=imageName={DIGESTS[letter]}"


def state(where: Path) -> tuple[str, str, str]:
    return git(where, "rev-parse", "HEAD"), git(where, "status", "--porcelain"), git(where, "for-each-ref")


def test_an_update_is_one_commit_on_one_branch(site: Site) -> None:
    before = state(site.checkout)
    done = site.update("-git-revision=r1", image("a"))
    assert (done.status, done.branch, done.base) == ("pushed", BRANCH, "main")
    assert site.tip(BRANCH) == done.commit
    assert git(site.bare, "rev-parse", f"{BRANCH}^") == site.tip("main")
    assert site.show(BRANCH, "app.yaml").endswith(f'image: "{DIGESTS["a"]}"')
    assert git(site.bare, "diff", "--name-only", f"main...{BRANCH}") == "app.yaml"
    assert state(site.checkout) == before


def test_the_commit(site: Site) -> None:
    site.update("-git-revision=r1", image("a"), "-branch=main", "-create-pull-request=false")
    site.update("-git-revision=r2", image("b"))
    shown = git(site.bare, "log", "-1", "--format=%an <%ae>|%cn <%ce>|%B", BRANCH)
    author, committer, message = shown.split("|")
    assert author == committer == "Dispatch CI <ci@dispatchfile.invalid>"
    lines = message.splitlines()
    assert lines[0] == "update templates for commit r2"
    assert lines[2:4] == ["app.yaml", f"  imageName: {DIGESTS['a']} -> {DIGESTS['b']}"]
    assert "Source-Revision: r2" in lines
    assert f"Image: {DIGESTS['b']}" in lines


def test_the_checkouts_own_author_is_honoured(site: Site) -> None:
    git(site.checkout, "config", "user.name", "Bob")
    git(site.checkout, "config", "user.email", "bob@example.com")
    site.update("-git-revision=r1", image("a"))
    assert git(site.bare, "log", "-1", "--format=%an %ae %cn", BRANCH) == "Bob bob@example.com Bob"


def test_other_values_than_images_are_not_in_the_message(make_site: Callable[[dict[str, str]], Site]) -> None:
    site = make_site({"app.yaml.tmpl": "password: $({ .password })\nimage: $({ .imageName })\n"})
    done = site.update("-git-revision=r1", image("a"), "-substitute=password=hunter2")
    assert "hunter2" not in done.message + done.body
    assert "  password: changed" in done.message


def test_again_pushes_nothing(site: Site) -> None:
    first = site.update("-git-revision=r1", image("a"))
    second = site.update("-git-revision=r1", image("a"))
    assert (second.status, second.commit) == ("unchanged", first.commit)
    assert site.tip(BRANCH) == first.commit


def test_nothing_to_do_when_the_base_has_it(site: Site) -> None:
    site.update("-git-revision=r1", image("a"), "-branch=main", "-create-pull-request=false")
    branches = site.branches()
    assert site.update("-git-revision=r2", image("a")).status == "nothing"
    assert site.branches() == branches == {"main"}


def test_the_next_revision_replaces_the_branch(site: Site) -> None:
    site.update("-git-revision=r1", image("a"))
    site.update("-git-revision=r2", image("b"))
    assert git(site.bare, "rev-list", "--count", f"main..{BRANCH}") == "1"
    assert DIGESTS["b"] in site.show(BRANCH, "app.yaml")


def test_the_branch_starts_anew_when_the_base_moves(site: Site) -> None:
    site.update("-git-revision=r1", image("a"))
    site.commit("other", {"README.md": "more\n"})
    git(site.checkout, "push", "-q", "origin", "main")
    assert site.update("-git-revision=r1", image("a")).status == "pushed"
    assert site.show(BRANCH, "README.md") == "more"


def test_the_checkout_may_be_behind(site: Site) -> None:
    other = git(site.checkout, "rev-parse", "HEAD")
    site.commit("newer template", {"app.yaml.tmpl": TEMPLATE + "new: line\n"})
    git(site.checkout, "push", "-q", "origin", "main")
    git(site.checkout, "reset", "-q", "--hard", other)
    site.update("-git-revision=r1", image("a"))
    assert site.show(BRANCH, "app.yaml").endswith("new: line")


def test_a_shallow_detached_checkout_is_enough(site: Site, tmp_path: Path) -> None:
    for number in range(3):
        site.commit(f"commit {number}", {"README.md": str(number)})
    git(site.checkout, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{site.bare}", str(shallow))
    git(shallow, "checkout", "-q", "--detach")
    (shallow / "README.md").write_text("edited")
    site.checkout = shallow
    done = site.update("-git-revision=r1", image("a"))
    assert site.show(done.branch, "README.md") == "edited"
    assert git(site.bare, "fsck") == ""


def test_edits_of_tracked_files_go_with_it_and_untracked_ones_do_not(site: Site) -> None:
    (site.checkout / "README.md").write_text("edited\n")
    (site.checkout / "staged").write_text("staged\n")
    git(site.checkout, "add", "staged")
    (site.checkout / "key").write_text("untracked secret\n")
    before = state(site.checkout)
    site.update("-git-revision=r1", image("a"))
    files = git(site.bare, "diff", "--name-only", f"main...{BRANCH}").split()
    assert files == ["README.md", "app.yaml", "staged"]
    assert state(site.checkout) == before


def test_edits_of_an_output_are_rendered_over(site: Site) -> None:
    site.update("-git-revision=r1", image("a"), "-branch=main", "-create-pull-request=false")
    git(site.checkout, "pull", "-q", "origin", "main")
    compile_only(site.checkout, flags.parse([image("c")]), print)
    site.update("-git-revision=r2", image("b"))
    assert DIGESTS["b"] in site.show(BRANCH, "app.yaml")


def test_edits_that_do_not_fit_the_base_are_an_error(site: Site) -> None:
    old = git(site.checkout, "rev-parse", "HEAD")
    site.commit("theirs", {"README.md": "theirs\n"})
    git(site.checkout, "push", "-q", "origin", "main")
    git(site.checkout, "reset", "-q", "--hard", old)
    (site.checkout / "README.md").write_text("mine\n")
    with pytest.raises(EnvironmentProblem, match="do not fit the newest base"):
        site.update("-git-revision=r1", image("a"))
    assert site.branches() == {"main"}


@pytest.mark.parametrize(
    ("argv", "branch"),
    [
        ((), BRANCH),
        (("--app=My App",), "dispatch/update-My-App"),
        (("-branch=topic",), "topic"),
        (("--branch-per-revision",), "update-to-commit-r1"),
        (("-filepath=app.yaml.tmpl",), "dispatch/update-web-app.yaml"),
        (("-base-branch=main",), "dispatch/update-web-main"),
        (("--app=../../x",), "dispatch/update-x"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_branch_names(site: Site, argv: tuple[str, ...], branch: str) -> None:
    assert site.update("-git-revision=r1", image("a"), *argv).branch == branch
    assert branch in site.branches()


def test_a_directory_and_a_glob_have_branches_of_their_own(
    make_site: Callable[[dict[str, str]], Site],
) -> None:
    site = make_site({"staging/app.yaml.tmpl": TEMPLATE, "production/app.yaml.tmpl": TEMPLATE})
    one = site.update("-git-revision=r1", image("a"), "-filepath=staging/**.yaml.tmpl")
    two = site.update("-git-revision=r1", image("a"), directory="production")
    assert (one.branch, two.branch) == ("dispatch/update-web-staging", "dispatch/update-web-production")
    assert git(site.bare, "diff", "--name-only", f"main...{two.branch}") == "production/app.yaml"


def test_without_a_pull_request_it_says_how_to_review_and_merge(
    site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(site.checkout)
    assert main(["gitops", "update", "-git-revision=r1", image("a")]) == 0
    lines = capfd.readouterr().out.splitlines()
    review, merge = (line.partition(":")[2].strip() for line in lines[-2:])
    shown = subprocess.run(review.split(), capture_output=True, text=True, check=True).stdout
    assert DIGESTS["a"] in shown
    subprocess.run(merge.split(), check=True, capture_output=True)
    assert site.tip("main") == site.tip(BRANCH)


def test_merging_without_a_forge_pushes_the_base(site: Site) -> None:
    done = site.update("-git-revision=r1", image("a"), "-merge-pull-request")
    assert (done.branch, site.branches()) == ("main", {"main"})
    assert "goes straight to main" in site.notes[0]


def test_a_persons_commit_is_not_lost(site: Site) -> None:
    site.update("-git-revision=r1", image("a"))
    git(site.checkout, "fetch", "-q", "origin", BRANCH)
    git(site.checkout, "checkout", "-q", "FETCH_HEAD")
    theirs = site.commit("by hand", {"app.yaml": "replicas: 3\n"})
    git(site.checkout, "push", "-q", "origin", f"HEAD:{BRANCH}")
    git(site.checkout, "checkout", "-q", "main")
    with pytest.raises(PersonNeeded, match="by Ada") as caught:
        site.update("-git-revision=r2", image("b"))
    assert caught.value.exit_code == 3
    assert site.tip(BRANCH) == theirs
    assert site.update("-git-revision=r2", image("b"), "--overwrite").status == "pushed"


def test_a_persons_commit_that_is_merged_is_no_hindrance(site: Site) -> None:
    site.update("-git-revision=r1", image("a"))
    git(site.checkout, "fetch", "-q", "origin", BRANCH)
    git(site.checkout, "checkout", "-q", "FETCH_HEAD")
    site.commit("by hand", {"README.md": "by hand\n"})
    git(site.checkout, "push", "-q", "origin", f"HEAD:{BRANCH}", "HEAD:main")
    assert site.update("-git-revision=r2", image("b")).status == "pushed"


def test_a_person_who_amends_our_commit_is_noticed(site: Site) -> None:
    site.update("-git-revision=r1", image("a"))
    git(site.checkout, "fetch", "-q", "origin", BRANCH)
    git(site.checkout, "checkout", "-q", "FETCH_HEAD")
    (site.checkout / "app.yaml").write_text("by hand\n")
    git(site.checkout, "commit", "-q", "-a", "--amend", "--no-edit", "--reset-author")
    git(site.checkout, "push", "-q", "--force", "origin", f"HEAD:{BRANCH}")
    git(site.checkout, "checkout", "-q", "main")
    with pytest.raises(PersonNeeded):
        site.update("-git-revision=r2", image("b"))


@pytest.fixture
def source(site: Site, tmp_path: Path) -> list[str]:
    """Two commits of a source repository beside the checkout, the older one first."""
    folder = tmp_path / "source"
    git(tmp_path, "init", "-q", str(folder))
    for number in range(2):
        date = f"2026-01-0{number + 1}T00:00:00Z"
        subprocess.run(
            [
                "git",
                "-c",
                "user.name=A",
                "-c",
                "user.email=a@b.c",
                "commit",
                "-q",
                "--allow-empty",
                "-m",
                "x",
            ],
            cwd=folder,
            env={"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin"},
            check=True,
        )
    return git(folder, "rev-list", "--reverse", "HEAD").split()


@pytest.mark.parametrize("direct", [False, True], ids=["on the branch", "on the base"])
@pytest.mark.parametrize("by", ["history", "date"])
def test_an_older_revision_that_ends_late_is_superseded(
    site: Site, source: list[str], direct: bool, by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    how = ("-branch=main", "-create-pull-request=false") if direct else ()
    older, newer = source
    assert site.update(f"-git-revision={newer}", image("b"), *how).status == "pushed"
    if by == "date":
        (tmp_path / "source").rename(tmp_path / "gone")
        monkeypatch.setenv("DISPATCHFILE_SOURCE_DATE", "1767225600")
    late = site.update(f"-git-revision={older}", image("a"))
    assert late.status == "superseded"
    assert newer in site.notes[-1]
    assert DIGESTS["b"] in site.show("main" if direct else BRANCH, "app.yaml")
    again = site.update(f"-git-revision={older}", image("a"), "--allow-downgrade")
    assert again.status == "pushed"


def test_with_a_known_source_commit_the_commit_is_repeatable(site: Site, source: list[str]) -> None:
    first = site.update(f"-git-revision={source[1]}", image("a"))
    git(site.bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    second = site.update(f"-git-revision={source[1]}", image("a"))
    assert (second.status, second.commit) == ("pushed", first.commit)


@pytest.mark.parametrize(
    ("argv", "error", "message"),
    [
        (("-base-branch=nope",), UsageError, 'no branch "nope"'),
        (("-branch=a..b",), UsageError, "cannot be a branch"),
        (("-substitute=imageNam=x",), TemplateError, "cannot be rendered"),
        (("-filepath=none.yaml.tmpl", image("a")), UsageError, "matches no file"),
        ((image("a"), "-substitute=more=x"), UsageError, r"asks for \.more"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nothing_is_pushed_when_it_goes_wrong(
    site: Site, argv: tuple[str, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        site.update("-git-revision=r1", *argv)
    assert site.branches() == {"main"}


def test_beyond_this_machine_it_only_shows(site: Site, own_git_settings: Path) -> None:
    # The URL is another machine's; git itself is led to the bare repository, so that a push would succeed.
    url = "https://git.example.test/acme/gitops.git"
    git(site.checkout, "remote", "set-url", "origin", url)
    own_git_settings.write_text(f'[url "file://{site.bare}"]\n\tinsteadOf = {url}\n')
    shown = site.update("-git-revision=r1", image("a"))
    assert (shown.status, site.branches()) == ("pending", {"main"})
    assert f'+image: "{DIGESTS["a"]}"' in shown.diff
    assert "--publish" in site.notes[-1]
    assert site.update("-git-revision=r1", image("a"), "--publish").status == "pushed"
    assert BRANCH in site.branches()


@pytest.mark.parametrize(("told", "status"), [("0", "pending"), ("1", "pushed")])
def test_a_runner_decides_by_the_configured_url(
    site: Site, own_git_settings: Path, monkeypatch: pytest.MonkeyPatch, told: str, status: str
) -> None:
    url = "https://git.example.test/acme/gitops.git"
    git(site.checkout, "remote", "set-url", "origin", url)
    own_git_settings.write_text(f'[url "file://{site.bare}"]\n\tinsteadOf = {url}\n')
    monkeypatch.setenv("DISPATCHFILE_PUBLISH", told)
    assert site.update("-git-revision=r1", image("a")).status == status


@pytest.mark.parametrize(("flag", "code"), [("--dry-run", 0), ("--check", 1), ("--exit-code", 20)])
def test_showing_only(
    site: Site, flag: str, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(site.checkout)
    argv = ["gitops", "update", "-git-revision=r1", image("a"), flag]
    assert main(argv) == code
    assert f'+image: "{DIGESTS["a"]}"' in capfd.readouterr().out
    assert site.branches() == {"main"}
    site.update("-git-revision=r1", image("a"), "-branch=main", "-create-pull-request=false")
    assert main(argv) == 0


def test_compile_only_leaves_git_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(site.checkout)
    argv = ["gitops", "update", "-compile-only", "-git-ignore", image("a")]
    assert main(argv) == 0
    assert DIGESTS["a"] in (site.checkout / "app.yaml").read_text()
    assert (site.checkout / ".gitignore").read_text() == "/app.yaml\n"
    assert (site.branches(), git(site.checkout, "log", "--format=%s")) == ({"main"}, "start")


def test_a_template_that_git_does_not_track_is_told(site: Site) -> None:
    git(site.checkout, "rm", "-q", "app.yaml.tmpl")
    site.commit("no template", {})
    git(site.checkout, "push", "-q", "origin", "main")
    (site.checkout / "new.yaml.tmpl").write_text(TEMPLATE)
    with pytest.raises(UsageError, match=r"none of the templates found here: new\.yaml\.tmpl"):
        site.update("-git-revision=r1", image("a"))


def test_a_file_that_cannot_be_read_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(site.checkout)
    (site.checkout / "app.yaml.tmpl").unlink()
    (site.checkout / "app.yaml.tmpl").symlink_to("app.yaml.tmpl")
    assert main(["gitops", "update", "-compile-only", image("a")]) == 4
    assert "app.yaml.tmpl" in capfd.readouterr().err


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "app.yaml.tmpl").write_text("x")
    with pytest.raises(EnvironmentProblem, match="no git checkout"):
        update(tmp_path, flags.parse([]), print)


def test_no_origin(site: Site) -> None:
    git(site.checkout, "remote", "rename", "origin", "upstream")
    with pytest.raises(EnvironmentProblem, match="no remote named origin"):
        site.update("-git-revision=r1", image("a"))


def test_hostile_settings_of_the_checkout_are_not_run(site: Site, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "filter.x.clean", "filter.x.smudge", "diff.x.textconv"):
        git(site.checkout, "config", key, str(trap))
    hooks = site.checkout / ".git" / "hooks"
    for name in ("pre-commit", "post-checkout", "pre-push", "reference-transaction"):
        (hooks / name).write_bytes(trap.read_bytes())
        (hooks / name).chmod(0o755)
    (site.checkout / ".gitattributes").write_text("* filter=x diff=x\n")
    (site.checkout / "README.md").write_text("edited\n")
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert site.update("-git-revision=r1", image("a")).status == "pushed"
    assert not (tmp_path / "sprung").exists()
    assert site.show(BRANCH, "README.md") == "edited"


def test_a_protected_branch_is_told_and_not_tried_again(site: Site) -> None:
    hook = site.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="does not let this branch be pushed") as caught:
        site.update("-git-revision=r1", image("a"), "-branch=main", "-create-pull-request=false")
    assert "pull request" in caught.value.help


def test_output_json(site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    import json

    from dispatchfile.cli.main import main

    monkeypatch.chdir(site.checkout)
    assert main(["gitops", "update", "-git-revision=r1", image("a"), "-output=json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["status"], told["branch"], told["commit"]) == ("pushed", BRANCH, site.tip(BRANCH))
    assert told["changes"] == [{"file": "app.yaml", "name": "imageName", "before": "", "now": DIGESTS["a"]}]
