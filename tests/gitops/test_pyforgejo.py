"""The Gitea look-alike as pyforgejo, a client made from Forgejo's own description, sees it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pyforgejo import PyforgejoApi
from pyforgejo.core.api_error import ApiError

from tests.gitops.conftest import DIGESTS, Site
from tests.gitops.forges.gitea import GiteaServer
from tests.gitops.test_forges import BRANCH, argv, connected


@pytest.fixture
def kind() -> str:
    return "gitea"


@pytest.fixture
def client(look_alike: GiteaServer) -> Iterator[PyforgejoApi]:
    with httpx.Client() as session:
        yield PyforgejoApi(
            base_url=look_alike.endpoint, api_key=f"token {look_alike.token}", httpx_client=session
        )


def test_it_reads_what_was_made(look_alike: GiteaServer, forge_site: Site, client: PyforgejoApi) -> None:
    done = forge_site.update(*argv("forgejo"), "--label=deploy", "--label=new", "--reviewer=ada")
    (pull,) = client.repository.repo_list_pull_requests("acme", "gitops", state="open")
    assert pull.head is not None
    assert (pull.html_url, pull.head.sha, pull.head.ref) == (done.pull_request, done.commit, BRANCH)
    assert pull.body is not None
    assert DIGESTS["a"] in pull.body
    assert [label.name for label in pull.labels or []] == ["deploy", "new"]
    client.repository.repo_edit_pull_request("acme", "gitops", pull.number or 0, state="closed")
    assert forge_site.update(*argv("forgejo")).pull_request == "", "a person closed it"


def test_it_merges_what_was_made(look_alike: GiteaServer, forge_site: Site, client: PyforgejoApi) -> None:
    done = forge_site.update(*argv("forgejo"))
    with pytest.raises(ApiError) as caught:
        client.repository.repo_merge_pull_request("acme", "gitops", 1, do="merge")
    assert caught.value.status_code == 405, "not known at the first look"
    assert client.repository.repo_get_pull_request("acme", "gitops", 1).mergeable
    client.repository.repo_merge_pull_request("acme", "gitops", 1, do="merge", head_commit_id=done.commit)
    assert client.repository.repo_get_pull_request("acme", "gitops", 1).merged
    assert forge_site.update(*argv("forgejo")).status == "nothing"


def test_we_find_what_it_made(look_alike: GiteaServer, forge_site: Site, client: PyforgejoApi) -> None:
    hub = connected(look_alike, "forgejo", forge_site)
    made = client.repository.repo_create_pull_request(
        "acme", "gitops", head="topic", base="main", title="theirs", body="x"
    )
    found = hub.create("topic", "main", "ours", "y")
    assert (found.number, found.title) == (made.number, "theirs")
    hub.ensure_webhook("https://ci.example.com/api/webhook", "s3cret")
    (hook,) = client.repository.repo_list_hooks("acme", "gitops")
    assert (hook.type, hook.events, hook.active) == ("gitea", ["push"], True)
    assert hook.config is not None
    assert "s3cret" not in str(hook.config)
