"""Where a login holds: a server, or what is below a path of it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, unquote, urlsplit

from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.remote import Remote, is_loopback

_PORTS = {"https": 443, "http": 80, "ssh": 22}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^]]+\]|[^@/:\[\]]+):(?!//)(?P<path>\D.*|)")
_PLAIN = "/:@!$&'()*+,;=~"
_UNFIT = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")


class Place(Record):
    """A server, and a path of it ("" is all of it). The host is in small letters, and a port that goes without saying is None."""

    scheme: str
    host: str
    port: int | None = None
    path: str = ""
    user: str = ""

    @property
    def server(self) -> str:
        """Return HOST or HOST:PORT, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def url(self) -> str:
        """Return the URL, without a user."""
        return f"{self.scheme}://{self.server}{quote(self.path, safe=_PLAIN)}"

    def holds(self, other: Place) -> bool:
        """Return whether `other` is this place or below it."""
        same = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same and (not self.path or other.path == self.path or other.path.startswith(f"{self.path}/"))


def parse(text: str) -> Place:
    """Return the place that a host, HOST:PORT, a URL or USER@HOST:PATH names. Raises UsageError.

    A scheme that is not said is https. A user is kept of an ssh URL alone, where it is the server's login name.
    """
    if not text or text.startswith("-") or _UNFIT.search(text):
        raise UsageError(f"{text!r} names no server", help="write HOST, HOST:PORT, or a URL")
    if "://" not in text:
        scp = _SCP.fullmatch(text)
        user_said = scp is not None and (scp["user"] or scp["path"])
        if scp and user_said:
            return Place("ssh", host_of(scp["host"]), None, _path(scp["path"]), scp["user"] or "")
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(
            "the address of the server is not a URL", help="write HOST, HOST:PORT, or a URL"
        ) from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise UsageError(f"{scheme}:// has no logins", help="use https or ssh")
    if parts.password is not None or (parts.username is not None and scheme != "ssh"):
        raise UsageError(
            "a user or a token stands in the URL", help="give them with --user and --token-stdin"
        )
    if parts.query or parts.fragment:
        raise UsageError(f"{text} names more than a server and a path", help="leave out what follows ? or #")
    place = Place(
        scheme,
        host_of(parts.hostname or ""),
        _port(scheme, port),
        _path(unquote(parts.path)),
        unquote(parts.username or ""),
    )
    if scheme == "http" and not is_loopback(place.host):
        raise UsageError(f"{place.url} is plain http: a token would be readable on its way", help="use https")
    return place


def of_remote(remote: Remote) -> Place:
    """Return the place whose token a remote needs. One over ssh has the token of the same host's web address. Raises UsageError."""
    scheme = "http" if remote.scheme == "http" else "https"
    port = remote.port if remote.scheme in ("http", "https") else None
    return Place(scheme, host_of(remote.host), _port(scheme, port), _path(remote.path))


def of_ssh(remote: Remote) -> Place:
    """Return the place whose key a remote over ssh needs. Raises UsageError."""
    return Place("ssh", host_of(remote.host), _port("ssh", remote.port), _path(remote.path), remote.user)


def host_of(text: str) -> str:
    """Return a host in the one form in which hosts are compared: small letters, ASCII. Raises UsageError."""
    bare = text.strip("[]").rstrip(".").lower()
    if ":" in bare:
        try:
            return ipaddress.IPv6Address(bare).compressed
        except ValueError:
            raise UsageError(f"{text!r} is no host") from None
    try:
        name = bare if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if _NAME.fullmatch(name) is None or ".." in name:
        raise UsageError(f"{text!r} is no host")
    return name


def _port(scheme: str, port: int | None) -> int | None:
    if port == 0:
        raise UsageError("0 is no port")
    return None if port == _PORTS.get(scheme) else port


def _path(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if ".." in parts or "." in parts or _UNFIT.search(path.replace(" ", "")):
        raise UsageError(f"{path!r} is no path of a repository")
    return "".join(f"/{part}" for part in parts).removesuffix(".git")
