"""Which forge a remote belongs to, and how a token is shown to it."""

from __future__ import annotations

import pytest

from dispatchfile.credentials import Credential
from dispatchfile.forges import KINDS, Place, authorization, graphql_of, place_of
from dispatchfile.remote import parse

PLACES: list[tuple[str, dict[str, str], tuple[str, str, str] | None]] = [
    ("https://github.com/a/b.git", {}, ("github", "https://api.github.com", "a/b")),
    ("git@github.com:a/b.git", {}, ("github", "https://api.github.com", "a/b")),
    ("https://GitHub.com./a/b", {}, ("github", "https://api.github.com", "a/b")),
    ("https://github.acme.test/a/b", {}, ("github", "https://github.acme.test/api/v3", "a/b")),
    ("https://github.com.evil.test/a/b", {}, ("github", "https://github.com.evil.test/api/v3", "a/b")),
    ("https://raw.github.test/a/b", {}, None),
    (
        "https://git.acme.test/a/b",
        {"provider": "github"},
        ("github", "https://git.acme.test/api/v3", "a/b"),
    ),
    (
        "https://git.acme.test/a/b",
        {"endpoint": "https://git.acme.test/api/v3/"},
        ("github", "https://git.acme.test/api/v3", "a/b"),
    ),
    (
        "https://git.acme.test/a/b",
        {"endpoint": "https://api.acme.test"},
        ("github", "https://api.acme.test", "a/b"),
    ),
    ("https://gitlab.com/g/s/p.git", {}, ("gitlab", "https://gitlab.com/api/v4", "g/s/p")),
    ("ssh://git@gitlab.acme.test:2222/g/p", {}, ("gitlab", "https://gitlab.acme.test/api/v4", "g/p")),
    ("https://gitlab.acme.test:8443/g/p", {}, ("gitlab", "https://gitlab.acme.test:8443/api/v4", "g/p")),
    (
        "https://acme.test/gitlab/g/s/p.git",
        {"endpoint": "https://acme.test/gitlab/api/v4"},
        ("gitlab", "https://acme.test/gitlab/api/v4", "g/s/p"),
    ),
    (
        "https://acme.test/gitlab/g/p",
        {"provider": "gitlab", "endpoint": "https://acme.test/gitlab"},
        ("gitlab", "https://acme.test/gitlab/api/v4", "g/p"),
    ),
    (
        "git@acme.test:g/p.git",
        {"endpoint": "https://acme.test/gitlab/api/v4"},
        ("gitlab", "https://acme.test/gitlab/api/v4", "g/p"),
    ),
    ("https://codeberg.org/a/b", {}, ("forgejo", "https://codeberg.org/api/v1", "a/b")),
    ("https://gitea.acme.test/a/b", {}, ("gitea", "https://gitea.acme.test/api/v1", "a/b")),
    ("https://forgejo.acme.test/a/b", {}, ("forgejo", "https://forgejo.acme.test/api/v1", "a/b")),
    (
        "http://127.0.0.1:3000/a/b",
        {"provider": "gitea"},
        ("gitea", "http://127.0.0.1:3000/api/v1", "a/b"),
    ),
    ("https://git.acme.test/a/b", {"noted": "gitea"}, ("gitea", "https://git.acme.test/api/v1", "a/b")),
    (
        "https://gitlab.acme.test/a/b",
        {"noted": "gitea"},
        ("gitea", "https://gitlab.acme.test/api/v1", "a/b"),
    ),
    ("https://git.acme.test/a/b", {"noted": "docker"}, None),
    ("https://bitbucket.org/w/r", {}, ("bitbucket-cloud", "https://api.bitbucket.org/2.0", "w/r")),
    (
        "https://bitbucket.acme.test/scm/PRJ/r.git",
        {},
        ("bitbucket-server", "https://bitbucket.acme.test/rest/api/1.0", "PRJ/r"),
    ),
    (
        "ssh://git@bitbucket.acme.test:7999/~ada/r.git",
        {},
        ("bitbucket-server", "https://bitbucket.acme.test/rest/api/1.0", "~ada/r"),
    ),
    (
        "https://acme.test/stash/scm/prj/r.git",
        {"endpoint": "https://acme.test/stash/rest/api/1.0"},
        ("bitbucket-server", "https://acme.test/stash/rest/api/1.0", "prj/r"),
    ),
    ("http://127.0.0.1:3000/a/b", {}, None),
    ("https://git.acme.test/a/b", {}, None),
    ("/srv/git/github.com/b", {"provider": "github"}, None),
    ("file:///srv/b", {"endpoint": "https://api.github.com"}, None),
]


@pytest.mark.parametrize(("url", "said", "expected"), PLACES)
def test_place_of(url: str, said: dict[str, str], expected: tuple[str, str, str] | None) -> None:
    found = place_of(parse(url), **said)
    assert found == (Place(*expected) if expected else None)


@pytest.mark.parametrize(
    ("kind", "user", "expected"),
    [
        ("github", "ada", "Bearer t0ken"),
        ("gitlab", "x-access-token", "Bearer t0ken"),
        ("gitea", "ada", "token t0ken"),
        ("forgejo", "git", "token t0ken"),
        ("bitbucket-cloud", "x-token-auth", "Bearer t0ken"),
        ("bitbucket-cloud", "ada@acme.test", "Basic YWRhQGFjbWUudGVzdDp0MGtlbg=="),
        ("bitbucket-server", "x-access-token", "Bearer t0ken"),
        ("bitbucket-server", "ada", "Basic YWRhOnQwa2Vu"),
    ],
)
def test_authorization(kind: str, user: str, expected: str) -> None:
    assert authorization(kind, Credential(user, "t0ken", "a test")) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_and_an_api(kind: str) -> None:
    place = place_of(parse("https://git.acme.test/a/b"), provider=kind)
    assert place is not None
    assert place.endpoint.startswith("https://git.acme.test/")
    assert place.name.lower().replace(" ", "-") == kind


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://git.acme.test/api/v3", "https://git.acme.test/api/graphql"),
    ],
)
def test_graphql_of(endpoint: str, expected: str) -> None:
    assert graphql_of(endpoint) == expected
