"""Pull requests on a GitHub look-alike with real git behind it."""

from __future__ import annotations

import time
from copy import deepcopy

import pytest

from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops.forge import ChecksPending
from dispatchfile.gitops.update import PersonNeeded
from tests.gitops.conftest import DIGESTS, Site, git
from tests.gitops.forges.base import Fault
from tests.gitops.forges.github import GitHubServer

BRANCH = "dispatch/update-web"


def argv(hub: GitHubServer, letter: str = "a", revision: str = "r1") -> list[str]:
    return [
        f"-git-revision={revision}",
        f"-substitute=imageName={DIGESTS[letter]}",
        f"-api-endpoint={hub.url}/api/v3",
    ]


def test_a_pull_request_is_opened(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from dispatchfile.cli.main import main

    monkeypatch.chdir(hub_site.checkout)
    assert main(["gitops", "update", *argv(hub)]) == 0
    (pull,) = hub.pulls
    assert (pull.head, pull.base) == (BRANCH, "main")
    assert pull.title == "update templates for commit r1"
    assert DIGESTS["a"] in pull.body
    assert capfd.readouterr().out.splitlines()[-1] == f"{hub.url}/acme/gitops/pull/1"


def test_the_next_update_keeps_the_pull_request(hub: GitHubServer, hub_site: Site) -> None:
    first = hub_site.update(*argv(hub))
    second = hub_site.update(*argv(hub, "b", "r2"))
    assert first.pull_request == second.pull_request
    assert len(hub.pulls) == 1
    assert hub.pulls[0].title == "update templates for commit r2"
    assert DIGESTS["b"] in hub.pulls[0].body


def test_the_same_update_again_writes_nothing(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    hub.calls.clear()
    again = hub_site.update(*argv(hub))
    assert (again.status, again.pull_request, hub.writes()) == (
        "unchanged",
        f"{hub.url}/acme/gitops/pull/1",
        [],
    )


def test_other_pull_requests_are_left_alone_over_all_pages(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    for number in range(120):
        hub.add(f"topic-{number}", "main", "theirs", "")
    hub.add(BRANCH, "release", "same head, other base", "")
    hub.add(BRANCH, "main", "same head of a fork", "", owner="mallory")
    others = deepcopy(hub.pulls[1:])
    hub.ignores_filters = True
    assert hub_site.update(*argv(hub, "b", "r2")).pull_request.endswith("/pull/1")
    assert hub.pulls[1:] == others
    assert DIGESTS["b"] in hub.pulls[0].body


def test_a_pull_request_that_appears_meanwhile_is_taken(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    hub.hidden_from_list = 1
    assert hub_site.update(*argv(hub, "b", "r2")).pull_request.endswith("/pull/1")
    assert len(hub.pulls) == 1


def test_a_pull_request_that_a_person_closed_stays_closed(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    hub.pulls[0].state = "closed"
    again = hub_site.update(*argv(hub))
    assert (again.status, again.pull_request, len(hub.pulls)) == ("unchanged", "", 1)
    assert "closed without a merge" in hub_site.notes[-1]
    assert hub_site.update(*argv(hub, "b", "r2")).pull_request.endswith("/pull/2")


def test_labels_and_reviewers(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub), "--label=deploy", "--label=auto", "--reviewer=ada")
    assert (hub.pulls[0].labels, hub.pulls[0].reviewers) == (["deploy", "auto"], ["ada"])


def test_merging_waits_until_it_is_known_to_merge(hub: GitHubServer, hub_site: Site) -> None:
    done = hub_site.update(*argv(hub), "-merge-pull-request")
    assert done.merged
    assert hub.pulls[0].state == "merged"
    assert DIGESTS["a"] in hub_site.show("main", "app.yaml")
    assert hub_site.update(*argv(hub), "-merge-pull-request").status == "nothing"


def test_pending_checks_make_it_merge_later(hub: GitHubServer, hub_site: Site) -> None:
    hub.checks_pending = True
    done = hub_site.update(*argv(hub), "-merge-pull-request")
    assert not done.merged
    assert hub.pulls[0].auto_merge["expectedHeadOid"] == done.commit
    assert "when its checks pass" in hub_site.notes[-1]


def test_without_a_token_nothing_is_pushed(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPATCHFILE_GIT_TOKEN")
    monkeypatch.setattr(hub, "admits", lambda _authorization: True)
    with pytest.raises(EnvironmentProblem, match="needs a token"):
        hub_site.update(*argv(hub))
    assert hub_site.branches() == {"main"}


def test_no_pull_request_from_the_base_to_itself(hub: GitHubServer, hub_site: Site) -> None:
    with pytest.raises(UsageError, match="from main to itself"):
        hub_site.update(*argv(hub), "-branch=main")


def test_pushing_the_branch_alone(hub: GitHubServer, hub_site: Site) -> None:
    assert hub_site.update(*argv(hub), "-create-pull-request=false").status == "pushed"
    assert (hub.pulls, hub.calls) == ([], [])


def test_a_used_up_rate_limit_is_told_at_once(hub: GitHubServer, hub_site: Site) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
    message = {"message": "API rate limit exceeded for user ID 1.", "documentation_url": ""}
    told = pytest.raises(EnvironmentProblem, match="rate limit is used up for 60 min")
    with hub.bad_day(Fault(403, message, reset)), told:
        hub_site.update(*argv(hub))
    assert hub_site.update(*argv(hub)).status == "unchanged"
    assert len(hub.pulls) == 1


def test_what_github_refuses_is_told_with_its_reason(hub: GitHubServer, hub_site: Site) -> None:
    url = git(hub_site.checkout, "config", "remote.origin.url")
    hub.repository.rename(hub.repository.with_name("other.git"))
    git(hub_site.checkout, "remote", "set-url", "origin", url.replace("gitops.git", "other.git"))
    with pytest.raises(EnvironmentProblem, match="GitHub answered 404: Not Found") as caught:
        hub_site.update(*argv(hub))
    assert "token may see it" in caught.value.help
    hub.objections.clear()


def test_a_persons_commit_is_answered_once_on_the_pull_request(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    git(hub_site.checkout, "fetch", "-q", str(hub.repository), BRANCH)
    git(hub_site.checkout, "checkout", "-q", "FETCH_HEAD")
    theirs = hub_site.commit("by hand", {"README.md": "by hand"})
    git(hub_site.checkout, "push", "-q", str(hub.repository), f"HEAD:{BRANCH}")
    git(hub_site.checkout, "checkout", "-q", "main")
    for letter in "bc":
        with pytest.raises(PersonNeeded):
            hub_site.update(*argv(hub, letter, f"r{letter}"))
    (comment,) = hub.pulls[0].comments
    assert f"holds commit {theirs[:12]} by Ada" in comment
    assert hub_site.tip(BRANCH) == theirs


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "not expired"), (403, "the right to write"), (404, "may see it"), (422, "")],
)
def test_every_refusal_is_told_with_its_reason(
    hub: GitHubServer, hub_site: Site, status: int, advice: str
) -> None:
    told = pytest.raises(EnvironmentProblem, match=f"GitHub answered {status}: Because so")
    with hub.bad_day(Fault(status, {"message": "Because so"}, method="POST")), told as caught:
        hub_site.update(*argv(hub))
    assert advice in caught.value.help
    assert hub.token not in caught.value.message


def test_a_repository_without_auto_merge_is_waited_for(
    hub: GitHubServer, hub_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.checks_pending = hub.no_auto_merge = True
    waits: list[float] = []

    def passes(seconds: float) -> None:
        waits.append(seconds)
        hub.checks_pending = len(waits) < 3

    monkeypatch.setattr("dispatchfile.gitops.proposal.time.sleep", passes)
    assert hub_site.update(*argv(hub), "-merge-pull-request").merged
    assert hub.pulls[0].state == "merged"
    assert "waiting for the checks" in hub_site.notes[-1]


def test_auto_merge_that_is_not_allowed_is_told_at_once(hub: GitHubServer, hub_site: Site) -> None:
    hub.checks_pending = hub.no_auto_merge = True
    with pytest.raises(EnvironmentProblem, match="Auto merge is not allowed") as caught:
        hub_site.update(*argv(hub), "-auto-merge")
    assert "repository's settings" in caught.value.help
    assert hub.pulls[0].state == "open"


def test_auto_merge_of_what_waits_for_nothing_merges(hub: GitHubServer, hub_site: Site) -> None:
    assert hub_site.update(*argv(hub), "-auto-merge", "-merge-method=squash").merged
    assert (hub.pulls[0].state, hub.pulls[0].method) == ("merged", "squash")
    assert hub_site.branches() == {"main"}


def test_checks_that_pass_meanwhile(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub))
    hub.checks_pending = True
    clean = {"errors": [{"message": "Pull request Pull request is in clean status"}]}
    with hub.bad_day(Fault(200, clean, path="graphql")), pytest.raises(ChecksPending):
        hub_site.update(*argv(hub), "-auto-merge")
    assert [call.path for call in hub.calls][-1].endswith("/merge")


def test_a_base_that_moves_while_merging_is_tried_again(hub: GitHubServer, hub_site: Site) -> None:
    moved = {"message": "Base branch was modified. Review and try the merge again."}
    with hub.bad_day(Fault(405, moved, method="PUT")):
        assert hub_site.update(*argv(hub), "-merge-pull-request").merged


def test_teams_are_asked_too(hub: GitHubServer, hub_site: Site) -> None:
    hub_site.update(*argv(hub), "--reviewer=ada", "--reviewer=acme/operators")
    assert hub.pulls[0].reviewers == ["ada", "operators"]
    assert hub.calls[-1].body == {"reviewers": ["ada"], "team_reviewers": ["operators"]}
