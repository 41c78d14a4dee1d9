from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatchfile import remote
from dispatchfile.credentials import Credential, certificates, place
from dispatchfile.errors import EnvironmentProblem, UsageError
from dispatchfile.gitops import reach
from dispatchfile.gitops.forge.http import Api
from dispatchfile.run.backend import Remote
from dispatchfile.run.checkouts import checkout_remote
from dispatchfile.run.gateway import Gateway
from tests.cli.test_login import call
from tests.credentials.conftest import User, user
from tests.gitops.git_server import GitServer, Handler

__all__ = ["call", "user"]


class Told(GitServer):
    """It answers /api with JSON, too."""

    def serve(self, request: Handler, body: bytes) -> None:
        if request.path.startswith("/api"):
            request.reply(200, {"Content-Type": "application/json"}, b'{"here": true}')
        else:
            super().serve(request, body)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificate and the key of a server that only who trusts it trusts."""
    folder = tmp_path_factory.mktemp("authority")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-days", "2", "-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1"]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.crt")]
    subprocess.run(words, check=True, capture_output=True)
    return folder


@pytest.fixture
def server(tmp_path: Path, authority: Path) -> Iterator[str]:
    """The https URL of a git server."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "w")], check=True)
    subprocess.run(
        ["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "w", check=True
    )
    subprocess.run(
        ["git", "clone", "-q", "--bare", str(tmp_path / "w"), str(tmp_path / "served/a.git")], check=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.crt", authority / "key.pem")
    made = Told(tmp_path / "served", user="me", password="t0ken")
    made.handle_error = lambda *_: None  # type: ignore[method-assign, assignment] # a client that does not trust it hangs up
    made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
    with made:
        yield f"https://127.0.0.1:{made.server_address[1]}"


@pytest.mark.parametrize("elsewhere", [False, True], ids=["", "with a bundle for all"])
def test_what_is_added_is_trusted_everywhere(
    elsewhere: bool, call: Any, server: str, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "SSL_CERT_FILE"):
        if elsewhere:
            monkeypatch.setenv(name, "/etc/ssl/certs/ca-certificates.crt")
        else:
            monkeypatch.delenv(name, raising=False)
    me = Credential("me", "t0ken", "a test")
    url = server.replace("://", "://me:t0ken@") + "/a.git"
    gateway = Gateway("127.0.0.1", tmp_path / "mirrors", publish=False, offline=False)
    passed_on = ["git", "ls-remote", gateway.serve(url)]

    def fetches() -> bool:
        return subprocess.run(passed_on, capture_output=True, check=False).returncode == 0

    try:
        with pytest.raises(EnvironmentProblem, match="certificate"):
            reach.head(remote.parse(f"{server}/a.git"), me)
        with pytest.raises(EnvironmentProblem, match="cannot be reached"):
            Api("GitLab", f"{server}/api", me.basic).get("look", "/x")
        with pytest.raises(EnvironmentProblem, match="certificate"):
            checkout_remote(tmp_path / "cache", url, Remote("main"))
        assert not fetches()
        code, out, _ = call("gitops", "cert", "add-tls", server, "--from", str(authority / "ca.crt"))
        assert code == 0
        assert "is trusted by 1 certificate of" in out
        assert len(reach.head(remote.parse(f"{server}/a.git"), me)) == 40
        assert Api("GitLab", f"{server}/api", me.basic).get("look", "/x") == {"here": True}
        assert (checkout_remote(tmp_path / "cache", url, Remote("main")) / ".git").is_dir()
        assert fetches()
    finally:
        gateway.close()
    host = server.removeprefix("https://")
    assert call("gitops", "cert", "list")[1] == f"{host}\n"
    assert call("gitops", "cert", "remove", host)[0] == 0
    assert call("gitops", "cert", "remove", host)[0] == 1
    with pytest.raises(EnvironmentProblem, match="certificate"):
        reach.head(remote.parse(f"{server}/a.git"), me)


def test_another_server_is_trusted_no_more_than_before(user: User, authority: Path) -> None:
    assert certificates.add(place.parse("git.example.com"), authority / "ca.crt") == 1
    for url in ("https://git.example.com/a?b#c", "https://me:pw@GIT.example.com:443/a"):
        assert certificates.of(url) is not None
    for url in ("https://git.example.com:8443/a", "https://evil.test", "http://git.example.com", "ssh://git.example.com/a", "/srv/a", "https://[", "https://../x"):  # fmt: skip
        assert certificates.of(url) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate"),
        ("", "holds no certificate"),
        ("-----BEGIN EC PRIVATE KEY-----\n", "holds a private key"),
        (None, "there is no file"),
    ],
    ids=["text", "rubbish", "empty", "key", "missing"],
)
def test_what_is_no_certificate(user: User, tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "ca.crt"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=said):
        certificates.add(place.parse("git.example.com"), file)
    assert certificates.listed() == []
    with pytest.raises(UsageError, match="not reached over TLS"):
        certificates.add(place.parse("git@h.test:x"), Path(__file__))
