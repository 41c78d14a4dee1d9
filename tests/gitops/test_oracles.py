"""The look-alikes as clients that others wrote see them: what they read there is what an update made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import github
import gitlab
import pytest

from tests.gitops.conftest import DIGESTS, Site
from tests.gitops.forges.base import ForgeServer
from tests.gitops.forges.github import GitHubServer
from tests.gitops.forges.gitlab import GitLabServer

BRANCH = "dispatch/update-web"
FLAGS = ("--label=deploy", "--reviewer=ada")


def argv(letter: str = "a") -> list[str]:
    return [f"-git-revision=r{letter}", f"-substitute=imageName={DIGESTS[letter]}"]


@pytest.fixture
def pygithub(hub: GitHubServer) -> Iterator[github.Github]:
    client = github.Github(
        auth=github.Auth.Token(hub.token),
        base_url=hub.endpoint,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    yield client
    client.close()


def test_pygithub_reads_what_was_made(hub: GitHubServer, hub_site: Site, pygithub: github.Github) -> None:
    done = hub_site.update(*argv(), *FLAGS, f"-api-endpoint={hub.endpoint}")
    repository = pygithub.get_repo("acme/gitops")
    (pull,) = repository.get_pulls(state="open", head=f"acme:{BRANCH}", base="main")
    assert (pull.html_url, pull.head.sha, pull.title) == (done.pull_request, done.commit, done.title)
    assert DIGESTS["a"] in pull.body
    assert (hub.pulls[0].labels, hub.pulls[0].reviewers) == (["deploy"], ["ada"])
    pull.create_issue_comment("from another client")
    assert [comment.body for comment in pull.get_issue_comments()] == ["from another client"]
    pull.edit(state="closed")
    again = hub_site.update(*argv(), f"-api-endpoint={hub.endpoint}")
    assert again.pull_request == "", "a person closed it, with whatever client"


def test_pygithub_lists_all_pages(hub: GitHubServer, hub_site: Site, pygithub: github.Github) -> None:
    for _ in range(45):
        hub.add("main", "main", "t", "")
    assert len(list(pygithub.get_repo("acme/gitops").get_pulls())) == 45


def test_pygithub_merges_what_was_made(hub: GitHubServer, hub_site: Site, pygithub: github.Github) -> None:
    hub_site.update(*argv(), f"-api-endpoint={hub.endpoint}")
    pull = pygithub.get_repo("acme/gitops").get_pull(1)
    assert pull.mergeable is None, "not known at the first look"
    pull = pygithub.get_repo("acme/gitops").get_pull(1)
    assert pull.mergeable
    assert pull.merge(sha=pull.head.sha).merged
    assert hub_site.update(*argv(), f"-api-endpoint={hub.endpoint}").status == "nothing"


@pytest.fixture
def kind() -> str:
    return "gitlab"


@pytest.fixture
def lab(look_alike: ForgeServer) -> Iterator[gitlab.Gitlab]:
    client = gitlab.Gitlab(look_alike.url, oauth_token=look_alike.token)
    yield client
    client.session.close()


def test_python_gitlab_reads_what_was_made(
    look_alike: GitLabServer, forge_site: Site, lab: gitlab.Gitlab
) -> None:
    done = forge_site.update(*argv(), *FLAGS, "-scm-provider=gitlab")
    project = lab.projects.get("acme/platform/gitops")
    (merge,) = project.mergerequests.list(state="opened", source_branch=BRANCH, target_branch="main")
    assert (merge.web_url, merge.sha, merge.title) == (done.pull_request, done.commit, done.title)
    assert DIGESTS["a"] in merge.description
    assert merge.labels == ["deploy"]
    assert [user["username"] for user in merge.reviewers] == ["ada"]
    merge.notes.create({"body": "from another client"})
    assert [note.body for note in merge.notes.list(get_all=True)] == ["from another client"]
    project.mergerequests.update(1, {"state_event": "close"})
    assert forge_site.update(*argv(), "-scm-provider=gitlab").pull_request == ""


def test_python_gitlab_lists_all_pages(
    look_alike: GitLabServer, forge_site: Site, lab: gitlab.Gitlab
) -> None:
    for _ in range(45):
        look_alike.add("main", "main", "t", "")
    project = lab.projects.get("acme/platform/gitops")
    assert len(project.mergerequests.list(state="opened", get_all=True)) == 45


def test_python_gitlab_finds_auto_merge_set(
    look_alike: GitLabServer, forge_site: Site, lab: gitlab.Gitlab
) -> None:
    look_alike.checks_pending = True
    assert not forge_site.update(*argv(), "-scm-provider=gitlab", "--auto-merge").merged
    merge = lab.projects.get("acme/platform/gitops").mergerequests.get(1)
    assert (merge.merge_when_pipeline_succeeds, merge.detailed_merge_status) == (True, "ci_still_running")
    look_alike.checks_pending = False
    merge.merge(sha=merge.sha)
    assert forge_site.update(*argv(), "-scm-provider=gitlab").status == "nothing"


def test_python_gitlab_finds_the_webhook(
    look_alike: GitLabServer, forge_site: Site, lab: gitlab.Gitlab, tmp_path: Path
) -> None:
    from dispatchfile.credentials import Credential
    from dispatchfile.gitops import forge
    from dispatchfile.remote import parse

    remote = parse(look_alike.remote)
    place = forge.place_of(remote, provider="gitlab")
    assert place is not None
    hub = forge.connect(remote, place, Credential("x-access-token", look_alike.token, "the test"))
    assert hub.ensure_webhook("https://ci.example.com/api/webhook", "s3cret")
    (hook,) = lab.projects.get("acme/platform/gitops").hooks.list(get_all=True)
    assert (hook.url, hook.push_events) == ("https://ci.example.com/api/webhook", True)
