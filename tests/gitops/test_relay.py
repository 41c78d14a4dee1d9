"""An update in a container: the token stays with the gateway, the pull request is made all the same."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatchfile.forges import GITHUB_AUTO_MERGE
from dispatchfile.gitops.forge import NoAutoMerge
from dispatchfile.gitops.outcome import Outcome
from dispatchfile.run.gateway import Gateway
from tests.gitops.conftest import DIGESTS, Site
from tests.gitops.forges.base import ForgeServer, basic
from tests.gitops.forges.github import GitHubServer


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway("127.0.0.1", tmp_path / "mirrors", publish=False, offline=False)
    yield made
    made.close()


@pytest.fixture
def given(gateway: Gateway, hub: GitHubServer, own_git_settings: Path, tmp_path: Path) -> str:
    """The step's .gitconfig: the user's token is in a credential helper that the step does not have."""
    store = tmp_path / "store"
    store.write_text(
        f"http://x-access-token:{hub.token}@{hub.url.removeprefix('http://').replace(':', '%3a')}\n"
    )
    own_git_settings.write_text(f"[credential]\n\thelper = store --file={store}\n")
    lines = gateway.git_config(f"{hub.url}/acme/gitops.git")
    own_git_settings.write_text(lines)
    assert hub.token not in lines
    return lines


@pytest.fixture
def inside(given: str, hub_site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The checkout as a step sees it."""
    monkeypatch.delenv("DISPATCHFILE_GIT_TOKEN")
    monkeypatch.setenv("DISPATCHFILE_PUBLISH", "0")
    return hub_site


def argv(hub: GitHubServer, letter: str = "a") -> list[str]:
    return [
        f"-git-revision=r{letter}",
        f"-substitute=imageName={DIGESTS[letter]}",
        f"-api-endpoint={hub.url}/api/v3",
    ]


def test_a_pull_request_without_a_token(hub: GitHubServer, inside: Site) -> None:
    done = inside.update(*argv(hub), "--label=deploy", "--reviewer=ada")
    assert done.pull_request == f"{hub.url}/acme/gitops/pull/1"
    assert (hub.pulls[0].labels, hub.pulls[0].reviewers) == (["deploy"], ["ada"])
    for number in range(120):
        hub.add(f"topic-{number}", "main", "theirs", "")
    hub.ignores_filters = True
    assert inside.update(*argv(hub, "b")).pull_request == done.pull_request
    assert inside.update(*argv(hub, "c"), "-merge-pull-request").merged
    assert DIGESTS["c"] in inside.show("main", "app.yaml")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/repos/acme/gitops"),
        ("GET", "/repos/acme/other/pulls"),
        ("GET", "/repos/acme/gitops/../other/pulls"),
        ("GET", "/repos/acme/gitops/pulls/1%2F..%2F..%2Fkeys"),
        ("PUT", "/repos/acme/gitops/contents/x"),
        ("POST", "/repos/acme/gitops/hooks"),
        ("GET", "/user"),
        ("POST", "/graphql"),
    ],
)
@pytest.mark.usefixtures("given")
def test_nothing_else_is_passed_on(gateway: Gateway, hub: GitHubServer, method: str, path: str) -> None:
    assert ask(gateway, hub, method, f"{hub.url}/api/v3", path) == 404
    assert hub.calls == []


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.2:{port}", "http://127.0.0.1:1", "{url}@evil.test", "{url}?x=", "ext::sh"]
)
@pytest.mark.usefixtures("given")
def test_the_token_goes_to_the_remotes_own_host(gateway: Gateway, hub: GitHubServer, endpoint: str) -> None:
    named = endpoint.format(port=hub.server_address[1], url=hub.url)
    assert ask(gateway, hub, "GET", named, "/repos/acme/gitops/pulls") == 404
    assert basic("x-access-token", hub.token) not in "".join(hub.authorized)


@pytest.mark.usefixtures("given")
def test_where_nothing_may_be_pushed_nothing_may_be_proposed(
    hub: GitHubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatchfile.remote.is_loopback", lambda _host: False)
    far = Gateway("127.0.0.1", tmp_path / "far", publish=False, offline=False)
    try:
        assert "forge" not in far.git_config(f"{hub.url}/acme/gitops.git")
        assert ask(far, hub, "GET", f"{hub.url}/api/v3", "/repos/acme/gitops/pulls") == 404
    finally:
        far.close()


@pytest.fixture
def inside_any(
    kind: str, gateway: Gateway, look_alike: ForgeServer, forge_site: Site, own_git_settings: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Site:  # fmt: skip
    """A checkout as a step sees it, on each forge in turn."""
    store = tmp_path / "store"
    host = look_alike.url.removeprefix("http://").replace(":", "%3a")
    store.write_text(f"http://{look_alike.user}:{look_alike.token}@{host}\n")
    own_git_settings.write_text(f"[credential]\n\thelper = store --file={store}\n")
    lines = gateway.git_config(look_alike.remote)
    own_git_settings.write_text(lines)
    assert look_alike.token not in lines
    monkeypatch.delenv("DISPATCHFILE_GIT_TOKEN")
    monkeypatch.setenv("DISPATCHFILE_PUBLISH", "0")
    return forge_site


def test_every_forge_is_reached_without_a_token(kind: str, look_alike: ForgeServer, inside_any: Site) -> None:
    def update(letter: str, *more: str) -> Outcome:
        words = (f"-git-revision=r{letter}", f"-substitute=imageName={DIGESTS[letter]}")
        return inside_any.update(*words, f"-scm-provider={kind}", *more)

    done = update("a")
    assert done.pull_request.startswith(look_alike.url)
    assert update("b").pull_request == done.pull_request
    assert DIGESTS["b"] in look_alike.pulls[0].body
    older = update("c", "--branch-per-revision")
    assert older.opened
    assert update("d", "--close-superseded").pull_request == done.pull_request
    assert [pull.state for pull in look_alike.pulls] == ["open", "closed"]
    look_alike.checks_pending = True
    try:
        assert not update("d", "--auto-merge").merged
    except NoAutoMerge:
        assert kind.startswith("bitbucket")
    look_alike.checks_pending = False
    assert update("e", "-merge-pull-request").merged
    assert DIGESTS["e"] in inside_any.show("main", "app.yaml")


def test_what_a_login_noted_of_the_forge_goes_along(
    gateway: Gateway, inside_any: Site, own_git_settings: Path, look_alike: ForgeServer, kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    words = ("-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}")
    assert inside_any.update(*words).pull_request == "", "nothing tells which forge it is"
    monkeypatch.setattr("dispatchfile.run.gateway.forge_of", lambda _host: kind)
    own_git_settings.write_text(gateway.git_config(look_alike.remote))
    assert inside_any.update(*words).pull_request.startswith(look_alike.url)


def test_graphql_for_auto_merge_alone(gateway: Gateway, hub: GitHubServer, inside: Site) -> None:
    inside.update(*argv(hub))
    hub.checks_pending = True
    hub.calls.clear()
    merging = {"pullRequestId": "PR_1", "expectedHeadOid": inside.tip("dispatch/update-web")}
    good = {"query": GITHUB_AUTO_MERGE, "variables": {"input": merging}}
    for bad in (
        {**good, "query": GITHUB_AUTO_MERGE.replace("enable", "disable")},
        {**good, "operationName": "x"},
        {**good, "variables": {"input": {**merging, "pullRequestId": "PR_77"}}},
        {**good, "variables": {"input": {**merging, "clientMutationId": "x"}}},
        {**good, "variables": {"input": merging, "more": 1}},
        {"query": "{ viewer { login } }"},
        [good],
    ):
        assert ask(gateway, hub, "POST", f"{hub.url}/api/v3", "/graphql", bad) == 404
    assert [call.body["query"][:5] for call in hub.calls] == ["query"]
    monkeypatched = hub.node
    hub.node = lambda _name: {"repository": {"nameWithOwner": "acme/other"}}  # type: ignore[method-assign] # another's
    assert ask(gateway, hub, "POST", f"{hub.url}/api/v3", "/graphql", good) == 404
    hub.node = monkeypatched  # type: ignore[method-assign] # as above
    assert hub.pulls[0].auto_merge is None
    assert ask(gateway, hub, "POST", f"{hub.url}/api/v3", "/graphql", good) == 200
    assert hub.pulls[0].auto_merge == merging


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("gitlab", "PUT", "/projects/acme%2Fgitops"),
        ("gitlab", "GET", "/projects/acme%2Fother/merge_requests"),
        ("gitlab", "POST", "/projects/acme%2Fgitops/hooks"),
        ("gitlab", "POST", "/users"),
        ("gitlab", "GET", "/user/keys"),
        ("gitea", "POST", "/repos/acme/gitops/keys"),
        ("gitea", "PATCH", "/repos/acme/gitops"),
        ("gitea", "GET", "/orgs/other/labels"),
        ("bitbucket-cloud", "GET", "/repositories/acme/other/pullrequests"),
        ("bitbucket-cloud", "GET", "/repositories/acme/gitops/refs/branches/..%2F..%2Fhooks"),
        ("bitbucket-cloud", "GET", "/repositories/acme/gitops/refs/branches/x%2F%2e%2e"),
        ("bitbucket-cloud", "POST", "/repositories/acme/gitops/hooks"),
        ("bitbucket-server", "POST", "/projects/acme/repos/gitops/webhooks"),
        ("bitbucket-server", "GET", "/users/.."),
        ("bitbucket-server", "GET", "/projects/acme/repos/other/pull-requests"),
        ("nothing", "GET", "/repos/acme/gitops/pulls"),
    ],
)
@pytest.mark.usefixtures("given")
def test_nothing_else_is_passed_on_to_the_others(
    gateway: Gateway, hub: GitHubServer, kind: str, method: str, path: str
) -> None:
    assert ask(gateway, hub, method, f"{hub.url}/api", path, kind=kind) == 404
    assert hub.calls == []


def ask(
    gateway: Gateway,
    hub: GitHubServer,
    method: str,
    endpoint: str,
    path: str,
    body: object = None,
    *,
    kind: str = "github",
) -> int:
    """The status of what a step asks of the API at `endpoint`."""
    name = base64.urlsafe_b64encode(endpoint.encode()).decode().rstrip("=")
    url = f"{gateway.serve(f'{hub.url}/acme/gitops.git')}/api/{kind}/{name}{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
