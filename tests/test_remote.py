from __future__ import annotations

from pathlib import Path

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.remote import may_publish, parse, without_userinfo


@pytest.mark.parametrize(
    ("url", "scheme", "host", "repository", "local"),
    [
        ("https://github.com/acme/gitops.git", "https", "github.com", "acme/gitops", False),
        ("https://user:pa%40ss@git.example.com:8443/a/b/c", "https", "git.example.com", "a/b/c", False),
        ("git@github.com:acme/gitops.git", "ssh", "github.com", "acme/gitops", False),
        ("ssh://git@github.com:22/acme/gitops", "ssh", "github.com", "acme/gitops", False),
        ("http://127.0.0.1:8080/acme/gitops", "http", "127.0.0.1", "acme/gitops", True),
        ("http://127.9.9.9/x", "http", "127.9.9.9", "x", True),
        ("http://[::1]:80/x", "http", "::1", "x", True),
        ("http://LOCALHOST/x", "http", "localhost", "x", True),
        ("http://registry.localhost./x", "http", "registry.localhost.", "x", True),
        ("https://localhost/a", "https", "localhost", "a", True),
        ("http://localhost.example.com/x", "http", "localhost.example.com", "x", False),
        ("http://127.0.0.1.example.com/x", "http", "127.0.0.1.example.com", "x", False),
        ("http://127.0.0.1@example.com/x", "http", "example.com", "x", False),
        ("http://0.0.0.0/x", "http", "0.0.0.0", "x", False),
        ("/srv/git/gitops.git", "file", "", "srv/git/gitops", True),
        ("../gitops.git", "file", "", "../gitops", True),
        ("file:///srv/git/gitops.git", "file", "", "srv/git/gitops", True),
        ("/srv/odd:name", "file", "", "srv/odd:name", True),
    ],
)
def test_parse(url: str, scheme: str, host: str, repository: str, local: bool) -> None:
    found = parse(url)
    assert (found.scheme, found.host, found.repository, found.local) == (scheme, host, repository, local)
    assert found.directory == (Path(found.path) if scheme == "file" else None)


def test_passwords_leave_the_url() -> None:
    found = parse("https://user:pa%40ss@git.example.com:8443/a/b")
    assert found.url == "https://git.example.com:8443/a/b"
    assert (found.user, found.password) == ("user", "pa@ss")
    assert "pa@ss" not in repr(found)
    assert without_userinfo("git@host.test:a") == "git@host.test:a"
    assert without_userinfo("ssh://git@host.test/a") == "ssh://git@host.test/a"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "--upload-pack=touch /tmp/x",
        "fd::17",
        "ext::sh -c touch% /tmp/x",
        "ftp://x/y",
        "https:///x",
        "https://-x/y",
        "ssh://-oProxyCommand=x/y",
        "git@-oProxyCommand=x:y",
        "[-oProxyCommand=x]:y",
        "a\nb",
    ],
)
def test_parse_refuses(url: str) -> None:
    with pytest.raises(UsageError):
        parse(url)


HOME, AWAY, GATEWAY = "http://127.0.0.1:1/x", "https://github.com/x/y", "http://172.17.0.1:9/x"


@pytest.mark.parametrize(
    ("configured", "used", "asked", "told", "expected"),
    [
        (HOME, HOME, False, None, True),
        (AWAY, AWAY, False, None, False),
        (AWAY, AWAY, True, None, True),
        (AWAY, AWAY, False, "1", True),
        (AWAY, HOME, False, None, False),
        (HOME, AWAY, False, None, False),
        (HOME, GATEWAY, False, "0", True),
        (AWAY, GATEWAY, False, "0", False),
        (AWAY, HOME, False, "0", False),
    ],
)
def test_what_may_be_published(
    configured: str, used: str, asked: bool, told: str | None, expected: bool
) -> None:
    env = {} if told is None else {"DISPATCHFILE_PUBLISH": told}
    assert may_publish(parse(configured), parse(used), asked=asked, env=env) is expected
