"""The agent's door: `POST /api/webhook` for forges, `GET /healthz` for whoever watches it.

It is plain HTTP for this machine, or for a proxy that speaks TLS. It answers at once; what a webhook asks for is done by
the workers. Few requests at a time, each with a time-out and a limit.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.agent import webhooks
from dispatchfile.apps.agent.webhooks import Push, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Asked = Callable[[Push], int]

MOST_AT_ONCE = 16
PATIENCE = 10.0
"""Seconds that a request may keep silent."""
LONGEST = 60.0
"""Seconds that it may take in all: one that comes byte by byte is never silent."""


class Server(ThreadingHTTPServer):
    """Hands what forges push to `pushed`, which returns how many applications that concerns.

    Raises OSError when the address is taken or is none of this machine's.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        secrets: Sequence[str],
        pushed: Asked,
        health: Callable[[], dict[str, Any]],
        say: Callable[[str], None],
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.secrets = tuple(secrets)
        self.pushed = pushed
        self.health = health
        self.say = say
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or not at all when too many are being answered."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and let the next one in."""
        end = threading.Timer(LONGEST, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 its base's
        """Say that a client went away; the agent goes on."""
        import sys

        error = sys.exc_info()[1]
        self.say(f"a request from {client_address[0]} ended early: {type(error).__name__}")


def _cut(request: socket.socket) -> None:
    """End a connection; whoever reads from it finds its end."""
    with contextlib.suppress(OSError):  # it has ended by itself
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = PATIENCE
    server_version = "dispatchfile"
    sys_version = ""

    def do_GET(self) -> None:
        """Tell how the agent is."""
        if self.path.partition("?")[0] != "/healthz":
            self._answer(404, {"error": "there is /healthz and /api/webhook"})
        else:
            self._answer(200, self.server.health())

    def do_POST(self) -> None:
        """Take a webhook."""
        try:
            if self.path.partition("?")[0] != "/api/webhook":
                raise Refused(404, "there is /healthz and /api/webhook")
            if self.headers.get("Origin"):
                # A page in a browser on this machine, whose host's name may by now mean 127.0.0.1.
                raise Refused(403, "a web page sends this, and no forge")
            found = webhooks.read(dict(self.headers.items()), self._body(), self.server.secrets)
        except Refused as refused:
            self.server.say(f"webhook from {self.client_address[0]} refused: {refused.message}")
            self._answer(refused.status, {"error": refused.message})
            return
        if not isinstance(found, Push):
            self._answer(200, {"message": "heard, and nothing to do"})
            return
        self._answer(202, {"message": "heard", "applications": self.server.pushed(found)})

    def _body(self) -> bytes:
        told = self.headers.get("Content-Length", "")
        if not (told.isascii() and told.isdigit() and len(told) < 12):
            raise Refused(411, "the webhook does not tell how long it is")
        if int(told) > webhooks.LARGEST:
            raise Refused(413, f"the webhook has {told} bytes; {webhooks.LARGEST} are the most")
        return self.rfile.read(int(told))

    def _answer(self, status: int, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode() + b"\n"
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its base's name
        """Say nothing of what went well."""
