"""What git says of a remote, in our words; what real gits print."""

from __future__ import annotations

import pytest

from dispatchfile import remote
from dispatchfile.credentials import Credential
from dispatchfile.credentials.refusals import refusal

URL = "https://git.example.com:8443/acme/gitops.git"


@pytest.mark.parametrize(
    ("output", "message", "advice"),
    [
        (
            f"fatal: could not read Username for '{URL}': terminal prompts disabled",
            "refused: it wants a token, and none is known",
            "keep a token with `dispatchfile login`, or give one in $DISPATCHFILE_GIT_TOKEN",
        ),
        (
            f"fatal: unable to access '{URL}/': server certificate verification failed. CAfile: none CRLfile: none",
            "the certificate of git.example.com:8443 is not trusted",
            "dispatchfile gitops cert add-tls git.example.com:8443 --from FILE",
        ),
        (
            f"fatal: unable to access '{URL}/': SSL certificate problem: unable to get local issuer certificate",
            "the certificate of git.example.com:8443 is not trusted",
            "dispatchfile gitops cert add-tls git.example.com:8443 --from FILE",
        ),
        (
            f"fatal: unable to access '{URL}/': Could not resolve host: git.example.com",
            f"{URL} cannot be reached: Could not resolve host: git.example.com",
            "the network",
        ),
        (
            f"fatal: unable to access '{URL}/': Failed to connect to git.example.com port 8443: Connection refused",
            f"{URL} cannot be reached",
            "the network",
        ),
        (
            f"error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503\nfatal: '{URL}'",
            f"{URL} cannot be reached",
            "the network",
        ),
        (f"fatal: repository '{URL}/' not found", f"there is no repository at {URL}", "see it"),
    ],
)
def test_what_git_says(output: str, message: str, advice: str) -> None:
    told = refusal(remote.parse(URL), output, check="may your token see it?")
    assert told is not None
    assert message in told.message
    assert "\n" not in told.message
    assert advice in told.help


def test_a_token_that_was_given_is_named_by_its_source() -> None:
    told = refusal(
        remote.parse(URL),
        f"fatal: Authentication failed for '{URL}/'",
        check="",
        credential=Credential("ci", "the-token", f"the login for {URL}"),
    )
    assert told is not None
    assert told.message.startswith(f"{URL} does not take the token from the login for {URL}: fatal:")
    assert "the-token" not in f"{told.message}{told.help}"


@pytest.mark.parametrize(
    ("output", "known"),
    [
        ("git@git.example.com: Permission denied (publickey).\nfatal: Could not read from remote", False),
        ("Host key verification failed.\r\nfatal: Could not read from remote repository.", True),
    ],
    ids=["key", "server"],
)
def test_what_ssh_says(output: str, known: bool) -> None:
    told = refusal(remote.parse("git@git.example.com:acme/gitops.git"), output, check="")
    assert told is not None
    assert told.message.endswith(output.splitlines()[0])
    assert "dispatchfile login git --git-server git.example.com --private-key-path FILE" in told.help
    assert ("--known-hosts" in told.help) is known


def test_anything_else_is_not_made_up() -> None:
    assert refusal(remote.parse(URL), "fatal: bad object", check="") is None
