"""What only Gitea and Forgejo do."""

from __future__ import annotations

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import ChecksPending, Forge, NoAutoMerge
from tests.gitops.conftest import Site
from tests.gitops.forges.base import Fault, ForgeServer
from tests.gitops.forges.gitea import GiteaServer
from tests.gitops.test_forges import argv, connected


@pytest.fixture
def kind() -> str:
    return "gitea"


@pytest.fixture
def gitea(look_alike: GiteaServer) -> GiteaServer:
    return look_alike


@pytest.fixture
def hub(look_alike: ForgeServer, kind: str, forge_site: Site) -> Forge:
    return connected(look_alike, kind, forge_site)


@pytest.fixture
def number(hub: Forge) -> int:
    return hub.create("topic", "main", "t", "").number


def test_labels_by_name_become_ids_and_new_ones_are_made(hub: Forge, gitea: GiteaServer, number: int) -> None:
    gitea.organisation_labels = [{"id": 70, "name": "of-all", "color": "00aabb"}]
    gitea.labels += [{"id": 1000 + at, "name": f"other-{at}", "color": "00aabb"} for at in range(120)]
    hub.add_labels(number, ("deploy", "of-all", "other-119", "new"))
    hub.add_labels(number, ("deploy", "new"))
    assert gitea.pulls[0].labels == ["deploy", "of-all", "other-119", "new"]
    assert [label["name"] for label in gitea.labels].count("new") == 1


def test_users_and_teams_are_asked_for_reviews(hub: Forge, gitea: GiteaServer, number: int) -> None:
    hub.request_reviewers(number, ("ada", "acme/releasers"))
    assert gitea.pulls[0].reviewers == ["ada", "acme/releasers"]
    with pytest.raises(EnvironmentProblem, match="user does not exist"):
        hub.request_reviewers(number, ("nobody",))


def test_a_merge_right_after_a_push_is_tried_again(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    later = Fault(405, {"message": "Please try again later"}, path="/merge$", times=2)
    with gitea.bad_day(later):
        assert hub.merge(number, forge_site.tip("topic"))
    assert gitea.pulls[0].state == "merged"


def test_a_merge_whose_answer_got_lost_is_seen(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    with gitea.bad_day(Fault(502, b"bad gateway", path="/merge$", after=True)):
        assert hub.merge(number, forge_site.tip("topic"))
    assert [method for method, path in gitea.writes() if path == "merge"] == ["POST"]


def test_asking_twice_to_merge_after_the_checks(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    gitea.checks_pending = True
    for _ in range(2):
        assert not hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)
    gitea.finish_checks()
    assert gitea.pulls[0].state == "merged"


def test_an_old_gitea_that_does_not_merge_later(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    refusal = Fault(405, {"message": "Does not have enough approvals"}, path="/merge$", times=9)
    with gitea.bad_day(refusal):
        with pytest.raises(ChecksPending, match="enough approvals"):
            hub.merge(number, forge_site.tip("topic"))
        with pytest.raises(NoAutoMerge, match="enough approvals"):
            hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)


@pytest.mark.parametrize(
    "words",
    [
        "User not allowed to merge PR",
        "Work in progress PRs cannot be merged",
        "rebase is not allowed an allowed merge style",
    ],
)
def test_what_no_waiting_mends_is_told_at_once(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site, words: str
) -> None:
    refusal = Fault(405, {"message": words}, path="/merge$")
    with gitea.bad_day(refusal), pytest.raises(EnvironmentProblem, match=words) as caught:
        hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)
    assert not isinstance(caught.value, ChecksPending | NoAutoMerge)


def test_it_merges_as_the_repository_usually_does(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    gitea.default_merge_style = "squash"
    assert hub.merge(number, forge_site.tip("topic"))
    assert gitea.pulls[0].method == "squash"


def test_a_closed_one_is_not_merged(hub: Forge, number: int, forge_site: Site) -> None:
    hub.close(number, "no")
    with pytest.raises(EnvironmentProblem, match="is closed"):
        hub.merge(number, forge_site.tip("topic"))


def test_declined_is_found_when_its_branch_is_gone(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site
) -> None:
    commit = forge_site.tip("topic")
    hub.close(number, "no")
    gitea.git("branch", "-D", "topic")
    found = hub.find_declined("topic", "main", commit)
    assert found is not None
    assert found.number == number


def test_small_pages_of_a_server_that_is_known_by_another_name(
    hub: Forge, gitea: GiteaServer, number: int
) -> None:
    """Its links to next pages lead to its ROOT_URL, which this machine may not even reach."""
    gitea.most_items = 3
    for _ in range(10):
        gitea.add("topic", "main", "of a fork", "", owner="mallory")
    found = hub.find_open("topic", "main")
    assert found is not None
    assert found.number == number


def test_of_many_closed_ones_the_last_are_looked_at(
    hub: Forge, gitea: GiteaServer, number: int, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatchfile.gitops.forge.gitea._RECENT", 4)
    hub.close(number, "no")
    for _ in range(3):
        gitea.add("topic", "main", "older", "").state = "closed"
    commit = forge_site.tip("topic")
    assert hub.find_declined("topic", "main", commit) is not None
    for pull in gitea.pulls[1:]:
        pull.last_head = "0" * 40
    gitea.add("other", "main", "the newest", "").state = "closed"
    assert hub.find_declined("topic", "main", commit) is None, "four others changed after it"


def test_forgejo_is_gitea_by_another_name(forge_site: Site, gitea: GiteaServer) -> None:
    assert forge_site.update(*argv("forgejo")).pull_request == f"{gitea.url}/acme/gitops/pulls/1"
