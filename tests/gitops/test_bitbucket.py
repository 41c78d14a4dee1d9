"""What only the two Bitbuckets do."""

from __future__ import annotations

from typing import Any

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import ChecksPending, Forge, NoAutoMerge, Unsupported
from tests.gitops.conftest import DIGESTS, Site
from tests.gitops.forges.base import Fault, ForgeServer
from tests.gitops.forges.bitbucket_cloud import CloudServer, uuid
from tests.gitops.forges.bitbucket_server import StashServer
from tests.gitops.test_forges import argv, branch, connected

BOTH = ("bitbucket-cloud", "bitbucket-server")


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hub(look_alike: ForgeServer, kind: str, forge_site: Site) -> Forge:
    return connected(look_alike, kind, forge_site)


@pytest.fixture
def number(hub: Forge) -> int:
    return hub.create("topic", "main", "t", "text").number


cloud_only = pytest.mark.parametrize("kind", ["bitbucket-cloud"])
server_only = pytest.mark.parametrize("kind", ["bitbucket-server"])


def test_labels_are_told_and_do_not_stop_an_update(
    kind: str, forge_site: Site, look_alike: ForgeServer
) -> None:
    done = forge_site.update(*argv(kind), "--label=deploy")
    assert done.pull_request.startswith(look_alike.url)
    assert forge_site.notes[-1].endswith("has none")


def test_a_change_keeps_the_reviewers(hub: Forge, look_alike: ForgeServer, number: int) -> None:
    hub.request_reviewers(number, ("ada",))
    before = list(look_alike.pulls[0].reviewers)
    hub.update(number, "after", "after")
    hub.request_reviewers(number, ("ada",))
    assert look_alike.pulls[0].reviewers == before != []
    assert look_alike.pulls[0].body == "after"


def test_a_merge_whose_answer_got_lost_is_seen(
    hub: Forge, look_alike: ForgeServer, number: int, forge_site: Site
) -> None:
    with look_alike.bad_day(Fault(502, b"bad gateway", method="POST", path="/merge$", after=True)):
        assert hub.merge(number, forge_site.tip("topic"))
    assert [method for method, path in look_alike.writes() if path == "merge"] == ["POST"]


def test_a_new_head_shows_late_and_is_waited_for(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    forge_site.update(*argv(kind))
    done = forge_site.update(*argv(kind, "b", "r2"), "-merge-pull-request")
    assert done.merged
    assert DIGESTS["b"] in forge_site.show("main", "app.yaml")


def test_a_declined_one_is_not_merged(hub: Forge, number: int, forge_site: Site) -> None:
    hub.close(number, "no")
    hub.close(number, "no")
    with pytest.raises(EnvironmentProblem, match="is declined"):
        hub.merge(number, forge_site.tip("topic"))


def test_a_push_in_the_moment_of_the_merge_is_told(
    hub: Forge,
    look_alike: Any,
    number: int,
    forge_site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No head can be pinned: a push between the last look and the merge is at least not passed over."""
    commit, honest = forge_site.tip("topic"), look_alike.merge

    def merge(*args: Any) -> str:
        branch(forge_site, "topic", {"topic.txt": "in the last moment"})
        look_alike.seen[number] = look_alike.sha("topic")
        return str(honest(*args))

    monkeypatch.setattr(look_alike, "merge", merge)
    with pytest.raises(EnvironmentProblem, match=f"was merged with commit .*, not with {commit[:12]}"):
        hub.merge(number, commit)


@pytest.mark.parametrize(
    ("method", "cloud", "server"),
    [
        ("merge", "merge_commit", "no-ff"),
        ("squash", "squash", "squash"),
        ("rebase", "rebase_fast_forward", "rebase-ff-only"),
    ],
)
def test_methods_have_names_of_their_own(
    hub: Forge,
    kind: str,
    look_alike: ForgeServer,
    number: int,
    forge_site: Site,
    method: Any,
    cloud: str,
    server: str,
) -> None:
    assert hub.merge(number, forge_site.tip("topic"), method=method)
    body = next(
        call.body for call in look_alike.calls if call.path.endswith("/merge") and call.method == "POST"
    )
    assert body.get("merge_strategy") == (cloud if kind == "bitbucket-cloud" else None)
    assert body.get("strategyId") == (server if kind == "bitbucket-server" else None)


# Bitbucket Cloud


@cloud_only
def test_a_second_one_that_is_refused(hub: Forge, look_alike: CloudServer, number: int) -> None:
    look_alike.updates_the_same = False
    assert hub.create("topic", "main", "again", "").number == number
    with pytest.raises(EnvironmentProblem, match="no changes"):
        hub.create("main", "main", "nothing", "")


@cloud_only
@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("ada", uuid(1)),
        (uuid(2), uuid(2)),
        ("5f0000000000000000000003", uuid(3)),
        ("557058:00000000-0000-4000-8000-000000000001", uuid(1)),
    ],
)
def test_reviewers_by_name_account_and_uuid(
    hub: Forge, look_alike: CloudServer, number: int, named: str, found: str
) -> None:
    hub.request_reviewers(number, (named,))
    assert look_alike.pulls[0].reviewers == [found]
    assert look_alike.pulls[0].body == "text"


@cloud_only
@pytest.mark.parametrize(("named", "why"), [("Bob", '2 members "Bob"'), ("eve", 'no member "eve"')])
def test_a_name_that_is_not_one_persons(hub: Forge, number: int, named: str, why: str) -> None:
    with pytest.raises(EnvironmentProblem, match=why) as caught:
        hub.request_reviewers(number, (named,))
    assert "UUID in braces" in caught.value.help


@cloud_only
def test_a_token_that_may_not_see_the_members(hub: Forge, look_alike: CloudServer, number: int) -> None:
    with look_alike.bad_day(Fault(403, {"error": {"message": "scopes"}}, path="/members$", times=9)):
        with pytest.raises(EnvironmentProblem, match='the token may see, "ada"'):
            hub.request_reviewers(number, ("ada",))
        for _ in range(2):
            hub.request_reviewers(number, ("5f0000000000000000000003",))
    assert look_alike.pulls[0].reviewers == [uuid(3)]
    assert [method for method, _ in look_alike.writes()].count("PUT") == 1


@cloud_only
def test_a_failed_build_is_not_merged(
    hub: Forge, look_alike: CloudServer, number: int, forge_site: Site
) -> None:
    look_alike.builds = [
        {"type": "build", "key": "a", "name": "lint", "state": "SUCCESSFUL"},
        {"type": "build", "key": "b", "name": "unit tests", "state": "FAILED"},
    ]
    with pytest.raises(EnvironmentProblem, match="the build unit tests has failed") as caught:
        hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)
    assert not isinstance(caught.value, ChecksPending | NoAutoMerge)
    assert look_alike.pulls[0].state == "open"


@cloud_only
def test_conditions_of_a_paid_plan(
    hub: Forge, look_alike: CloudServer, number: int, forge_site: Site
) -> None:
    words = {"type": "error", "error": {"message": "1 failed merge check: 1 approval required"}}
    with look_alike.bad_day(Fault(400, words, path="/merge$", times=2)):
        with pytest.raises(ChecksPending, match="approval required"):
            hub.merge(number, forge_site.tip("topic"))
        with pytest.raises(NoAutoMerge, match="approval required"):
            hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)


@cloud_only
def test_a_merge_that_takes_long(hub: Forge, look_alike: CloudServer, number: int, forge_site: Site) -> None:
    look_alike.merges_slowly = True
    assert hub.merge(number, forge_site.tip("topic"))


@cloud_only
def test_a_branch_whose_name_is_hostile_to_the_query(
    hub: Forge, look_alike: CloudServer, forge_site: Site
) -> None:
    name = 'x" OR state = "MERGED'
    assert hub.find_open(name, "main") is None
    (query,) = [call.query["q"] for call in look_alike.calls if "q" in call.query][-1:]
    assert r"x\" OR state = \"MERGED" in query


@cloud_only
def test_a_fork_that_was_deleted(hub: Forge, look_alike: CloudServer) -> None:
    look_alike.add("topic", "main", "of nobody", "", owner="deleted")
    assert hub.find_open("topic", "main") is None


# Bitbucket Server


@server_only
def test_another_change_in_between(
    hub: Forge, look_alike: StashServer, number: int, forge_site: Site
) -> None:
    look_alike.stale = 2
    assert hub.update(number, "after", "after").title == "after"
    look_alike.stale = 1
    assert hub.merge(number, forge_site.tip("topic"))


@server_only
def test_closing_while_somebody_changes_it(hub: Forge, look_alike: StashServer, number: int) -> None:
    look_alike.stale = 2
    hub.close(number, "not needed")
    assert look_alike.pulls[0].state == "closed"
    with pytest.raises(EnvironmentProblem, match="409"):
        look_alike.stale = 100
        hub.update(number, "after", "after")


@server_only
def test_reviewers_by_slug(hub: Forge, look_alike: StashServer, number: int) -> None:
    hub.request_reviewers(number, ("ada", "bob-1"))
    assert look_alike.pulls[0].reviewers == ["Ada", "bob@1"]
    with pytest.raises(EnvironmentProblem, match="Bitbucket Server knows no user eve") as caught:
        hub.request_reviewers(number, ("eve",))
    assert caught.value.help == "check --reviewer"


@server_only
@pytest.mark.parametrize("allowed", [False, None], ids=["not allowed", "too old"])
def test_where_there_is_no_auto_merge(
    hub: Forge, look_alike: StashServer, number: int, forge_site: Site, allowed: bool | None
) -> None:
    look_alike.checks_pending, look_alike.auto_merges = True, allowed
    with pytest.raises(NoAutoMerge) as caught:
        hub.merge(number, forge_site.tip("topic"), when_checks_pass=True)
    assert "8.15" in caught.value.help


@server_only
def test_the_veto_is_told(hub: Forge, look_alike: StashServer, number: int, forge_site: Site) -> None:
    look_alike.checks_pending = True
    with pytest.raises(ChecksPending, match="You need 1 more build"):
        hub.merge(number, forge_site.tip("topic"))


def test_labels_are_unsupported(hub: Forge, number: int) -> None:
    with pytest.raises(Unsupported):
        hub.add_labels(number, ("a", "b"))
