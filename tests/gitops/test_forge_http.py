"""The layer below all forges, against a server that does what forges and what is between do on bad days."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.gitops.forge import http
from dispatchfile.gitops.forge.http import Api, Refused

TOKEN = "t0ken-Of-The-Tests"
Reply = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """Answers what it is told to, one reply after the other, the last one for ever; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def says(self, *replies: tuple[int, Any] | tuple[int, Any, dict[str, str]]) -> None:
        for status, body, *headers in replies:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.replies.append((status, headers[0] if headers else {}, content))


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        replies = self.server.replies
        status, headers, content = replies.pop(0) if len(replies) > 1 else replies[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the client reads no more than it takes
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 as the base class calls them

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def api(server: Server) -> Api:
    return Api("Forge", f"{server.url}/api", f"Bearer {TOKEN}")


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were slept; nothing sleeps."""
    slept: list[float] = []
    monkeypatch.setattr("dispatchfile.gitops.forge.http.time.sleep", slept.append)
    return slept


def refusal(api: Api, path: str = "/x", method: str = "GET") -> EnvironmentProblem:
    with pytest.raises(EnvironmentProblem) as caught:
        api.ask("list things", method, path)
    for text in (caught.value.message, caught.value.help, repr(caught.value), str(caught.value.__cause__)):
        assert TOKEN not in text
    return caught.value


def test_the_token_is_in_a_header_alone(api: Api, server: Server) -> None:
    server.says((200, {"a": 1}))
    assert api.get("look", "/x", q="a b&c") == {"a": 1}
    ((method, path, headers, _),) = server.asked
    assert (method, path) == ("GET", "/api/x?q=a+b%26c")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in path
    assert TOKEN not in repr(vars(api).get("endpoint"))


def test_no_netrc_replaces_it(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password of-the-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(http, "is_loopback", lambda _host: False)
    server.says((200, {}))
    Api("Forge", server.url).get("look", "/x")
    assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "No", "errors": [{"message": "title is missing"}]}, "No; title is missing"),
        ({"message": {"base": ["is missing"], "title": ["is long"]}}, "base is missing; title is long"),
        ({"message": ["first", "second"]}, "first; second"),
        ({"error": "invalid_token", "error_description": "It expired"}, "invalid_token; It expired"),
        ({"type": "error", "error": {"message": "Bad", "detail": "More"}}, "Bad; More"),
        ({"errors": [{"context": None, "message": "Not so"}]}, "Not so"),
        ({"message": f"token {TOKEN} is wrong"}, "token *** is wrong"),
        ({"message": "two\nlines\x1b[31m"}, "two lines [31m"),
        ([], "Unprocessable Entity"),
        (b"<html>a proxy's page</html>", "Unprocessable Entity"),
        ({"message": "x" * 1000}, "x" * 400 + "…"),
    ],
    ids=[
        "github",
        "gitlab fields",
        "gitlab list",
        "oauth",
        "bitbucket",
        "stash",
        "token",
        "control",
        "empty",
        "html",
        "long",
    ],
)
def test_the_reason_that_it_gave(api: Api, server: Server, body: Any, reason: str) -> None:
    server.says((422, body))
    problem = refusal(api)
    assert problem.message == f"cannot list things: Forge answered 422: {reason}"


@pytest.mark.parametrize(
    ("status", "help"), [(401, "not expired"), (403, "right to write"), (404, "may see it")]
)
def test_what_to_do(api: Api, server: Server, status: int, help: str) -> None:  # noqa: A002 as in errors
    server.says((status, {"message": "no"}))
    problem = refusal(api)
    assert isinstance(problem, Refused)
    assert (problem.status, problem.reason) == (status, "no")
    assert help in problem.help


@pytest.mark.parametrize(
    ("status", "headers", "body", "waits"),
    [
        (429, {"Retry-After": "7"}, {}, 7.0),
        (503, {"Retry-After": "3"}, {}, 3.0),
        (403, {"Retry-After": "5"}, {"message": "secondary"}, 5.0),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}, 60.0),
        (429, {}, {}, 60.0),
        (502, {}, b"bad gateway", 1.0),
        (429, {"Retry-After": "soon"}, {}, 60.0),
    ],
    ids=["429", "503", "secondary", "secondary without a time", "429 without a time", "502", "nonsense"],
)
def test_what_passes_is_waited_for(
    api: Api, server: Server, naps: list[float], status: int, headers: dict[str, str], body: Any, waits: float
) -> None:
    server.says((status, body, headers), (200, {"a": 1}))
    assert api.get("look", "/x") == {"a": 1}
    assert naps == [waits]


def test_resets_and_dates_are_times_of_day(api: Api, server: Server, naps: list[float]) -> None:
    soon = time.time() + 20
    server.says(
        (403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(soon))}),
        (429, {}, {"RateLimit-Reset": str(int(soon))}),
        (503, {}, {"Retry-After": formatdate(soon, usegmt=True)}),
        (200, {}),
    )
    api.get("look", "/x")
    assert all(10 < nap <= 20 for nap in naps)
    assert len(naps) == 3


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "61"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}],
    ids=["after", "reset"],
)
def test_a_long_limit_is_told_instead(
    api: Api, server: Server, naps: list[float], headers: dict[str, str]
) -> None:
    server.says((403, {"message": "API rate limit exceeded"}, headers))
    assert "rate limit is used up for" in refusal(api).message
    assert naps == []
    assert len(server.asked) == 1


def test_it_is_not_tried_for_ever(api: Api, server: Server, naps: list[float]) -> None:
    server.says((502, b"bad gateway"))
    assert "answered 502: Bad Gateway" in refusal(api).message
    assert len(server.asked) == http.TRIES


def test_what_may_have_been_done_is_not_done_twice(api: Api, server: Server, naps: list[float]) -> None:
    server.says((502, b""))
    refusal(api, method="POST")
    assert len(server.asked) == 1
    with pytest.raises(Refused):
        api.send("make a thing", "POST", "/x", {}, repeatable=True)
    assert len(server.asked) == 1 + http.TRIES


def test_a_refusal_is_final(api: Api, server: Server, naps: list[float]) -> None:
    server.says((403, {"message": "Resource not accessible"}))
    refusal(api)
    assert (len(server.asked), naps) == (1, [])


def pages_by_link(server: Server) -> None:
    link = f'<{server.url}/api/x?page=1>; rel="prev", <{server.url}/api/x?page=3&q=1>; rel="next"'
    server.says((200, [1, 2], {"Link": link}), (200, [3]))


def pages_by_header(server: Server) -> None:
    server.says((200, [1, 2], {"X-Next-Page": "3"}), (200, [3], {"X-Next-Page": ""}))


def pages_by_field(server: Server) -> None:
    server.says((200, {"values": [1, 2], "next": f"{server.url}/api/x?page=3&q=1"}), (200, {"values": [3]}))


def pages_by_start(server: Server) -> None:
    server.says(
        (200, {"values": [1, 2], "isLastPage": False, "nextPageStart": 2}),
        (200, {"values": [3], "isLastPage": True}),
    )


@pytest.mark.parametrize(
    ("told", "second"),
    [
        (pages_by_link, "/api/x?page=3&q=1"),
        (pages_by_header, "/api/x?q=1&page=3"),
        (pages_by_field, "/api/x?page=3&q=1"),
        (pages_by_start, "/api/x?q=1&start=2"),
    ],
)
def test_pages(api: Api, server: Server, told: Callable[[Server], None], second: str) -> None:
    told(server)
    assert list(api.pages("list", "/x", q="1")) == [1, 2, 3]
    assert [path for _, path, _, _ in server.asked] == ["/api/x?q=1", second]


def test_pages_do_not_lead_elsewhere(api: Api, server: Server) -> None:
    server.says((200, [1], {"Link": '<https://evil.test/api/x>; rel="next"'}))
    with pytest.raises(
        EnvironmentProblem, match=r"continues on https://evil\.test, which does not get the token"
    ):
        list(api.pages("list", "/x"))


def test_pages_end(api: Api, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_PAGES", 3)
    server.says((200, [1], {"X-Next-Page": "2"}))
    with pytest.raises(EnvironmentProblem, match="more than 3 pages"):
        list(api.pages("list", "/x"))


def test_a_redirect_on_the_same_host_is_followed(api: Api, server: Server) -> None:
    server.says((301, {}, {"Location": "/api/repositories/7"}), (200, {"a": 1}))
    assert api.get("look", "/x") == {"a": 1}
    assert server.asked[1][1] == "/api/repositories/7"


@pytest.mark.parametrize(
    "place", ["https://evil.test/x", "//evil.test/x", "http://127.0.0.1:1/x", "http://127.0.0.1:x/"]
)
def test_a_redirect_elsewhere_is_not(api: Api, server: Server, place: str) -> None:
    server.says((307, {}, {"Location": place}))
    assert "which does not get the token" in refusal(api).message
    assert len(server.asked) == 1


def test_a_change_is_not_made_a_look(api: Api, server: Server) -> None:
    server.says((301, {}, {"Location": "/api/y"}))
    assert "it has moved to" in refusal(api, method="PUT").message
    assert len(server.asked) == 1


def test_redirects_in_a_circle_end(api: Api, server: Server) -> None:
    server.says((302, {}, {"Location": "/api/x"}))
    assert "redirects in a circle" in refusal(api).message


def test_a_body_that_never_ends_is_cut(api: Api, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_BODY", 1 << 20)
    server.says((200, b'"' + b"x" * (2 << 20) + b'"'))
    assert "takes more than 1 MiB" in refusal(api).message


def test_something_else_than_json(api: Api, server: Server) -> None:
    server.says((200, b"<html>log in here</html>"))
    problem = refusal(api)
    assert "is no JSON" in problem.message
    assert server.url in problem.help


def test_json_that_is_too_deep(api: Api, server: Server) -> None:
    server.says((200, b"[" * 200_000))
    assert "no JSON" in refusal(api).message


@pytest.mark.parametrize("answer", [[{"a": 1}, "text"], "text", 7], ids=["list", "text", "number"])
def test_something_else_than_a_list(api: Api, server: Server, answer: Any) -> None:
    server.says((200, answer))
    if isinstance(answer, list):
        assert list(api.pages("list", "/x")) == answer
    else:
        with pytest.raises(EnvironmentProblem, match="is no list"):
            list(api.pages("list", "/x"))


def test_a_field_that_is_missing(api: Api, server: Server) -> None:
    server.says((200, {"number": 1}))
    data = api.get("look", "/x")
    assert data.get("title") is None
    with pytest.raises(EnvironmentProblem, match="cannot look: Forge's answer has no title") as caught:
        data["title"]
    assert f"{server.url}/api" in caught.value.help


def test_nothing_where_something_was_asked_for(api: Api, server: Server) -> None:
    server.says((200, b""))
    assert api.send("make", "PUT", "/x", {}) is None
    with pytest.raises(EnvironmentProblem, match="is empty"):
        api.get("look", "/x")


def test_a_server_that_is_not_there(naps: list[float]) -> None:
    problem = refusal(Api("Forge", "http://127.0.0.1:9", f"Bearer {TOKEN}"))
    assert problem.message == "cannot list things: Forge at 127.0.0.1:9 cannot be reached: Connection refused"


def test_a_server_that_says_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(http, "TIMEOUTS", (0.2, 0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        api = Api("Forge", f"http://127.0.0.1:{silent.getsockname()[1]}", f"Bearer {TOKEN}")
        assert "it does not answer in time" in refusal(api, method="POST").message


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("http://git.example.com/api/v3", "would get the token in plain text"),
        ("ftp://git.example.com/api", "is no URL of an API"),
        ("https:///api", "is no URL of an API"),
        ("https://git.example.com/api?x=1", "is no URL of an API"),
        ("https://git.example.com:port/api", "is no URL of an API"),
        ("https://me:secret@git.example.com/api", "is no URL of an API"),
        ("nonsense", "is no URL of an API"),
    ],
)
def test_endpoints_that_get_no_token(endpoint: str, told: str) -> None:
    with pytest.raises(EnvironmentProblem, match=told) as caught:
        Api("Forge", endpoint, f"Bearer {TOKEN}")
    assert "secret" not in caught.value.message


def test_changes_are_a_second_apart_beyond_this_machine(
    server: Server, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says((200, {}))
    near = Api("Forge", server.url)
    for _ in range(2):
        near.send("make", "POST", "/x", {})
    assert max(naps) == 0.0
    monkeypatch.setattr(http, "is_loopback", lambda _host: False)
    far = Api("Forge", server.url)
    for method in ("POST", "GET", "PUT"):
        far.ask("make", method, "/x")
    assert len(naps) == 4
    assert 0.5 < naps[-1] <= 1.0


def test_proxies_are_for_what_is_beyond_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.says((200, {"a": 1}))
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    Api("Forge", f"{server.url}/api").get("look", "/x")
    assert server.asked[-1][1] == "/api/x"
    Api("Forge", "http://forge.test/api").get("look", "/x")
    assert server.asked[-1][1] == "http://forge.test/api/x"
