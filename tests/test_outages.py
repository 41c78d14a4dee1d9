"""Why a server could not be asked, from servers that are really like that."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from dispatchfile import outages


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """The URL of a server that answers every connection with some bytes, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(content)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/?token=secret"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it closes the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what it answers is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "it closes the connection without an answer"),
    ],
    ids=["nothing", "ssh", "half"],
)
def test_a_server_that_is_no_forge(content: bytes, reason: str) -> None:
    with answering(content) as url, pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=5)
    assert outages.why(caught.value) == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/?token=secret", "Connection refused"),
        ("http://no-such-host.invalid/?token=secret", "Name or service not known"),
    ],
)
def test_a_server_that_is_not_there(url: str, reason: str) -> None:
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=5)
    assert outages.why(caught.value) == reason
