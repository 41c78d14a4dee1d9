"""Servers that are none, or do not want to: told in words within a time, and no process of git is left behind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dispatchfile.apps import source
from dispatchfile.errors import DispatchfileError

HEAD = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
GIT = b"application/x-git-upload-pack-advertisement"


@contextlib.contextmanager
def serving(parts: Sequence[bytes]) -> Iterator[str]:
    """Answer every request with these parts, a moment between them; an empty one is a long silence."""
    ended = threading.Event()

    def answer(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.recv(65536)
            for part in parts:
                client.sendall(part)
                ended.wait(0.02 if part else 60)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}/web.git"
        finally:
            ended.set()
            door.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([b""], "no end of the answer after 1 s"),
        ([HEAD % (b"200 OK", GIT), *[b"0"] * 5000], "no end of the answer after 1 s"),
        ([], "cannot be re"),
        ([b"\0\xff\x13 rubbish\r\n\r\n"], "cannot be re"),
        ([HEAD % (b"200 OK", b"text/html") + b"<html>" * 20000], "has no revision"),
        ([HEAD % (b"200 OK", GIT) + b"\xff" * 100000], "cannot be re"),
        ([HEAD % (b"503 Busy", b"text/plain") + b" " * 100000], "503"),
    ],
    ids=["silence", "a byte now and then", "hangs up", "no HTTP", "a page", "no git", "busy"],
)
def test_a_server_that_is_none(parts: Sequence[bytes], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "ANSWER", 1.0)
    begun = time.monotonic()
    with serving(parts) as url:
        with source.opened(url) as repository, pytest.raises(DispatchfileError, match=why) as caught:
            repository.tip("main")
        assert url in caught.value.message
    assert time.monotonic() - begun < 20
    assert not [command for command in _commands() if url in command]


def _commands() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_text(errors="replace")
