"""The way of a step's `git fetch origin` and `git push` out of its container.

A container reaches neither this machine's paths nor its loopback, and must not hold the user's credentials. So a
small server in this process, on the address at which containers see this machine, speaks git's smart HTTP for the git
inputs of the run: repositories on this machine are served by `git http-backend`, HTTP remotes are passed on with the
credentials that the user has for them (`git credential fill`, $GITHUB_TOKEN), remotes over ssh are read through a mirror that the
user's git keeps fresh. HOME/.gitconfig of the steps turns each remote's URL into the gateway's (`insteadOf`).

Its paths hold a token that only the run's containers are told, and a name of each remote that only the tasks with
that remote as an input are told. Pushes beyond this machine need `publish`. Where a step may push and there is a
token, it may also ask for what a pull request needs (relay.py). What a request says of itself is not
trusted: a step may be any program.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

from dispatchfile import remote
from dispatchfile.credentials import Credential, find, forge_of, git_access, host_variables
from dispatchfile.errors import EnvironmentProblem
from dispatchfile.record import Record
from dispatchfile.remote import without_userinfo
from dispatchfile.run import relay
from dispatchfile.run.git import config_value, git, quiet_environment

_SERVICES = ("git-upload-pack", "git-receive-pack")
_PASSED_ON = ("Content-Type", "Content-Encoding", "Accept", "Git-Protocol")
_BLOCK = 65536
_IN_MEMORY = 1 << 20
_LONGEST_LINE = 4096


class Served(Record, uncompared=("lock",)):
    """A remote of the run. `path` is served in its place when set: it is local, a mirror, or stands in while offline."""

    url: str
    path: Path | None
    mirror: bool = False
    push: bool = False
    offline: bool = False
    lock: threading.Lock = threading.Lock()


class Gateway:
    """The server, from its first remote to `close`. `address` is this machine as containers see it."""

    def __init__(self, address: str, mirrors: Path, *, publish: bool, offline: bool, token: str = "") -> None:
        self._mirrors = mirrors
        self._publish = publish
        self._offline = offline
        self._token = token or secrets.token_urlsafe(24)
        self._served: dict[str, Served] = {}
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()
        self.credentials: dict[str, Credential | None] = {}
        handler = type("Handler", (_Handler,), {"gateway": self})
        try:
            self._server = _Server((address, 0), handler)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot serve git to containers at {address}: {error.strerror}"
            ) from None
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="gateway", daemon=True).start()

    def serve(self, url: str, own: Path | None = None) -> str:
        """Serve a remote and return the gateway's URL for it; `own` is the user's repository, read while offline."""
        with self._lock:
            if url not in self._names:
                name = secrets.token_urlsafe(16)
                self._names[url] = name
                self._served[name] = self._target(url, own)
            host, port = self._server.server_address[:2]
            return f"http://{host!s}:{port}/{self._token}/{self._names[url]}"

    def git_config(self, url: str, own: Path | None = None) -> str:
        """Return the lines of a .gitconfig that lead `url` to the gateway, a local path in both its spellings."""
        spellings = [without_userinfo(url)]
        if (path := remote.parse(url).directory) and path.is_absolute():
            spellings = [str(path), f"file://{path}"]
        lines = "".join(f"\tinsteadOf = {config_value(spelling)}\n" for spelling in spellings)
        base = self.serve(url, own)
        forge = ""
        if self.may_propose(url):
            forge = f"[dispatchfile {config_value(without_userinfo(url))}]\n\tforge = {config_value(base)}\n"
            if kind := forge_of(urlsplit(url).netloc.rpartition("@")[2]):
                forge += f"\tprovider = {config_value(kind)}\n"
        return f"[url {config_value(base)}]\n{lines}{forge}"

    def may_propose(self, url: str) -> bool:
        """Return whether a step may make pull requests on a remote: it may be pushed to, and there is a token for it."""
        served = self._served[self._names[url]]
        if served.path or not served.push:
            return False
        if url not in self.credentials:
            self.credentials[url] = credential_of(url)
        return self.credentials[url] is not None

    def find(self, path: str) -> tuple[Served, str] | None:
        """Return the remote of a request's path and what follows its name; None when the token or name is wrong."""
        _, token, rest = (*path.split("/", 2), "", "")[:3]
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        name, slash, inner = rest.partition("/")
        served = self._served.get(name)
        return (served, slash + inner) if served else None

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _target(self, url: str, own: Path | None) -> Served:
        where = remote.parse(url)
        if where.directory:
            return Served(url, where.directory, push=True)
        if self._offline and not where.local:
            return Served(url, own, offline=True)
        if url.startswith(("http://", "https://")):
            return Served(url, None, push=self._publish or where.local)
        return Served(url, self._mirrors / mirror_name(url), mirror=True)


def mirror_name(url: str) -> str:
    """Return the folder name of a URL's mirror."""
    return hashlib.sha256(url.encode()).hexdigest()[:24] + ".git"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client go that broke off; anything else is a mistake of ours, to be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # the stub wants a socket


class _BadBody(Exception):
    """A request whose body is not as long as it says, or says nothing sensible."""


class _Handler(BaseHTTPRequestHandler):
    """Git's smart HTTP (gitprotocol-http): /info/refs?service=…, and a POST to the service itself."""

    gateway: Gateway
    protocol_version = "HTTP/1.1"
    # Head and body are written one after the other: the second must not wait for the first to be acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer what refs there are."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a fetch or a push."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
        """Say nothing: a request's path holds the token."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        found = self.gateway.find(parts.path)
        if found and found[1].startswith(relay.PREFIX) and self.gateway.may_propose(found[0].url):
            self._propose(found[0], found[1], parts.query)
            return
        service = (parse_qs(parts.query).get("service") or [parts.path.rpartition("/")[2]])[0]
        if found is None or service not in _SERVICES or found[1] not in ("/info/refs", f"/{service}"):
            self._refuse(HTTPStatus.NOT_FOUND, "no such repository in this run")
            return
        served, inner = found
        if service == "git-receive-pack" and not served.push:
            why = (
                "over ssh is not supported from a step"
                if served.mirror
                else "is off; run with --publish to allow it"
            )
            self._refuse(HTTPStatus.FORBIDDEN, f"pushing to {without_userinfo(served.url)} {why}")
            return
        try:
            if served.path:
                self._serve_path(served, served.path, inner, parts.query)
            elif served.offline:
                self._refuse(
                    HTTPStatus.FORBIDDEN, f"{without_userinfo(served.url)} is not asked: the run is offline"
                )
            else:
                self._pass_on(served, inner, parts.query)
        except EnvironmentProblem as problem:
            self._refuse(HTTPStatus.BAD_GATEWAY, problem.message)
        except _BadBody:
            self._refuse(HTTPStatus.BAD_REQUEST, "the request's body is not as long as it says")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_PATCH = do_PUT = do_POST  # noqa: N815 as the base class calls them

    def _propose(self, served: Served, inner: str, query: str) -> None:
        """Answer what a pull request needs."""
        try:
            size = _length(self.headers.get("Content-Length") or "0", 10)
            if size > relay.LARGEST_BODY:
                raise _BadBody
            body = io.BytesIO(b"".join(self._read(size)))
            answer = relay.pass_on(
                *(served.url, self.command, inner, query, body if size else None),
                credential=self.gateway.credentials[served.url],
                base=self.gateway.serve(served.url),
            )
        except _BadBody:
            self._refuse(HTTPStatus.BAD_REQUEST, "the request's body is not as long as it says, or too long")
        except EnvironmentProblem as problem:
            self._refuse(HTTPStatus.BAD_GATEWAY, problem.message)
        else:
            self._send(answer.status, answer.headers, iter([answer.body] if answer.body else []))

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        # git shows the text of an error answer only when it is plain text in this character set.
        body = f"dispatchfile: {text}\n".encode()
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _serve_path(self, served: Served, path: Path, inner: str, query: str) -> None:
        if served.mirror and inner == "/info/refs":
            with served.lock:
                refresh_mirror(path, served.url)
        env = {
            **quiet_environment(),
            **_cgi_variables(self, inner, query),
            "GIT_PROJECT_ROOT": str(path),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "step" if served.push else "",
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_1": "true",
            "GIT_CONFIG_KEY_2": "http.receivepack",
            "GIT_CONFIG_VALUE_2": "true" if served.push else "false",
        }
        with subprocess.Popen(
            ["git", "http-backend"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        ) as backend:
            if backend.stdin is None or backend.stdout is None:
                raise ValueError("both ends of the git program are pipes")
            feeder = threading.Thread(target=self._feed, args=(backend.stdin,), daemon=True)
            feeder.start()
            self._relay_cgi(backend.stdout)
            feeder.join()

    def _relay_cgi(self, output: IO[bytes]) -> None:
        """Send on what a CGI program answers: header lines, an empty line, the body."""
        status, headers = 200, []
        while line := output.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self._send(status, headers, iter(lambda: os.read(output.fileno(), _BLOCK), b""))

    def _send(self, status: int, headers: list[tuple[str, str]], body: Iterator[bytes]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for block in body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> Iterator[bytes]:
        """Yield the request's body, whichever way its length is given. Raises _BadBody."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._read(_length(self.headers.get("Content-Length") or "0", 10))
            return
        while size := _length(self.rfile.readline(_LONGEST_LINE).decode("latin-1").partition(";")[0], 16):
            yield from self._read(size)
            self.rfile.readline(_LONGEST_LINE)
        self.rfile.readline(_LONGEST_LINE)

    def _read(self, left: int) -> Iterator[bytes]:
        while left:
            block = self.rfile.read(min(left, _BLOCK))
            if not block:
                raise _BadBody
            left -= len(block)
            yield block

    def _feed(self, pipe: IO[bytes]) -> None:
        """Write the body to a program's input; the program may stop reading before the end, the client sending too."""
        try:
            with pipe:
                for block in self._body():
                    pipe.write(block)
        except (_BadBody, OSError):
            # What is left of the body must not be read as the next request.
            self.close_connection = True

    def _pass_on(self, served: Served, inner: str, query: str) -> None:
        url = without_userinfo(served.url).rstrip("/") + inner + (f"?{query}" if query else "")
        headers = {name: value for name in _PASSED_ON if (value := self.headers.get(name))}
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="dispatchfile-") as body:
            for block in self._body():
                body.write(block)
            posted = body if self.command == "POST" else None
            known = self.gateway.credentials.get(served.url)
            response = relay.ask(url, headers, posted, known.basic if known else "")
            if response.status == HTTPStatus.UNAUTHORIZED:
                response.close()
                known = self.gateway.credentials[served.url] = credential_of(served.url)
                response = relay.ask(url, headers, posted, known.basic if known else "")
        with response:
            kind = [("Content-Type", response.headers.get("Content-Type", "text/plain"))]
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise EnvironmentProblem(
                    f"{without_userinfo(served.url)} wants credentials that the user's git has not"
                )
            self._send(
                response.status or HTTPStatus.BAD_GATEWAY, kind, iter(lambda: response.read1(_BLOCK), b"")
            )


def refresh_mirror(path: Path, url: str) -> None:
    """Bring a bare mirror of a remote up to date with the user's own git and keys. Raises EnvironmentProblem."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(f".making-{os.getpid()}")
        try:
            git(["init", "-q", "--bare", "--template=", "--", str(making)])
            making.rename(path)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    git(
        ["fetch", "-q", "--prune", "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"],
        cwd=path,
        env=git_access.variables(remote.parse(url)),
    )


def _length(text: str, base: int) -> int:
    """Return a length as HTTP writes it: digits and nothing else. Raises _BadBody."""
    text = text.strip()
    if not text or not set(text) <= set(string.hexdigits if base == 16 else string.digits):
        raise _BadBody
    return int(text, base)


def _cgi_variables(request: BaseHTTPRequestHandler, inner: str, query: str) -> Mapping[str, str]:
    names = {
        "CONTENT_TYPE": "Content-Type",
        "HTTP_CONTENT_ENCODING": "Content-Encoding",
        "HTTP_GIT_PROTOCOL": "Git-Protocol",
        "GIT_PROTOCOL": "Git-Protocol",
        "CONTENT_LENGTH": "Content-Length",
    }
    given = {name: value for name, header in names.items() if (value := request.headers.get(header))}
    address = str(request.client_address[0])
    return {
        **given,
        "REQUEST_METHOD": request.command,
        "PATH_INFO": inner,
        "QUERY_STRING": query,
        "REMOTE_ADDR": address,
    }


def credential_of(url: str) -> Credential | None:
    """Return the credential for a URL, None when none is known. Raises EnvironmentProblem.

    A Dispatchfile may name any host, so a token that is not bound to one host is not asked.
    """
    where = remote.parse(url)
    return find(where, directory=Path.cwd(), names=host_variables(where.host))
