"""Find the container engine and connect to it; turn what it answers into one clear line.

Order: what the caller names, DOCKER_HOST, the docker context (DOCKER_CONTEXT, else `currentContext` of the client's
config.json), then the usual sockets: the system's, rootless Docker's, Docker Desktop's, podman's.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.outages import why
from dispatchfile.record import Record

if TYPE_CHECKING:
    from docker import APIClient
    from docker.tls import TLSConfig

NO_ENGINE_HELP = (
    "start Docker or podman (for podman: systemctl --user start podman.socket), "
    "or name a running engine with DOCKER_HOST"
)
OLDEST_API = (1, 40)

# An engine says hello in milliseconds; one that takes longer than this hangs.
PATIENCE_S = 30


class Unanswered(EnvironmentProblem):
    """The engine went away in the middle of something: not what was asked for is at fault, and it can be asked again."""


class Endpoint(Record):
    """Where the engine listens, and what told us so. `tls` is a folder with ca.pem, cert.pem and key.pem."""

    host: str
    found: str
    tls: Path | None = None


def find_endpoint(named: str = "") -> Endpoint:
    """Return the engine to talk to. Raises EnvironmentProblem when nothing names one and no socket is there."""
    if named:
        return Endpoint(host=named, found="the command line")
    if host := os.environ.get("DOCKER_HOST"):
        return Endpoint(host=host, found="DOCKER_HOST", tls=_tls_of_environment())
    if (context := _context_name()) not in ("", "default"):
        return _endpoint_of_context(context)
    sockets = _usual_sockets()
    for path in sockets:
        if path.is_socket():
            return Endpoint(host=f"unix://{path}", found="its socket")
    looked = ", ".join(map(str, sockets))
    raise EnvironmentProblem(f"no container engine found (looked at {looked})", help=NO_ENGINE_HELP)


def connect(named: str = "") -> APIClient:
    """Return a client of the engine that `find_endpoint` names, after one answer of the engine."""
    endpoint = find_endpoint(named)
    import docker
    import requests

    class Client(docker.APIClient):
        def _retrieve_server_version(self) -> str:
            # A ping tells it too, and does not let the engine ask four programs for theirs, as `version` does.
            found = self.get(f"{self.base_url}/_ping", timeout=PATIENCE_S).headers.get("Api-Version")
            return str(found or self.version(api_version=False)["ApiVersion"])

    if endpoint.host.startswith("ssh://"):
        raise EnvironmentProblem(
            f"the engine at {endpoint.host} (named by {endpoint.found}) is reached over ssh, which is not supported",
            help="bring its socket here: ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST, "
            "and set DOCKER_HOST=unix:///tmp/engine.sock",
        )
    try:
        _knock(endpoint.host)
        client = Client(
            base_url=endpoint.host, version="auto", timeout=120, tls=_tls_config(endpoint) or False
        )
    except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
        raise _unreachable(endpoint, error) from None
    if tuple(int(part) for part in client.api_version.split(".")) < OLDEST_API:
        wanted = ".".join(str(part) for part in OLDEST_API)
        raise EnvironmentProblem(
            f"the engine at {endpoint.host} speaks API {client.api_version}; {wanted} or newer is needed",
            help="update the engine (Docker 19.03 or newer)",
        )
    return client


def _knock(host: str) -> None:
    """Connect to a Unix socket and hang up. The client library leaves its socket open when that is refused."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(10)
            knocking.connect("/" + host.removeprefix("unix://").lstrip("/"))


def address_of_this_machine(client: APIClient, network: str) -> str:
    """Return the address at which containers of a network reach this machine. Raises EnvironmentProblem."""
    if network == "host":
        return "127.0.0.1"
    with asking("look at the engine's network"):
        found = client.inspect_network(network or "bridge")
    for config in found.get("IPAM", {}).get("Config") or ():
        if gateway := config.get("Gateway"):
            return str(gateway)
        if found.get("Driver") == "bridge" and ":" not in config.get("Subnet", ":"):
            # The engine's default bridge does not say; its own address is the first of the subnet.
            return str(next(ipaddress.ip_network(config["Subnet"]).hosts()))
    raise EnvironmentProblem(f'the network "{network or "bridge"}" has no gateway to this machine')


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn the engine's refusals inside the block into an EnvironmentProblem that begins with "cannot WHAT".

    One that does not answer any more is Unanswered.
    """
    import docker
    import requests

    try:
        yield
    except docker.errors.DockerException as error:
        raise explain(what, error) from None
    except (requests.RequestException, ConnectionError) as error:
        raise Unanswered(
            f"cannot {what}: the engine stopped answering ({why(error)})",
            help="see whether it still runs; what this run left is removed by `dispatchfile clean` or the next run",
        ) from None


def explain(what: str, error: Exception) -> EnvironmentProblem:
    """Return the engine's answer as one line with advice."""
    text = last_line(error)
    lower = text.lower()
    if "no space left on device" in lower:
        return EnvironmentProblem(
            f"cannot {what}: the engine's disk is full",
            help="free some: `dispatchfile clean`, then `docker system df` shows what takes the space",
        )
    if "non-overlapping ipv4 address pool" in lower:
        return EnvironmentProblem(
            f"cannot {what}: the engine has no addresses left for another network",
            help="remove networks that are not used (`docker network prune`), or give it more: "
            "default-address-pools in its daemon.json",
        )
    if "permission denied" in lower or "read-only file system" in lower:
        return EnvironmentProblem(
            f"cannot {what}: {text}", help="the engine may not write there; see its own log"
        )
    return EnvironmentProblem(f"cannot {what}: {text}")


def last_line(error: BaseException) -> str:
    """Return what the engine said, without the client library's wrapping."""
    text = str(getattr(error, "explanation", None) or error).strip()
    return text.splitlines()[-1].strip() if text else type(error).__name__


def _context_name() -> str:
    if name := os.environ.get("DOCKER_CONTEXT"):
        return name
    try:
        config = json.loads((_client_folder() / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("currentContext", "")) if isinstance(config, dict) else ""


def _client_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _endpoint_of_context(name: str) -> Endpoint:
    digest = hashlib.sha256(name.encode()).hexdigest()
    contexts = _client_folder() / "contexts"
    try:
        meta = json.loads((contexts / "meta" / digest / "meta.json").read_text(encoding="utf-8"))
        host = str(meta["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, TypeError):
        raise EnvironmentProblem(
            f'the docker context "{name}" has no engine', help="see `docker context ls`, or set DOCKER_HOST"
        ) from None
    tls = contexts / "tls" / digest / "docker"
    return Endpoint(host=host, found=f'the docker context "{name}"', tls=tls if tls.is_dir() else None)


def _usual_sockets() -> list[Path]:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return [
        Path("/var/run/docker.sock"),
        runtime / "docker.sock",
        Path.home() / ".docker/run/docker.sock",
        runtime / "podman/podman.sock",
        Path("/run/podman/podman.sock"),
    ]


def _tls_of_environment() -> Path | None:
    if not (os.environ.get("DOCKER_TLS_VERIFY") or os.environ.get("DOCKER_CERT_PATH")):
        return None
    return Path(os.environ.get("DOCKER_CERT_PATH") or _client_folder())


def _tls_config(endpoint: Endpoint) -> TLSConfig | None:
    if endpoint.tls is None:
        return None
    from docker.tls import TLSConfig

    ca, cert, key = (endpoint.tls / name for name in ("ca.pem", "cert.pem", "key.pem"))
    pair = (str(cert), str(key)) if cert.is_file() and key.is_file() else None
    return TLSConfig(client_cert=pair, ca_cert=str(ca) if ca.is_file() else None, verify=True)


def _unreachable(endpoint: Endpoint, error: Exception) -> EnvironmentProblem:
    text = str(error)
    where = f"the engine at {endpoint.host} (named by {endpoint.found})"
    if "Permission denied" in text:
        return EnvironmentProblem(
            f"{where} refuses this user: permission denied",
            help="join the group that owns the socket (sudo usermod -aG docker $USER, then log in again), "
            "or use a rootless engine",
        )
    reason = next(
        (known for known in ("No such file or directory", "Connection refused") if known in text), None
    )
    return EnvironmentProblem(f"{where} does not answer: {reason or last_line(error)}", help=NO_ENGINE_HELP)
