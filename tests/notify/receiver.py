"""A server that takes what is posted to it, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str, *, age: float = 300.0) -> bool:
        """Return what the receiver of a webhook would find, from the published description of the signature."""
        timestamp = self.headers["x-dispatchfile-timestamp"]
        digest = hmac.new(secret.encode(), timestamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(timestamp)) < age
        return fresh and hmac.compare_digest(f"sha256={digest}", self.headers["x-dispatchfile-signature-256"])


class Receiver:
    """Answers with `answers` one by one, then with 200; a number above 1000 is seconds of silence, in milliseconds."""

    def __init__(self, *answers: int, headers: dict[str, str] | None = None) -> None:
        self.answers = list(answers)
        self.posted: list[Posted] = []
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    names = {name.lower(): value for name, value in self.headers.items()}
                    receiver.posted.append(Posted(self.path, names, body))
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.arrived.notify_all()
                if status > 1000:
                    time.sleep(status / 1000)
                    status = 200
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                with receiver.arrived:
                    receiver.posted.append(Posted(f"GET {self.path}", {}, b""))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its base's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Receiver:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
