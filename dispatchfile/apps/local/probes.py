"""Probes of containers, run by us: httpGet and tcpSocket from this machine, exec by the engine (Kubernetes core/v1 Probe)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.objects import as_text, items, mapping, number, texts
from dispatchfile.errors import UsageError
from dispatchfile.record import Record
from dispatchfile.run.connect import last_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from docker import APIClient

FIELDS = {"readiness": "readinessProbe", "liveness": "livenessProbe", "startup": "startupProbe"}


class Probe(Record):
    """A probe as it is to be run. `kind` is http, tcp or exec; times are seconds."""

    kind: str
    delay: float
    period: float
    timeout: float
    successes: int
    failures: int
    port: int = 0
    host: str = ""
    path: str = "/"
    scheme: str = "http"
    headers: Sequence[tuple[str, str]] = ()
    command: Sequence[str] = ()


def probe_of(container: Mapping[str, Any], field: str, ports: Mapping[str, int], where: str) -> Probe | None:
    """Return a probe of a container, None when it has none. Raises UsageError for one that cannot be run."""
    given = mapping(container, field, where)
    if not given:
        return None
    where = f"{where}, {field}"
    times = (
        number(given, "initialDelaySeconds", 0, where),
        max(1, number(given, "periodSeconds", 10, where)),
        max(1, number(given, "timeoutSeconds", 1, where)),
        max(1, number(given, "successThreshold", 1, where)),
        max(1, number(given, "failureThreshold", 3, where)),
    )
    if "httpGet" in given:
        get = mapping(given, "httpGet", where)
        headers = [
            (as_text(one.get("name")), as_text(one.get("value"))) for one in items(get, "httpHeaders", where)
        ]
        path = as_text(get.get("path")) or "/"
        return Probe(
            "http", *times, port=_port(get, ports, where), host=as_text(get.get("host")),
            path=path if path.startswith("/") else f"/{path}",
            scheme=as_text(get.get("scheme") or "http").lower(), headers=headers,
        )  # fmt: skip
    if "tcpSocket" in given:
        socket = mapping(given, "tcpSocket", where)
        return Probe("tcp", *times, port=_port(socket, ports, where), host=as_text(socket.get("host")))
    if "exec" in given:
        command = texts(mapping(given, "exec", where), "command", where)
        if command:
            return Probe("exec", *times, command=command)
    raise UsageError(f"{where}: it is none of httpGet, tcpSocket and exec, which this engine runs")


def run(client: APIClient, probe: Probe, container: str, address: str) -> str:
    """Run a probe once; return "" when it succeeds, else why it does not."""
    if probe.kind == "exec":
        return run_in(client, container, probe.command, probe.timeout)
    host = probe.host or address
    if not host:
        return "the container has no address"
    return _http(probe, host) if probe.kind == "http" else _tcp(probe, host)


def run_in(client: APIClient, container: str, command: Sequence[str], timeout: float) -> str:
    """Run a command in a container; return "" when it ends with 0 in time, else why not.

    A command that takes longer goes on in the container; the engine cannot end it.
    """
    import docker

    try:
        made = client.exec_create(container, list(command), stdout=False, stderr=False)["Id"]
        client.exec_start(made, detach=True)
        end, pause = time.monotonic() + timeout, 0.01
        while True:
            state = client.exec_inspect(made)
            if not state["Running"] and state["ExitCode"] is not None:
                return "" if state["ExitCode"] == 0 else f"{command[0]} ended with {state['ExitCode']}"
            if time.monotonic() > end:
                return f"{command[0]} took longer than {timeout:g} s"
            time.sleep(pause)
            pause = min(pause * 2, 0.2)
    except docker.errors.APIError as error:
        return last_line(error)


def _http(probe: Probe, host: str) -> str:
    """Kubernetes: any answer from 200 to 399 is a success."""
    import http.client
    import ssl

    secure = probe.scheme == "https"
    if secure:
        # As the kubelet, which does not look at the certificate of what it probes.
        context = ssl._create_unverified_context()  # noqa: S323
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, probe.port, timeout=probe.timeout, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, probe.port, timeout=probe.timeout)
    headers = {"User-Agent": "kube-probe/dispatchfile", "Accept": "*/*", "Connection": "close"}
    try:
        connection.request("GET", probe.path, headers={**headers, **dict(probe.headers)})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{probe.scheme} GET {probe.path} at port {probe.port}: {error or type(error).__name__}"
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"{probe.scheme} GET {probe.path} at port {probe.port}: {status}"


def _tcp(probe: Probe, host: str) -> str:
    import socket

    try:
        socket.create_connection((host, probe.port), timeout=probe.timeout).close()
    except OSError as error:
        return f"port {probe.port}: {error}"
    return ""


def _port(given: Mapping[str, Any], ports: Mapping[str, int], where: str) -> int:
    port = given.get("port")
    if isinstance(port, str) and not port.isdecimal():
        if port not in ports:
            raise UsageError(f'{where}: the container has no port "{port}"')
        return ports[port]
    try:
        found = int(port) if port is not None else 0
    except (TypeError, ValueError):
        found = 0
    if not 0 < found < 65536:
        raise UsageError(f"{where}: {port!r} is no port")
    return found
