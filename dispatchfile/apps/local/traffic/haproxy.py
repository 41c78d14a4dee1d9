"""The configuration of HAProxy (2.6 and newer) as text, and the commands that change its servers while it runs.

A backend has more places for servers than it needs. A pod that comes or goes takes or leaves a place through HAProxy's
own socket, so that no connection notices; only what listens where, and rules, need a reload. An empty place is disabled
and points at the proxy itself, on a port where nothing listens.

Servers are known by name, which HAProxy asks the engine's DNS for again and again: after a restart of the engine every
pod may have another's address. What came from a repository is checked or quoted here; it begins no line.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re

from dispatchfile.errors import UsageError
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Literal, TypeAlias

    Mode: TypeAlias = Literal["http", "tcp"]
    Places: TypeAlias = "tuple[Server | None, ...]"

FOLDER = "/dispatchfile"
FILE = f"{FOLDER}/haproxy.cfg"
ARGUMENTS = ("-W", "-db", "-f", FILE)
SOCKET_PORT = 1999
SPARE = 12
"""Places that are free after a reload; there are at least as many as servers."""
_NOWHERE = 1
_HEAD = f"""\
global
  stats socket ipv4@127.0.0.1:{SOCKET_PORT} level admin
  stats socket {FOLDER}/socket mode 600 level admin expose-fd listeners
  nbthread 1
  maxconn 4000
  tune.bufsize 32768
defaults
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
  timeout client-fin 30s
  timeout http-request 60s
  timeout http-keep-alive 75s
  option redispatch 1
  retries 6
  default-server resolvers engine
resolvers engine
  nameserver engine 127.0.0.11:53
  accepted_payload_size 8192
  hold valid 2s
  hold nx 2s
  timeout resolve 1s
  timeout retry 1s
"""
# A connection of its own for each request: one that a pod closes as it is used again would be a lost POST. What changes
# nothing when it comes twice is sent to another pod when one ends without an answer.
_HTTP = """\
  mode http
  option http-server-close
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }
"""
NO_RULE = "no-rule"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_HTTP_SIDE = """\
  mode http
  option idle-close-on-response
"""
# HTTP/2 begins with "PRI", and is passed on as it is.
_SNIFFING = """\
  tcp-request inspect-delay 100ms
  tcp-request content accept if {{ req.payload(0,4) -m str 'PRI ' }}
  tcp-request content accept if HTTP
  use_backend sniffed-{port} if HTTP !{{ req.payload(0,4) -m str 'PRI ' }}
"""
# A frontend of HTTP alone lets clients end their connections in peace at a reload, so there is one behind.
_SNIFFED = """\
backend sniffed-{port}
  mode tcp
  server itself abns@http-{port} send-proxy-v2
frontend http-{port}-inside
  bind abns@http-{port} accept-proxy
"""
_SERVER = re.compile(r"  server s\d+ (\S+):(\d+) init-addr (\S+)( disabled)?")
_HOST = re.compile(
    r"(?=.{1,253}\Z)(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
# What RFC 3986 lets stand in a path, and "%".
_PATH = re.compile(r"/[A-Za-z0-9/._~!$&'()*+,;=:@%-]{0,1000}")


class Server(Record):
    """A pod behind a port: a name that the engine's DNS knows, the address it has now ("": not known), its port."""

    host: str
    port: int
    address: str = ""


class Backend(Record):
    """Where requests go. `affinity` are the seconds for which a client keeps its server; 0: it does not.

    Two backends of the same servers remember that in one table, that of the backend called `table`. `strip` is a path
    that is taken off the front of a request's.
    """

    name: str
    mode: Mode
    servers: tuple[Server, ...] = ()
    affinity: int = 0
    table: str = ""
    strip: str = ""


class Listener(Record):
    """A port, and where what comes there goes.

    With both backends what begins as an HTTP/1 request goes to `http`; what has sent nothing for a moment to `tcp`.
    """

    port: int
    http: str = ""
    tcp: str = ""


class Rule(Record):
    """Requests to `host` (""; "*.name" has one more label) and `path` go to `backend`; `exact`: no path below it."""

    host: str
    path: str
    exact: bool
    backend: str


class Config(Record):
    """What a proxy does. `own` is a name by which it finds itself. With `rules` port 80 sorts requests by them."""

    own: str
    backends: tuple[Backend, ...]
    listeners: tuple[Listener, ...] = ()
    rules: tuple[Rule, ...] | None = None
    default: str = ""


def text_of(config: Config, places: Mapping[str, Places]) -> str:
    """Return the file; `places` says for each backend what stands where. Raises UsageError for names of no pod."""
    parts = [_HEAD]
    if config.rules is not None:
        parts.append(_sorting(config.rules, config.default))
    parts += [_frontend(listener) for listener in config.listeners]
    for backend in config.backends:
        parts.append(_backend(backend))
        parts += [
            _server(number, server, config.own) for number, server in enumerate(places[backend.name], 1)
        ]
    text = "".join(parts)
    return text.replace("global\n", f"global\n  description {structure_of(text)}\n", 1)


def structure_of(text: str) -> str:
    """Return a fingerprint of all in a file but its servers; the running HAProxy tells the one it was started with."""
    kept = (
        "  server" if line.startswith("  server ") else line
        for line in text.splitlines()
        if not line.startswith("  description ")
    )
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()[:16]


def places_in(text: str) -> dict[str, Places]:
    """Return what stands at each place of each backend of a file that `text_of` wrote; nothing of any other."""
    found: dict[str, list[Server | None]] = {}
    here: list[Server | None] = []
    for line in text.splitlines():
        if line.startswith("backend "):
            here = found.setdefault(line.removeprefix("backend "), [])
        elif (match := _SERVER.fullmatch(line)) is not None:
            host, port, address, disabled = match.groups()
            here.append(None if disabled else Server(host, int(port), "" if address == "none" else address))
    return {name: tuple(servers) for name, servers in found.items()}


def seat(backend: Backend, before: Places, busy: Collection[int] = ()) -> Places:
    """Return the places of a backend: who has one keeps it. More are made when there are too few.

    Nobody new is put where connections still end; `busy` are the numbers of these places, from 0.
    """
    wanted = {(server.host, server.port): server for server in backend.servers}
    places: list[Server | None] = [
        wanted.pop((server.host, server.port), None) if server else None for server in before
    ]
    free = [number for number, server in enumerate(places) if server is None and number not in busy]
    new = list(wanted.values())
    for number, server in zip(free, new, strict=False):
        places[number] = server
    rest = new[len(free) :]
    if rest or not places:
        places += [*rest, *[None] * max(SPARE, len(backend.servers))]
    return tuple(places)


def changes(own: str, backend: str, before: Places, after: Places) -> Iterator[str]:
    """Yield the commands for HAProxy's socket that make `after` of `before`, places of one number."""
    for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
        place = f"{backend}/s{number}"
        if old == new:
            continue
        if new is None:
            yield from (f"set server {place} state maint", f"set server {place} fqdn {own}")
            continue
        yield f"set server {place} fqdn {_name(new.host)}"
        if new.address:
            yield f"set server {place} addr {_address(new.address)} port {new.port:d}"
        yield f"set server {place} state ready"


def held(servers_state: str) -> dict[str, tuple[tuple[str, int] | None, ...]]:
    """Return name and port of who is in each place, by backend, of the answer to "show servers state"."""
    found: dict[str, list[tuple[str, int] | None]] = {}
    for line in servers_state.splitlines():
        words = line.split()
        if len(words) >= 19 and words[0].isdecimal() and words[3] != "itself":
            # Bit 0 of the administrative state: out of use by command or by the file.
            there = None if int(words[6]) & 1 else (words[17], int(words[18]))
            found.setdefault(words[1], []).append(there)
    return {name: tuple(servers) for name, servers in found.items()}


def check_host(host: str) -> str:
    """Return a rule's host in small letters. Raises UsageError for what is no host."""
    if host and _HOST.fullmatch(host.lower()) is None:
        raise UsageError(f'"{host}" is no host', help='such as shop.example.com or "*.example.com"')
    return host.lower()


def check_path(path: str) -> str:
    """Return a rule's path as it came. Raises UsageError for one that no request can have."""
    if _PATH.fullmatch(path) is None:
        raise UsageError(f"{path!r} is no path of a request", help="it begins with / and holds no spaces")
    return path


def _sorting(rules: Sequence[Rule], default: str) -> str:
    lines = [
        "frontend ingress",
        "  bind :80",
        _HTTP_SIDE.rstrip(),
        "  http-request set-var(txn.host) req.hdr(host),host_only,lower",
        "  http-request set-header X-Forwarded-For %[src]",
        "  http-request set-header X-Forwarded-Proto http",
        "  http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    ]
    for rule in sorted(rules, key=_rank):
        for path in _of_path(rule):
            conditions = " ".join(filter(None, (_of_host(rule.host), path)))
            lines.append(f"  use_backend {_name(rule.backend)}" + (f" if {conditions}" if conditions else ""))
    lines += [f"  default_backend {_name(default or NO_RULE)}", f"backend {NO_RULE}", "  mode http"]
    lines.append(
        "  http-request return status 404 content-type text/plain "
        "string 'no rule of an Ingress is for this host and path'"
    )
    return "\n".join(lines) + "\n"


def _rank(rule: Rule) -> tuple[int, int, bool]:
    """Hosts before patterns before none; then, as Kubernetes has it, the longest path, exact ones first."""
    host = 2 if not rule.host else 1 if rule.host.startswith("*") else 0
    return host, -len(rule.path.rstrip("/")), not rule.exact


def _of_host(host: str) -> str:
    if not host:
        return ""
    check_host(host)
    if not host.startswith("*"):
        return f"{{ var(txn.host) -m str {host} }}"
    return f"{{ var(txn.host) -m reg '^[^.]+{re.escape(host[1:])}$' }}"


def _of_path(rule: Rule) -> tuple[str, ...]:
    """Return conditions, of which one is to hold; a prefix is one of whole segments, with or without "/" at its end."""
    path = check_path(rule.path)
    if rule.exact:
        return (f"{{ path -m str {_quoted(path)} }}",)
    path = path.rstrip("/")
    if not path:
        return ("",)
    return f"{{ path -m str {_quoted(path)} }}", f"{{ path -m beg {_quoted(path + '/')} }}"


def _frontend(listener: Listener) -> str:
    port = f"{listener.port:d}"
    if not listener.tcp:
        return f"frontend port-{port}\n  bind :{port}\n{_HTTP_SIDE}  default_backend {_name(listener.http)}\n"
    text = f"frontend port-{port}\n  bind :{port}\n  mode tcp\n"
    if listener.http:
        text += _SNIFFING.format(port=port)
    text += f"  default_backend {_name(listener.tcp)}\n"
    if listener.http:
        text += _SNIFFED.format(port=port) + f"{_HTTP_SIDE}  default_backend {_name(listener.http)}\n"
    return text


def _backend(backend: Backend) -> str:
    text = f"backend {_name(backend.name)}\n" + (_HTTP if backend.mode == "http" else "  mode tcp\n")
    if backend.affinity and backend.table:
        text += f"  stick on src table {_name(backend.table)}\n"
    elif backend.affinity:
        text += f"  stick-table type ipv6 size 100k expire {backend.affinity:d}s\n  stick on src\n"
    if backend.strip:
        path = check_path(backend.strip)
        text += f"  http-request set-header X-Forwarded-Prefix {_quoted(path.replace('%', '%%'))}\n"
        text += f"  http-request replace-path {_quoted(f'^{re.escape(path)}/*(.*)')} '/\\1'\n"
    return text


def _server(number: int, server: Server | None, own: str) -> str:
    if server is None:
        return f"  server s{number} {_name(own)}:{_NOWHERE} init-addr none disabled\n"
    return f"  server s{number} {_name(server.host)}:{server.port:d} init-addr {_address(server.address)}\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _name(name: str) -> str:
    """Return a name that goes into the file unquoted. Raises UsageError where it would be more than a name there."""
    if _WORD.fullmatch(name) is None:
        raise UsageError(f'"{name}" cannot be the name of anything that a proxy sends requests to')
    return name


def _address(address: str) -> str:
    return str(ipaddress.ip_address(address)) if address else "none"
