"""What holds on every forge: each promise of the Forge protocol, and updates that rest on them."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from dispatchfile.credentials import Credential
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops import forge
from dispatchfile.gitops.forge import ChecksPending, Forge, NoAutoMerge
from dispatchfile.gitops.update import PersonNeeded
from dispatchfile.remote import parse
from tests.gitops.conftest import DIGESTS, Site, git
from tests.gitops.forges.base import Fault, ForgeServer

BRANCH = "dispatch/update-web"


@pytest.fixture
def hub(look_alike: ForgeServer, kind: str, forge_site: Site) -> Forge:
    return connected(look_alike, kind, forge_site)


def connected(look_alike: ForgeServer, kind: str, site: Site) -> Forge:
    """The forge as an update gets it, with a branch `topic` that is one commit ahead of main."""
    branch(site, "topic")
    remote = parse(look_alike.remote)
    place = forge.place_of(remote, provider=kind)
    assert place is not None
    assert place.endpoint == look_alike.endpoint
    return forge.connect(remote, place, Credential("x-access-token", look_alike.token, "the test"))


def branch(site: Site, name: str, files: dict[str, str] | None = None) -> str:
    """Push a branch with one commit more than main; return the commit."""
    git(site.checkout, "checkout", "-q", "-B", name, "main")
    commit = site.commit(f"on {name}", files or {f"{name}.txt": name})
    git(site.checkout, "push", "-q", "--force", str(site.bare), f"HEAD:refs/heads/{name}")
    git(site.checkout, "checkout", "-q", "main")
    return commit


def argv(kind: str, letter: str = "a", revision: str = "r1") -> list[str]:
    return [
        f"-git-revision={revision}",
        f"-substitute=imageName={DIGESTS[letter]}",
        f"-scm-provider={kind}",
    ]


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wait for what a forge does not know end before the test gets long."""
    monkeypatch.setattr(forge, "MERGEABLE_WAIT", 0.5)


def test_create_and_find(hub: Forge, look_alike: ForgeServer, forge_site: Site) -> None:
    made = hub.create("topic", "main", "A title", "A text\nof two lines")
    assert (made.title, made.body, made.state, made.head) == (
        "A title",
        "A text\nof two lines",
        "open",
        "topic",
    )
    # Bitbucket Cloud cuts hashes.
    assert forge_site.tip("topic").startswith(made.head_commit)
    assert len(made.head_commit) >= 12
    assert made.url.startswith(f"{look_alike.url}/")
    assert hub.find_open("topic", "main") == made
    assert hub.find_open("topic", "other") is None
    assert hub.find_open("other", "main") is None
    assert [pull.number for pull in hub.open_to("main")] == [made.number]


def test_create_takes_the_one_that_is_there(hub: Forge, look_alike: ForgeServer) -> None:
    there = look_alike.add("topic", "main", "theirs", "")
    assert hub.create("topic", "main", "ours", "").number == there.number
    assert len(look_alike.pulls) == 1


def test_a_fork_of_the_same_branch_and_other_bases_are_nobodys(
    hub: Forge, look_alike: ForgeServer, forge_site: Site
) -> None:
    branch(forge_site, "release")
    look_alike.add("topic", "main", "of a fork", "", owner="mallory")
    look_alike.add("topic", "release", "to another base", "")
    look_alike.add("release", "main", "of another head", "")
    look_alike.ignores_filters = True
    assert hub.find_open("topic", "main") is None
    assert [pull.head for pull in hub.open_to("main")] == ["release"]


def test_all_pages_are_read(hub: Forge, look_alike: ForgeServer) -> None:
    there = look_alike.add("topic", "main", "the oldest", "")
    for _ in range(120):
        look_alike.add("topic", "main", "of a fork", "", owner="mallory")
    look_alike.ignores_filters = True
    found = hub.find_open("topic", "main")
    assert found is not None
    assert found.number == there.number


def test_update_changes_title_and_text(hub: Forge, look_alike: ForgeServer) -> None:
    made = hub.create("topic", "main", "before", "before")
    changed = hub.update(made.number, "after", "after it")
    assert (changed.title, changed.body, changed.state) == ("after", "after it", "open")
    assert (look_alike.pulls[0].title, look_alike.pulls[0].body) == ("after", "after it")


def test_the_same_comment_is_written_once(hub: Forge, look_alike: ForgeServer) -> None:
    number = hub.create("topic", "main", "t", "").number
    for text in ("one", "two", "one"):
        hub.comment(number, text)
    assert look_alike.pulls[0].comments == ["one", "two"]


def test_declined_is_what_was_closed_at_the_same_commit(
    hub: Forge, look_alike: ForgeServer, forge_site: Site
) -> None:
    made = hub.create("topic", "main", "t", "")
    hub.close(made.number, "because so")
    assert look_alike.pulls[0].comments == ["because so"]
    assert look_alike.pulls[0].state == "closed"
    assert hub.find_open("topic", "main") is None
    found = hub.find_declined("topic", "main", made.head_commit)
    assert found is not None
    assert (found.number, found.state) == (made.number, "closed")
    assert hub.find_declined("topic", "main", forge_site.tip("main")) is None
    assert hub.find_declined("topic", "release", made.head_commit) is None


def test_merged_is_not_declined(hub: Forge, forge_site: Site) -> None:
    made = hub.create("topic", "main", "t", "")
    assert hub.merge(made.number, made.head_commit)
    assert forge_site.show("main", "topic.txt") == "topic"
    assert hub.find_open("topic", "main") is None
    assert hub.find_declined("topic", "main", made.head_commit) is None
    assert hub.merge(made.number, made.head_commit), "merged is merged"


def test_another_head_is_not_merged(
    hub: Forge, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hub.create("topic", "main", "t", "")
    before = forge_site.tip("main")
    branch(forge_site, "topic", {"topic.txt": "pushed meanwhile"})
    soon(monkeypatch)
    with pytest.raises(EnvironmentProblem):
        hub.merge(made.number, made.head_commit)
    assert (forge_site.tip("main"), look_alike.pulls[0].state) == (before, "open")


def test_a_conflict_is_told(
    hub: Forge, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Gitea does not tell a conflict from what it does not know yet.
    soon(monkeypatch)
    made = hub.create("topic", "main", "t", "")
    forge_site.commit("in the way", {"topic.txt": "something else"})
    git(forge_site.checkout, "push", "-q", str(forge_site.bare), "main")
    with pytest.raises(EnvironmentProblem, match="conflict") as caught:
        hub.merge(made.number, made.head_commit)
    assert not isinstance(caught.value, ChecksPending)
    assert look_alike.pulls[0].state == "open"


def test_squashing(hub: Forge, look_alike: ForgeServer, forge_site: Site) -> None:
    made = hub.create("topic", "main", "t", "")
    assert hub.merge(made.number, made.head_commit, method="squash")
    assert look_alike.pulls[0].method == "squash"
    assert len(git(forge_site.bare, "show", "-s", "--format=%P", "main").split()) == 1


def test_checks_that_are_missing(hub: Forge, look_alike: ForgeServer, forge_site: Site) -> None:
    made = hub.create("topic", "main", "t", "")
    before = forge_site.tip("main")
    look_alike.checks_pending = True
    with pytest.raises(ChecksPending):
        hub.merge(made.number, made.head_commit)
    try:
        later = hub.merge(made.number, made.head_commit, when_checks_pass=True)
    except NoAutoMerge:
        assert look_alike.pulls[0].auto_merge is None
    else:
        assert not later
        assert look_alike.pulls[0].auto_merge is not None
    assert forge_site.tip("main") == before
    look_alike.checks_pending = False
    assert hub.merge(made.number, made.head_commit, when_checks_pass=True)


def test_a_webhook_is_there_once(hub: Forge, look_alike: ForgeServer) -> None:
    url = "https://ci.example.com/api/webhook"
    assert hub.ensure_webhook(url, "s3cret-of-the-hook")
    assert not hub.ensure_webhook(url, "another-s3cret")
    assert hub.ensure_webhook(f"{url}/other", "s3cret-of-the-hook")
    assert len(look_alike.hooks) == 2
    assert "another-s3cret" in str(look_alike.hooks[0])


def test_an_update_opens_a_pull_request_and_keeps_it(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    first = forge_site.update(*argv(kind))
    assert first.pull_request.startswith(f"{look_alike.url}/")
    (pull,) = look_alike.pulls
    assert (pull.head, pull.base) == (BRANCH, "main")
    again = forge_site.update(*argv(kind))
    assert (again.status, again.pull_request) == ("unchanged", first.pull_request)
    look_alike.hidden_from_list = 1
    second = forge_site.update(*argv(kind, "b", "r2"))
    assert second.pull_request == first.pull_request
    second = forge_site.update(*argv(kind, "c", "r3"))
    assert (len(look_alike.pulls), look_alike.pulls[0].title) == (1, "update templates for commit r3")
    assert DIGESTS["c"] in look_alike.pulls[0].body


def test_the_url_is_the_last_line(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dispatchfile.cli.main import main

    monkeypatch.chdir(forge_site.checkout)
    assert main(["gitops", "update", *argv(kind)]) == 0
    shown = capfd.readouterr()
    assert shown.out.splitlines()[-1].startswith(f"{look_alike.url}/")
    assert look_alike.token not in shown.out + shown.err
    assert main(["gitops", "update", *argv(kind), "--output=json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["pull_request"], told["opened"], told["files"]) == (
        shown.out.splitlines()[-1],
        False,
        ["app.yaml"],
    )


def test_the_same_update_again_writes_nothing(kind: str, look_alike: ForgeServer, forge_site: Site) -> None:
    forge_site.update(*argv(kind))
    before = deepcopy(look_alike.pulls)
    look_alike.calls.clear()
    forge_site.update(*argv(kind))
    assert (look_alike.writes(), look_alike.pulls) == ([], before)


def test_an_update_that_merges(kind: str, look_alike: ForgeServer, forge_site: Site) -> None:
    assert forge_site.update(*argv(kind), "-merge-pull-request").merged
    assert look_alike.pulls[0].state == "merged"
    assert DIGESTS["a"] in forge_site.show("main", "app.yaml")
    assert forge_site.update(*argv(kind), "-merge-pull-request").status == "nothing"


def test_what_a_person_closed_stays_closed(kind: str, look_alike: ForgeServer, forge_site: Site) -> None:
    forge_site.update(*argv(kind))
    look_alike.pulls[0].state = "closed"
    again = forge_site.update(*argv(kind))
    assert (again.status, again.pull_request, len(look_alike.pulls)) == ("unchanged", "", 1)
    assert "closed without a merge" in forge_site.notes[-1]


def test_a_persons_commit_is_answered_on_the_pull_request(
    kind: str, look_alike: ForgeServer, forge_site: Site
) -> None:
    forge_site.update(*argv(kind))
    theirs = branch(forge_site, BRANCH, {"README.md": "by hand"})
    for letter in "bc":
        with pytest.raises(PersonNeeded):
            forge_site.update(*argv(kind, letter, f"r{letter}"))
    (comment,) = look_alike.pulls[0].comments
    assert f"holds commit {theirs[:12]} by Ada" in comment
    assert forge_site.tip(BRANCH) == theirs


def test_a_token_without_rights_is_told(kind: str, look_alike: ForgeServer, forge_site: Site) -> None:
    fault = Fault(403, {"message": "Because so"}, method="POST")
    with look_alike.bad_day(fault), pytest.raises(EnvironmentProblem, match="403: Because so") as caught:
        forge_site.update(*argv(kind))
    assert "the right to write" in caught.value.help
    assert look_alike.token not in caught.value.message


def test_a_gateway_that_fails_once_is_tried_again(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatchfile.gitops.forge.http.time.sleep", lambda _seconds: None)
    lost = Fault(502, b"bad gateway", method="POST", after=True)
    with look_alike.bad_day(Fault(502, method="GET"), lost):
        assert forge_site.update(*argv(kind)).pull_request
    assert len(look_alike.pulls) == 1


def test_a_forge_that_answers_late_is_told_and_the_next_run_goes_on(
    kind: str, look_alike: ForgeServer, forge_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Fault(0, method="POST", slow=2.5)
    with monkeypatch.context() as impatient, look_alike.bad_day(late):
        impatient.setattr("dispatchfile.gitops.forge.http.TIMEOUTS", (1.0, 1.0))
        with pytest.raises(EnvironmentProblem, match="does not answer in time"):
            forge_site.update(*argv(kind))
    assert forge_site.update(*argv(kind)).pull_request
    assert len(look_alike.pulls) == 1
