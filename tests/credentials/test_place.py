from __future__ import annotations

import pytest

from dispatchfile import remote
from dispatchfile.credentials import place
from dispatchfile.errors import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("git.example.com", "https://git.example.com"),
        ("GIT.Example.COM.", "https://git.example.com"),
        ("git.example.com:3000", "https://git.example.com:3000"),
        ("git.example.com:443", "https://git.example.com"),
        ("https://git.example.com/acme/Gitops.git/", "https://git.example.com/acme/Gitops"),
        ("https://git.example.com//acme//", "https://git.example.com/acme"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("[::1]:3000", "https://[::1]:3000"),
        ("https://[2001:DB8:0::1]/a", "https://[2001:db8::1]/a"),
        ("git@git.example.com:acme/gitops.git", "ssh://git.example.com/acme/gitops"),
        ("ssh://git@git.example.com:22/acme", "ssh://git.example.com/acme"),
        ("ssh://git@git.example.com:2222/acme", "ssh://git.example.com:2222/acme"),
        ("bücher.example", "https://xn--bcher-kva.example"),
        ("localhost", "https://localhost"),
        ("https://h.test/a%20b/%C3%BC", "https://h.test/a%20b/%C3%BC"),
        ("https://h.test/ü", "https://h.test/%C3%BC"),
        ("my_host", "https://my_host"),
    ],
)
def test_one_form_for_each_server(text: str, url: str) -> None:
    assert place.parse(text).url == url
    assert place.parse(url).url == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no server"),
        ("-oProxyCommand=x", "names no server"),
        ("git.example.com\nhost=evil.test", "names no server"),
        ("git.example.com\r", "names no server"),
        ("a b", "names no server"),
        ("a\\b", "names no server"),
        ("https://me:s3cret@git.example.com", "a token stands in the URL"),
        ("https://me@git.example.com", "a token stands in the URL"),
        ("https://git.example.com/a?x=1", "more than a server and a path"),
        ("https://git.example.com/a#x", "more than a server and a path"),
        ("https://git.example.com/a/../b", "no path of a repository"),
        ("https://git.example.com/a%0ahost=b", "no path of a repository"),
        ("https://git.example.com:port", "not a URL"),
        ("https://git.example.com:0", "0 is no port"),
        ("https://", "is no host"),
        ("https://a..b", "is no host"),
        ("https://[::1", "not a URL"),
        ("ftp://git.example.com", "has no logins"),
        ("http://git.example.com", "plain http"),
        ("exa%6dple.com", "is no host"),
    ],
)
def test_what_is_no_server(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        place.parse(text)
    assert "s3cret" not in caught.value.message + caught.value.help


@pytest.mark.parametrize(
    ("outer", "inner", "holds"),
    [
        ("https://h.test", "https://h.test/a/b", True),
        ("https://h.test/a", "https://h.test/a/b", True),
        ("https://h.test/a/b", "https://h.test/a/b.git", True),
        ("https://h.test/a", "https://h.test/ab", False),
        ("https://h.test/a/b", "https://h.test/a", False),
        ("https://h.test", "https://h.test:8443/a", False),
        ("https://h.test", "https://evil-h.test/a", False),
        ("https://h.test", "https://h.test.evil.test/a", False),
        ("https://localhost", "http://localhost/a", False),
        ("https://h.test/a%20b", "https://h.test/a%20b/c", True),
    ],
)
def test_what_a_login_is_for(outer: str, inner: str, holds: bool) -> None:
    assert place.parse(outer).holds(place.parse(inner)) is holds


def test_a_remote_over_ssh_has_the_web_address_of_its_host() -> None:
    assert place.of_remote(remote.parse("git@Git.example.com:a/b.git")).url == "https://git.example.com/a/b"
    assert place.of_remote(remote.parse("ssh://git@h.test:2222/a")).url == "https://h.test/a"
    assert place.of_remote(remote.parse("https://H.test:443/a/b.git")).url == "https://h.test/a/b"
