"""Whose token it is: each forge's look-alike is asked, with the account that it would tell of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.credentials import Credential, place
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.forges import authorization
from dispatchfile.gitops import whoami
from tests.gitops.forges import published
from tests.gitops.forges.base import Call, Fault, ForgeServer, route
from tests.gitops.forges.bitbucket_cloud import CloudServer
from tests.gitops.forges.bitbucket_server import StashServer
from tests.gitops.forges.gitea import GiteaServer
from tests.gitops.forges.gitlab import GitLabServer

TOKEN = "t0ken-Of-The-Tests"

USERS: dict[str, dict[str, Any]] = {
    "github": {"login": "ada", "id": 1, "type": "User"},
    "gitlab": {
        "username": "ada",
        "id": 1,
        "name": "Ada",
        "state": "active",
        "avatar_url": "",
        "web_url": "https://gitlab.test/ada",
        "created_at": "2026-01-02T03:04:05Z",
    },
    "gitea": {"login": "ada", "id": 1, "full_name": "Ada"},
    "bitbucket-cloud": {"type": "user", "username": "ada", "nickname": "Ada L", "account_id": "1"},
    "bitbucket-server": {"values": [], "size": 0, "limit": 1, "start": 0, "isLastPage": True},
}


class Plain(ForgeServer):
    prefix = "/api/v3"


class GitLab(GitLabServer):
    """It tells who is asking, too."""

    def _types(self, call: Call) -> tuple[str, str]:
        return ("", "SimpleUserSchema") if call.path == "/user" else super()._types(call)

    @route("GET", "/user")
    def me(self, _call: Call) -> tuple[int, Any]:
        return 200, USERS["gitlab"]


def make(kind: str, folder: Path) -> ForgeServer:
    if kind == "github":
        return Plain(folder, token=TOKEN)
    if kind == "gitlab":
        return GitLab(folder, token=TOKEN)
    if kind == "gitea":
        return GiteaServer(folder, published.gitea(), token=TOKEN)
    if kind == "bitbucket-cloud":
        return CloudServer(folder, published.cloud(), token=TOKEN)
    return StashServer(folder, published.server(), token=TOKEN)


@pytest.fixture(params=USERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def forge(kind: str, tmp_path: Path) -> Iterator[ForgeServer]:
    with make(kind, tmp_path) as server:
        path = "/projects" if kind == "bitbucket-server" else "/user"
        headers = {"X-AUSERNAME": "ada"} if kind == "bitbucket-server" else {}

        def answer(_server: ForgeServer, _call: Call) -> tuple[int, Any, dict[str, str]]:
            return 200, USERS[kind], headers

        server._routes.append(("GET", re.compile(path), answer))
        yield server


def ask(kind: str, forge: ForgeServer, token: str = TOKEN) -> whoami.Answer:
    where = whoami.server(kind, place.parse(forge.url))
    return whoami.ask(where, Credential("", token, "a test"))


def test_the_forge_says_who(kind: str, forge: ForgeServer) -> None:
    endpoint = whoami.server(kind, place.parse(forge.url)).endpoint
    assert endpoint == forge.endpoint
    assert ask(kind, forge) == whoami.Answer("ada")
    assert forge.objections == []
    assert authorization(kind, Credential("", TOKEN, "")) in forge.authorizations()


def test_a_wrong_token(kind: str, forge: ForgeServer) -> None:
    with pytest.raises(whoami.Rejected, match="does not take this token") as caught:
        ask(kind, forge, "another-token")
    assert "another-token" not in caught.value.message


def test_a_token_that_may_not_ask_for_users(kind: str, forge: ForgeServer) -> None:
    forge.faults.append(Fault(403, {"message": "token does not have at least one of required scope(s)"}))
    answer = ask(kind, forge)
    assert (answer.user, answer.note) == ("", "the token works, and may not ask whose it is")


@pytest.mark.parametrize("body", [[], {}, {"login": 1, "username": None}, "text"], ids=repr)
def test_no_answer_is_no_user(kind: str, forge: ForgeServer, body: Any) -> None:
    forge.faults.append(Fault(200, body))
    with pytest.raises(EnvironmentProblem, match=r"does not say whose|as to a stranger"):
        ask(kind, forge)


@pytest.mark.parametrize(
    ("kind", "url", "endpoint"),
    [
        ("github", "https://github.com", "https://api.github.com"),
        ("github", "https://ghe.example.com", "https://ghe.example.com/api/v3"),
        ("gitlab", "https://example.com/gitlab", "https://example.com/gitlab/api/v4"),
        ("gitea", "https://git.example.com:3000", "https://git.example.com:3000/api/v1"),
        ("forgejo", "codeberg.org", "https://codeberg.org/api/v1"),
        ("bitbucket-cloud", "https://bitbucket.org", "https://api.bitbucket.org/2.0"),
        ("bitbucket-server", "https://example.com/bitbucket", "https://example.com/bitbucket/rest/api/1.0"),
    ],
)
def test_where_the_api_is(kind: str, url: str, endpoint: str) -> None:
    assert whoami.server(kind, place.parse(url)).endpoint == endpoint
