"""Answers of what says that it is a cluster: none of them is believed further than it has to be, none does harm."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dispatchfile.kube import client
from dispatchfile.kube.changes import changes
from dispatchfile.kube.client import PODS, Cluster
from dispatchfile.kube.kubeconfig import Target
from dispatchfile.kube.problems import Refused

POD: dict[str, Any] = {"metadata": {"name": "a", "resourceVersion": "1"}}
ODD = "does not answer as a cluster does"


@contextmanager
def answering(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None, seen: list[str] | None = None
) -> Iterator[Cluster]:
    """Yield a connection to a server that answers every request so; `seen` gets the paths and tokens it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        cluster = Cluster(Target("fake", "ci", {"server": url}, {"token": "s3cret"}))
        try:
            yield cluster
        finally:
            cluster.close()
            server.shutdown()


def pod(**parts: Any) -> bytes:
    return json.dumps({**POD, **parts}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"[]", b"null", b"{}", b'{"metadata": []}', b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b"1" * 10_000,
        pod(metadata={"name": "../../etc", "resourceVersion": "1"}), pod(metadata={"name": "a\x1b[2J", "resourceVersion": "1"}),
        pod(metadata={"name": "a; rm -rf ~", "resourceVersion": "1"}), pod(metadata={"name": "a"}),
        pod(metadata={"name": "a", "resourceVersion": "1", "labels": []}), pod(status=[]), pod(status={"conditions": {}}),
        pod(status={"conditions": ["x"]}), pod(status={"steps": [{"terminated": {"exitCode": "x"}}]}),
        pod(status={"containerStatuses": [{"state": {"waiting": "x"}}]}), pod(spec={"timeouts": "x"}),
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused(body: bytes) -> None:
    listed = b'{"metadata": {}, "items": [%s]}' % body
    asked: list[tuple[bytes, Callable[[Cluster], object]]] = [
        (body, lambda cluster: cluster.create(PODS, POD)),
        (listed, lambda cluster: cluster.list(PODS)),
    ]
    for answer, ask in asked:
        with answering(answer) as cluster, pytest.raises(Refused, match=ODD):
            ask(cluster)


def test_what_is_an_object_is_taken() -> None:
    status = {"conditions": None, "steps": [{"terminated": {"exitCode": 1}}, {"running": {}}]}
    with answering(pod(status=status)) as cluster:
        assert cluster.get(PODS, "a")["status"] == status


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"type": "X", "object": {}}', b'{"type": "BOOKMARK", "object": {}}']
)
def test_a_watch_of_something_else_ends_with_an_error(line: bytes) -> None:
    with answering(line + b"\n") as cluster, pytest.raises(Refused, match=ODD):
        list(cluster.watch(PODS, "1", seconds=1))


def test_an_error_in_a_watch_may_say_anything() -> None:
    line = b'{"type": "ERROR", "object": {"reason": "\\u001b[2J", "message": 7}}\n'
    with answering(line) as cluster, pytest.raises(Refused) as caught:
        list(cluster.watch(PODS, "1", seconds=1))
    assert caught.value.message.isprintable()


def test_answers_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 1 << 20)
    monkeypatch.setattr(client, "LARGEST_CHANGE", 1 << 20)
    bomb, packed = b" " * (8 << 20), {"Content-Encoding": "gzip"}
    for status in (200, 403):
        with answering(gzip.compress(bomb), status, packed) as cluster, pytest.raises(Refused, match=ODD):
            cluster.get(PODS, "a")
    with answering(gzip.compress(bomb), 200, packed) as cluster, pytest.raises(Refused, match=ODD):
        list(cluster.watch(PODS, "1", seconds=1))


def test_a_token_goes_nowhere_else() -> None:
    seen: list[str] = []
    with answering(pod(), seen=seen) as other:
        there = {"Location": f"{other.target.server}/api/v1/namespaces/ci/pods/a"}
        for status in (301, 302, 307, 308):
            with answering(b"", status, there) as cluster, pytest.raises(Refused) as caught:
                cluster.get(PODS, "a")
            assert "s3cret" not in str(caught.value)
    assert seen == []


def test_nobody_is_made_to_wait_for_long() -> None:
    with answering(b"{}", 503, {"Retry-After": "9" * 400}) as cluster, pytest.raises(Refused) as caught:
        cluster.get(PODS, "a")
    assert caught.value.retry_after <= 60


def test_changes_of_what_is_no_cluster_end() -> None:
    with (
        answering(b'{"metadata": {}, "items": [{"metadata": {}}]}') as cluster,
        pytest.raises(Refused, match=ODD),
    ):
        next(changes(cluster, PODS, threading.Event()))
