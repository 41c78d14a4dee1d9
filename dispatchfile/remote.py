"""Where a git remote is, as its URL says: this machine or another, which host, which repository of which forge."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from dispatchfile.errors import UsageError
from dispatchfile.record import Record

_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^]]+\]|[^@/:]+):(?!//)(?P<path>.+)")
_KNOWN = ("http", "https", "ssh", "git", "file")


class Remote(Record, hidden=("password",)):
    """A remote. `url` holds no user and no password but for ssh; `host` is empty for a path."""

    url: str
    scheme: str
    host: str
    port: int | None
    path: str
    user: str = ""
    password: str = ""

    @property
    def local(self) -> bool:
        """Return whether the remote is on this machine: a path, or a loopback host."""
        return self.scheme == "file" or is_loopback(self.host)

    @property
    def directory(self) -> Path | None:
        """Return the directory on this machine that the remote is; None for one that is reached over a network."""
        return Path(self.path) if self.scheme == "file" else None

    @property
    def repository(self) -> str:
        """Return OWNER/NAME, without slashes around and without `.git`."""
        return self.path.strip("/").removesuffix(".git")

    @property
    def name(self) -> str:
        """Return the last part of the path without `.git`."""
        return self.repository.rpartition("/")[2]

    @property
    def web(self) -> str:
        """Return the URL at which people see the repository."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port and self.scheme in ("http", "https") else ""
        return f"{'http' if self.scheme == 'http' else 'https'}://{host}{port}/{self.repository}"


def parse(url: str) -> Remote:
    """Return the remote that a URL, a path or `user@host:path` names. Raises UsageError for what git must not be given."""
    if not url or url.startswith("-") or any(ord(letter) < 32 for letter in url):
        raise UsageError(f"the remote URL {url!r} is not usable")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*::", url):
        raise UsageError(
            f"the remote helper of {url.partition('::')[0]}:: is not allowed", help="use https or ssh"
        )
    if "://" in url:
        return _from_url(url)
    match = _SCP.fullmatch(url)
    if match and not url.startswith(("/", ".")):
        host = match["host"].strip("[]")
        if host.startswith("-"):  # which would be an option of ssh
            raise UsageError(f"the remote URL {_hidden(url)} names no host")
        return Remote(url, "ssh", host, None, match["path"], match["user"] or "")
    return Remote(url, "file", "", None, url)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: 127.0.0.0/8, ::1, or a name of RFC 6761's "localhost."."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def without_userinfo(url: str) -> str:
    """Return a URL without user name and password, but an ssh one with them; anything else as it came."""
    if "://" not in url or url.startswith("ssh://"):
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def may_publish(
    configured: Remote, used: Remote, *, asked: bool, env: Mapping[str, str] = os.environ
) -> bool:
    """Return whether this run may push: to this machine always, elsewhere only when `asked` for or told so.

    A runner that gives containers another way to their remotes (git's insteadOf) sets DISPATCHFILE_PUBLISH to 1 or 0;
    the configured URL then decides. Elsewhere the URL that git will really use counts too.
    """
    told = env.get("DISPATCHFILE_PUBLISH")
    if asked or told == "1":
        return True
    return configured.local and (used.local or told is not None)


def _from_url(url: str) -> Remote:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the remote URL {_hidden(url)} is not a URL: {error}") from error
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if scheme not in _KNOWN:
        raise UsageError(f"git over {scheme}:// is not supported", help=f"use one of {', '.join(_KNOWN)}")
    if host.startswith("-") or (scheme != "file" and not host):
        raise UsageError(f"the remote URL {_hidden(url)} names no host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if any(ord(letter) < 32 for letter in f"{user}{password}{unquote(parts.path)}"):
        # A line end would add a line of its own to what a credential helper is asked (protocol and host, one a line).
        raise UsageError(f"the remote URL {_hidden(url)} holds an escaped control character")
    if scheme == "file":
        return Remote(url, scheme, "", None, unquote(parts.path))
    if scheme == "ssh":
        return Remote(url, scheme, host, port, unquote(parts.path), user, password)
    clean = without_userinfo(url).partition("#")[0]
    return Remote(clean, scheme, host, port, unquote(parts.path), user, password)


def _hidden(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)
