from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.gateway import Gateway, credential_of, refresh_mirror
from dispatchfile.run.relay import ask
from tests.run.on_engine import git, repository


@pytest.fixture
def source(tmp_path: Path) -> Path:
    repository(tmp_path / "source", {"f": "x", "g": "y" * 3000}, commits=3)
    git(tmp_path, "clone", "-q", "--bare", "source", "source.git")
    return tmp_path / "source.git"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway("127.0.0.1", tmp_path / "mirrors", publish=False, offline=False)
    yield made
    made.close()


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def commit_change(folder: Path, size: int = 1) -> None:
    (folder / "f").write_bytes(os.urandom(size))
    git(folder, "commit", "-qam", "change")


def test_a_local_repository_is_cloned_fetched_and_pushed_to(
    gateway: Gateway, source: Path, tmp_path: Path
) -> None:
    url = gateway.serve(str(source))
    git(tmp_path, "clone", "-q", "--depth=1", url, "clone")
    clone = tmp_path / "clone"
    assert git(clone, "rev-list", "--count", "HEAD") == "1"
    git(clone, "fetch", "-q", "--unshallow")
    assert git(clone, "rev-list", "--count", "HEAD") == "3"
    git(clone, "fetch", "-q", "origin", git(source, "rev-parse", "main~1"))
    # Larger than git's post buffer, so that the push comes in chunks.
    commit_change(clone, 3 << 20)
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/update")
    assert git(source, "rev-parse", "update") == git(clone, "rev-parse", "HEAD")


def test_the_config_leads_both_spellings_of_a_path_here(gateway: Gateway, source: Path) -> None:
    assert gateway.git_config(str(source)) == (
        f'[url "{gateway.serve(str(source))}"]\n\tinsteadOf = "{source}"\n\tinsteadOf = "file://{source}"\n'
    )
    assert '\tinsteadOf = "https://host.test/a"\n' in gateway.git_config("https://me:pw@host.test/a")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda url: url[:-5] + "AAAAA", id="wrong name"),
        pytest.param(lambda url: re.sub("[^/]{5}/(?=[^/]*$)", "AAAAA/", url), id="wrong token"),
        pytest.param(lambda url: url + "%2F..", id="an escaped path"),
        pytest.param(lambda url: url + "/../../etc", id="a path upwards"),
        pytest.param(lambda url: url + "/objects", id="the dumb protocol"),
    ],
)
def test_nothing_else_is_served(gateway: Gateway, source: Path, change) -> None:
    url = change(gateway.serve(str(source)))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/info/refs?service=git-upload-pack", timeout=10)
    caught.value.close()
    assert caught.value.status == 404


def test_a_task_cannot_guess_the_remotes_of_another(gateway: Gateway, source: Path, tmp_path: Path) -> None:
    one, other = gateway.serve(str(source)), gateway.serve(str(tmp_path / "source"))
    assert one == gateway.serve(str(source))
    names = {url.rpartition("/")[2] for url in (one, other)}
    assert [len(name) for name in names] == [22, 22]


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param("Content-Length: -1\r\n\r\n", id="negative length"),
        pytest.param("Content-Length: 5x\r\n\r\n", id="no number"),
        pytest.param("Transfer-Encoding: chunked\r\n\r\n-1\r\nabc", id="negative chunk"),
        pytest.param("Transfer-Encoding: chunked\r\n\r\n" + "f" * 9000, id="endless chunk line"),
        pytest.param("Content-Length: 99\r\n\r\nabc", id="shorter than it says"),
    ],
)
@pytest.mark.parametrize("kind", ["path", "remote"])
def test_a_bad_body_ends_its_connection_only(
    gateway: Gateway, source: Path, protected: str, rest: str, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = urllib.parse.urlsplit(gateway.serve(str(source) if kind == "path" else protected))
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10) as client:
        head = "Host: x\r\nContent-Type: application/x-git-upload-pack-request\r\n"
        client.sendall(f"POST {parts.path}/git-upload-pack HTTP/1.1\r\n{head}{rest}".encode())
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert kind == "path" or answer.startswith(b"HTTP/1.1 400 ")
    git(source, "ls-remote", gateway.serve(str(source)))
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def protected(source: Path) -> Iterator[str]:
    """The URL of a git server that wants a password."""
    inner = Gateway("127.0.0.1", source.parent / "m", publish=True, offline=False)
    target = inner.serve(str(source))

    class Guard(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != "Basic bWU6c2VjcmV0":
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            length = int(self.headers.get("Content-Length") or 0)
            names = ("Content-Type", "Content-Encoding", "Git-Protocol")
            headers = {name: self.headers[name] for name in names if self.headers.get(name)}
            request = urllib.request.Request(
                target + self.path.removeprefix("/team/app"), self.rfile.read(length) or None, headers
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 as the base class calls it

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/team/app"
    server.shutdown()
    server.server_close()
    inner.close()


def test_the_users_credentials_stay_on_the_host(
    gateway: Gateway, protected: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = protected.removeprefix("http://").partition("/")[0]
    store = tmp_path / "credentials"
    store.write_text(f"http://me:secret@{host}\n")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "credential.helper")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"store --file={store}")
    url = gateway.serve(protected)
    git(tmp_path, "clone", "-q", url, "clone")
    clone = tmp_path / "clone"
    commit_change(clone)
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/pushed")
    assert git(source, "rev-parse", "pushed") == git(clone, "rev-parse", "HEAD")
    assert "secret" not in (clone / ".git/config").read_text()


def test_a_remote_that_wants_a_password_nobody_knows(
    gateway: Gateway, protected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    done = run_git(tmp_path, "clone", gateway.serve(protected), "clone")
    assert done.returncode != 0
    assert "wants credentials that the user's git has not" in done.stderr


def test_pushes_beyond_this_machine_need_leave(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The host is taken for a far one; it is the loopback, so that nothing leaves.
    monkeypatch.setattr("dispatchfile.remote.is_loopback", lambda _host: False)
    far = Gateway("127.0.0.1", tmp_path / "far", publish=True, offline=False)
    near = Gateway("127.0.0.1", tmp_path / "near", publish=False, offline=False)
    try:
        remote = far.serve(str(source))
        git(tmp_path, "clone", "-q", near.serve(remote), "clone")
        clone = tmp_path / "clone"
        commit_change(clone)
        refused = run_git(clone, "push", "origin", "HEAD:refs/heads/x")
        assert refused.returncode != 0
        assert "is off; run with --publish to allow it" in refused.stderr
        git(clone, "push", "-q", far.serve(remote), "HEAD:refs/heads/x")
    finally:
        near.close()
        far.close()
    assert git(source, "rev-parse", "x") == git(clone, "rev-parse", "HEAD")


def test_offline_the_users_own_repository_answers(source: Path, tmp_path: Path) -> None:
    made = Gateway("127.0.0.1", tmp_path / "m", publish=False, offline=True)
    try:
        git(tmp_path, "clone", "-q", made.serve("https://host.test/a.git", source), "clone")
        refused = run_git(tmp_path, "clone", made.serve("https://host.test/b.git"), "other")
    finally:
        made.close()
    assert git(tmp_path / "clone", "rev-list", "--count", "HEAD") == "3"
    assert "the run is offline" in refused.stderr


def test_a_mirror_follows_its_remote(source: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirrors/m.git"
    refresh_mirror(mirror, str(source))
    git(source, "branch", "new", "main")
    refresh_mirror(mirror, str(source))
    assert git(mirror, "rev-parse", "new") == git(source, "rev-parse", "main")
    git(source, "branch", "-D", "new")
    refresh_mirror(mirror, str(source))
    assert git(mirror, "branch", "--format=%(refname:short)") == "main"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:p%40w@host.test/a", "Basic bWU6cEB3"),
        ("https://github.com/a/b", "Basic eC1hY2Nlc3MtdG9rZW46bmlnaA=="),
        ("https://github.host.test/a/b", ""),
        ("https://host.test/a/b", ""),
    ],
)
def test_a_token_is_given_to_its_own_host_only(
    url: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GITHUB_TOKEN", "DISPATCHFILE_GIT_TOKEN", "GH_ENTERPRISE_TOKEN"):
        monkeypatch.setenv(name, "nigh")
    found = credential_of(url)
    assert (found.basic if found else "") == expected


def test_a_remote_that_does_not_answer_is_told_plainly() -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        ask("http://127.0.0.1:9/app.git/info/refs", {}, None, "")
    assert caught.value.message.startswith("http://127.0.0.1:9/app.git/info/refs does not answer: [Errno")
