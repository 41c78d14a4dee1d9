"""What an update does with its pull request and with those of others before it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.gitops import flags
from tests.gitops.conftest import DIGESTS, Site, git
from tests.gitops.forges.github import GitHubServer

BRANCH = "dispatch/update-web"
ORIGINAL = ("Dispatch CI", "56653984+d2iq-dispatch@users.noreply.github.com")


def argv(hub: GitHubServer, letter: str = "a", revision: str = "r1") -> list[str]:
    return [
        f"-git-revision={revision}",
        f"-substitute=imageName={DIGESTS[letter]}",
        f"-api-endpoint={hub.endpoint}",
    ]


def proposed(
    hub: GitHubServer, site: Site, name: str, files: dict[str, str], *, by: tuple[str, str] = ORIGINAL
) -> None:
    """Open a pull request of a branch with one commit by somebody."""
    git(site.checkout, "checkout", "-q", "-B", name, "main")
    site.commit(f"on {name}", files)
    author = f"{by[0]} <{by[1]}>"
    git(site.checkout, "commit", "-q", "--amend", "--no-edit", f"--author={author}")
    git(site.checkout, "push", "-q", str(site.bare), f"HEAD:refs/heads/{name}")
    git(site.checkout, "checkout", "-q", "main")
    hub.add(name, "main", f"title of {name}", "")


def states(hub: GitHubServer) -> dict[str, str]:
    return {pull.head: pull.state for pull in hub.pulls}


def test_what_a_person_closed_is_proposed_again_when_asked(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    hub.pulls[0].state = "closed"
    assert hub_site.update(*argv(hub)).pull_request == ""
    assert "--reopen" in hub_site.notes[-1]
    again = hub_site.update(*argv(hub), "--reopen")
    assert (again.pull_request, again.opened) == (f"{hub.url}/acme/gitops/pull/2", True)


def test_a_closed_one_whose_branch_was_deleted_stays_closed(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCHFILE_SOURCE_DATE", "1700000000")
    hub_site.update(*argv(hub))
    hub.pulls[0].state = "closed"
    git(hub_site.bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    assert hub_site.update(*argv(hub)).pull_request == ""
    assert len(hub.pulls) == 1


def test_whether_it_was_opened_is_told(hub: GitHubServer, hub_site: Site) -> None:
    assert hub_site.update(*argv(hub)).opened
    assert not hub_site.update(*argv(hub, "b", "r2")).opened


def test_a_branch_of_ours_goes_with_its_merge(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub), "-merge-pull-request")
    assert hub_site.branches() == {"main"}
    hub_site.update(*argv(hub, "b", "r2"), "-branch=mine", "-merge-pull-request")
    assert hub_site.branches() == {"main", "mine"}


def test_superseded_pull_requests_are_closed(hub: GitHubServer, hub_site: Site) -> None:
    proposed(hub, hub_site, "update-to-commit-r0", {"app.yaml": "of the original tool"})
    hub_site.update(*argv(hub, "c", "rc"), "--branch-per-revision")
    done = hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub) == {
        "update-to-commit-r0": "closed",
        "update-to-commit-rc": "closed",
        BRANCH: "open",
    }
    assert hub_site.branches() == {"main", BRANCH}
    assert done.pull_request in hub.pulls[0].comments[0]
    assert sum("superseded" in note for note in hub_site.notes) == 2


def test_without_being_asked_nothing_is_closed(hub: GitHubServer, hub_site: Site) -> None:
    proposed(hub, hub_site, "update-to-commit-r0", {"app.yaml": "of the original tool"})
    hub_site.update(*argv(hub))
    assert states(hub)["update-to-commit-r0"] == "open"


@pytest.mark.parametrize(
    ("branch", "files", "author"),
    [
        ("update-to-commit-r0", {"app.yaml": "x"}, ("Ada", "ada@example.com")),
        ("update-to-commit-r0", {"app.yaml": "x", "other.yaml": "x"}, ORIGINAL),
        ("feature", {"app.yaml": "x"}, ORIGINAL),
        ("update-to-commit-r0", {"README.md": "x"}, ORIGINAL),
    ],
    ids=["a person's", "more files", "another name", "other files"],
)
def test_what_is_not_superseded_stays_open(
    hub: GitHubServer, hub_site: Site, branch: str, files: dict[str, str], author: tuple[str, str]
) -> None:
    proposed(hub, hub_site, branch, files, by=author)
    hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub)[branch] == "open"
    assert branch in hub_site.branches()


def test_a_persons_commit_on_top_keeps_a_superseded_one_open(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub, "c", "rc"), "--branch-per-revision")
    branch = "update-to-commit-rc"
    git(hub_site.checkout, "fetch", "-q", str(hub_site.bare), branch)
    git(hub_site.checkout, "checkout", "-q", "FETCH_HEAD")
    hub_site.commit("by hand", {"app.yaml": "by hand"})
    git(hub_site.checkout, "push", "-q", str(hub_site.bare), f"HEAD:refs/heads/{branch}")
    git(hub_site.checkout, "checkout", "-q", "main")
    hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub)[branch] == "open"


def test_an_update_of_another_app_is_not_superseded(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub, "c", "rc"), "--app=other")
    hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub) == {"dispatch/update-other": "open", BRANCH: "open"}


def test_a_newer_one_is_not_superseded(
    hub: GitHubServer, hub_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    git(tmp_path, "init", "-q", "-b", "main", str(source))
    made = []
    for number in range(2):
        git(source, "commit", "-q", "--allow-empty", "-m", str(number))
        made.append(git(source, "rev-parse", "HEAD"))
    monkeypatch.setenv("DISPATCHFILE_SOURCE", str(source))
    older, newer = made
    hub_site.update(*argv(hub, "b", newer), "--branch-per-revision")
    hub_site.update(*argv(hub, "a", older), "--close-superseded")
    assert states(hub)[f"update-to-commit-{newer}"] == "open"
    hub_site.update(*argv(hub, "c", newer), "--close-superseded", "--app=web")
    assert states(hub)[f"update-to-commit-{newer}"] == "closed"


def test_what_the_base_holds_already_supersedes_too(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub, "c", "rc"), "--branch-per-revision")
    hub_site.update(*argv(hub), "-merge-pull-request")
    assert hub_site.update(*argv(hub), "--close-superseded").status == "nothing"
    assert hub.pulls[0].state == "closed"
    assert "main holds a newer one" in hub.pulls[0].comments[0]


def test_what_was_declined_supersedes_nothing(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub, "c", "rc"), "--branch-per-revision")
    hub_site.update(*argv(hub))
    hub.pulls[1].state = "closed"
    hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub)["update-to-commit-rc"] == "open"


def test_a_shallow_look_is_deepened(hub: GitHubServer, hub_site: Site) -> None:
    proposed(hub, hub_site, "update-to-commit-r0", {"app.yaml": "of the original tool"})
    for number in range(60):
        git(hub_site.checkout, "commit", "-q", "--allow-empty", "-m", str(number))
    git(hub_site.checkout, "push", "-q", "origin", "main", check=False)
    git(hub_site.checkout, "push", "-q", str(hub_site.bare), "main")
    hub_site.update(*argv(hub), "--close-superseded")
    assert states(hub)["update-to-commit-r0"] == "closed"


def test_signing_by_a_key_of_ssh(hub: GitHubServer, hub_site: Site, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci@example.com", "-f", str(key)], check=True
    )
    hub_site.update(*argv(hub))
    unsigned = hub_site.tip(BRANCH)
    with pytest.raises(UsageError, match="--sign needs a key"):
        hub_site.update(*argv(hub), "--sign")
    git(hub_site.checkout, "config", "gpg.format", "ssh")
    git(hub_site.checkout, "config", "user.signingkey", str(key))
    assert hub_site.update(*argv(hub), "--sign").status == "pushed"
    assert hub_site.tip(BRANCH) != unsigned
    (tmp_path / "signers").write_text(f"ci@example.com {key.with_suffix('.pub').read_text()}")
    shown = git(
        hub_site.bare,
        *("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}"),
        *("log", "-1", "--format=%G? %GS", BRANCH),
    )
    assert shown == "G ci@example.com"
    assert hub_site.update(*argv(hub), "--sign").status == "unchanged"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["-merge-method=squash"], "says how to merge"),
        (["-auto-merge", "-merge-method=octopus"], "is one of merge, squash, rebase"),
        (["-auto-merge", "-create-pull-request=false"], "makes none"),
        (["-reopen", "-create-pull-request=false"], "makes none"),
        (["-close-superseded", "-create-pull-request=false"], "makes none"),
    ],
)
def test_flags_that_do_not_fit(argv: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        flags.parse(argv)


def test_where_no_forge_is_known(site: Site) -> None:
    with pytest.raises(UsageError, match="no forge is known") as caught:
        site.update("-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}", "--auto-merge")
    assert "-scm-provider" in caught.value.help
    assert site.branches() == {"main"}
