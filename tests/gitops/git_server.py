"""git over HTTP with Basic authentication: `git http-backend` behind http.server."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    server: GitServer
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this, the second one waits for the client's late acknowledgement.
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method (do_GET, do_POST …) alike."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return lambda: self.server.answer(self)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)


class GitServer(ThreadingHTTPServer):
    """Serve the repositories below a folder to one user. `redirect` sends every request elsewhere."""

    daemon_threads = True

    def __init__(self, folder: Path, *, user: str, password: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.user = user
        self.password = password
        self.authorized: list[str] = []
        self.redirect = ""

    def __enter__(self) -> GitServer:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, request: Handler) -> None:
        body = request.body()
        given = request.headers.get("Authorization", "")
        if given:
            self.authorized.append(given)
        if self.redirect:
            request.reply(302, {"Location": self.redirect + request.path}, b"")
        elif not self.admits(given):
            request.reply(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you?")
        else:
            self.serve(request, body)

    def admits(self, authorization: str) -> bool:
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return authorization == f"Basic {wanted}"

    def serve(self, request: Handler, body: bytes) -> None:
        parts = urlsplit(request.path)
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": self.user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        request.reply(int(headers.pop("Status", "200").split()[0]), headers, content)
