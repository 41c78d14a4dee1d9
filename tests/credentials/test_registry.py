from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dispatchfile.credentials import registry
from dispatchfile.credentials.registry import Rejected
from dispatchfile.errors import EnvironmentProblem
from tests import image_registry

# bcrypt of "pa55word"
HTPASSWD = "ci:$2b$05$abcdefghijklmnopqrstuur.ZxEKly2fYX6K.hrvYXsoEaKgtr95a\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a registry that wants a password."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "htpasswd").write_text(HTPASSWD)
    basic = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    with image_registry.serving(folder, auth=basic) as address:
        yield address


def test_a_registry_with_passwords(guarded: str) -> None:
    registry.check(guarded, "ci", "pa55word")
    for user, password in (("ci", "pa55word "), ("you", "pa55word"), ("ci", "pässword")):
        with pytest.raises(Rejected, match=f"does not take this password for {user}") as caught:
            registry.check(guarded, user, password)
        assert password not in caught.value.message


def test_a_registry_without(registry: str) -> None:
    from dispatchfile.credentials.registry import check

    check(registry, "anyone", "anything")


Answer = tuple[int, dict[str, str], bytes]


class Look(ThreadingHTTPServer):
    """A registry look-alike; `rule` answers each request, `seen` has path and Authorization of each."""

    daemon_threads = True

    def __init__(self, rule: Callable[[Look, str, str], Answer]) -> None:
        outer = self
        self.seen: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "")
                outer.seen.append((self.path, given))
                status, headers, body = rule(outer, self.path, given)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    def end(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


@pytest.fixture
def looking() -> Iterator[Callable[[Callable[[Look, str, str], Answer]], Look]]:
    made: list[Look] = []

    def make(rule: Callable[[Look, str, str], Answer]) -> Look:
        made.append(Look(rule))
        return made[-1]

    yield make
    for one in made:
        one.end()


BASIC = "Basic " + base64.b64encode(b"ci:pa55word").decode()


def with_tokens(look: Look, path: str, given: str) -> Answer:
    """A registry of the token specification, and its token server below /token."""
    parts = urlsplit(path)
    if parts.path == "/token":
        query = parse_qs(parts.query)
        fine = given == BASIC and query["service"] == ['the "registry"'] and query["account"] == ["ci"]
        return (200, {}, json.dumps({"access_token": "a-token"}).encode()) if fine else (401, {}, b"{}")
    if given == "Bearer a-token":
        return 200, {}, b"{}"
    realm = f"http://{look.address}/token"
    challenge = f'Bearer realm="{realm}",service="the \\"registry\\"", error="invalid_token"'
    return 401, {"WWW-Authenticate": challenge}, b"{}"


def test_a_registry_with_tokens(looking: Callable[..., Look]) -> None:
    look = looking(with_tokens)
    registry.check(look.address, "ci", "pa55word")
    with pytest.raises(Rejected):
        registry.check(look.address, "ci", "other")
    assert all("pa55word" not in path for path, _ in look.seen)


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (401, {}, "answers 401"),
        (401, {"WWW-Authenticate": "Negotiate"}, "answers 401"),
        (404, {}, "answers 404"),
        (302, {"Location": "http://127.0.0.1:9/v2/"}, "answers 302"),
        (401, {"WWW-Authenticate": "Bearer"}, "in plain text"),
        (401, {"WWW-Authenticate": 'Bearer realm="http://evil.test/token"'}, "in plain text"),
        (401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}, "in plain text"),
        (401, {"WWW-Authenticate": 'Bearer realm="http://u:p@127.0.0.1:9/token"'}, "is no URL"),
        (401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:9/token"'}, "cannot be asked"),
    ],
    ids=range(9),
)
def test_a_hostile_registry_gets_no_password(
    status: int, headers: dict[str, str], said: str, looking: Callable[..., Look]
) -> None:
    look = looking(lambda _look, _path, _given: (status, headers, b""))
    with pytest.raises(EnvironmentProblem, match=said) as caught:
        registry.check(look.address, "ci", "pa55word")
    assert not isinstance(caught.value, Rejected)
    assert {given for _, given in look.seen} == {""}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "a\\r\\nHost: x"}', b"x" * (2 << 20)],
    ids=range(6),
)
def test_a_token_server_that_gives_rubbish(body: bytes, looking: Callable[..., Look]) -> None:
    def rule(look: Look, path: str, _given: str) -> Answer:
        if path.startswith("/token"):
            return 200, {}, body
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{look.address}/token"'}, b""

    with pytest.raises(EnvironmentProblem, match=r"gives no token|answers with more than"):
        registry.check(looking(rule).address, "ci", "pa55word")


def test_a_registry_that_is_not_there() -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be asked whether the login is right") as caught:
        registry.check("127.0.0.1:9", "ci", "pa55word")
    assert caught.value.message.endswith(": 127.0.0.1:9: Connection refused")
    assert caught.value.help == "--no-check keeps it without asking"


def test_nothing_of_netrc_takes_the_passwords_place(
    looking: Callable[..., Look], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    look = looking(with_tokens)
    registry.check(look.address, "ci", "pa55word")
    assert {given for _, given in look.seen} == {"", BASIC, "Bearer a-token"}
